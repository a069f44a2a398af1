//! What each receiver was told and what it must be told next, for one partition of `slawatch.alerts`.
//!
//! Pure: it is fed the log, the instants and the receivers' answers, and says what to record and what to deliver.
//! When and how a request goes out is decided by [`crate::queue`].

mod directory;
mod image;
mod line;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slawatch_wire::v1::{
    AlertBatch, AlertState, AlertTransition, Notification, NotificationBatch, NotificationState,
    Suppression,
};

use crate::delivery::{Address, Delivery, IntentKey, LedgerId, Order, Report, Subject, is_over};
pub use directory::Directory;
use line::{Line, Phase, Step, Terms, Told};

/// What is over and settled is remembered for this long (by the evaluator's clock), so that a repetition is known as one.
const REMEMBER_MS: i64 = 48 * 3_600_000;

/// What must happen after a step, in this order: records first, and the orders of an intent only once it is durable.
#[derive(Debug, Default, PartialEq)]
pub struct Outputs {
    /// For `slawatch.notifications`.
    pub records: Vec<Notification>,
    /// For the receivers' queues, by their number.
    pub orders: Vec<(usize, Order)>,
}

/// What a batch of alerts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Transitions that were news.
    pub applied: u64,
    /// Transitions known already: a new evaluator says again what the old one said.
    pub repeated: u64,
    /// The batch came from an evaluator that another one has replaced, and was dropped.
    pub fenced: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    revision: u64,
    fired_at_ms: i64,
    at_ms: i64,
}

type LineId = (usize, Subject);

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    id: LedgerId,
    directory: Arc<Directory>,
    /// Highest epoch seen of each evaluator source.
    evaluator_epochs: BTreeMap<u32, u64>,
    /// Highest epoch seen of a dispatcher in `slawatch.notifications`.
    dispatcher_epoch: u64,
    clock_ms: i64,
    pruned_to_ms: i64,
    seen: BTreeMap<String, Seen>,
    lines: BTreeMap<LineId, Line>,
    undecided: Vec<LineId>,
    /// Intents by the batch that carries them, until that batch is acknowledged.
    in_writing: BTreeMap<u64, Vec<LineId>>,
}

impl Ledger {
    /// Knows nothing yet.
    pub fn new(id: LedgerId, directory: Arc<Directory>) -> Self {
        Self {
            id,
            directory,
            evaluator_epochs: BTreeMap::new(),
            dispatcher_epoch: 0,
            clock_ms: i64::MIN,
            pruned_to_ms: i64::MIN,
            seen: BTreeMap::new(),
            lines: BTreeMap::new(),
            undecided: Vec::new(),
            in_writing: BTreeMap::new(),
        }
    }

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
                    self.undecided.push(id);
                }
                continue;
            }
            if receiver.by_incident {
                self.end_other_incidents(number, &transition);
            }
            if self.lines.contains_key(&id) || receiver.matching.holds(&transition) {
                let line = self.lines.entry(id.clone()).or_default();
                line.renew(Arc::clone(&transition));
                self.undecided.push(id);
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
            self.undecided.push(id.clone());
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
        let id = (
            number,
            Subject {
                key: notification.key.clone(),
                incident,
            },
        );
        let line = self.lines.entry(id).or_default();
        line.recall(&intent.incident);
        line.is_called(&notification.reference);
        match notification.state() {
            NotificationState::Intent => {
                line.told = Told::Intent {
                    intent,
                    transition: None,
                    phase: Phase::Inherited,
                };
            }
            NotificationState::Sent => line.settle(&intent, Told::Sent),
            NotificationState::Rejected => line.settle(&intent, Told::Rejected),
            NotificationState::Suppressed => line.suppress(intent),
            NotificationState::Takeover | NotificationState::Unspecified => {}
        }
    }

    /// The past is read and the log caught up with: from here on [`Ledger::decide`] speaks. Intents without a result are
    /// delivered again, and what holds is repeated from now on.
    pub fn resume(&mut self, now_ms: i64, batch: u64) -> Outputs {
        self.undecided = self.lines.keys().cloned().collect();
        let mut outputs = Outputs::default();
        for ((number, subject), line) in &self.lines {
            let Some(newest) = line
                .newest
                .as_ref()
                .filter(|newest| !is_over(newest.state()))
            else {
                continue;
            };
            let repeated = self.directory.receivers[*number].repeated;
            let again = line
                .is_tried_again(repeated)
                .filter(|intent| intent.incident == newest.incident);
            let delivery = |intent: &IntentKey| {
                self.delivery(subject, newest, intent.clone(), true, &line.reference)
            };
            let order = if let Told::Sent(intent) = &line.told
                && !is_over(intent.state)
            {
                Order::Keep(delivery(intent))
            } else if let Some(intent) = again {
                Order::Deliver(delivery(intent))
            } else {
                continue;
            };
            outputs.orders.push((*number, order));
        }
        let decided = self.decide(now_ms, batch);
        outputs.records.extend(decided.records);
        outputs.orders.extend(decided.orders);
        outputs
    }

    /// Decides everything undecided. The records belong into batch `batch`; once that is acknowledged,
    /// [`Ledger::durable`] gives the deliveries of its intents.
    pub fn decide(&mut self, now_ms: i64, batch: u64) -> Outputs {
        let mut outputs = Outputs::default();
        let mut decided = BTreeSet::new();
        for id in std::mem::take(&mut self.undecided) {
            if decided.insert(id.clone()) {
                self.decide_line(id, now_ms, batch, &mut outputs);
            }
        }
        self.prune();
        outputs
    }

    fn decide_line(&mut self, id: LineId, now_ms: i64, batch: u64, outputs: &mut Outputs) {
        let Some(line) = self.lines.get_mut(&id) else {
            return;
        };
        let listed = &self.directory.receivers[id.0];
        let terms = Terms {
            by_incident: listed.by_incident,
            now_ms,
            stale_after_ms: self.directory.stale_after_ms,
        };
        let record =
            |intent: &IntentKey, state, detail: String, about: Option<&AlertTransition>| {
                record(
                    &id.1.key,
                    &listed.name,
                    intent,
                    state,
                    now_ms,
                    detail,
                    about,
                )
            };
        for (intent, missed) in line.take_missed() {
            let reason = "it was over before it was told".to_owned();
            let suppressed = NotificationState::Suppressed;
            let mut notification = record(&intent, suppressed, reason, Some(&missed));
            notification.set_suppression(Suppression::Missed);
            outputs.records.push(notification);
        }
        match line.next(terms) {
            Step::Nothing => {}
            Step::Forget => {
                self.lines.remove(&id);
            }
            Step::Suppress {
                intent,
                reason,
                suppression,
            } => {
                let about = line.newest.as_deref();
                let mut notification =
                    record(&intent, NotificationState::Suppressed, reason, about);
                notification.set_suppression(suppression);
                line.told = Told::Suppressed(intent);
                outputs.records.push(notification);
            }
            Step::Announce {
                intent,
                transition,
                may_be_open,
            } => {
                let notification = record(
                    &intent,
                    NotificationState::Intent,
                    String::new(),
                    Some(&transition),
                );
                line.told = Told::Intent {
                    intent,
                    transition: Some(transition),
                    phase: Phase::Written { batch, may_be_open },
                };
                outputs.records.push(notification);
                self.in_writing.entry(batch).or_default().push(id);
            }
            Step::Resend { intent, transition } => {
                line.told = Told::Intent {
                    intent: intent.clone(),
                    transition: Some(Arc::clone(&transition)),
                    phase: Phase::Posted,
                };
                let reference = line.reference.clone();
                let delivery = self.delivery(&id.1, &transition, intent, true, &reference);
                outputs.orders.push((id.0, Order::Deliver(delivery)));
            }
            Step::Refresh { intent, transition } => {
                let reference = line.reference.clone();
                let delivery = self.delivery(&id.1, &transition, intent, true, &reference);
                outputs.orders.push((id.0, Order::Refresh(delivery)));
            }
        }
    }

    /// All batches up to this one are acknowledged.
    pub fn durable(&mut self, through_batch: u64) -> Outputs {
        let mut outputs = Outputs::default();
        let later = self.in_writing.split_off(&(through_batch + 1));
        for id in std::mem::replace(&mut self.in_writing, later)
            .into_values()
            .flatten()
        {
            let Some(line) = self.lines.get_mut(&id) else {
                continue;
            };
            let Told::Intent {
                intent,
                transition: Some(transition),
                phase,
            } = &mut line.told
            else {
                continue;
            };
            let Phase::Written { batch, may_be_open } = *phase else {
                continue;
            };
            if batch > through_batch {
                // A newer state took its place while it was being written.
                continue;
            }
            *phase = Phase::Posted;
            let (intent, transition) = (intent.clone(), Arc::clone(transition));
            let reference = line.reference.clone();
            let delivery = self.delivery(&id.1, &transition, intent, may_be_open, &reference);
            outputs.orders.push((id.0, Order::Deliver(delivery)));
        }
        outputs
    }

    /// A receiver's queue is done with an intent. The record says so; what follows from it is decided by the next
    /// [`Ledger::decide`].
    pub fn report(&mut self, number: usize, report: &Report, now_ms: i64) -> Notification {
        use crate::delivery::DeliveryEnd;
        let id = (number, report.address.subject.clone());
        let state = match report.end {
            DeliveryEnd::Sent => NotificationState::Sent,
            DeliveryEnd::Rejected => NotificationState::Rejected,
            DeliveryEnd::Suppressed => NotificationState::Suppressed,
        };
        let line = self.lines.get_mut(&id);
        let about = line.as_deref().and_then(|line| line.newest.clone());
        if let Some(line) = line {
            line.is_called(&report.reference);
            match report.end {
                DeliveryEnd::Sent => line.settle(&report.intent, Told::Sent),
                DeliveryEnd::Rejected => line.settle(&report.intent, Told::Rejected),
                DeliveryEnd::Suppressed => line.settle(&report.intent, Told::Suppressed),
            }
            self.undecided.push(id);
        }
        let name = &self.directory.receivers[number].name;
        let mut notification = record(
            &report.address.subject.key,
            name,
            &report.intent,
            state,
            now_ms,
            report.detail.clone(),
            about.as_deref(),
        );
        notification.attempts = report.attempts;
        if report.end == DeliveryEnd::Suppressed {
            notification.set_suppression(Suppression::Superseded);
        }
        notification.reference.clone_from(&report.reference);
        notification
    }

    /// Whether [`Ledger::decide`] would do anything.
    pub fn has_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }

    /// Highest epoch of a dispatcher that was read from `slawatch.notifications`.
    pub fn dispatcher_epoch(&self) -> u64 {
        self.dispatcher_epoch
    }

    fn delivery(
        &self,
        subject: &Subject,
        transition: &Arc<AlertTransition>,
        intent: IntentKey,
        may_be_open: bool,
        reference: &str,
    ) -> Delivery {
        let address = Address {
            ledger: self.id,
            subject: subject.clone(),
        };
        Delivery {
            address,
            transition: Arc::clone(transition),
            intent,
            may_be_open,
            reference: reference.to_owned(),
        }
    }

    /// Once an hour of the evaluator's clock.
    fn prune(&mut self) {
        let horizon_ms = self.clock_ms.saturating_sub(REMEMBER_MS);
        if horizon_ms < self.pruned_to_ms.saturating_add(3_600_000) {
            return;
        }
        self.pruned_to_ms = horizon_ms;
        self.lines
            .retain(|_, line| !line.is_settled_before(horizon_ms));
        let live: BTreeSet<&str> = self
            .lines
            .keys()
            .map(|(_, subject)| subject.key.as_str())
            .collect();
        self.seen
            .retain(|key, seen| seen.at_ms >= horizon_ms || live.contains(key.as_str()));
    }
}

fn record(
    key: &str,
    receiver: &str,
    intent: &IntentKey,
    state: NotificationState,
    at_ms: i64,
    detail: String,
    about: Option<&AlertTransition>,
) -> Notification {
    Notification {
        key: key.to_owned(),
        incident: intent.incident.clone(),
        receiver: receiver.to_owned(),
        alert_state: intent.state.into(),
        revision: intent.revision,
        state: state.into(),
        at_ms,
        attempts: 0,
        detail,
        vendor: about.map(|alert| alert.vendor.clone()).unwrap_or_default(),
        queue: about.map(|alert| alert.queue.clone()).unwrap_or_default(),
        step: intent.step,
        repeat: intent.repeat,
        ..Notification::default()
    }
}
