//! How far each source has come, and the one instant that the whole picture stands for.
//!
//! A source speaks to every partition of the signals topic, and the board reads those at different speeds: a source has
//! come as far as the slowest of them. The picture's clock is the smallest clock of the sources that are not out; a
//! source is out when it is [`BEHIND_MS`] behind the median (the upper one), or was not heard of yet.

use std::collections::BTreeMap;

use serde::Serialize;

/// How far behind the median a source is out.
pub(crate) const BEHIND_MS: i64 = 30_000;

/// More sources than this are a broken message, not a topic.
const MAX_SOURCES: u32 = 1 << 16;

/// The clocks of all sources.
#[derive(Debug)]
pub(crate) struct Sources {
    partitions: u32,
    expected: u32,
    clocks: BTreeMap<u32, BTreeMap<u32, i64>>,
}

/// A source that the picture does not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SourceOut {
    /// Partition of the input topic.
    pub source: u32,
    /// How far it has come; `null` if nothing was heard of it.
    pub clock_ms: Option<i64>,
}

/// What all clocks together say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) as_of_ms: Option<i64>,
    pub(crate) expected: u32,
    pub(crate) out: Vec<SourceOut>,
}

impl Sources {
    /// `partitions`: of the signals topic.
    pub(crate) fn new(partitions: u32) -> Self {
        Self {
            partitions,
            expected: 0,
            clocks: BTreeMap::new(),
        }
    }

    /// Notes a source's clock as it was read from a partition of the signals topic.
    pub(crate) fn note(&mut self, partition: u32, source: u32, sources: u32, clock_ms: i64) {
        self.expected = self.expected.max(sources.min(MAX_SOURCES));
        let clock = self
            .clocks
            .entry(source)
            .or_default()
            .entry(partition)
            .or_insert(clock_ms);
        *clock = (*clock).max(clock_ms);
    }

    fn clock(&self, source: u32) -> Option<i64> {
        let heard = self.clocks.get(&source)?;
        let in_all = heard.len() >= self.partitions as usize;
        in_all.then(|| heard.values().min().copied()).flatten()
    }

    /// The picture's clock and the sources that are out.
    pub(crate) fn reading(&self) -> Reading {
        let clocks: Vec<Option<i64>> = (0..self.expected)
            .map(|source| self.clock(source))
            .collect();
        let mut sorted = clocks.clone();
        sorted.sort_unstable();
        let median_ms = sorted.get(sorted.len() / 2).copied().flatten();
        let in_from_ms = median_ms.map(|median_ms| median_ms.saturating_sub(BEHIND_MS));
        let is_in = |clock: Option<i64>| clock.is_some() && clock >= in_from_ms;
        let as_of_ms = match median_ms {
            Some(_) => clocks
                .iter()
                .copied()
                .filter(|clock| is_in(*clock))
                .flatten()
                .min(),
            None => None,
        };
        let out = (0..)
            .zip(&clocks)
            .filter(|(_, clock)| median_ms.is_none() || !is_in(**clock));
        Reading {
            as_of_ms,
            expected: self.expected,
            out: out
                .map(|(source, clock_ms)| SourceOut {
                    source,
                    clock_ms: *clock_ms,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_the_smallest_of_the_sources_that_are_not_out() {
        // Clocks by source (none: not heard of), the picture's clock, and who is out.
        type Case = (&'static [Option<i64>], Option<i64>, &'static [u32]);
        let cases: [Case; 8] = [
            (&[], None, &[]),
            (&[None], None, &[0]),
            (&[Some(1_000)], Some(1_000), &[]),
            (&[Some(5_000), Some(4_000), Some(6_000)], Some(4_000), &[]),
            (
                &[Some(50_000), Some(10_000), Some(60_000)],
                Some(50_000),
                &[1],
            ),
            (
                &[Some(50_000), Some(20_000), Some(60_000)],
                Some(20_000),
                &[],
            ),
            (&[Some(50_000), None], Some(50_000), &[1]),
            (&[Some(50_000), None, None], None, &[0, 1, 2]),
        ];
        for (clocks, as_of_ms, out) in cases {
            let mut sources = Sources::new(1);
            for (source, clock) in (0..).zip(clocks) {
                let count = u32::try_from(clocks.len()).unwrap();
                match clock {
                    Some(clock_ms) => sources.note(0, source, count, *clock_ms),
                    None => sources.expected = count,
                }
            }
            let reading = sources.reading();
            assert_eq!(reading.as_of_ms, as_of_ms, "{clocks:?}");
            let named: Vec<u32> = reading.out.iter().map(|out| out.source).collect();
            assert_eq!(named, out, "{clocks:?}");
        }
    }

    #[test]
    fn a_source_has_come_as_far_as_the_slowest_partition_that_it_speaks_to() {
        let mut sources = Sources::new(2);
        sources.note(0, 0, 1, 9_000);
        assert_eq!(sources.reading().as_of_ms, None);
        sources.note(1, 0, 1, 2_000);
        assert_eq!(sources.reading().as_of_ms, Some(2_000));
        sources.note(1, 0, 1, 9_500);
        sources.note(1, 0, 1, 1_000);
        assert_eq!(sources.reading().as_of_ms, Some(9_000));
    }
}
