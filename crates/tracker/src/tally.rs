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

/// The net of many contributions, so that a refold touches only what it changed.
#[derive(Debug, Default)]
pub(crate) struct Net {
    amounts: BTreeMap<(Minute, Owner, Measure), i64>,
    sign: i64,
}

impl Net {
    pub(crate) fn adding(&mut self) -> &mut Self {
        self.sign = 1;
        self
    }

    pub(crate) fn subtracting(&mut self) -> &mut Self {
        self.sign = -1;
        self
    }

    /// What is left of it, zeros aside.
    pub(crate) fn into_changes(self) -> impl Iterator<Item = ((Minute, Owner, Measure), i64)> {
        self.amounts.into_iter().filter(|(_, amount)| *amount != 0)
    }
}

impl Tally for Net {
    fn add(&mut self, at_ms: i64, owner: Owner, measure: Measure, amount: i64) {
        let sum = self
            .amounts
            .entry((Minute::of(at_ms), owner, measure))
            .or_default();
        *sum = sum.wrapping_add(amount.wrapping_mul(self.sign));
    }
}
