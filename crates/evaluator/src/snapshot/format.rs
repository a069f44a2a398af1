//! The messages of a snapshot. Field numbers are never used again for something else.

use prost::Message;
use slawatch_wire::v1::AlertTransition;

use super::past::{HistoryState, PastState};

#[derive(Clone, PartialEq, Message)]
pub(super) struct State {
    #[prost(uint32, tag = "1")]
    pub(super) schema: u32,
    #[prost(sint64, optional, tag = "2")]
    pub(super) clock_ms: Option<i64>,
    #[prost(uint32, tag = "3")]
    pub(super) sources_expected: u32,
    #[prost(message, repeated, tag = "4")]
    pub(super) sources: Vec<SourceState>,
    #[prost(sint64, tag = "5")]
    pub(super) complete_from: i64,
    /// How many panes back were kept.
    #[prost(sint64, tag = "6")]
    pub(super) kept_panes: i64,
    #[prost(message, repeated, tag = "7")]
    pub(super) group_rules: Vec<RuleState>,
    #[prost(message, repeated, tag = "8")]
    pub(super) ticket_rules: Vec<RuleState>,
    #[prost(message, repeated, tag = "9")]
    pub(super) vendors: Vec<VendorState>,
    #[prost(message, repeated, tag = "10")]
    pub(super) clock_alerts: Vec<ClockAlertState>,
    #[prost(message, repeated, tag = "11")]
    pub(super) parting: Vec<AlertTransition>,
    /// The rules that it was reached under: file and text.
    #[prost(string, tag = "12")]
    pub(super) rules_file: String,
    #[prost(string, tag = "13")]
    pub(super) rules_text: String,
    #[prost(uint64, tag = "14")]
    pub(super) rules_epoch: u64,
    #[prost(message, repeated, tag = "20")]
    pub(super) crowds: Vec<CrowdState>,
    #[prost(message, optional, tag = "30")]
    pub(super) past: Option<PastState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SourceState {
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(uint64, tag = "2")]
    pub(super) epoch: u64,
    #[prost(uint64, tag = "3")]
    pub(super) batch: u64,
    #[prost(sint64, tag = "4")]
    pub(super) clock_ms: i64,
    #[prost(bool, tag = "5")]
    pub(super) out: bool,
    #[prost(uint64, tag = "6")]
    pub(super) settled_part: u64,
    #[prost(message, repeated, tag = "7")]
    pub(super) corrections: Vec<CorrectionState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CorrectionState {
    #[prost(uint64, tag = "1")]
    pub(super) part: u64,
    #[prost(sint64, tag = "2")]
    pub(super) pane_ms: i64,
    #[prost(string, tag = "3")]
    pub(super) vendor: String,
    #[prost(string, tag = "4")]
    pub(super) queue: String,
}

/// What must be known of a rule to end its alerts when it is gone.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RuleState {
    #[prost(string, tag = "1")]
    pub(super) identity: String,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) severity: String,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) labels: std::collections::BTreeMap<String, String>,
    #[prost(string, tag = "5")]
    pub(super) runbook_url: String,
    #[prost(string, tag = "6")]
    pub(super) kind: String,
    #[prost(string, tag = "7")]
    pub(super) timezone: String,
}

/// What an alert is known by until its end, where its rule says something else by now.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BadgeState {
    #[prost(string, tag = "1")]
    pub(super) severity: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) labels: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct VendorState {
    #[prost(string, tag = "1")]
    pub(super) vendor: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) queues: Vec<QueueState>,
    #[prost(message, repeated, tag = "3")]
    pub(super) episodes: Vec<EpisodeState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct QueueState {
    #[prost(string, tag = "1")]
    pub(super) queue: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) panes: Vec<PaneState>,
    #[prost(message, repeated, tag = "3")]
    pub(super) gauges: Vec<GaugeState>,
    #[prost(message, repeated, tag = "4")]
    pub(super) episodes: Vec<EpisodeState>,
    #[prost(sint64, optional, tag = "5")]
    pub(super) heard_ms: Option<i64>,
    #[prost(message, repeated, tag = "6")]
    pub(super) breaches: Vec<BreachState>,
    #[prost(message, optional, tag = "10")]
    pub(super) history: Option<HistoryState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BreachState {
    #[prost(string, tag = "1")]
    pub(super) ticket: String,
    #[prost(string, tag = "2")]
    pub(super) metric: String,
    #[prost(uint32, tag = "3")]
    pub(super) cycle: u32,
    #[prost(sint64, tag = "4")]
    pub(super) due_ms: i64,
    #[prost(sint64, tag = "5")]
    pub(super) target_ms: i64,
    #[prost(sint64, optional, tag = "6")]
    pub(super) elapsed_ms: Option<i64>,
    #[prost(string, tag = "7")]
    pub(super) category: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PaneState {
    #[prost(sint64, tag = "1")]
    pub(super) minute: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) total: Option<CountsState>,
    #[prost(message, repeated, tag = "3")]
    pub(super) sources: Vec<CountsState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CountsState {
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(uint64, tag = "2")]
    pub(super) mask: u64,
    #[prost(sint64, repeated, tag = "3")]
    pub(super) values: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GaugeState {
    #[prost(uint32, tag = "1")]
    pub(super) source: u32,
    #[prost(sint64, tag = "2")]
    pub(super) open_tickets: i64,
    #[prost(sint64, optional, tag = "3")]
    pub(super) oldest_created_at_ms: Option<i64>,
    #[prost(string, tag = "4")]
    pub(super) oldest_ticket_id: String,
}

/// Only of episodes that were ever told of: the others are as new.
#[derive(Clone, PartialEq, Message)]
pub(super) struct EpisodeState {
    /// Place among `group_rules`.
    #[prost(uint32, tag = "1")]
    pub(super) rule: u32,
    #[prost(uint64, tag = "2")]
    pub(super) revision: u64,
    #[prost(sint64, optional, tag = "3")]
    pub(super) pending_since_ms: Option<i64>,
    #[prost(message, optional, tag = "4")]
    pub(super) firing: Option<FiringState>,
    #[prost(sint64, optional, tag = "5")]
    pub(super) last_fired_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FiringState {
    #[prost(sint64, tag = "1")]
    pub(super) since_ms: i64,
    #[prost(sint64, optional, tag = "2")]
    pub(super) left_since_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub(super) badge: Option<BadgeState>,
    #[prost(message, repeated, tag = "8")]
    pub(super) witnesses: Vec<WitnessState>,
    #[prost(bool, tag = "9")]
    pub(super) acknowledged: bool,
    #[prost(double, optional, tag = "10")]
    pub(super) acknowledged_badness: Option<f64>,
    #[prost(string, repeated, tag = "11")]
    pub(super) actions: Vec<String>,
    #[prost(uint32, tag = "20")]
    pub(super) grade: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WitnessState {
    #[prost(sint64, tag = "1")]
    pub(super) at_ms: i64,
    #[prost(double, optional, tag = "2")]
    pub(super) badness: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) grounds: Vec<GroundState>,
    #[prost(message, optional, tag = "4")]
    pub(super) rest: Option<CountsState>,
}

/// One reading that a firing rests on.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GroundState {
    #[prost(sint64, tag = "1")]
    pub(super) seen_numerator: i64,
    #[prost(sint64, tag = "2")]
    pub(super) seen_denominator: i64,
    #[prost(sint64, tag = "3")]
    pub(super) corrected_numerator: i64,
    #[prost(sint64, tag = "4")]
    pub(super) corrected_denominator: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ClockAlertState {
    #[prost(string, tag = "1")]
    pub(super) ticket: String,
    /// Place among `ticket_rules`.
    #[prost(uint32, tag = "2")]
    pub(super) rule: u32,
    #[prost(string, tag = "3")]
    pub(super) metric: String,
    #[prost(uint32, tag = "4")]
    pub(super) cycle: u32,
    #[prost(string, tag = "5")]
    pub(super) level: String,
    #[prost(string, tag = "6")]
    pub(super) vendor: String,
    #[prost(string, tag = "7")]
    pub(super) queue: String,
    #[prost(string, tag = "8")]
    pub(super) priority: String,
    #[prost(sint64, tag = "9")]
    pub(super) target_ms: i64,
    #[prost(uint64, tag = "10")]
    pub(super) revision: u64,
    #[prost(sint64, tag = "11")]
    pub(super) fired_at_ms: i64,
    #[prost(sint64, optional, tag = "12")]
    pub(super) over_at_ms: Option<i64>,
    #[prost(sint64, optional, tag = "13")]
    pub(super) taken_back_at_ms: Option<i64>,
    #[prost(message, optional, tag = "14")]
    pub(super) badge: Option<BadgeState>,
    #[prost(sint64, optional, tag = "15")]
    pub(super) acknowledged_at_ms: Option<i64>,
    #[prost(string, repeated, tag = "16")]
    pub(super) actions: Vec<String>,
    #[prost(sint64, tag = "17")]
    pub(super) due_ms: i64,
    #[prost(uint64, tag = "18")]
    pub(super) fired_after: u64,
    #[prost(bool, tag = "19")]
    pub(super) waiting: bool,
    #[prost(bool, tag = "20")]
    pub(super) held: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CrowdState {
    /// Place among `ticket_rules`.
    #[prost(uint32, tag = "1")]
    pub(super) rule: u32,
    #[prost(string, tag = "2")]
    pub(super) vendor: String,
    #[prost(string, tag = "3")]
    pub(super) queue: String,
    #[prost(sint64, repeated, tag = "4")]
    pub(super) recent_ms: Vec<i64>,
    #[prost(uint64, tag = "5")]
    pub(super) revision: u64,
    #[prost(sint64, optional, tag = "6")]
    pub(super) last_fired_ms: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub(super) firing: Option<CrowdFiringState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CrowdFiringState {
    #[prost(sint64, optional, tag = "1")]
    pub(super) since_ms: Option<i64>,
    #[prost(sint64, tag = "2")]
    pub(super) first_ms: i64,
    #[prost(bool, tag = "3")]
    pub(super) gathering: bool,
    #[prost(sint64, tag = "4")]
    pub(super) breached: i64,
    #[prost(sint64, tag = "5")]
    pub(super) taken_back: i64,
    #[prost(string, repeated, tag = "6")]
    pub(super) actions: Vec<String>,
    #[prost(message, optional, tag = "7")]
    pub(super) badge: Option<BadgeState>,
    #[prost(sint64, optional, tag = "8")]
    pub(super) acknowledged: Option<i64>,
}
