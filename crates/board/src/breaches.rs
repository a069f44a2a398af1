//! Clock cycles that are breached and still open: the customer waits on.

use std::collections::BTreeMap;

use slawatch_wire::v1::{CycleState, Metric, OutcomeRow};

use crate::owners::Owner;

/// How long a closed cycle is remembered, so that an older row of it, read from another partition, does not reopen it.
const REMEMBERED_MS: i64 = 3_600_000;

/// No end of a contact is waited for any longer: a ticket that is over is forgotten by then, and says nothing more.
const UNANSWERED_MS: i64 = 31 * 24 * 3_600_000;

#[derive(Debug)]
struct Cycle {
    version: u64,
    /// Whose breach it is while it is open.
    open_at: Option<Owner>,
    /// When it counts as closed though nobody said so.
    given_up_at_ms: Option<i64>,
    closed_at_ms: i64,
}

/// Ticket, metric, number of the cycle.
type CycleKey = (String, i32, u32);

/// The cycles whose last row said so.
#[derive(Debug)]
pub(crate) struct OpenBreaches {
    cycles: BTreeMap<CycleKey, Cycle>,
    by_owner: BTreeMap<Owner, u64>,
    max: usize,
    refused: u64,
}

impl OpenBreaches {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            cycles: BTreeMap::new(),
            by_owner: BTreeMap::new(),
            max,
            refused: 0,
        }
    }

    /// Takes a row in unless a newer version of it is known. `clock_ms`: of its source.
    pub(crate) fn put(&mut self, row: &OutcomeRow, version: u64, owner: Owner, clock_ms: i64) {
        let given_up_at_ms = given_up_at_ms(row);
        let is_open = row.state() == CycleState::Breached
            && row.stopped_at_ms.is_none()
            && !row.deleted
            && given_up_at_ms.is_none_or(|at_ms| clock_ms <= at_ms);
        let open_at = is_open.then_some(owner);
        let key = (row.ticket_id.clone(), row.metric, row.cycle);
        let is_full = self.cycles.len() >= self.max;
        let before = match self.cycles.get_mut(&key) {
            Some(cycle) if cycle.version > version => return,
            Some(cycle) => {
                cycle.version = version;
                cycle.given_up_at_ms = given_up_at_ms;
                cycle.closed_at_ms = clock_ms;
                std::mem::replace(&mut cycle.open_at, open_at)
            }
            None if !is_open => return,
            None if is_full => {
                self.refused += 1;
                return;
            }
            None => {
                let closed_at_ms = clock_ms;
                let cycle = Cycle {
                    version,
                    open_at,
                    given_up_at_ms,
                    closed_at_ms,
                };
                self.cycles.insert(key, cycle);
                None
            }
        };
        if let Some(owner) = before {
            leave(&mut self.by_owner, owner);
        }
        if let Some(owner) = open_at {
            *self.by_owner.entry(owner).or_default() += 1;
        }
    }

    /// Closes what is given up by then, and forgets what closed long before the clock.
    pub(crate) fn advance(&mut self, clock_ms: i64) {
        for cycle in self.cycles.values_mut() {
            if cycle.given_up_at_ms.is_some_and(|at_ms| clock_ms > at_ms)
                && let Some(owner) = cycle.open_at.take()
            {
                cycle.closed_at_ms = clock_ms;
                leave(&mut self.by_owner, owner);
            }
        }
        let from_ms = clock_ms.saturating_sub(REMEMBERED_MS);
        self.cycles
            .retain(|_, cycle| cycle.open_at.is_some() || cycle.closed_at_ms >= from_ms);
    }

    /// How many of an owner's cycles are breached and open.
    pub(crate) fn of(&self, owner: Owner) -> u64 {
        self.by_owner.get(&owner).copied().unwrap_or(0)
    }

    /// Breaches that were not taken in because there were too many.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

fn leave(by_owner: &mut BTreeMap<Owner, u64>, owner: Owner) {
    let count = by_owner.entry(owner).or_default();
    *count -= 1;
    if *count == 0 {
        by_owner.remove(&owner);
    }
}

fn given_up_at_ms(row: &OutcomeRow) -> Option<i64> {
    let due_ms = row
        .breached_at_ms
        .filter(|_| row.metric() == Metric::Answer)?;
    Some(due_ms.saturating_add(UNANSWERED_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: Owner = Owner(0);
    const ZETA: Owner = Owner(1);

    fn row(state: CycleState, stopped_at_ms: Option<i64>, deleted: bool) -> OutcomeRow {
        OutcomeRow {
            ticket_id: "T-1".to_owned(),
            state: state.into(),
            stopped_at_ms,
            deleted,
            ..OutcomeRow::default()
        }
    }

    #[test]
    fn a_breach_is_open_until_a_newer_row_says_otherwise() {
        use CycleState::{Breached, Met, Running};
        let mut open = OpenBreaches::new(10);
        // (row, version, owner) and open breaches of the two owners after it.
        for (row, version, owner, expected) in [
            (row(Running, None, false), 1, ACME, (0, 0)),
            (row(Breached, None, false), 5, ACME, (1, 0)),
            (row(Breached, None, false), 5, ACME, (1, 0)),
            (row(Running, None, false), 4, ACME, (1, 0)),
            // Late events move it to somebody else.
            (row(Breached, None, false), 6, ZETA, (0, 1)),
            (row(Breached, Some(9), false), 7, ZETA, (0, 0)),
            (row(Breached, None, false), 6, ACME, (0, 0)),
            (row(Breached, None, false), 8, ACME, (1, 0)),
            (row(Met, Some(3), false), 9, ACME, (0, 0)),
            (row(Breached, None, false), 10, ACME, (1, 0)),
            (row(Breached, None, true), 11, ACME, (0, 0)),
        ] {
            open.put(&row, version, owner, 0);
            assert_eq!(
                (open.of(ACME), open.of(ZETA)),
                expected,
                "version {version}"
            );
        }
        open.advance(REMEMBERED_MS);
        assert_eq!(open.cycles.len(), 1);
        open.advance(REMEMBERED_MS + 1);
        assert_eq!(open.cycles.len(), 0);
    }

    #[test]
    fn a_contact_whose_end_never_comes_is_given_up_as_its_alert_is() {
        let breached = |metric: Metric, ticket: &str| OutcomeRow {
            ticket_id: ticket.to_owned(),
            metric: metric.into(),
            breached_at_ms: Some(1_000),
            ..row(CycleState::Breached, None, false)
        };
        let mut open = OpenBreaches::new(10);
        open.put(&breached(Metric::Answer, "T-1"), 1, ACME, 2_000);
        open.put(&breached(Metric::Resolution, "T-2"), 1, ACME, 2_000);
        open.advance(1_000 + UNANSWERED_MS);
        assert_eq!(open.of(ACME), 2);
        open.advance(1_001 + UNANSWERED_MS);
        assert_eq!(open.of(ACME), 1);
        // Nor does what is read of it later open it.
        let late_ms = 1_001 + UNANSWERED_MS;
        open.put(&breached(Metric::Answer, "T-1"), 2, ACME, late_ms);
        open.put(&breached(Metric::Answer, "T-3"), 1, ACME, late_ms);
        assert_eq!(open.of(ACME), 1);
        open.put(&breached(Metric::Resolution, "T-2"), 2, ZETA, late_ms);
        assert_eq!((open.of(ACME), open.of(ZETA)), (0, 1));
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut open = OpenBreaches::new(1);
        let breached = row(CycleState::Breached, None, false);
        let other = OutcomeRow {
            ticket_id: "T-2".to_owned(),
            ..breached.clone()
        };
        open.put(&breached, 1, ACME, 0);
        open.put(&other, 1, ACME, 0);
        assert_eq!((open.of(ACME), open.refused()), (1, 1));
    }
}
