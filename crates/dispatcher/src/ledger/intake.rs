//! What a ledger takes in from the two topics: alerts and actions at all times, notifications at a takeover.

use std::sync::Arc;

use slawatch_wire::v1::{
    AlertBatch, AlertState, AlertTransition, Notification, NotificationBatch, NotificationState,
};

use super::line::{Phase, Told};
use super::silences::Effect;
use super::{Ledger, Seen, limit};
use crate::delivery::{IntentKey, Subject, is_over};

/// What a batch of alerts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Transitions that were news.
    pub applied: u64,
    /// Transitions known already: a new evaluator says again what the old one said.
    pub repeated: u64,
    /// Silences without an end or an id.
    pub unusable: u64,
    /// The batch came from an evaluator that another one has replaced, and was dropped.
    pub fenced: bool,
}

impl Ledger {
    /// Takes in a record of `slawatch.alerts`. Nothing is decided yet, so that of many states only the newest is told.
    pub fn apply(&mut self, batch: AlertBatch) -> Taken {
        let mut taken = Taken::default();
        let epoch = self.evaluator_epochs.entry(batch.source).or_default();
        if batch.epoch < *epoch {
            taken.fenced = true;
            return taken;
        }
        *epoch = batch.epoch;
        self.clock_ms = self.clock_ms.max(batch.clock_ms);
        for action in &batch.actions {
            match self.silences.act(action) {
                Effect::Nothing => {}
                Effect::Ended(id) => self.revisit_silenced(&id),
                Effect::Unusable => taken.unusable += 1,
            }
        }
        for transition in batch.alerts {
            // Nobody is paged for what is pending, and a pending alert changes nothing of what was said before.
            if transition.state() == AlertState::Pending {
                continue;
            }
            if self.is_news(&transition) {
                taken.applied += 1;
                self.apply_transition(Arc::new(transition));
            } else {
                taken.repeated += 1;
            }
        }
        taken
    }

    /// A silence ended early.
    fn revisit_silenced(&mut self, silence: &str) {
        let silenced = self.lines.iter().filter(
            |(_, line)| matches!(&line.told, Told::Withheld { cause, .. } if cause == silence),
        );
        let silenced: Vec<_> = silenced.map(|(id, _)| id.clone()).collect();
        for id in silenced {
            self.agenda.add(id);
        }
    }

    /// An evaluator that lost its memory counts revisions from 1 again; its new incidents are told apart by their start.
    fn is_news(&mut self, transition: &AlertTransition) -> bool {
        let AlertTransition {
            revision, at_ms, ..
        } = *transition;
        // What was withdrawn while pending never began.
        let fired_at_ms = transition.fired_at_ms.unwrap_or(i64::MIN);
        match self.seen.get_mut(&transition.key) {
            Some(seen) if revision > seen.revision || fired_at_ms > seen.fired_at_ms => {
                let fired_at_ms = fired_at_ms.max(seen.fired_at_ms);
                *seen = Seen {
                    revision,
                    fired_at_ms,
                    at_ms,
                };
                true
            }
            Some(_) => false,
            None => {
                let first = Seen {
                    revision,
                    fired_at_ms,
                    at_ms,
                };
                self.seen.insert(transition.key.clone(), first);
                true
            }
        }
    }

    fn apply_transition(&mut self, transition: Arc<AlertTransition>) {
        let directory = Arc::clone(&self.directory);
        for (number, receiver) in directory.receivers.iter().enumerate() {
            let subject = Subject {
                key: transition.key.clone(),
                incident: if receiver.by_incident {
                    transition.incident.clone()
                } else {
                    String::new()
                },
            };
            let id = (number, subject);
            if is_over(transition.state()) {
                // Its end is told to whoever knows of it, whatever the receiver matches by now.
                if let Some(line) = self.lines.get_mut(&id) {
                    line.renew(Arc::clone(&transition));
                    self.agenda.add(id);
                }
                continue;
            }
            if receiver.by_incident {
                self.end_other_incidents(number, &transition);
            }
            if self.lines.contains_key(&id) || receiver.matching.holds(&transition) {
                let line = self.lines.entry(id.clone()).or_default();
                line.renew(Arc::clone(&transition));
                self.agenda.add(id);
            }
        }
    }

    /// A key has one incident at a time: a new one proves the one before over, even if its end was never written.
    fn end_other_incidents(&mut self, number: usize, firing: &AlertTransition) {
        let first = (
            number,
            Subject {
                key: firing.key.clone(),
                incident: String::new(),
            },
        );
        let of_key = self
            .lines
            .range_mut(first..)
            .take_while(|((n, subject), _)| *n == number && subject.key == firing.key);
        for (id, line) in of_key {
            let Some(newest) = &line.newest else { continue };
            if id.1.incident == firing.incident || is_over(newest.state()) {
                continue;
            }
            let mut end = AlertTransition::clone(newest);
            end.set_state(AlertState::Resolved);
            end.revision = firing.revision;
            end.at_ms = firing.at_ms;
            end.reason = format!("incident {} of the same alert began", firing.incident);
            line.renew(Arc::new(end));
            self.agenda.add(id.clone());
        }
    }

    /// Takes in a record of `slawatch.notifications`, while the past is read at a takeover.
    /// Returns whether it was dropped, because it came from a dispatcher that another one had replaced.
    pub fn recall(&mut self, batch: &NotificationBatch) -> bool {
        if batch.epoch < self.dispatcher_epoch {
            return true;
        }
        self.dispatcher_epoch = batch.epoch;
        for notification in &batch.notifications {
            self.recall_one(notification);
        }
        false
    }

    fn recall_one(&mut self, notification: &Notification) {
        let Some(number) = self.directory.position(&notification.receiver) else {
            // The receiver was taken out of the configuration, or the record is a takeover.
            return;
        };
        let intent = IntentKey {
            incident: notification.incident.clone(),
            state: notification.alert_state(),
            revision: notification.revision,
            repeat: notification.repeat,
            step: notification.step,
        };
        let incident = if self.directory.receivers[number].by_incident {
            notification.incident.clone()
        } else {
            String::new()
        };
        let subject = Subject {
            key: notification.key.clone(),
            incident,
        };
        let line = self.lines.entry((number, subject.clone())).or_default();
        line.recall(&intent.incident);
        line.is_called(&notification.reference);
        match notification.state() {
            NotificationState::Intent => {
                line.course.tell(&intent, notification.at_ms);
                if !is_over(intent.state) && !limit::is_summary(&subject.key) {
                    let pages = self.pages.entry(number).or_default();
                    pages.note(&subject.key, &intent.incident, notification.at_ms);
                }
                line.told = Told::Intent {
                    intent,
                    transition: None,
                    phase: Phase::Inherited,
                };
            }
            NotificationState::Sent => line.settle(&intent, Told::Sent),
            NotificationState::Rejected => line.settle(&intent, Told::Rejected),
            NotificationState::Suppressed => line.suppress(intent, notification),
            NotificationState::Takeover | NotificationState::Unspecified => {}
        }
    }
}
