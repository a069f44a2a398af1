//! `[topics]`: what they are called, and what is made of those that are missing.

use serde::Deserialize;

use super::Duration;

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
    /// How long they keep records.
    pub retention: Retention,
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
            retention: Retention::default(),
        }
    }
}

const DAY_MS: i64 = 86_400_000;

/// How long the topics made here keep records. Readers that are away longer have lost some, and say so.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// By far the most bytes: progress is written at all times.
    pub signals: Duration,
    /// What the board shows of the past when it starts.
    pub alerts: Duration,
    /// What a dispatcher reads to learn what was sent.
    pub notifications: Duration,
    /// They hold customers' text; ClickHouse keeps them for a time of its own.
    pub dead_letters: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            signals: Duration::from_ms(7 * DAY_MS),
            alerts: Duration::from_ms(30 * DAY_MS),
            notifications: Duration::from_ms(30 * DAY_MS),
            dead_letters: Duration::from_ms(7 * DAY_MS),
        }
    }
}
