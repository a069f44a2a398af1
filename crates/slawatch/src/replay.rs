//! `slawatch replay`: SEMANTICS 8 computed from JSON lines, with neither Kafka nor ClickHouse, by the same tracker that
//! runs in the pipeline.

mod format;
mod intake;

use std::collections::BTreeMap;

use slawatch_event::{DecodeOptions, Rejection, TicketEvent};
use slawatch_policy::PolicySets;
use slawatch_tracker::{Applied, Options, Tracker};
use slawatch_wire::v1;
use xxhash_rust::xxh3::xxh3_64;

pub use format::{
    metric_name, outcome_object, plain, state_name, write_dead_letters, write_outcomes, write_panes,
};
pub use intake::{DeadLetterLine, Intake, IntakeOptions, Place};

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
    intake: Intake,
    trackers: Vec<Tracker>,
    counts: ReplayCounts,
}

impl Replay {
    /// A replay of nothing yet.
    pub fn new(sets: &PolicySets, options: ReplayOptions) -> Self {
        let tracker_options = Options {
            allowed_delay_ms: options.allowed_delay_ms,
            forget_after_ms: None,
            pane_horizon_ms: None,
            ..Options::default()
        };
        let trackers = (0..options.partitions.max(1))
            .map(|_| Tracker::new(sets.clone(), tracker_options.clone()))
            .collect();
        Self {
            intake: Intake::new(IntakeOptions {
                until_ms: options.until_ms,
                decode: options.decode,
            }),
            trackers,
            counts: ReplayCounts::default(),
        }
    }

    /// Takes the next line, without its line end.
    pub fn line(&mut self, line: &[u8]) {
        let Self {
            intake,
            trackers,
            counts,
        } = self;
        intake.line(line, |event, place| apply(trackers, counts, event, place));
        let timestamp_ms = intake.timestamp_ms();
        for tracker in trackers {
            tracker.advance_clock(timestamp_ms);
        }
    }

    /// Moves the clock to its end and takes stock.
    pub fn finish(mut self) -> ReplayResult {
        let clock_ms = self.intake.end_ms();
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
            counts: ReplayCounts {
                lines: self.intake.texts(),
                ..self.counts
            },
            dead_letters: self.intake.into_dead_letters(),
        }
    }
}

fn apply(
    trackers: &mut [Tracker],
    counts: &mut ReplayCounts,
    event: &TicketEvent<'_>,
    place: Place,
) -> Result<(), Rejection> {
    let partition = xxh3_64(event.ticket_id.as_bytes()) % trackers.len() as u64;
    match trackers[partition as usize].apply(event, place.timestamp_ms, place.line) {
        Applied::Counted => counts.events += 1,
        Applied::Duplicate => counts.duplicates += 1,
        Applied::Conflicting => counts.conflicting += 1,
        Applied::Rejected(reason) => {
            return Err(Rejection {
                reason,
                detail: "the ticket's history is full".to_owned(),
            });
        }
    }
    Ok(())
}
