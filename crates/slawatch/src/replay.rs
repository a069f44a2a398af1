//! `slawatch replay`: SEMANTICS 8 computed from JSON lines, with neither Kafka nor ClickHouse, by the same tracker that
//! runs in the pipeline; and with rules, what they would have told, by the same evaluator.

mod format;
mod hindsight;
mod intake;

use std::sync::Arc;

use slawatch_backtest::{Course, CourseOptions, Ended};
use slawatch_evaluator::RuleSet;
use slawatch_event::{DecodeOptions, Rejection, TicketEvent};
use slawatch_policy::PolicySets;
use slawatch_tracker::Applied;
use slawatch_wire::v1;

pub use format::{
    outcome_object, plain, state_name, write_dead_letters, write_outcomes, write_panes,
};
use hindsight::Hindsight;
pub use intake::{DeadLetterLine, Intake, IntakeOptions, Place};
pub use slawatch_backtest::{MergedPanes, metric_name};

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
    /// Under rules.
    pub watched: Option<Watched>,
}

/// What rules made of it.
#[derive(Debug)]
pub struct Watched {
    /// The history as it became known.
    pub ended: Ended,
    /// The history as it turned out to be: each event known the moment it happened.
    pub in_hindsight: Ended,
}

impl Watched {
    /// What was told, sorted by instant, key and revision.
    pub fn alerts(&self) -> &[v1::AlertTransition] {
        self.ended.alerts.first().map_or(&[], Vec::as_slice)
    }
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

impl ReplayCounts {
    fn count(&mut self, applied: Applied) -> Result<(), Rejection> {
        match applied {
            Applied::Counted => self.events += 1,
            Applied::Duplicate => self.duplicates += 1,
            Applied::Conflicting => self.conflicting += 1,
            Applied::Rejected(reason) => {
                return Err(Rejection {
                    reason,
                    detail: "the ticket's history is full".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// A replay under way: lines go in, the result comes out.
#[derive(Debug)]
pub struct Replay {
    intake: Intake,
    course: Course,
    counts: ReplayCounts,
    hindsight: Option<Hindsight>,
}

impl Replay {
    /// A replay of nothing yet.
    pub fn new(sets: &PolicySets, options: ReplayOptions) -> Self {
        Self::watched_by(sets, options, None)
    }

    /// A replay that rules look at as well. It keeps every line that counts, to look at them again in hindsight.
    pub fn watched_by(
        sets: &PolicySets,
        options: ReplayOptions,
        rules: Option<Arc<RuleSet>>,
    ) -> Self {
        let course_options = CourseOptions {
            allowed_delay_ms: options.allowed_delay_ms,
            partitions: options.partitions,
        };
        let rules: Vec<Arc<RuleSet>> = rules.into_iter().collect();
        let course = |options| Course::new(sets, options, &rules);
        Self {
            course: course(course_options),
            hindsight: (!rules.is_empty()).then(|| {
                let one = CourseOptions {
                    partitions: 1,
                    ..course_options
                };
                Hindsight::new(course(one), options.decode.clone())
            }),
            intake: Intake::new(IntakeOptions {
                until_ms: options.until_ms,
                decode: options.decode,
            }),
            counts: ReplayCounts::default(),
        }
    }

    /// Takes the next line, without its line end.
    pub fn line(&mut self, line: &[u8]) {
        let Self {
            intake,
            course,
            counts,
            hindsight,
        } = self;
        let take = |event: &TicketEvent<'_>, place: Place| {
            let applied = course.apply(event, place.timestamp_ms, place.line);
            if let (Applied::Counted, Some(hindsight)) = (applied, hindsight) {
                hindsight.keep(event.occurred_at_ms, line);
            }
            counts.count(applied)
        };
        intake.line(line, take);
        course.advance(intake.timestamp_ms());
    }

    /// How many events are still to be looked at in hindsight.
    pub fn kept(&self) -> usize {
        self.hindsight.as_ref().map_or(0, Hindsight::len)
    }

    /// Moves the clock to its end and takes stock.
    pub fn finish(self) -> ReplayResult {
        self.finish_telling(&mut |_| {})
    }

    /// As [`Replay::finish`], told how many of the kept events are done.
    pub fn finish_telling(self, done: &mut dyn FnMut(usize)) -> ReplayResult {
        let end_ms = self.intake.end_ms();
        let mut ended = self.course.finish(end_ms);
        let mut outcomes = std::mem::take(&mut ended.outcomes);
        let mut panes = ended.panes.clone();
        panes.retain(|_, measures| !format::is_empty(measures));
        let order = |row: &v1::OutcomeRow| (metric_name(row.metric()), row.cycle);
        outcomes.sort_by(|a, b| {
            (a.ticket_id.as_str(), order(a)).cmp(&(b.ticket_id.as_str(), order(b)))
        });
        let watched = self.hindsight.map(|hindsight| {
            ended.outcomes.clone_from(&outcomes);
            Watched {
                ended,
                in_hindsight: hindsight.finish(end_ms, done),
            }
        });
        ReplayResult {
            outcomes,
            panes,
            counts: ReplayCounts {
                lines: self.intake.texts(),
                ..self.counts
            },
            dead_letters: self.intake.into_dead_letters(),
            watched,
        }
    }
}
