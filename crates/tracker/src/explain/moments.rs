//! What happened to a cycle: the differences between one look and the next.

use slawatch_event::EventType;
use slawatch_policy::{Metric, OnReopen};

use super::causes::Between;
use super::segments::elapsed_at;
use super::story::{EventEffect, Happened, Holding, Moment, Segment, StopReason};
use super::walk::{Phase, Sample, Walk};
use crate::fold::{Cycle, StopKind};
use crate::rules::Rules;

/// Everything that happened to a cycle, in order.
pub(super) fn moments(
    walk: &Walk,
    index: usize,
    segments: &[Segment],
    due_ms: Option<i64>,
    rules: &Rules,
) -> Vec<Moment> {
    let cycle = &walk.fold.cycles[index];
    let samples = &walk.tracks[index];
    let mut teller = Teller {
        walk,
        cycle,
        rules,
        moments: Vec::new(),
    };
    for (position, sample) in samples.iter().enumerate() {
        match position.checked_sub(1) {
            None => teller.started(sample),
            Some(before) => teller.changed(&samples[before], sample),
        }
    }
    let mut moments = teller.moments;
    if let Some(due_ms) = due_ms {
        // What holds at a due is what holds after every event of that instant.
        let position = moments.partition_point(|moment| moment.at_ms <= due_ms);
        let due = Moment {
            at_ms: due_ms,
            elapsed_ms: 0,
            event: None,
            happened: Happened::Due,
        };
        moments.insert(position, due);
    }
    for moment in &mut moments {
        moment.elapsed_ms = elapsed_at(segments, moment.at_ms);
    }
    moments
}

struct Teller<'a> {
    walk: &'a Walk,
    cycle: &'a Cycle,
    rules: &'a Rules,
    moments: Vec<Moment>,
}

impl Teller<'_> {
    fn tell(&mut self, sample: &Sample, happened: Happened) {
        self.moments.push(Moment {
            at_ms: sample.at_ms,
            elapsed_ms: 0,
            event: Some(sample.event),
            happened,
        });
    }

    fn started(&mut self, sample: &Sample) {
        let holding = Holding::of(&sample.standing, self.cycle.set, self.rules);
        self.tell(sample, Happened::Started(holding));
        match sample.phase {
            Phase::Running => {
                if sample.standing.paused {
                    self.tell(sample, Happened::Paused(sample.status));
                }
            }
            Phase::Stopped { kind, .. } => self.stopped(sample, kind),
        }
    }

    fn changed(&mut self, before: &Sample, sample: &Sample) {
        match (before.phase, sample.phase) {
            (Phase::Running, Phase::Running) => self.stands(before, sample, sample.event),
            (Phase::Running, Phase::Stopped { kind, .. }) => self.stopped(sample, kind),
            (Phase::Stopped { .. }, Phase::Running) => {
                self.tell(sample, Happened::Reopened(OnReopen::Resume));
                // The event that made the ticket over had its attributes applied only after the stop.
                self.stands(before, sample, before.event);
            }
            (Phase::Stopped { .. }, Phase::Stopped { kind, .. }) => match sample.outlived {
                Some(on_reopen) => self.tell(sample, Happened::Reopened(on_reopen)),
                None => {
                    // One event reopened the ticket and ended it.
                    self.tell(sample, Happened::Reopened(OnReopen::Resume));
                    self.stopped(sample, kind);
                }
            },
        }
    }

    fn stopped(&mut self, sample: &Sample, kind: StopKind) {
        let event = &self.walk.events[sample.event];
        let waits_for_reply = match self.cycle.metric {
            Metric::FirstReply | Metric::NextReply | Metric::PeriodicUpdate => true,
            Metric::RequesterWait | Metric::AgentWork | Metric::Resolution | Metric::Answer => {
                false
            }
        };
        let replies = waits_for_reply
            && event.event_type == EventType::AgentReplied
            && event.effect == EventEffect::Counts;
        let is_contact = self.cycle.metric == Metric::Answer;
        let reason = match kind {
            StopKind::Fulfilled if is_contact => StopReason::Answered,
            StopKind::Fulfilled if replies => StopReason::Replied,
            StopKind::Fulfilled => StopReason::Over(sample.status),
            StopKind::Cancelled if is_contact || !sample.status.is_over() => StopReason::Ended,
            StopKind::Cancelled => StopReason::CancelledByOver(sample.status),
            StopKind::Abandoned => StopReason::Abandoned,
            StopKind::FlowedOut => StopReason::OfferedAgain,
        };
        self.tell(sample, Happened::Stopped(reason));
    }

    /// From one standing to another; the events from `first_event` on can have made the difference.
    fn stands(&mut self, before: &Sample, sample: &Sample, first_event: usize) {
        let (from, to) = (&before.standing, &sample.standing);
        let was = Holding::of(from, self.cycle.set, self.rules);
        let is = Holding::of(to, self.cycle.set, self.rules);
        let between = Between {
            events: &self.walk.events,
            first: first_event,
            last: sample.event,
        };
        if from.owner != to.owner {
            let happened = Happened::Owner {
                from: (was.vendor, was.queue),
                to: (is.vendor, is.queue),
            };
            self.tell(sample, happened);
        }
        if from.policy != to.policy {
            let happened = Happened::Policy {
                from: was.policy,
                to: is.policy,
                calendar_from: was.calendar,
                calendar_to: is.calendar,
                causes: between.of_policy(self.cycle, self.rules),
            };
            self.tell(sample, happened);
        }
        if from.target_ms != to.target_ms {
            let happened = Happened::Target {
                from_ms: from.target_ms,
                to_ms: to.target_ms,
                by_policy: from.policy != to.policy,
                causes: between.of_target(self.cycle, from, to, self.rules),
            };
            self.tell(sample, happened);
        } else if from.priority != to.priority {
            let happened = Happened::Priority {
                from: was.priority,
                to: is.priority,
                target_ms: to.target_ms,
            };
            self.tell(sample, happened);
        }
        let was_paused = from.paused && before.phase == Phase::Running;
        if to.paused && !(was_paused && before.status == sample.status) {
            self.tell(sample, Happened::Paused(sample.status));
        } else if was_paused && !to.paused {
            self.tell(sample, Happened::Unpaused(sample.status));
        }
    }
}
