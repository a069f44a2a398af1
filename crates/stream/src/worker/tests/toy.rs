//! A role small enough to be recomputed in a few lines, with everything that makes takeover hard: deadlines that fire
//! by the clock, late events that take a verdict back, and absolute rows.
//!
//! A record's value is `KEY open AT TARGET`, `KEY done AT` or `KEY note`. A key is met if it is done by `AT + TARGET`,
//! breached once the clock is past that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use crate::{
    Outgoing, Processor, ProcessorFactory, Record, RestoreError, SnapshotView, Source, Stamp,
};

pub(super) const OUTPUTS: u32 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Running,
    Met,
    Breached,
}

/// What is published of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) count: u64,
    pub(super) verdict: Verdict,
    pub(super) due_ms: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    count: u64,
    opened: Option<(i64, i64)>,
    done: Option<i64>,
}

impl Entry {
    fn due_ms(&self) -> i64 {
        self.opened.map_or(i64::MAX, |(at, target)| at + target)
    }

    fn verdict(&self, clock_ms: i64) -> Verdict {
        let due_ms = self.due_ms();
        match self.done {
            Some(done) if done <= due_ms => Verdict::Met,
            Some(_) => Verdict::Breached,
            None if clock_ms > due_ms => Verdict::Breached,
            None => Verdict::Running,
        }
    }
}

#[derive(Debug)]
pub(super) struct Toy {
    entries: BTreeMap<String, Entry>,
    clock_ms: i64,
    by_record: BTreeSet<String>,
    by_clock: BTreeSet<String>,
    /// Leave out of the first flush what only records changed.
    sparing: bool,
    out: Arc<str>,
}

impl Toy {
    pub(super) fn rows(&self) -> BTreeMap<String, Row> {
        self.entries
            .keys()
            .map(|key| (key.clone(), self.row(key)))
            .collect()
    }

    fn row(&self, key: &str) -> Row {
        let entry = &self.entries[key];
        Row {
            count: entry.count,
            verdict: entry.verdict(self.clock_ms),
            due_ms: entry.due_ms(),
        }
    }
}

impl Processor for Toy {
    fn apply(&mut self, record: &Record<'_>) {
        let text = std::str::from_utf8(record.value.unwrap()).unwrap();
        let words: Vec<&str> = text.split(' ').collect();
        let entry = self.entries.entry(words[0].to_owned()).or_default();
        entry.count += 1;
        match words[1..] {
            ["open", at, target] => {
                entry
                    .opened
                    .get_or_insert((at.parse().unwrap(), target.parse().unwrap()));
            }
            ["done", at] => {
                let at = at.parse().unwrap();
                entry.done = Some(entry.done.map_or(at, |before| before.min(at)));
            }
            ["note"] => {}
            _ => panic!("what is {text}?"),
        }
        self.by_record.insert(words[0].to_owned());
    }

    fn advance_clock(&mut self, clock_ms: i64) {
        assert!(clock_ms >= self.clock_ms, "the clock went back");
        let before = self.clock_ms;
        for (key, entry) in &self.entries {
            if entry.verdict(before) != entry.verdict(clock_ms) {
                self.by_clock.insert(key.clone());
            }
        }
        self.clock_ms = clock_ms;
    }

    fn fires_before(&self, clock_ms: i64) -> bool {
        self.entries
            .values()
            .any(|entry| entry.verdict(self.clock_ms) != entry.verdict(clock_ms))
    }

    fn took_over(&mut self, _epoch: u64) {
        if self.sparing {
            self.by_record.clear();
        }
    }

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        let mut dirty = std::mem::take(&mut self.by_record);
        dirty.append(&mut self.by_clock);
        for output in 0..OUTPUTS {
            let mut text = format!(
                "{} {} {} {}",
                stamp.source, stamp.epoch, stamp.batch, stamp.position
            );
            let mut rows = 0;
            for key in dirty.iter().filter(|key| output_of(key) == output) {
                let Row {
                    count,
                    verdict,
                    due_ms,
                } = self.row(key);
                let verdict = match verdict {
                    Verdict::Running => 'r',
                    Verdict::Met => 'm',
                    Verdict::Breached => 'b',
                };
                write!(text, "\n{key} {count} {verdict} {due_ms}").unwrap();
                rows += 1;
            }
            if rows > 0 || stamp.progress {
                out.push(Outgoing::new(
                    Arc::clone(&self.out),
                    output,
                    text.into_bytes(),
                ));
            }
        }
    }

    fn snapshot(&self, out: &mut Vec<u8>) {
        assert!(
            self.by_record.is_empty() && self.by_clock.is_empty(),
            "a snapshot must not hold anything unsaid"
        );
        let mut text = format!("{}", self.clock_ms);
        for (
            key,
            Entry {
                count,
                opened,
                done,
            },
        ) in &self.entries
        {
            let (at, target) = opened.unwrap_or((-1, -1));
            write!(text, "\n{key} {count} {at} {target} {}", done.unwrap_or(-1)).unwrap();
        }
        out.extend_from_slice(text.as_bytes());
    }

    fn fingerprint(&self) -> u64 {
        7
    }
}

/// Where a key's rows go.
pub(super) fn output_of(key: &str) -> u32 {
    key.bytes().map(u32::from).sum::<u32>() % OUTPUTS
}

/// What a batch says: source, epoch, batch, position, rows.
pub(super) struct Batch {
    pub(super) source: u32,
    pub(super) epoch: u64,
    pub(super) batch: u64,
    pub(super) position: i64,
    pub(super) rows: Vec<(String, Row)>,
}

pub(super) fn read_batch(value: &[u8]) -> Batch {
    let text = std::str::from_utf8(value).unwrap();
    let mut lines = text.lines();
    let head: Vec<i64> = lines
        .next()
        .unwrap()
        .split(' ')
        .map(|word| word.parse().unwrap())
        .collect();
    let rows = lines.map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let verdict = match words[2] {
            "r" => Verdict::Running,
            "m" => Verdict::Met,
            _ => Verdict::Breached,
        };
        let row = Row {
            count: words[1].parse().unwrap(),
            verdict,
            due_ms: words[3].parse().unwrap(),
        };
        (words[0].to_owned(), row)
    });
    Batch {
        source: u32::try_from(head[0]).unwrap(),
        epoch: u64::try_from(head[1]).unwrap(),
        batch: u64::try_from(head[2]).unwrap(),
        position: head[3],
        rows: rows.collect(),
    }
}

#[derive(Debug)]
pub(super) struct ToyFactory {
    pub(super) sparing: bool,
}

impl ProcessorFactory for ToyFactory {
    type Processor = Toy;

    fn create(&self, _source: &Source) -> Toy {
        Toy {
            entries: BTreeMap::new(),
            clock_ms: i64::MIN,
            by_record: BTreeSet::new(),
            by_clock: BTreeSet::new(),
            sparing: self.sparing,
            out: Arc::from("out"),
        }
    }

    fn restore(&self, source: &Source, snapshot: &SnapshotView<'_>) -> Result<Toy, RestoreError> {
        if snapshot.fingerprint != 7 {
            return Err(RestoreError::Incompatible(format!(
                "it was taken under the rules {:x}, these are 7",
                snapshot.fingerprint
            )));
        }
        let mut toy = self.create(source);
        let text = std::str::from_utf8(snapshot.state)
            .map_err(|error| RestoreError::Unusable(error.to_string()))?;
        let mut lines = text.lines();
        toy.clock_ms = lines.next().unwrap().parse().unwrap();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |index: usize| words[index].parse::<i64>().unwrap();
            let entry = Entry {
                count: u64::try_from(number(1)).unwrap(),
                opened: (number(2) >= 0).then(|| (number(2), number(3))),
                done: (number(4) >= 0).then(|| number(4)),
            };
            toy.entries.insert(words[0].to_owned(), entry);
        }
        Ok(toy)
    }

    fn follows_wall_clock(&self) -> bool {
        true
    }
}
