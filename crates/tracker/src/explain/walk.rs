//! One fold of a ticket, looked at after every event.

use slawatch_event::{Attribute, EventType, Status};
use slawatch_policy::{Metric, OnReopen};

use super::story::{AttributeChange, EventEffect, EventStory, TicketState};
use crate::event::Event;
use crate::fold::{Fold, Standing, StopKind};
use crate::rules::{Rules, Values};
use crate::tally::Discard;

/// What a look at a cycle found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// The event after which it was looked at.
    pub(super) event: usize,
    pub(super) at_ms: i64,
    pub(super) phase: Phase,
    /// What holds; of a stopped cycle what held at its stop.
    pub(super) standing: Standing,
    /// The ticket's status.
    pub(super) status: Status,
    is_final: bool,
    /// What the policy in force made of the reopen that its stop outlives.
    pub(super) outlived: Option<OnReopen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    Stopped { kind: StopKind, at_ms: i64 },
}

impl Sample {
    /// Whether another look found anything new.
    fn differs(&self, other: &Self) -> bool {
        let status = |sample: &Self| {
            Some(sample.status).filter(|_| sample.standing.paused && sample.phase == Phase::Running)
        };
        self.phase != other.phase
            || self.standing != other.standing
            || self.is_final != other.is_final
            || status(self) != status(other)
    }
}

/// A fold, and everything that was seen on the way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) fold: Fold,
    pub(super) events: Vec<EventStory>,
    /// By cycle: the looks that found something new. Each cycle has at least one.
    pub(super) tracks: Vec<Vec<Sample>>,
    ended: bool,
}

pub(super) fn walk(history: &[Event], ids: &[String], rules: &mut Rules) -> Walk {
    let mut walk = Walk {
        fold: Fold::new(rules),
        events: Vec::with_capacity(history.len()),
        tracks: Vec::new(),
        ended: false,
    };
    let mut live = Vec::new();
    for (event, id) in history.iter().zip(ids) {
        let values = walk.fold.values().clone();
        let status = walk.fold.status();
        let was_created = walk.fold.created_at_ms.is_some();
        let was_ended = walk.fold.has_ended();
        walk.fold.step(event, rules, &mut Discard);
        let stopped_contact = walk.look(&mut live, event.at_ms, rules);
        let effect = effect(event.event_type, was_created, was_ended, stopped_contact);
        walk.events.push(EventStory {
            id: id.clone(),
            at_ms: event.at_ms,
            sequence: event.sequence,
            event_type: event.event_type,
            contact_id: event.contact.as_deref().map(str::to_owned),
            changes: changes(&values, status, &walk.fold, rules),
            effect,
        });
    }
    walk.ended = walk.fold.has_ended();
    walk
}

impl Walk {
    /// Looks at every cycle that can have changed; `live` are those. Says whether a contact's wait ended.
    fn look(&mut self, live: &mut Vec<usize>, at_ms: i64, rules: &mut Rules) -> bool {
        let known = self.tracks.len();
        self.tracks.resize_with(self.fold.cycles.len(), Vec::new);
        live.extend(known..self.fold.cycles.len());
        let mut stopped_contact = false;
        for index in live.iter().copied() {
            let cycle = &self.fold.cycles[index];
            let phase = match &cycle.stop {
                None => Phase::Running,
                Some(stop) => Phase::Stopped {
                    kind: stop.kind,
                    at_ms: stop.decision.at_ms,
                },
            };
            let sample = Sample {
                event: self.events.len(),
                at_ms,
                phase,
                standing: *cycle.standing(),
                status: self.fold.status(),
                is_final: cycle.is_final,
                outlived: None,
            };
            let track = &mut self.tracks[index];
            if track.last().is_none_or(|last| last.differs(&sample)) {
                stopped_contact |= cycle.metric == Metric::Answer && phase != Phase::Running;
                track.push(sample);
                if sample.is_final {
                    let (set, metric) = (cycle.set, cycle.metric);
                    let policy = self.fold.standing(set, metric, rules).policy;
                    let outlived = Some(rules.on_reopen(set, policy));
                    if let Some(sample) = self.tracks[index].last_mut() {
                        sample.outlived = outlived;
                    }
                }
            }
        }
        live.retain(|index| !self.fold.is_settled(*index));
        stopped_contact
    }

    /// What held for a cycle at its due, or at its stop if it has none.
    pub(super) fn standing_at(&self, index: usize, due_ms: Option<i64>) -> Option<Standing> {
        let is_before = |sample: &&Sample| due_ms.is_none_or(|due_ms| sample.at_ms <= due_ms);
        let last = self.tracks[index].iter().rev().find(is_before);
        last.map(|sample| sample.standing)
    }

    pub(super) fn state(&self) -> TicketState {
        if self.ended {
            TicketState::Ended
        } else if self.fold.created_at_ms.is_none() {
            TicketState::NotCreated
        } else if self.fold.status().is_over() {
            TicketState::Over
        } else {
            TicketState::Open
        }
    }
}

fn effect(
    event_type: EventType,
    was_created: bool,
    was_ended: bool,
    stopped_contact: bool,
) -> EventEffect {
    let works_on = matches!(
        event_type,
        EventType::Handled | EventType::Rated | EventType::Escalated | EventType::Audited
    );
    if was_ended {
        return if works_on {
            EventEffect::CountsAfterEnd
        } else {
            EventEffect::AfterEnd
        };
    }
    match event_type {
        EventType::Created if was_created => EventEffect::ActsAsUpdated,
        EventType::ContactAnswered | EventType::ContactAbandoned if !stopped_contact => {
            EventEffect::NothingWaits
        }
        EventType::Created
        | EventType::ContactOffered
        | EventType::ContactAnswered
        | EventType::ContactAbandoned
        | EventType::Handled
        | EventType::Rated
        | EventType::Escalated
        | EventType::Audited => EventEffect::Counts,
        EventType::Updated
        | EventType::CustomerReplied
        | EventType::AgentReplied
        | EventType::Merged
        | EventType::Cancelled => {
            if was_created {
                EventEffect::Counts
            } else {
                EventEffect::BeforeCreated
            }
        }
    }
}

fn changes(before: &Values, status: Status, fold: &Fold, rules: &Rules) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    let values = before.iter().zip(fold.values());
    for (attribute, (from, to)) in rules.attributes().iter().zip(values) {
        if from != to {
            changes.push(AttributeChange {
                attribute: attribute.clone(),
                from: rules.symbols.text(*from).to_owned(),
                to: rules.symbols.text(*to).to_owned(),
            });
        }
    }
    if status != fold.status() {
        changes.push(AttributeChange {
            attribute: Attribute::Status,
            from: status.name().to_owned(),
            to: fold.status().name().to_owned(),
        });
    }
    changes
}
