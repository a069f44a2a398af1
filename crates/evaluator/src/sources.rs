//! The sources behind a signals partition: which of their batches count, and how far the evaluator's clock may go.
//!
//! - A batch of an epoch lower than the highest seen for its source is fenced off; one of a batch number already passed
//!   is a repeat. A flush may come in several records of one number, so the newest number is taken again: its rows are
//!   absolute, and its corrections are known by key.
//! - The evaluator's clock is the smallest clock of the sources that are not out, and never goes back. A source is out
//!   once it is [`BEHIND_MS`] behind the median (the upper one) of the sources seen, and from the start until its first
//!   batch; it returns when it has reached the evaluator's clock. One first seen near the median is in at once, and the
//!   clock waits for it.

use std::collections::{BTreeMap, BTreeSet};

use slawatch_wire::v1::{PaneRow, SignalBatch};

/// How far behind the median a source is out, unless told otherwise.
pub(crate) const BEHIND_MS: i64 = 30_000;

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Accepted,
    /// Its writer lost the source to another.
    Fenced,
    /// It was taken in before.
    Repeated,
}

/// What a batch's clock changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The evaluator's clock, if it moved.
    pub(crate) clock_ms: Option<i64>,
    /// A source came back, or was seen for the first time.
    pub(crate) returned: bool,
}

/// One input partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) epoch: u64,
    pub(crate) batch: u64,
    pub(crate) clock_ms: i64,
    pub(crate) out: bool,
    /// The largest `part` of the corrections of earlier batches.
    pub(crate) settled_part: u64,
    /// The corrections of the newest batch number, by (part, pane, vendor, queue).
    pub(crate) corrections: BTreeSet<(u64, i64, String, String)>,
}

impl Source {
    /// Corrections are repeated after a takeover: one not above the last of the batches before is old news.
    pub(crate) fn is_new_correction(&mut self, row: &PaneRow) -> bool {
        if row.part <= self.settled_part {
            return false;
        }
        let key = (row.part, row.pane_ms, row.vendor.clone(), row.queue.clone());
        self.corrections.insert(key)
    }

    fn begin(&mut self, epoch: u64, batch: u64) {
        if (epoch, batch) != (self.epoch, self.batch) {
            let largest = self.corrections.last().map_or(0, |(part, ..)| *part);
            self.settled_part = self.settled_part.max(largest);
            self.corrections.clear();
            (self.epoch, self.batch) = (epoch, batch);
        }
    }
}

/// Every source, and the clock they allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) seen: BTreeMap<u32, Source>,
    /// How many there are, as the batches say.
    pub(crate) expected: u32,
    pub(crate) clock_ms: Option<i64>,
    /// The sources that are out, ascending; kept up to date with `seen` and `expected`.
    out: Vec<u32>,
    /// How far behind the median a source is out.
    pub(crate) behind_ms: i64,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            seen: BTreeMap::new(),
            expected: 0,
            clock_ms: None,
            out: Vec::new(),
            behind_ms: BEHIND_MS,
        }
    }
}

impl Sources {
    /// Takes up what a snapshot kept.
    pub(crate) fn restore(
        seen: BTreeMap<u32, Source>,
        expected: u32,
        clock_ms: Option<i64>,
    ) -> Self {
        let mut sources = Self {
            seen,
            expected,
            clock_ms,
            ..Self::default()
        };
        sources.list_out();
        sources
    }

    /// Decides whether a batch counts and, if so, notes that it came.
    pub(crate) fn admit(&mut self, batch: &SignalBatch) -> Admission {
        if let Some(source) = self.seen.get_mut(&batch.source) {
            if batch.epoch < source.epoch {
                return Admission::Fenced;
            }
            if batch.epoch == source.epoch && batch.batch < source.batch {
                return Admission::Repeated;
            }
            source.begin(batch.epoch, batch.batch);
        }
        Admission::Accepted
    }

    /// The source of an admitted batch, if it was seen before this batch's clock.
    pub(crate) fn source_mut(&mut self, batch: &SignalBatch) -> &mut Source {
        self.seen.entry(batch.source).or_insert_with(|| Source {
            epoch: batch.epoch,
            batch: batch.batch,
            clock_ms: i64::MIN,
            out: true,
            ..Source::default()
        })
    }

    /// Takes in the clock of an admitted batch.
    pub(crate) fn progress(&mut self, batch: &SignalBatch) -> Progress {
        let clock_ms = self.clock_ms;
        let source = self.source_mut(batch);
        let first = source.clock_ms == i64::MIN;
        let moved = batch.clock_ms > source.clock_ms;
        source.clock_ms = source.clock_ms.max(batch.clock_ms);
        let reached = clock_ms.is_none_or(|clock_ms| source.clock_ms >= clock_ms);
        let mut returned = source.out && (first || reached);
        source.out &= !returned;
        if !moved && !returned && batch.sources == self.expected {
            return Progress::default();
        }
        self.expected = batch.sources;
        self.put_out_the_late();
        returned &= !self.seen[&batch.source].out;
        self.list_out();
        Progress {
            clock_ms: self.advance(),
            returned,
        }
    }

    fn put_out_the_late(&mut self) {
        let mut clocks: Vec<i64> = self.seen.values().map(|source| source.clock_ms).collect();
        let upper = clocks.len() / 2;
        let (_, median, _) = clocks.select_nth_unstable(upper);
        let limit = median.saturating_sub(self.behind_ms);
        for source in self.seen.values_mut() {
            source.out |= source.clock_ms <= limit;
        }
    }

    fn list_out(&mut self) {
        let seen = &self.seen;
        let known = seen.keys().last().map_or(0, |last| last.saturating_add(1));
        // No more than that can be named; it bounds the work should a batch claim millions of sources.
        let expected = self.expected.min(known.saturating_add(1024));
        let unseen = (0..expected).filter(|source| !seen.contains_key(source));
        let late = seen.iter().filter(|(_, source)| source.out);
        self.out = unseen.chain(late.map(|(number, _)| *number)).collect();
        self.out.sort_unstable();
    }

    fn advance(&mut self) -> Option<i64> {
        let running = self.seen.values().filter(|source| !source.out);
        let smallest = running.map(|source| source.clock_ms).min()?;
        if self.clock_ms.is_some_and(|clock_ms| smallest <= clock_ms) {
            return None;
        }
        self.clock_ms = Some(smallest);
        self.clock_ms
    }

    /// The sources that are out, ascending.
    pub(crate) fn out(&self) -> &[u32] {
        &self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(source: u32, epoch: u64, number: u64, clock_s: i64) -> SignalBatch {
        SignalBatch {
            source,
            epoch,
            batch: number,
            clock_ms: clock_s * 1000,
            sources: 3,
            ..SignalBatch::default()
        }
    }

    /// Each step: (source, its clock in seconds), then the evaluator's clock and who is out.
    fn story(steps: &[((u32, i64), i64, &[u32])]) {
        let mut sources = Sources::default();
        let mut number = 0;
        for (step, ((source, clock_s), clock, out)) in steps.iter().enumerate() {
            number += 1;
            let batch = batch(*source, 1, number, *clock_s);
            assert_eq!(sources.admit(&batch), Admission::Accepted);
            sources.progress(&batch);
            assert_eq!(sources.clock_ms, Some(clock * 1000), "step {step}");
            assert_eq!(sources.out(), *out, "step {step}");
        }
    }

    #[test]
    fn the_clock_is_the_smallest_of_those_that_are_not_out() {
        story(&[
            ((0, 100), 100, &[1, 2]),
            ((1, 105), 100, &[2]),
            ((2, 101), 100, &[]),
            ((0, 103), 101, &[]),
            ((2, 120), 103, &[]),
        ]);
    }

    #[test]
    fn one_first_seen_a_little_late_is_waited_for() {
        story(&[
            ((0, 100), 100, &[1, 2]),
            ((1, 98), 100, &[2]),
            ((2, 99), 100, &[]),
            ((0, 110), 100, &[]),
            ((1, 108), 100, &[]),
            ((2, 109), 108, &[]),
        ]);
    }

    #[test]
    fn thirty_seconds_behind_the_median_is_out_until_it_has_caught_up() {
        story(&[
            ((0, 100), 100, &[1, 2]),
            ((1, 100), 100, &[2]),
            ((2, 100), 100, &[]),
            ((0, 129), 100, &[]),
            ((1, 129), 100, &[]),
            ((1, 130), 100, &[]),
            ((0, 130), 130, &[2]),
            ((2, 129), 130, &[2]),
            ((2, 130), 130, &[]),
            ((0, 131), 130, &[]),
        ]);
    }

    #[test]
    fn one_first_seen_far_behind_stays_out() {
        story(&[
            ((0, 100), 100, &[1, 2]),
            ((1, 60), 100, &[1, 2]),
            ((1, 99), 100, &[1, 2]),
            ((1, 100), 100, &[2]),
        ]);
    }

    #[test]
    fn clocks_never_go_back() {
        story(&[((0, 100), 100, &[1, 2]), ((0, 90), 100, &[1, 2])]);
    }

    #[test]
    fn zombies_are_mute_and_repeats_are_known() {
        let mut sources = Sources::default();
        for (epoch, number, expected) in [
            (2, 1, Admission::Accepted),
            (2, 2, Admission::Accepted),
            (2, 1, Admission::Repeated),
            (1, 9, Admission::Fenced),
            (2, 2, Admission::Accepted),
            (3, 1, Admission::Accepted),
            (2, 3, Admission::Fenced),
        ] {
            let batch = batch(0, epoch, number, 1);
            assert_eq!(sources.admit(&batch), expected, "{epoch}/{number}");
            sources.source_mut(&batch);
        }
    }

    #[test]
    fn a_correction_counts_once_also_across_a_takeover() {
        let mut sources = Sources::default();
        let row = |part, queue: &str| PaneRow {
            part,
            queue: queue.to_owned(),
            ..PaneRow::default()
        };
        // (epoch, batch, part, queue, counts)
        for (epoch, number, part, queue, counts) in [
            (1, 1, 5, "a", true),
            (1, 1, 5, "b", true),
            (1, 1, 5, "b", false),
            (1, 2, 5, "a", false),
            (1, 3, 9, "a", true),
            (2, 1, 9, "a", false),
            (2, 1, 10, "a", true),
        ] {
            let batch = batch(0, epoch, number, 1);
            sources.admit(&batch);
            let source = sources.source_mut(&batch);
            assert_eq!(
                source.is_new_correction(&row(part, queue)),
                counts,
                "{part} {queue}"
            );
        }
    }
}
