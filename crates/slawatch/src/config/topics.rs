//! `[topics]`: what they are called, and what is made of those that are missing.

use serde::Deserialize;

/// Names of the topics, and what `slawatch run` makes of those that are missing.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// The input, keyed by ticket. It is never made here: its owner decides how many partitions it has.
    pub ticket_events: String,
    /// Tracker to evaluator, by vendor.
    pub signals: String,
    /// Evaluator to dispatcher, by vendor.
    pub alerts: String,
    /// What the dispatcher did.
    pub notifications: String,
    /// Records that cannot count.
    pub dead_letters: String,
    /// Partitions of the topics made here.
    pub partitions: u32,
    /// Copies of each of their partitions.
    pub replication: u16,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            ticket_events: "ticket-events".to_owned(),
            signals: "slawatch.signals".to_owned(),
            alerts: "slawatch.alerts".to_owned(),
            notifications: "slawatch.notifications".to_owned(),
            dead_letters: "slawatch.dead-letters".to_owned(),
            partitions: 4,
            replication: 1,
        }
    }
}
