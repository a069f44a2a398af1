//! The clocks of a vendor and queue that were breached lately: what an alert about many of them can show as its worst
//! tickets, and what most of them have in common.

use std::collections::BTreeMap;

use slawatch_policy::Metric;
use slawatch_wire::v1::{Contribution, CycleState, OutcomeRow, WorstTicket};

use crate::counters::metric_of_wire;

/// How many are remembered of one queue: those that breached last.
const REMEMBERED: usize = 200;

/// No window reaches further back.
pub(crate) const REMEMBERED_MS: i64 = 24 * 3_600_000;

/// How many tickets and categories an alert names.
const NAMED: usize = 5;

/// The attribute by which they are counted.
const ATTRIBUTE: &str = "category";

/// One breached clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) ticket: String,
    pub(crate) metric: Metric,
    pub(crate) cycle: u32,
    pub(crate) due_ms: i64,
    pub(crate) target_ms: i64,
    /// Once the clock has stopped after all.
    pub(crate) elapsed_ms: Option<i64>,
    /// Empty if it has none, or none is known.
    pub(crate) category: String,
}

impl Breach {
    /// `None` where the row says of no breach.
    pub(crate) fn of_row(row: &OutcomeRow) -> Option<Self> {
        if row.deleted || row.state() != CycleState::Breached {
            return None;
        }
        let stopped = row.stopped_at_ms.and(row.elapsed_ms);
        Some(Self {
            ticket: row.ticket_id.clone(),
            metric: metric_of_wire(row.metric)?,
            cycle: row.cycle,
            due_ms: row.breached_at_ms.or(row.due_at_ms)?,
            target_ms: row.target_ms.unwrap_or(0),
            elapsed_ms: stopped,
            category: row.attributes.get(ATTRIBUTE).cloned().unwrap_or_default(),
        })
    }

    fn is_of(&self, ticket: &str, metric: Metric, cycle: u32) -> bool {
        self.cycle == cycle && self.metric == metric && self.ticket == ticket
    }

    /// By how much it is or was late.
    fn overdue_ms(&self, now_ms: i64) -> i64 {
        let late_ms = match self.elapsed_ms {
            Some(elapsed_ms) => elapsed_ms.saturating_sub(self.target_ms),
            None => now_ms.saturating_sub(self.due_ms),
        };
        late_ms.max(0)
    }
}

/// Those of one vendor and queue, by their dues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breaches(Vec<Breach>);

impl Breaches {
    pub(crate) fn restore(breaches: Vec<Breach>) -> Self {
        Self(breaches)
    }

    /// Takes one in, in place of what was known of its clock.
    pub(crate) fn put(&mut self, breach: Breach) {
        self.remove(&breach.ticket, breach.metric, breach.cycle);
        let order = |known: &Breach| {
            (
                known.due_ms,
                known.ticket.clone(),
                known.metric,
                known.cycle,
            )
        };
        let own = order(&breach);
        let place = self.0.partition_point(|known| order(known) < own);
        self.0.insert(place, breach);
        if self.0.len() > REMEMBERED {
            self.0.remove(0);
        }
    }

    pub(crate) fn remove(&mut self, ticket: &str, metric: Metric, cycle: u32) {
        self.0.retain(|known| !known.is_of(ticket, metric, cycle));
    }

    /// Forgets those that lie further back.
    pub(crate) fn forget_before(&mut self, due_ms: i64) {
        self.0.retain(|known| known.due_ms >= due_ms);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Breach> {
        self.0.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Longest overdue first.
pub(crate) fn worst<'a>(
    breaches: impl Iterator<Item = &'a Breach>,
    now_ms: i64,
) -> Vec<WorstTicket> {
    let mut late: Vec<(i64, &Breach)> = breaches
        .map(|breach| (breach.overdue_ms(now_ms), breach))
        .collect();
    late.sort_by_key(|(overdue_ms, breach)| (-overdue_ms, breach.due_ms));
    late.truncate(NAMED);
    let ticket = |(_, breach): (i64, &Breach)| WorstTicket {
        ticket_id: breach.ticket.clone(),
        metric: breach.metric.name().to_owned(),
        due_ms: Some(breach.due_ms),
        elapsed_ms: breach.elapsed_ms,
        target_ms: Some(breach.target_ms),
    };
    late.into_iter().map(ticket).collect()
}

/// How many of them have one category, the most frequent first; those without any are left out.
pub(crate) fn contributions<'a>(breaches: impl Iterator<Item = &'a Breach>) -> Vec<Contribution> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for breach in breaches.filter(|breach| !breach.category.is_empty()) {
        *counts.entry(&breach.category).or_default() += 1;
    }
    let mut counts: Vec<(&str, i64)> = counts.into_iter().collect();
    counts.sort_by_key(|(category, tickets)| (-tickets, *category));
    counts.truncate(NAMED);
    let contribution = |(category, tickets): (&str, i64)| Contribution {
        attribute: ATTRIBUTE.to_owned(),
        value: category.to_owned(),
        tickets,
    };
    counts.into_iter().map(contribution).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(number: i64, elapsed_ms: Option<i64>) -> Breach {
        Breach {
            ticket: format!("T{number}"),
            metric: Metric::FirstReply,
            cycle: 1,
            due_ms: number * 1000,
            target_ms: 500,
            elapsed_ms,
            category: String::new(),
        }
    }

    #[test]
    fn no_more_than_the_last_are_remembered() {
        let mut breaches = Breaches::default();
        for number in 0..1_000 {
            breaches.put(breach(number, None));
            breaches.put(breach(number, Some(900)));
        }
        assert_eq!(breaches.iter().count(), REMEMBERED);
        assert!(breaches.iter().all(|known| known.elapsed_ms == Some(900)));
        assert_eq!(
            breaches.iter().next().map(|known| known.due_ms),
            Some(800_000)
        );
        breaches.forget_before(999_000);
        assert_eq!(breaches.iter().count(), 1);
    }

    #[test]
    fn the_longest_overdue_comes_first_stopped_or_not() {
        let all = [breach(1, Some(9_500)), breach(5, None), breach(2, None)];
        let worst = worst(all.iter(), 10_000);
        let names: Vec<&str> = worst.iter().map(|worst| worst.ticket_id.as_str()).collect();
        // 9 s, 5 s and 8 s late.
        assert_eq!(names, ["T1", "T2", "T5"]);
    }
}
