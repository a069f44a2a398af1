//! The counted measures of SEMANTICS 5 as a flat array: one index per count, dense sums, and the packed form in which a
//! pane keeps them. Of a histogram only the sum of squares is kept, which tells how far a mean can be trusted.

use slawatch_policy::Metric;
use slawatch_wire::v1::{self, Measures};

use crate::stats;

/// The metric of that number on the wire; `None` for one that this version does not know.
pub(crate) fn metric_of_wire(number: i32) -> Option<Metric> {
    match v1::Metric::try_from(number).ok()? {
        v1::Metric::Unspecified => None,
        v1::Metric::FirstReply => Some(Metric::FirstReply),
        v1::Metric::NextReply => Some(Metric::NextReply),
        v1::Metric::PeriodicUpdate => Some(Metric::PeriodicUpdate),
        v1::Metric::RequesterWait => Some(Metric::RequesterWait),
        v1::Metric::AgentWork => Some(Metric::AgentWork),
        v1::Metric::Resolution => Some(Metric::Resolution),
        v1::Metric::Answer => Some(Metric::Answer),
    }
}

const PLAIN: usize = 22;
const SQUARES: usize = PLAIN + 2 * Metric::COUNT;
const COUNT: usize = SQUARES + 2;

const PLAIN_NAMES: [&str; PLAIN] = [
    "created",
    "entered",
    "left",
    "solved",
    "reopened",
    "escalated",
    "offered",
    "answered",
    "abandoned",
    "flowed_out",
    "answered_in_target",
    "abandoned_in_target",
    "short_abandoned",
    "wait_ms",
    "handled",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "ratings",
    "satisfied",
    "audits",
    "audits_passed",
];

/// One counted measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Counter(u8);

impl Counter {
    pub(crate) const CREATED: Self = Self(0);
    pub(crate) const SOLVED: Self = Self(3);
    pub(crate) const REOPENED: Self = Self(4);
    pub(crate) const ESCALATED: Self = Self(5);
    pub(crate) const OFFERED: Self = Self(6);
    pub(crate) const ANSWERED: Self = Self(7);
    pub(crate) const ABANDONED: Self = Self(8);
    pub(crate) const ANSWERED_IN_TARGET: Self = Self(10);
    pub(crate) const ABANDONED_IN_TARGET: Self = Self(11);
    pub(crate) const SHORT_ABANDONED: Self = Self(12);
    pub(crate) const WAIT_MS: Self = Self(13);
    pub(crate) const HANDLED: Self = Self(14);
    pub(crate) const TALK_MS: Self = Self(15);
    pub(crate) const HOLD_MS: Self = Self(16);
    pub(crate) const WRAP_MS: Self = Self(17);
    pub(crate) const RATINGS: Self = Self(18);
    pub(crate) const SATISFIED: Self = Self(19);
    pub(crate) const AUDITS: Self = Self(20);
    pub(crate) const AUDITS_PASSED: Self = Self(21);

    /// As [`stats::squares`] has it, of the waits and of the handling times.
    pub(crate) const WAIT_SQUARES: Self = Self(SQUARES as u8);
    pub(crate) const HANDLE_SQUARES: Self = Self(SQUARES as u8 + 1);

    pub(crate) const fn met(metric: Metric) -> Self {
        Self((PLAIN + 2 * metric.index()) as u8)
    }

    pub(crate) const fn breached(metric: Metric) -> Self {
        Self((PLAIN + 2 * metric.index() + 1) as u8)
    }

    /// Every counted measure.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..COUNT as u8).map(Self)
    }

    /// The name in rules, evidence and documents: `created`, `met.first_reply`.
    pub(crate) fn name(self) -> String {
        let index = self.index();
        match index.checked_sub(PLAIN) {
            None => PLAIN_NAMES[index].to_owned(),
            Some(_) if self == Self::WAIT_SQUARES => "wait_squares".to_owned(),
            Some(_) if self == Self::HANDLE_SQUARES => "handle_squares".to_owned(),
            Some(verdict) => {
                let kind = if verdict % 2 == 0 { "met" } else { "breached" };
                format!("{kind}.{}", Metric::ALL[verdict / 2])
            }
        }
    }

    const fn index(self) -> usize {
        self.0 as usize
    }

    /// Time, not pieces.
    pub(crate) const fn is_duration(self) -> bool {
        matches!(
            self,
            Self::WAIT_MS
                | Self::TALK_MS
                | Self::HOLD_MS
                | Self::WRAP_MS
                | Self::WAIT_SQUARES
                | Self::HANDLE_SQUARES
        )
    }

    /// The set of these.
    pub(crate) fn mask(counters: &[Self]) -> u64 {
        counters
            .iter()
            .fold(0, |mask, counter| mask | 1 << counter.0)
    }
}

/// A value for every counter, with the set of those that may differ from zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Totals {
    mask: u64,
    values: [i64; COUNT],
}

impl Totals {
    pub(crate) const ZERO: Self = Self {
        mask: 0,
        values: [0; COUNT],
    };

    /// What a row of the wire says; verdicts of metrics unknown to this version are left out.
    pub(crate) fn from_wire(row: &Measures) -> Self {
        let mut totals = Self::ZERO;
        let plain: [i64; PLAIN] = [
            row.created,
            row.entered,
            row.left,
            row.solved,
            row.reopened,
            row.escalated,
            row.offered,
            row.answered,
            row.abandoned,
            row.flowed_out,
            row.answered_in_target,
            row.abandoned_in_target,
            row.short_abandoned,
            row.wait_ms,
            row.handled,
            row.talk_ms,
            row.hold_ms,
            row.wrap_ms,
            row.ratings,
            row.satisfied,
            row.audits,
            row.audits_passed,
        ];
        for (index, value) in plain.into_iter().enumerate() {
            totals.increase(index, value);
        }
        let squares = [
            (Counter::WAIT_SQUARES, &row.wait_histogram),
            (Counter::HANDLE_SQUARES, &row.handle_histogram),
        ];
        for (counter, histogram) in squares {
            totals.increase(counter.index(), stats::squares(histogram));
        }
        for verdict in &row.verdicts {
            if let Some(metric) = metric_of_wire(verdict.metric) {
                totals.increase(Counter::met(metric).index(), verdict.met);
                totals.increase(Counter::breached(metric).index(), verdict.breached);
            }
        }
        totals
    }

    fn increase(&mut self, index: usize, by: i64) {
        if by != 0 {
            self.mask |= 1 << index;
            // Wrapping, because only so does taking out again what was put in always give what was there before.
            self.values[index] = self.values[index].wrapping_add(by);
        }
    }

    pub(crate) fn get(&self, counter: Counter) -> i64 {
        self.values[counter.index()]
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.values.iter().all(|value| *value == 0)
    }

    /// Whether anything but breaches is in it: those come about by the clock alone.
    pub(crate) fn has_events(&self) -> bool {
        let breached = Metric::ALL.map(|metric| Counter::breached(metric).index());
        bits(self.mask).any(|index| self.values[index] != 0 && !breached.contains(&index))
    }

    /// Only what is below zero.
    pub(crate) fn decreases(&self) -> Self {
        let mut decreases = Self::ZERO;
        for index in bits(self.mask).filter(|index| self.values[*index] < 0) {
            decreases.increase(index, self.values[index]);
        }
        decreases
    }

    /// The counters of a set alone.
    pub(crate) fn of(&self, mask: u64) -> Self {
        let mut some = Self::ZERO;
        for index in bits(self.mask & mask) {
            some.increase(index, self.values[index]);
        }
        some
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for index in bits(other.mask) {
            self.increase(index, other.values[index]);
        }
    }

    pub(crate) fn add_packed(&mut self, other: &Packed) {
        for (index, value) in other.entries() {
            self.increase(index, value);
        }
    }

    pub(crate) fn subtract_packed(&mut self, other: &Packed) {
        for (index, value) in other.entries() {
            self.increase(index, value.wrapping_neg());
        }
    }
}

/// Only the counters that were ever set: most panes of a queue use a handful.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packed {
    mask: u64,
    values: Vec<i64>,
}

impl Packed {
    /// Takes the new value in place of the old and says what that changed.
    pub(crate) fn replace(&mut self, new: &Totals) -> Totals {
        let mut change = Totals::ZERO;
        for (index, old) in self.entries() {
            change.increase(index, old.wrapping_neg());
        }
        change.add(new);
        self.make_room(new.mask);
        for (slot, index) in bits(self.mask).enumerate() {
            self.values[slot] = new.values[index];
        }
        change
    }

    pub(crate) fn add(&mut self, change: &Totals) {
        self.make_room(change.mask);
        for (slot, index) in bits(self.mask).enumerate() {
            self.values[slot] = self.values[slot].wrapping_add(change.values[index]);
        }
    }

    fn make_room(&mut self, mask: u64) {
        let wider = self.mask | mask;
        if wider == self.mask {
            return;
        }
        let mut values = vec![0; wider.count_ones() as usize];
        for (slot, index) in bits(wider).enumerate() {
            if self.mask & (1 << index) != 0 {
                let before = (self.mask & ((1 << index) - 1)).count_ones() as usize;
                values[slot] = self.values[before];
            }
        }
        self.mask = wider;
        self.values = values;
    }

    fn entries(&self) -> impl Iterator<Item = (usize, i64)> {
        bits(self.mask).zip(self.values.iter().copied())
    }

    pub(crate) fn parts(&self) -> (u64, &[i64]) {
        (self.mask, &self.values)
    }

    /// `None` unless mask and values fit together and every counter is known.
    pub(crate) fn from_parts(mask: u64, values: Vec<i64>) -> Option<Self> {
        let fits = mask < 1 << COUNT && mask.count_ones() as usize == values.len();
        fits.then_some(Self { mask, values })
    }
}

fn bits(mask: u64) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let index = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            index
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use slawatch_wire::v1::{Bucket, VerdictCount};

    fn counted(name: &str) -> Counter {
        Counter::all()
            .find(|counter| counter.name() == name)
            .expect("a known name")
    }

    #[test]
    fn names_and_constants_agree() {
        for (counter, name) in [
            (Counter::CREATED, "created"),
            (Counter::SOLVED, "solved"),
            (Counter::REOPENED, "reopened"),
            (Counter::ESCALATED, "escalated"),
            (Counter::OFFERED, "offered"),
            (Counter::ANSWERED, "answered"),
            (Counter::ABANDONED, "abandoned"),
            (Counter::ANSWERED_IN_TARGET, "answered_in_target"),
            (Counter::ABANDONED_IN_TARGET, "abandoned_in_target"),
            (Counter::SHORT_ABANDONED, "short_abandoned"),
            (Counter::WAIT_MS, "wait_ms"),
            (Counter::HANDLED, "handled"),
            (Counter::TALK_MS, "talk_ms"),
            (Counter::HOLD_MS, "hold_ms"),
            (Counter::WRAP_MS, "wrap_ms"),
            (Counter::RATINGS, "ratings"),
            (Counter::SATISFIED, "satisfied"),
            (Counter::AUDITS, "audits"),
            (Counter::AUDITS_PASSED, "audits_passed"),
            (Counter::met(Metric::FirstReply), "met.first_reply"),
            (Counter::breached(Metric::Answer), "breached.answer"),
            (Counter::WAIT_SQUARES, "wait_squares"),
            (Counter::HANDLE_SQUARES, "handle_squares"),
        ] {
            assert_eq!(counter.name(), name);
        }
    }

    #[test]
    fn a_row_is_read_field_by_field() {
        let row = Measures {
            created: 1,
            audits_passed: 22,
            verdicts: vec![VerdictCount {
                metric: v1::Metric::Answer as i32,
                met: 3,
                breached: -4,
            }],
            handle_histogram: vec![Bucket {
                bucket: 254,
                count: 2,
            }],
            ..Measures::default()
        };
        let totals = Totals::from_wire(&row);
        let squares = totals.get(Counter::HANDLE_SQUARES);
        assert_eq!(squares, stats::squares(&row.handle_histogram));
        assert_eq!(totals.get(Counter::WAIT_SQUARES), 0);
        let some = totals.of(Counter::mask(&[Counter::CREATED, Counter::OFFERED]));
        assert_eq!(some.get(Counter::CREATED), 1);
        assert_eq!(some.get(Counter::AUDITS_PASSED), 0);
        assert_eq!(totals.get(Counter::CREATED), 1);
        assert_eq!(totals.get(Counter::AUDITS_PASSED), 22);
        assert_eq!(totals.get(counted("met.answer")), 3);
        assert_eq!(totals.get(counted("breached.answer")), -4);
        assert_eq!(totals.get(Counter::OFFERED), 0);
    }

    #[test]
    fn replacing_says_the_difference_and_keeps_the_new_value() {
        let first = Totals::from_wire(&Measures {
            created: 5,
            offered: 2,
            ..Measures::default()
        });
        let second = Totals::from_wire(&Measures {
            created: 3,
            wait_ms: 70,
            ..Measures::default()
        });
        let mut packed = Packed::default();
        assert_eq!(packed.replace(&first).get(Counter::CREATED), 5);
        let change = packed.replace(&second);
        assert_eq!(change.get(Counter::CREATED), -2);
        assert_eq!(change.get(Counter::OFFERED), -2);
        assert_eq!(change.get(Counter::WAIT_MS), 70);
        let mut sum = Totals::ZERO;
        sum.add_packed(&packed);
        assert_eq!(sum.get(Counter::CREATED), 3);
        assert_eq!(sum.get(Counter::OFFERED), 0);
        assert_eq!(sum.get(Counter::WAIT_MS), 70);
        sum.subtract_packed(&packed);
        assert!(sum.is_zero());
    }

    #[test]
    fn what_the_clock_brings_about_is_no_event() {
        let verdicts = |met, breached| {
            Totals::from_wire(&Measures {
                verdicts: vec![VerdictCount {
                    metric: v1::Metric::Answer as i32,
                    met,
                    breached,
                }],
                ..Measures::default()
            })
        };
        assert!(!verdicts(0, 3).has_events());
        assert!(verdicts(1, 0).has_events());
        assert!(!Totals::ZERO.has_events());
        let decreases = verdicts(1, -4).decreases();
        assert_eq!(decreases.get(Counter::breached(Metric::Answer)), -4);
        assert_eq!(decreases.get(Counter::met(Metric::Answer)), 0);
    }

    #[test]
    fn parts_that_do_not_fit_together_are_refused() {
        assert!(Packed::from_parts(0b11, vec![1]).is_none());
        assert!(Packed::from_parts(1 << 60, vec![1]).is_none());
        assert!(Packed::from_parts(0b11, vec![1, 2]).is_some());
    }
}
