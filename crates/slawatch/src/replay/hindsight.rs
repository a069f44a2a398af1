//! The same history once more, every event at the instant at which it happened: what would have been known had nothing
//! been late.

use slawatch_backtest::{Course, Ended};
use slawatch_event::{DecodeOptions, Encoding, parse};

/// Lines that count, one behind the other, and where each lies.
#[derive(Debug)]
pub(super) struct Hindsight {
    course: Course,
    decode: DecodeOptions,
    text: Vec<u8>,
    /// When it happened, and its end in the text; its begin is the end of the one before.
    ends: Vec<(i64, usize)>,
}

impl Hindsight {
    pub(super) fn new(course: Course, decode: DecodeOptions) -> Self {
        Self {
            course,
            decode,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) fn keep(&mut self, occurred_at_ms: i64, line: &[u8]) {
        self.text.extend_from_slice(line);
        self.ends.push((occurred_at_ms, self.text.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Runs through all of it; `done` hears how far it is.
    pub(super) fn finish(mut self, end_ms: i64, done: &mut dyn FnMut(usize)) -> Ended {
        let mut begin = 0;
        let mut places: Vec<(i64, usize, usize)> = Vec::with_capacity(self.ends.len());
        for (occurred_at_ms, end) in &self.ends {
            places.push((*occurred_at_ms, begin, *end));
            begin = *end;
        }
        // Of one instant in the order of the log.
        places.sort_unstable();
        for (number, (occurred_at_ms, from, to)) in places.into_iter().enumerate() {
            // It was read before, so it can be read.
            if let Ok(event) = parse(&self.text[from..to], Encoding::Json, &self.decode) {
                let timestamp_ms = occurred_at_ms.min(end_ms);
                self.course.apply(&event, timestamp_ms, number as u64 + 1);
                self.course.advance(timestamp_ms);
            }
            done(number + 1);
        }
        self.course.finish(end_ms)
    }
}
