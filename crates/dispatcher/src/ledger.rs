//! What each receiver was told and what it must be told next, for one partition of `slawatch.alerts`.
//!
//! Pure: it is fed the log, the instants and the receivers' answers, and says what to record and what to deliver.
//! When and how a request goes out is decided by [`crate::queue`].

mod course;
mod deciding;
mod directory;
mod escalating;
mod gates;
mod image;
mod intake;
mod limit;
mod line;
mod relations;
mod silences;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_wire::v1::{AlertTransition, Notification, NotificationState, Suppression};

use crate::delivery::{
    Address, Delivery, DeliveryEnd, IntentKey, LedgerId, Order, Report, Subject, is_over,
};
pub use directory::Directory;
pub use intake::Taken;
use limit::Pages;
pub(crate) use limit::is_summary;
use line::{Line, Phase, Told};
use relations::{Agenda, Relations};
use silences::Silences;

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
    /// Of the topics.
    partition: u32,
    directory: Arc<Directory>,
    /// Highest epoch seen of each evaluator source.
    evaluator_epochs: BTreeMap<u32, u64>,
    /// Highest epoch seen of a dispatcher in `slawatch.notifications`.
    dispatcher_epoch: u64,
    clock_ms: i64,
    pruned_to_ms: i64,
    seen: BTreeMap<String, Seen>,
    lines: BTreeMap<LineId, Line>,
    silences: Silences,
    /// By receiver.
    pages: BTreeMap<usize, Pages>,
    agenda: Agenda,
    relations: Relations,
    /// This is the first decision of a new owner.
    resuming: bool,
    /// Intents by the batch that carries them, until that batch is acknowledged.
    in_writing: BTreeMap<u64, Vec<LineId>>,
}

/// One call of [`Ledger::decide`].
#[derive(Debug)]
struct Turn {
    now_ms: i64,
    batch: u64,
    outputs: Outputs,
}

impl Ledger {
    /// Knows nothing yet.
    pub fn new(id: LedgerId, partition: u32, directory: Arc<Directory>) -> Self {
        Self {
            id,
            partition,
            directory,
            evaluator_epochs: BTreeMap::new(),
            dispatcher_epoch: 0,
            clock_ms: i64::MIN,
            pruned_to_ms: i64::MIN,
            seen: BTreeMap::new(),
            lines: BTreeMap::new(),
            silences: Silences::default(),
            pages: BTreeMap::new(),
            agenda: Agenda::default(),
            relations: Relations::default(),
            resuming: false,
            in_writing: BTreeMap::new(),
        }
    }

    /// The past is read and the log caught up with: from here on [`Ledger::decide`] speaks. Intents without a result are
    /// delivered again, and what holds is repeated from now on.
    pub fn resume(&mut self, now_ms: i64, batch: u64) -> Outputs {
        self.recall_summaries(now_ms);
        for id in self.lines.keys() {
            self.agenda.add(id.clone());
        }
        let mut outputs = Outputs::default();
        for (id, line) in &self.lines {
            let Some(newest) = line
                .newest
                .as_ref()
                .filter(|newest| !is_over(newest.state()))
            else {
                continue;
            };
            let repeated = self.directory.receivers[id.0].repeated;
            let again = line
                .is_tried_again(repeated)
                .filter(|intent| intent.incident == newest.incident);
            let delivery = |intent: &IntentKey| self.delivery(id, newest, intent.clone(), true);
            let order = if let Told::Sent(intent) = &line.told
                && !is_over(intent.state)
            {
                Order::Keep(delivery(intent))
            } else if let Some(intent) = again {
                Order::Deliver(delivery(intent))
            } else {
                continue;
            };
            outputs.orders.push((id.0, order));
        }
        self.resuming = true;
        let decided = self.decide(now_ms, batch);
        self.resuming = false;
        outputs.records.extend(decided.records);
        outputs.orders.extend(decided.orders);
        outputs
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
            let delivery = self.delivery(&id, &transition, intent, may_be_open);
            outputs.orders.push((id.0, Order::Deliver(delivery)));
        }
        outputs
    }

    /// A receiver's queue is done with an intent. The record says so; what follows from it is decided by the next
    /// [`Ledger::decide`].
    pub fn report(&mut self, number: usize, report: &Report, now_ms: i64) -> Notification {
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
            self.agenda.add(id);
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

    /// Whether [`Ledger::decide`] would do anything at this instant.
    pub fn is_due(&self, now_ms: i64) -> bool {
        self.agenda.is_due(now_ms)
    }

    /// Highest epoch of a dispatcher that was read from `slawatch.notifications`.
    pub fn dispatcher_epoch(&self) -> u64 {
        self.dispatcher_epoch
    }

    fn delivery(
        &self,
        id: &LineId,
        transition: &Arc<AlertTransition>,
        intent: IntentKey,
        may_be_open: bool,
    ) -> Delivery {
        let line = self.lines.get(id);
        let address = Address {
            ledger: self.id,
            subject: id.1.clone(),
        };
        Delivery {
            address,
            transition: Arc::clone(transition),
            intent,
            may_be_open,
            reference: line.map_or_else(String::new, |line| line.reference.clone()),
            group: self.directory.receivers[id.0].group(transition),
        }
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
