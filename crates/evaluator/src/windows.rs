//! Sliding windows over the panes of one vendor and queue, kept up to date by differences.
//!
//! A window of `n` minutes at clock minute `c` holds the panes `c - n < pane <= c`: the `n - 1` last whole panes and the
//! current one as far as it is known. A pane beyond the clock (of a source that is ahead) is kept and enters when the
//! clock reaches it; a pane that is older than what is kept is dropped. Which rules look at the sums is not known here.

use std::collections::BTreeMap;

use crate::counters::{Packed, Totals};
use crate::minute::Minute;

/// The distinct window lengths of a rule set, in panes, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    windows: Vec<i64>,
    /// How many panes are kept, the current one among them: those of the longest window, or more.
    kept: i64,
}

impl Lengths {
    /// `reach` panes are kept, however short the windows.
    pub(crate) fn new(panes: impl IntoIterator<Item = i64>, reach: i64) -> Self {
        let mut windows: Vec<i64> = panes.into_iter().collect();
        windows.sort_unstable();
        windows.dedup();
        let longest = windows.last().copied().unwrap_or(0);
        Self {
            windows,
            kept: longest.max(reach),
        }
    }

    /// The place of a length that is in the set.
    pub(crate) fn place(&self, panes: i64) -> Option<usize> {
        self.windows.binary_search(&panes).ok()
    }

    /// How many panes back from the clock are kept.
    pub(crate) fn kept(&self) -> i64 {
        self.kept
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> {
        self.windows.iter().copied()
    }

    fn len(&self) -> usize {
        self.windows.len()
    }
}

/// What is known of one pane: the sum of its rows, and the absolute row of each source to take differences from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pane {
    pub(crate) total: Packed,
    pub(crate) sources: Vec<(u32, Packed)>,
}

/// The panes of one vendor and queue, and the sum over each window.
#[derive(Debug)]
pub(crate) struct Windows {
    panes: BTreeMap<Minute, Pane>,
    sums: Vec<Totals>,
}

impl Windows {
    pub(crate) fn new(lengths: &Lengths) -> Self {
        Self {
            panes: BTreeMap::new(),
            sums: vec![Totals::ZERO; lengths.len()],
        }
    }

    /// Takes panes kept earlier, with the clock at `clock`.
    pub(crate) fn restore(
        lengths: &Lengths,
        panes: BTreeMap<Minute, Pane>,
        clock: Option<Minute>,
    ) -> Self {
        let mut windows = Self {
            panes,
            sums: vec![Totals::ZERO; lengths.len()],
        };
        if let Some(clock) = clock {
            windows.recount(lengths, clock);
        }
        windows
    }

    /// The absolute row of a source replaces what it said of that pane before. Returns what that changed.
    pub(crate) fn set(
        &mut self,
        lengths: &Lengths,
        clock: Option<Minute>,
        pane: Minute,
        source: u32,
        row: &Totals,
    ) -> Totals {
        let kept = self.panes.entry(pane).or_default();
        let place = match kept.sources.iter().position(|(known, _)| *known == source) {
            Some(place) => place,
            None => {
                kept.sources.push((source, Packed::default()));
                kept.sources.len() - 1
            }
        };
        let change = kept.sources[place].1.replace(row);
        self.count(lengths, clock, pane, &change);
        change
    }

    /// A correction adds to the pane's value.
    pub(crate) fn correct(
        &mut self,
        lengths: &Lengths,
        clock: Option<Minute>,
        pane: Minute,
        row: &Totals,
    ) {
        self.count(lengths, clock, pane, row);
    }

    fn count(&mut self, lengths: &Lengths, clock: Option<Minute>, pane: Minute, change: &Totals) {
        self.panes.entry(pane).or_default().total.add(change);
        let Some(clock) = clock else { return };
        if pane > clock {
            return;
        }
        for (length, sum) in lengths.iter().zip(&mut self.sums) {
            if pane > clock.minus(length) {
                sum.add(change);
            }
        }
    }

    /// The first clock: every window is counted from the panes.
    pub(crate) fn recount(&mut self, lengths: &Lengths, clock: Minute) {
        for (length, sum) in lengths.iter().zip(&mut self.sums) {
            *sum = sum_over(&self.panes, length, clock);
        }
        self.panes = self.panes.split_off(&clock.minus(lengths.kept()).plus(1));
    }

    /// Moves the windows from the pane before `clock` to `clock`; true if a sum changed.
    pub(crate) fn roll(&mut self, lengths: &Lengths, clock: Minute) -> bool {
        let mut changed = false;
        if let Some(entering) = self.panes.get(&clock) {
            changed = lengths.len() != 0;
            for sum in &mut self.sums {
                sum.add_packed(&entering.total);
            }
        }
        for (length, sum) in lengths.iter().zip(&mut self.sums) {
            if let Some(leaving) = self.panes.get(&clock.minus(length)) {
                changed = true;
                sum.subtract_packed(&leaving.total);
            }
        }
        let last_to_drop = clock.minus(lengths.kept());
        while let Some(oldest) = self.panes.first_entry() {
            if *oldest.key() > last_to_drop {
                break;
            }
            oldest.remove();
        }
        changed
    }

    /// The first minute after `clock` at which a window would change by itself.
    pub(crate) fn next_change(&self, lengths: &Lengths, clock: Minute) -> Option<Minute> {
        self.panes
            .keys()
            .flat_map(|pane| {
                let leaving = lengths.iter().map(|length| pane.plus(length));
                leaving.chain([*pane])
            })
            .filter(|minute| *minute > clock)
            .min()
    }

    /// The sum over the window at that place in [`Lengths`].
    pub(crate) fn sum(&self, place: usize) -> &Totals {
        &self.sums[place]
    }

    pub(crate) fn panes(&self) -> &BTreeMap<Minute, Pane> {
        &self.panes
    }
}

fn sum_over(panes: &BTreeMap<Minute, Pane>, length: i64, clock: Minute) -> Totals {
    let mut sum = Totals::ZERO;
    for pane in panes.range(clock.minus(length).plus(1)..=clock) {
        sum.add_packed(&pane.1.total);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Counter;
    use proptest::prelude::*;
    use slawatch_wire::v1::Measures;

    fn created(count: i64) -> Totals {
        Totals::from_wire(&Measures {
            created: count,
            ..Measures::default()
        })
    }

    /// (pane, count) of one source at clock 100, windows of 15 and 3: which of them each window holds.
    #[test]
    fn a_window_holds_its_last_panes_and_the_current_one() {
        for (pane, in_15, in_3) in [
            (100, true, true),
            (98, true, true),
            (97, true, false),
            (86, true, false),
            (85, false, false),
            (101, false, false),
        ] {
            let lengths = Lengths::new([15, 3], 0);
            let mut windows = Windows::new(&lengths);
            windows.set(&lengths, Some(Minute(100)), Minute(pane), 0, &created(1));
            let counts = |place: usize| windows.sum(place).get(Counter::CREATED) == 1;
            assert_eq!(counts(1), in_15, "15 minutes, pane {pane}");
            assert_eq!(counts(0), in_3, "3 minutes, pane {pane}");
        }
    }

    #[test]
    fn a_pane_ahead_of_the_clock_enters_when_the_clock_reaches_it() {
        let lengths = Lengths::new([3], 0);
        let mut windows = Windows::new(&lengths);
        windows.set(&lengths, Some(Minute(10)), Minute(12), 0, &created(4));
        assert!(!windows.roll(&lengths, Minute(11)));
        assert_eq!(windows.next_change(&lengths, Minute(11)), Some(Minute(12)));
        assert!(windows.roll(&lengths, Minute(12)));
        assert_eq!(windows.sum(0).get(Counter::CREATED), 4);
        assert_eq!(windows.next_change(&lengths, Minute(12)), Some(Minute(15)));
    }

    #[test]
    fn panes_that_no_window_holds_are_dropped() {
        let lengths = Lengths::new([3], 0);
        let mut windows = Windows::new(&lengths);
        for pane in 0..100 {
            windows.roll(&lengths, Minute(pane));
            windows.set(&lengths, Some(Minute(pane)), Minute(pane), 0, &created(1));
            assert!(windows.panes().len() <= 3);
        }
    }

    /// For the difference that a row makes, panes may be kept that no window holds.
    #[test]
    fn panes_are_kept_as_far_as_a_rule_reaches() {
        let lengths = Lengths::new([3], 10);
        let mut windows = Windows::new(&lengths);
        for pane in 0..100 {
            windows.roll(&lengths, Minute(pane));
            windows.set(&lengths, Some(Minute(pane)), Minute(pane), 0, &created(1));
        }
        assert_eq!(windows.panes().len(), 10);
        let clock = Some(Minute(99));
        let change = windows.set(&lengths, clock, Minute(90), 0, &created(4));
        assert_eq!(change.get(Counter::CREATED), 3);
        assert_eq!(windows.sum(0).get(Counter::CREATED), 3);
    }

    #[derive(Clone, Debug)]
    enum Input {
        Row { source: u32, pane: i64, count: i64 },
        Correction { pane: i64, count: i64 },
        Minute,
    }

    fn input() -> impl Strategy<Value = Input> {
        prop_oneof![
            (0..3u32, 0..40i64, 0..50i64).prop_map(|(source, pane, count)| Input::Row {
                source,
                pane,
                count
            }),
            (0..40i64, -5..5i64).prop_map(|(pane, count)| Input::Correction { pane, count }),
            Just(Input::Minute),
        ]
    }

    proptest! {
        #[test]
        fn sums_by_differences_equal_sums_over_the_rows(
            inputs in proptest::collection::vec(input(), 1..120),
            lengths in proptest::collection::btree_set(1..20i64, 1..4),
        ) {
            let lengths = Lengths::new(lengths, 0);
            let mut windows = Windows::new(&lengths);
            let mut clock = Minute(5);
            let mut rows: BTreeMap<(i64, u32), i64> = BTreeMap::new();
            let mut corrections: Vec<(i64, i64)> = Vec::new();
            for input in inputs {
                let too_old = clock.minus(lengths.kept());
                match input {
                    Input::Row { source, pane, count } => if Minute(pane) > too_old {
                        rows.insert((pane, source), count);
                        windows.set(&lengths, Some(clock), Minute(pane), source, &created(count));
                    },
                    Input::Correction { pane, count } => if Minute(pane) > too_old {
                        corrections.push((pane, count));
                        windows.correct(&lengths, Some(clock), Minute(pane), &created(count));
                    },
                    Input::Minute => {
                        clock = clock.plus(1);
                        windows.roll(&lengths, clock);
                    }
                }
                for (place, length) in lengths.iter().enumerate() {
                    let held = |pane: i64| pane > clock.0 - length && pane <= clock.0;
                    let absolute: i64 = rows.iter().filter(|((pane, _), _)| held(*pane)).map(|(_, count)| count).sum();
                    let corrected: i64 = corrections.iter().filter(|(pane, _)| held(*pane)).map(|(_, count)| count).sum();
                    prop_assert_eq!(windows.sum(place).get(Counter::CREATED), absolute + corrected);
                }
            }
        }
    }
}
