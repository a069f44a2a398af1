//! A stretch of precomputed open spans with prefix sums: the unit in which a calendar is worked out. It knows neither zones
//! nor local time; offsets are relative to the block's start.

/// Length of a block in days: 27 weeks, so that every block starts on the same weekday.
pub(crate) const BLOCK_DAYS: i64 = 189;
pub(crate) const BLOCK_MS: i64 = BLOCK_DAYS * 86_400_000;
pub(crate) const BLOCK_S: i64 = BLOCK_DAYS * 86_400;

/// The open time of one block.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Sorted, neither overlapping nor touching, within the block.
    spans: Box<[OpenSpan]>,
    open_ms: i64,
}

/// Seconds in 32 bits, as a year of hourly spans should fit a cache; zones know no fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpenSpan {
    start_s: u32,
    end_s: u32,
    /// Open time of the block before this span.
    open_before_s: u32,
}

impl OpenSpan {
    fn start_ms(self) -> i64 {
        i64::from(self.start_s) * 1_000
    }

    fn end_ms(self) -> i64 {
        i64::from(self.end_s) * 1_000
    }

    fn open_before_ms(self) -> i64 {
        i64::from(self.open_before_s) * 1_000
    }

    /// Open time of the block up to this span's end.
    fn open_through_ms(self) -> i64 {
        i64::from(self.open_before_s + (self.end_s - self.start_s)) * 1_000
    }
}

impl Block {
    /// The union of `spans` (start and end in seconds since the block's start), cut to the block.
    pub(crate) fn new(mut spans: Vec<(i64, i64)>) -> Self {
        for (start_s, end_s) in &mut spans {
            *start_s = (*start_s).clamp(0, BLOCK_S);
            *end_s = (*end_s).clamp(0, BLOCK_S);
        }
        spans.retain(|(start_s, end_s)| start_s < end_s);
        spans.sort_unstable();
        spans.dedup_by(|next, joined| {
            let joins = next.0 <= joined.1;
            if joins {
                joined.1 = joined.1.max(next.1);
            }
            joins
        });
        let mut open_s = 0;
        let spans = spans
            .into_iter()
            .map(|(start_s, end_s)| {
                let open_before_s = open_s;
                open_s += end_s - start_s;
                // Nothing is cut off: all three lie between 0 and BLOCK_S.
                OpenSpan {
                    start_s: start_s as u32,
                    end_s: end_s as u32,
                    open_before_s: open_before_s as u32,
                }
            })
            .collect();
        Self {
            spans,
            open_ms: open_s * 1_000,
        }
    }

    /// Open time of the whole block.
    pub(crate) fn open_ms(&self) -> i64 {
        self.open_ms
    }

    /// Open time from the block's start to `offset_ms`.
    pub(crate) fn open_before_ms(&self, offset_ms: i64) -> i64 {
        let starting_before = self
            .spans
            .partition_point(|span| span.start_ms() < offset_ms);
        match starting_before.checked_sub(1).map(|last| self.spans[last]) {
            Some(span) => span.open_before_ms() + offset_ms.min(span.end_ms()) - span.start_ms(),
            None => 0,
        }
    }

    /// The first offset at which the block was open for `open_ms`, which is in `1..=self.open_ms()`.
    pub(crate) fn offset_at_open_ms(&self, open_ms: i64) -> i64 {
        let at = self
            .spans
            .partition_point(|span| span.open_through_ms() < open_ms);
        let span = self.spans[at];
        span.start_ms() + open_ms - span.open_before_ms()
    }

    /// The end of the span that `offset_ms` is in.
    pub(crate) fn open_until_ms(&self, offset_ms: i64) -> Option<i64> {
        let at = self
            .spans
            .partition_point(|span| span.end_ms() <= offset_ms);
        let span = self.spans.get(at)?;
        (span.start_ms() <= offset_ms).then(|| span.end_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_cut_to_the_block_and_joined() {
        let block = Block::new(vec![
            (500, 900),
            (BLOCK_S - 10, BLOCK_S + 10),
            (-50, 100),
            (800, 950),
            (100, 150),
            (700, 700),
            (960, 955),
            (-20, -10),
        ]);
        let spans: Vec<_> = block
            .spans
            .iter()
            .map(|span| (span.start_s, span.end_s, span.open_before_s))
            .collect();
        let end = u32::try_from(BLOCK_S).unwrap();
        assert_eq!(spans, [(0, 150, 0), (500, 950, 150), (end - 10, end, 600)]);
        assert_eq!(block.open_ms(), 610_000);
    }

    #[test]
    fn open_time_and_its_inverse() {
        let block = Block::new(vec![(10, 20), (30, 40)]);
        let cases = [
            // offset, open before it
            (0, 0),
            (10_000, 0),
            (10_001, 1),
            (20_000, 10_000),
            (25_000, 10_000),
            (30_001, 10_001),
            (40_000, 20_000),
            (BLOCK_MS, 20_000),
        ];
        for (offset_ms, open_ms) in cases {
            assert_eq!(block.open_before_ms(offset_ms), open_ms, "{offset_ms}");
        }
        for (open_ms, offset_ms) in [
            (1, 10_001),
            (10_000, 20_000),
            (10_001, 30_001),
            (20_000, 40_000),
        ] {
            assert_eq!(block.offset_at_open_ms(open_ms), offset_ms, "{open_ms}");
        }
    }

    #[test]
    fn closings() {
        let block = Block::new(vec![(10, 20), (30, 40)]);
        let cases = [
            // offset, open until
            (0, None),
            (10_000, Some(20_000)),
            (19_999, Some(20_000)),
            (20_000, None),
            (39_999, Some(40_000)),
            (40_000, None),
        ];
        for (offset_ms, open_until_ms) in cases {
            assert_eq!(block.open_until_ms(offset_ms), open_until_ms, "{offset_ms}");
        }
    }
}
