//! What happened in a run: a hash of all of it, by which two runs are compared, and its tail, by which a person finds out
//! what went wrong.

use std::collections::VecDeque;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::observer::Seen;
use crate::process::Role;

const TAIL: usize = 60;

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Time went on by so many milliseconds.
    Passed(u32),
    /// A process was started.
    Started(Role),
    /// A process did a step, and lives on or not.
    Stepped(Role, bool),
    /// One of the disturbances, by its number.
    Befell(u64),
    RulesChanged,
    /// A record was written: topic, partition, offset, bytes.
    Written {
        topic: &'static str,
        partition: u32,
        offset: i64,
        bytes: usize,
    },
}

#[derive(Debug, Default)]
pub struct Trace {
    hash: u64,
    events: u64,
    tail: VecDeque<Event>,
}

impl Trace {
    pub fn note(&mut self, event: Event) {
        let (kind, number) = match event {
            Event::Passed(by_ms) => (1, u64::from(by_ms)),
            Event::Started(role) => (2, role as u64),
            Event::Stepped(role, lives) => (3, role as u64 * 2 + u64::from(lives)),
            Event::Befell(kind) => (4, kind),
            Event::RulesChanged => (5, 0),
            Event::Written {
                topic,
                partition,
                offset,
                bytes,
            } => (
                6,
                u64::from(partition)
                    ^ (topic.len() as u64) << 56
                    ^ offset.unsigned_abs() << 8
                    ^ (bytes as u64) << 40,
            ),
        };
        self.fold(&[kind, number].map(u64::to_le_bytes).concat());
        self.events += 1;
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(event);
    }

    pub fn record(&mut self, topic: &'static str, seen: &Seen) {
        self.note(Event::Written {
            topic,
            partition: seen.partition,
            offset: seen.offset,
            bytes: seen.value.len(),
        });
        self.fold(&seen.value);
    }

    fn fold(&mut self, bytes: &[u8]) {
        self.hash = xxh3_64_with_seed(bytes, self.hash);
    }

    /// The same for two runs in which the same happened.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The end of it, in words.
    pub fn tail(&self) -> String {
        let lines = self.tail.iter().map(|event| format!("  {event:?}\n"));
        format!(
            "  … {} events before\n{}",
            self.events - self.tail.len() as u64,
            lines.collect::<String>()
        )
    }
}
