//! `slawatch replay`: SEMANTICS 8 computed from JSON lines, with neither Kafka nor ClickHouse, by the same tracker that
//! runs in the pipeline.

mod format;

use std::collections::BTreeMap;

use slawatch_event::{DecodeOptions, Encoding, Reason, TicketEvent, check_future, parse};
use slawatch_policy::PolicySets;
use slawatch_tracker::{Applied, Options, Tracker};
use slawatch_wire::v1;
use xxhash_rust::xxh3::xxh3_64;

pub use format::{
    metric_name, outcome_object, plain, write_dead_letters, write_outcomes, write_panes,
};

/// What a replay depends on beside events and policies.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The wall clock, UTC ms; `None` is none.
    pub until_ms: Option<i64>,
    /// SEMANTICS 6; 0 unless given.
    pub allowed_delay_ms: i64,
    /// How many trackers share the tickets. Results do not depend on it.
    pub partitions: u32,
    /// Status names and skew.
    pub decode: DecodeOptions,
}

impl Default for ReplayOptions {
    fn default() -> Self {
        Self {
            until_ms: None,
            allowed_delay_ms: 0,
            partitions: 1,
            decode: DecodeOptions::default(),
        }
    }
}

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

/// A pane merged over partitions: (first instant, vendor, queue) and its measures.
pub type MergedPanes = BTreeMap<(i64, String, String), v1::Measures>;

/// What a replay found.
#[derive(Debug)]
pub struct ReplayResult {
    /// Sorted by ticket, metric (alphabetically), cycle.
    pub outcomes: Vec<v1::OutcomeRow>,
    /// Sorted by pane, vendor, queue.
    pub panes: MergedPanes,
    /// By line.
    pub dead_letters: Vec<DeadLetterLine>,
    /// What was read.
    pub counts: ReplayCounts,
}

/// Where the lines went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Lines that are not only white space.
    pub lines: u64,
    /// Events that count.
    pub events: u64,
    /// Copies of events that count.
    pub duplicates: u64,
    /// Copies that say something else.
    pub conflicting: u64,
}

/// A replay under way: lines go in, the result comes out.
#[derive(Debug)]
pub struct Replay {
    options: ReplayOptions,
    trackers: Vec<Tracker>,
    line: u64,
    /// The record timestamp: the largest `occurred_at` so far of what is no dead letter, never above `until`.
    timestamp_ms: i64,
    dead_letters: Vec<DeadLetterLine>,
    counts: ReplayCounts,
}

impl Replay {
    /// A replay of nothing yet.
    pub fn new(sets: &PolicySets, options: ReplayOptions) -> Self {
        let tracker_options = Options {
            allowed_delay_ms: options.allowed_delay_ms,
            forget_after_ms: None,
            pane_horizon_ms: None,
        };
        let trackers = (0..options.partitions.max(1))
            .map(|_| Tracker::new(sets.clone(), tracker_options))
            .collect();
        Self {
            options,
            trackers,
            line: 0,
            timestamp_ms: i64::MIN,
            dead_letters: Vec::new(),
            counts: ReplayCounts::default(),
        }
    }

    /// Takes the next line, without its line end.
    pub fn line(&mut self, line: &[u8]) {
        self.line += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.counts.lines += 1;
        let decode = self.options.decode.clone();
        let event = parse(line, Encoding::Json, &decode).and_then(|event| {
            // Without a wall clock every event's own instant is its record's timestamp, so none is of the future.
            let until_ms = self.options.until_ms.unwrap_or(i64::MAX);
            check_future(&event, until_ms, &decode).map(|()| event)
        });
        match event {
            Err(rejection) => self.reject(rejection.reason, rejection.detail),
            Ok(event) => self.event(&event),
        }
    }

    fn event(&mut self, event: &TicketEvent<'_>) {
        let own_ms = event
            .occurred_at_ms
            .min(self.options.until_ms.unwrap_or(i64::MAX));
        let timestamp_ms = self.timestamp_ms.max(own_ms);
        let partition = xxh3_64(event.ticket_id.as_bytes()) % self.trackers.len() as u64;
        let applied = self.trackers[partition as usize].apply(event, timestamp_ms, self.line);
        match applied {
            Applied::Counted => self.counts.events += 1,
            Applied::Duplicate => self.counts.duplicates += 1,
            Applied::Conflicting => self.counts.conflicting += 1,
            Applied::Rejected(reason) => {
                self.reject(reason, "the ticket's history is full".to_owned());
                return;
            }
        }
        self.timestamp_ms = timestamp_ms;
        for tracker in &mut self.trackers {
            tracker.advance_clock(timestamp_ms);
        }
    }

    fn reject(&mut self, reason: Reason, detail: String) {
        self.dead_letters.push(DeadLetterLine {
            line: self.line,
            reason,
            detail,
        });
    }

    /// Moves the clock to its end and takes stock.
    pub fn finish(mut self) -> ReplayResult {
        let clock_ms = self.options.until_ms.unwrap_or(self.timestamp_ms);
        let mut outcomes = Vec::new();
        let mut panes = MergedPanes::new();
        for tracker in &mut self.trackers {
            tracker.advance_clock(clock_ms);
            let conclusions = tracker.conclude();
            outcomes.extend(conclusions.outcomes.into_iter().map(|outcome| outcome.row));
            for row in conclusions.panes {
                let key = (row.pane_ms, row.vendor, row.queue);
                let measures = row.measures.unwrap_or_default();
                format::merge(panes.entry(key).or_default(), &measures);
            }
        }
        panes.retain(|_, measures| !format::is_empty(measures));
        let order = |row: &v1::OutcomeRow| (metric_name(row.metric()), row.cycle);
        outcomes.sort_by(|a, b| {
            (a.ticket_id.as_str(), order(a)).cmp(&(b.ticket_id.as_str(), order(b)))
        });
        ReplayResult {
            outcomes,
            panes,
            dead_letters: self.dead_letters,
            counts: self.counts,
        }
    }
}
