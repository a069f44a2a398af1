//! The course of a history: events through the trackers, and what those conclude through the evaluators of rule sets.
//!
//! # When rules look
//! At the last millisecond of every minute in which anything happens or falls due, and at the end. Between two records the
//! clock goes on, as the wall clock does in an installation whose partitions are idle: a record of 10:05 finds all that fell
//! due up to 10:04:59.999 told. A record counts before the clock reaches its own minute's end. So neither the number of
//! trackers nor how lines are put together changes what is told.

use std::sync::Arc;

use slawatch_evaluator::{Evaluator, Home, RuleSet};
use slawatch_event::TicketEvent;
use slawatch_policy::PolicySets;
use slawatch_tracker::{Applied, Options, Tracker};
use slawatch_wire::v1::{self, AlertTransition};
use xxhash_rust::xxh3::xxh3_64;

use crate::MINUTE_MS;
use crate::ledger::{Ledger, MergedPanes};

/// What a course depends on beside events, policies and rules.
#[derive(Clone, Copy, Debug)]
pub struct CourseOptions {
    /// SEMANTICS 6.
    pub allowed_delay_ms: i64,
    /// How many trackers share the tickets. Nothing depends on it.
    pub partitions: u32,
}

/// A history under way.
#[derive(Debug)]
pub struct Course {
    trackers: Vec<Tracker>,
    ledger: Ledger,
    watches: Vec<Watch>,
    /// The minute whose end is looked at next.
    minute: Option<i64>,
    batches: u64,
}

#[derive(Debug)]
struct Watch {
    evaluator: Evaluator,
    told: Vec<AlertTransition>,
}

/// What a history came to.
#[derive(Debug)]
pub struct Ended {
    /// Where the clock ended.
    pub end_ms: i64,
    /// Sorted by ticket, metric's number, cycle.
    pub outcomes: Vec<v1::OutcomeRow>,
    /// Merged over trackers; panes may be empty.
    pub panes: MergedPanes,
    /// Every warning announced while rules watched.
    pub warnings: Vec<v1::Warning>,
    /// What each rule set told, sorted by instant, key and revision.
    pub alerts: Vec<Vec<AlertTransition>>,
}

impl Course {
    /// Nothing has happened yet. Without rule sets nothing is looked at before the end.
    pub fn new(sets: &PolicySets, options: CourseOptions, rules: &[Arc<RuleSet>]) -> Self {
        let tracker_options = Options {
            allowed_delay_ms: options.allowed_delay_ms,
            forget_after_ms: None,
            pane_horizon_ms: None,
            ..Options::default()
        };
        let home = Home {
            partition: 0,
            partitions: 1,
        };
        Self {
            trackers: (0..options.partitions.max(1))
                .map(|_| Tracker::new(sets.clone(), tracker_options.clone()))
                .collect(),
            ledger: Ledger::default(),
            watches: rules
                .iter()
                .map(|rules| Watch {
                    evaluator: Evaluator::new(Arc::clone(rules), home),
                    told: Vec::new(),
                })
                .collect(),
            minute: None,
            batches: 0,
        }
    }

    /// Takes the next event of the log, whose record timestamp never goes back, read at `offset`.
    pub fn apply(&mut self, event: &TicketEvent<'_>, timestamp_ms: i64, offset: u64) -> Applied {
        let count = self.trackers.len() as u64;
        let place = (xxh3_64(event.ticket_id.as_bytes()) % count) as usize;
        if self.trackers[place].is_full(&event.ticket_id) {
            // It is rejected and moves no clock, or is a copy, which changes nothing.
            return self.trackers[place].apply(event, timestamp_ms, offset);
        }
        self.pass_minutes(timestamp_ms);
        self.trackers[place].apply(event, timestamp_ms, offset)
    }

    /// Moves the clock, to the timestamp of the record before.
    pub fn advance(&mut self, clock_ms: i64) {
        for tracker in &mut self.trackers {
            tracker.advance_clock(clock_ms);
        }
    }

    /// Moves the clock to its end and takes stock.
    pub fn finish(mut self, end_ms: i64) -> Ended {
        if self.minute.is_some() {
            self.pass_minutes(end_ms);
        }
        self.look(end_ms);
        let (outcomes, panes, warnings) = self.ledger.close();
        let alerts = self.watches.into_iter().map(|watch| {
            let mut told = watch.told;
            told.sort_by(|a, b| (a.at_ms, &a.key, a.revision).cmp(&(b.at_ms, &b.key, b.revision)));
            told
        });
        Ended {
            end_ms,
            outcomes,
            panes,
            warnings,
            alerts: alerts.collect(),
        }
    }

    /// Looks at the end of every minute before the one of `to_ms` in which there is anything new.
    fn pass_minutes(&mut self, to_ms: i64) {
        if self.watches.is_empty() {
            return;
        }
        let target = to_ms.div_euclid(MINUTE_MS);
        let mut minute = *self.minute.get_or_insert(target);
        while minute < target {
            self.look(last_ms(minute));
            minute = self.next_due(minute + 1, target);
        }
        self.minute = Some(minute);
    }

    fn look(&mut self, clock_ms: i64) {
        for (number, tracker) in self.trackers.iter_mut().enumerate() {
            tracker.advance_clock(clock_ms);
            self.ledger.take(number, tracker.conclude());
        }
        if self.minute.is_none() {
            return;
        }
        self.batches += 1;
        let batch = v1::SignalBatch {
            source: 0,
            epoch: 1,
            batch: self.batches,
            clock_ms,
            log_clock_ms: clock_ms,
            sources: 1,
            ..self.ledger.changes()
        };
        let signal = v1::Signal {
            kind: Some(v1::signal::Kind::Batch(batch)),
        };
        for watch in &mut self.watches {
            watch.evaluator.apply(&signal, &mut watch.told);
        }
    }

    /// The first minute from `from` on at whose end a tracker would conclude something, or `target`.
    fn next_due(&self, from: i64, target: i64) -> i64 {
        let is_due = |minute: i64| {
            let clock_ms = last_ms(minute);
            let trackers = self.trackers.iter();
            trackers
                .into_iter()
                .any(|tracker| tracker.fires_before(clock_ms))
        };
        let (mut low, mut high) = (from, target);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_due(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

fn last_ms(minute: i64) -> i64 {
    (minute + 1) * MINUTE_MS - 1
}
