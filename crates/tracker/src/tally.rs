//! Where contributions to panes go: a signed amount of a measure, at a minute, to an owner.

use std::collections::BTreeMap;

use crate::measure::Measure;
use crate::symbol::Symbol;

/// (vendor, queue) in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Owner {
    /// The vendor.
    pub(crate) vendor: Symbol,
    /// The queue.
    pub(crate) queue: Symbol,
}

/// A UTC minute: `floor(instant / 60000)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Minute(pub(crate) i64);

impl Minute {
    /// The minute of an instant in UTC ms.
    pub(crate) const fn of(instant_ms: i64) -> Self {
        Self(instant_ms.div_euclid(60_000))
    }

    /// Its first instant, UTC ms.
    pub(crate) const fn start_ms(self) -> i64 {
        self.0 * 60_000
    }
}

/// Takes contributions.
pub(crate) trait Tally {
    /// Adds `amount` of `measure` to the pane of `at_ms` and `owner`.
    fn add(&mut self, at_ms: i64, owner: Owner, measure: Measure, amount: i64);
}

/// One contribution: where it goes, and how much.
pub(crate) type Contribution = ((Minute, Owner, Measure), i64);

impl Tally for Vec<Contribution> {
    fn add(&mut self, at_ms: i64, owner: Owner, measure: Measure, amount: i64) {
        self.push(((Minute::of(at_ms), owner, measure), amount));
    }
}

/// What of a ticket goes nowhere.
#[derive(Debug)]
pub(crate) struct Discard;

impl Tally for Discard {
    fn add(&mut self, _: i64, _: Owner, _: Measure, _: i64) {}
}

/// What turns one list of contributions into another, zeros aside. Two folds of one ticket say much the same in the same
/// order, so that only what lies between is added up.
pub(crate) fn changes(before: &[Contribution], after: &[Contribution]) -> Vec<Contribution> {
    let pairs = before.iter().zip(after);
    let head = pairs.take_while(|(before, after)| before == after).count();
    let (before, after) = (&before[head..], &after[head..]);
    let pairs = before.iter().rev().zip(after.iter().rev());
    let tail = pairs.take_while(|(before, after)| before == after).count();
    let mut sums: BTreeMap<_, i64> = BTreeMap::new();
    for (place, amount) in &after[..after.len() - tail] {
        let sum = sums.entry(*place).or_default();
        *sum = sum.wrapping_add(*amount);
    }
    for (place, amount) in &before[..before.len() - tail] {
        let sum = sums.entry(*place).or_default();
        *sum = sum.wrapping_sub(*amount);
    }
    sums.into_iter().filter(|(_, sum)| *sum != 0).collect()
}
