//! The alert of one clock: what is remembered of it, and what a row of the same cycle does to it.

use std::sync::Arc;

use slawatch_policy::Metric;
use slawatch_wire::v1::{CycleState, OutcomeRow};

use crate::rule::{Badge, Ticket, TicketRule};
use crate::ticket_alert::{Change, Over};

/// A warning that nothing was heard of for so long has lost its ticket: to another vendor, or for good.
const WARNED_MS: i64 = 7 * 24 * 3_600_000;

/// A contact that was breached and of which nothing came for so long. Its clock is the only one that outlives its ticket
/// being over (SEMANTICS 3), so once the ticket is forgotten (30 days, SEMANTICS 2) nothing would ever end it.
const UNANSWERED_MS: i64 = 31 * 24 * 3_600_000;

/// The level of a breach in keys and words; a warning has the level that its policy names.
pub(crate) const BREACHED: &str = "breached";

/// One alert of one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockAlert {
    /// The rule's place among the ticket rules.
    pub(crate) rule: usize,
    pub(crate) metric: Metric,
    pub(crate) cycle: u32,
    pub(crate) level: String,
    pub(crate) vendor: String,
    pub(crate) queue: String,
    pub(crate) priority: String,
    pub(crate) target_ms: i64,
    pub(crate) revision: u64,
    /// The due, or the instant at which the level was reached.
    pub(crate) due_ms: i64,
    /// The same, or when it began to be told, if that was later.
    pub(crate) fired_at_ms: i64,
    /// Transitions before this firing: one that comes back is another episode, though of the same due.
    pub(crate) fired_after: u64,
    pub(crate) phase: ClockPhase,
    /// Since when somebody sees to it.
    pub(crate) acknowledged_at_ms: Option<i64>,
    /// The acknowledgements so far.
    pub(crate) actions: Vec<String>,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockPhase {
    /// Not told: outside the hours of its rule, or about to be told.
    Waiting,
    /// Not told by itself: the alert about its queue stands for it.
    Held,
    Firing,
    /// The cycle is over; what was told stands.
    Over {
        at_ms: i64,
    },
    /// It was told that it was false.
    TakenBack {
        at_ms: i64,
    },
}

impl ClockAlert {
    /// It is so, told or not.
    pub(crate) fn is_live(&self) -> bool {
        match self.phase {
            ClockPhase::Waiting | ClockPhase::Held | ClockPhase::Firing => true,
            ClockPhase::Over { .. } | ClockPhase::TakenBack { .. } => false,
        }
    }

    pub(crate) fn is_breach(&self) -> bool {
        self.level == BREACHED
    }

    /// Why no end of it is waited for any longer.
    pub(crate) fn given_up(&self, now_ms: i64) -> Option<&'static str> {
        let (patience_ms, why) = if !self.is_breach() {
            (WARNED_MS, "nothing was heard of this clock for 7 days")
        } else if self.metric == Metric::Answer {
            (
                UNANSWERED_MS,
                "no end of this contact was heard of for 31 days; a ticket that is over is forgotten by then",
            )
        } else {
            return None;
        };
        (self.due_ms < now_ms.saturating_sub(patience_ms)).then_some(why)
    }

    /// When it gets worse, if nothing ends it: somebody saw to it, and it is still so.
    pub(crate) fn worsens_at_ms(&self, rule: &TicketRule) -> Option<i64> {
        let since_ms = self.acknowledged_at_ms?;
        let worse_by_ms = rule.worse_by_ms?;
        (self.phase == ClockPhase::Firing).then(|| since_ms.saturating_add(worse_by_ms))
    }

    /// What a row of the same cycle does to this alert.
    pub(crate) fn judge(&self, rule: &TicketRule, row: &OutcomeRow) -> Option<Change<'static>> {
        if matches!(self.phase, ClockPhase::TakenBack { .. }) {
            return None;
        }
        let firing = self.is_live();
        if self.vendor != row.vendor {
            // The row's deletion elsewhere says nothing about this vendor.
            return match (row.deleted, self.is_breach()) {
                (true, _) => None,
                (false, true) => Some(Change::Retract("the breach belongs to another vendor")),
                (false, false) => {
                    firing.then_some(Change::Expire("the ticket went to another vendor"))
                }
            };
        }
        if row.deleted {
            let why = "late events show that this clock never ran so";
            return (firing || self.is_breach()).then_some(Change::Retract(why));
        }
        let state = row.state();
        if !self.is_breach() {
            return firing.then(|| warned(state)).flatten();
        }
        if state != CycleState::Breached {
            return Some(Change::Retract("late events show that it was not breached"));
        }
        if !rule.covers(self.metric, Ticket::of_row(row)) {
            return Some(Change::Retract(
                "late events show that it is none of this rule's tickets",
            ));
        }
        let stopped_at_ms = row.stopped_at_ms.filter(|_| firing)?;
        Some(Change::Resolve(Over::Fulfilled {
            at_ms: stopped_at_ms,
            elapsed_ms: row.elapsed_ms,
        }))
    }
}

fn warned(state: CycleState) -> Option<Change<'static>> {
    match state {
        CycleState::Running | CycleState::Paused | CycleState::Unspecified => None,
        CycleState::Met => Some(Change::Resolve(Over::Said("fulfilled in time"))),
        CycleState::Breached => Some(Change::Resolve(Over::Said("the clock is breached now"))),
        CycleState::Cancelled => Some(Change::Resolve(Over::Said("the clock was cancelled"))),
        CycleState::Abandoned => Some(Change::Resolve(Over::Said("the contact was abandoned"))),
        CycleState::FlowedOut => Some(Change::Resolve(Over::Said("the contact flowed out"))),
        CycleState::Untargeted => Some(Change::Resolve(Over::Said("no target holds any more"))),
    }
}
