//! What a generated stretch truly holds, for summaries and for checking what others count.

use std::collections::BTreeMap;

use super::incident::Incident;

/// Counts of the records emitted so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// Everything: events, duplicates and malformed records.
    pub records: u64,
    /// Distinct good events by type.
    pub events: BTreeMap<&'static str, u64>,
    /// Exact copies of events.
    pub duplicates: u64,
    /// Records that arrived more than two seconds after their event.
    pub late: u64,
    /// Records that cannot count, by the reason that SEMANTICS 1 gives first.
    pub malformed: BTreeMap<&'static str, u64>,
    /// The incident that was staged.
    pub incident: Option<Incident>,
}

impl Truth {
    /// Distinct good events.
    pub fn distinct_events(&self) -> u64 {
        self.events.values().sum()
    }

    /// Records that can count, copies included.
    pub fn accepted(&self) -> u64 {
        self.distinct_events() + self.duplicates
    }

    /// Records that go to dead letters.
    pub fn dead_letters(&self) -> u64 {
        self.malformed.values().sum()
    }
}
