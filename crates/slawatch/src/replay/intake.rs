//! What every computation over files does first: a line becomes an event, or a dead letter by its number, and events
//! move the record timestamp (SEMANTICS 8). Whatever is to hold of the reading of lines holds here, for all of them.

use slawatch_event::{
    DecodeOptions, Encoding, Reason, Rejection, TicketEvent, check_future, parse,
};

/// A line that counts nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterLine {
    /// Counted from 1 over all files.
    pub line: u64,
    /// The first reason of SEMANTICS 1 that holds.
    pub reason: Reason,
    /// What was wrong, for a person.
    pub detail: String,
}

/// How lines are read.
#[derive(Clone, Debug, Default)]
pub struct IntakeOptions {
    /// The wall clock, UTC ms; `None` is none.
    pub until_ms: Option<i64>,
    /// Status names and skew.
    pub decode: DecodeOptions,
}

/// An accepted event's place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1 over all files.
    pub line: u64,
    /// The record timestamp, UTC ms.
    pub timestamp_ms: i64,
}

/// Reads lines one after another.
#[derive(Debug)]
pub struct Intake {
    options: IntakeOptions,
    line: u64,
    texts: u64,
    /// The largest `occurred_at` so far of what is no dead letter, never above `until`.
    timestamp_ms: i64,
    dead_letters: Vec<DeadLetterLine>,
}

impl Intake {
    /// Before the first line.
    pub fn new(options: IntakeOptions) -> Self {
        Self {
            options,
            line: 0,
            texts: 0,
            timestamp_ms: i64::MIN,
            dead_letters: Vec::new(),
        }
    }

    /// Reads the next line, without its line end, and has `take` take its event. What `take` rejects becomes a dead
    /// letter too, and does not move the record timestamp.
    pub fn line(
        &mut self,
        line: &[u8],
        take: impl FnOnce(&TicketEvent<'_>, Place) -> Result<(), Rejection>,
    ) {
        self.line += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.texts += 1;
        let wall_ms = self.options.until_ms.unwrap_or(i64::MAX);
        let decode = &self.options.decode;
        let taken = parse(line, Encoding::Json, decode).and_then(|event| {
            // Without a wall clock every event's own instant is its record's timestamp, so none is of the future.
            check_future(&event, wall_ms, decode)?;
            let place = Place {
                line: self.line,
                timestamp_ms: self.timestamp_ms.max(event.occurred_at_ms.min(wall_ms)),
            };
            take(&event, place).map(|()| place.timestamp_ms)
        });
        match taken {
            Ok(timestamp_ms) => self.timestamp_ms = timestamp_ms,
            Err(rejection) => self.dead_letters.push(DeadLetterLine {
                line: self.line,
                reason: rejection.reason,
                detail: rejection.detail,
            }),
        }
    }

    /// Lines that are not only white space.
    pub fn texts(&self) -> u64 {
        self.texts
    }

    /// The timestamp of the last record that counts; `i64::MIN` before the first.
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp_ms
    }

    /// Where the clock ends: at `until`, or with the last record.
    pub fn end_ms(&self) -> i64 {
        self.options.until_ms.unwrap_or(self.timestamp_ms)
    }

    /// What could not count, by line.
    pub fn dead_letters(&self) -> &[DeadLetterLine] {
        &self.dead_letters
    }

    /// What could not count, by line.
    pub fn into_dead_letters(self) -> Vec<DeadLetterLine> {
        self.dead_letters
    }
}
