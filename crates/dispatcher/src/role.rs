//! The dispatcher as a role: a [`Processor`] over one partition of `slawatch.alerts`.
//!
//! It keeps what its [`Ledger`] decides in the order that makes pages safe: an intent is acknowledged by
//! `slawatch.notifications` before it goes to a receiver, and a new owner says nothing before it has read what the old
//! one wrote there and caught up with the alerts. Everything else is the ledger's, the queues' or the worker's business.

mod history;
mod image;
mod life;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use metrics::counter;
use slawatch_stream::processor::MAX_RECORD_BYTES;
use slawatch_stream::{
    Log, Outgoing, Processor, ProcessorFactory, Record, RestoreError, SnapshotView, Source, Stamp,
    TopicPartition,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{
    AlertBatch, AlertState, Notification, NotificationBatch, NotificationState, Suppression,
};

use crate::config::DispatcherConfig;
use crate::delivery::LedgerId;
use crate::error::DispatcherError;
use crate::ledger::{self, Directory, Ledger, Outputs};
use crate::metrics as names;
use crate::receiver::{Outbox, Reported};
use history::{History, Progress};
use life::Life;

/// How often it is looked up where the notifications end. The next owner reads from the last such place that a snapshot
/// holds, so this is about how much it reads at most before it speaks.
const HISTORY_STEP_MS: i64 = 5 * 60_000;

/// The topics of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// What is read: `slawatch.alerts`.
    pub alerts: Arc<str>,
    /// What is written: `slawatch.notifications`, of as many partitions.
    pub notifications: Arc<str>,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            alerts: "slawatch.alerts".into(),
            notifications: "slawatch.notifications".into(),
        }
    }
}

/// Makes a dispatcher for each partition; hand it to a worker whose source is [`Topics::alerts`].
#[derive(Debug)]
pub struct DispatcherFactory {
    log: Arc<dyn Log>,
    topics: Topics,
    directory: Arc<Directory>,
    outbox: Arc<dyn Outbox>,
    ledgers: AtomicU64,
}

impl DispatcherFactory {
    /// `outbox` is [`crate::receiver::Receivers`], started from the same configuration.
    ///
    /// # Errors
    /// If the configuration cannot work, a topic is missing or their partitions differ.
    pub fn new(
        log: Arc<dyn Log>,
        topics: Topics,
        config: &DispatcherConfig,
        outbox: Arc<dyn Outbox>,
    ) -> Result<Self, DispatcherError> {
        config.check()?;
        let alerts = log.partitions(&topics.alerts)?;
        let notifications = log.partitions(&topics.notifications)?;
        if alerts != notifications {
            return Err(DispatcherError::PartitionsDiffer {
                alerts: topics.alerts.to_string(),
                alerts_partitions: alerts,
                notifications: topics.notifications.to_string(),
                notifications_partitions: notifications,
            });
        }
        let directory = Arc::new(Directory::new(config));
        for receiver in &config.receivers {
            // Known from the start, so that the first of them is seen to be one more.
            for metric in [names::STALE, names::REJECTED] {
                counter!(metric.name, "receiver" => receiver.name.clone()).increment(0);
            }
            counter!(names::SUPPRESSED.name, "receiver" => receiver.name.clone(), "reason" => "limited")
                .increment(0);
        }
        Ok(Self {
            log,
            topics,
            directory,
            outbox,
            ledgers: AtomicU64::new(1),
        })
    }

    fn processor(
        &self,
        source: &Source,
        position: i64,
        history_from: Option<i64>,
        ledger: impl FnOnce(LedgerId, u32, Arc<Directory>) -> Result<Ledger, DispatcherError>,
    ) -> Result<DispatcherProcessor, DispatcherError> {
        let id = LedgerId(self.ledgers.fetch_add(1, Ordering::Relaxed));
        let partition = |topic: &Arc<str>| TopicPartition::new(Arc::clone(topic), source.partition);
        let (sender, reports) = mpsc::channel();
        Ok(DispatcherProcessor {
            id,
            alerts: partition(&self.topics.alerts),
            notifications: partition(&self.topics.notifications),
            log: Arc::clone(&self.log),
            outbox: Arc::clone(&self.outbox),
            sender,
            reports,
            ledger: ledger(id, source.partition, Arc::clone(&self.directory))?,
            stage: Stage::Silent,
            position,
            history_from,
            history_due_ms: i64::MIN,
            now_ms: i64::MIN,
            records: Vec::new(),
            life: Life::default(),
        })
    }
}

impl ProcessorFactory for DispatcherFactory {
    type Processor = DispatcherProcessor;

    fn create(&self, source: &Source) -> DispatcherProcessor {
        let empty = |id, partition, directory| Ok(Ledger::new(id, partition, directory));
        // An empty ledger cannot fail to be made.
        #[allow(clippy::unwrap_used)]
        self.processor(source, 0, None, empty).unwrap()
    }

    fn restore(
        &self,
        source: &Source,
        snapshot: &SnapshotView<'_>,
    ) -> Result<DispatcherProcessor, RestoreError> {
        if snapshot.fingerprint != image::SCHEMA {
            return Err(RestoreError::Incompatible(format!(
                "the dispatcher's snapshot is of schema {}, this program reads {}: start the version that wrote it, or \
                 remove the snapshot to rebuild it from both topics",
                snapshot.fingerprint,
                image::SCHEMA
            )));
        }
        let corrupt = |error: DispatcherError| RestoreError::Unusable(error.to_string());
        let (history_from, ledger) = image::read(snapshot.state).map_err(corrupt)?;
        let restored =
            |id, partition, directory| Ledger::from_image(id, partition, directory, &ledger);
        self.processor(source, snapshot.offset, history_from, restored)
            .map_err(corrupt)
    }
}

#[derive(Debug)]
enum Stage {
    /// Replaying what an earlier owner saw; another may still be speaking.
    Silent,
    /// This is the owner now, and the next flush says so.
    Claimed { epoch: u64 },
    /// The takeover record is on its way.
    Announced { epoch: u64, batch: u64 },
    /// Reading what earlier owners wrote, up to the takeover record.
    Reading(History),
    /// Taking in the alerts that were there at the takeover, so that only the state reached is told.
    CatchingUp { end: i64 },
    /// Caught up: the next flush begins to speak.
    Ready,
    /// Live.
    Speaking,
}

/// See the module.
pub struct DispatcherProcessor {
    id: LedgerId,
    alerts: TopicPartition,
    notifications: TopicPartition,
    log: Arc<dyn Log>,
    outbox: Arc<dyn Outbox>,
    sender: mpsc::Sender<Reported>,
    reports: mpsc::Receiver<Reported>,
    ledger: Ledger,
    stage: Stage,
    /// The next alert record to apply.
    position: i64,
    /// Everything below this offset of the notifications is in the ledger.
    history_from: Option<i64>,
    /// When that is to be moved on.
    history_due_ms: i64,
    now_ms: i64,
    /// Results that wait for the next flush.
    records: Vec<Notification>,
    life: Life,
}

impl fmt::Debug for DispatcherProcessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatcherProcessor")
            .field("alerts", &self.alerts)
            .field("stage", &self.stage)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl Processor for DispatcherProcessor {
    fn apply(&mut self, record: &Record<'_>) {
        self.position = self.position.max(record.offset + 1);
        let Some(value) = record.value else { return };
        let batch = match AlertBatch::decode(value) {
            Ok(batch) => batch,
            Err(error) => return unreadable(record, &error),
        };
        let (source, epoch) = (batch.source, batch.epoch);
        let taken = self.ledger.apply(batch);
        if matches!(self.stage, Stage::Silent) {
            return;
        }
        if taken.fenced {
            tracing::warn!(partition = %self.alerts, source, epoch, "dropped a batch of an evaluator that was replaced");
            counter!(names::FENCED_BATCHES.name).increment(1);
        }
        if taken.unusable > 0 {
            tracing::warn!(partition = %self.alerts, silences = taken.unusable, "passed over silences without an end or an id; they silence nothing");
        }
        counter!(names::TRANSITIONS.name, "outcome" => "applied").increment(taken.applied);
        counter!(names::TRANSITIONS.name, "outcome" => "repeated").increment(taken.repeated);
    }

    fn tick(&mut self, wall_ms: i64) -> bool {
        self.now_ms = wall_ms;
        while let Ok((number, report)) = self.reports.try_recv() {
            self.records
                .push(self.ledger.report(number, &report, wall_ms));
        }
        if let Stage::Reading(history) = &mut self.stage {
            let ledger = &mut self.ledger;
            match history.read(self.log.as_ref(), wall_ms, |batch| ledger.recall(batch)) {
                Progress::Underway => {}
                Progress::Done {
                    takeover,
                    alerts_end,
                } => {
                    self.history_from = Some(takeover);
                    self.history_due_ms = wall_ms.saturating_add(HISTORY_STEP_MS);
                    self.stage = Stage::CatchingUp { end: alerts_end };
                }
            }
        }
        if let Stage::CatchingUp { end } = self.stage
            && self.position >= end
        {
            self.stage = Stage::Ready;
        }
        self.give_sign_of_life();
        if matches!(self.stage, Stage::Speaking) && wall_ms >= self.history_due_ms {
            self.move_history_on();
        }
        match self.stage {
            Stage::Silent
            | Stage::Announced { .. }
            | Stage::Reading(_)
            | Stage::CatchingUp { .. } => false,
            Stage::Claimed { .. } | Stage::Ready => true,
            Stage::Speaking => !self.records.is_empty() || self.ledger.is_due(self.now_ms),
        }
    }

    fn took_over(&mut self, epoch: u64) {
        self.outbox.join(self.id, &self.sender);
        self.stage = Stage::Claimed { epoch };
    }

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        self.position = self.position.max(stamp.position);
        match self.stage {
            Stage::Silent
            | Stage::Announced { .. }
            | Stage::Reading(_)
            | Stage::CatchingUp { .. } => {}
            Stage::Claimed { epoch } => {
                self.records.push(self.takeover());
                self.stage = Stage::Announced {
                    epoch,
                    batch: stamp.batch,
                };
            }
            Stage::Ready => {
                let outputs = self.ledger.resume(self.now_ms, stamp.batch);
                self.perform(outputs);
                self.stage = Stage::Speaking;
                tracing::info!(partition = %self.alerts, epoch = stamp.epoch, "the dispatcher took over");
            }
            Stage::Speaking => {
                let outputs = self.ledger.decide(self.now_ms, stamp.batch);
                self.perform(outputs);
            }
        }
        let records = std::mem::take(&mut self.records);
        for notification in &records {
            count(notification);
        }
        self.write(records, stamp, out);
    }

    fn acknowledged(&mut self, batch: u64) {
        match self.stage {
            Stage::Announced {
                epoch,
                batch: announced,
            } if announced <= batch => {
                let (alerts, notifications) = (self.alerts.clone(), self.notifications.clone());
                self.stage = Stage::Reading(History::new(
                    alerts,
                    notifications,
                    self.history_from,
                    epoch,
                ));
            }
            Stage::Silent
            | Stage::Claimed { .. }
            | Stage::Announced { .. }
            | Stage::Reading(_)
            | Stage::CatchingUp { .. }
            | Stage::Ready => {}
            Stage::Speaking => {
                let outputs = self.ledger.durable(batch);
                self.perform(outputs);
            }
        }
    }

    fn snapshot(&self, out: &mut Vec<u8>) {
        image::write(self.history_from, &self.ledger, out);
    }

    fn fingerprint(&self) -> u64 {
        image::SCHEMA
    }
}

impl DispatcherProcessor {
    fn give_sign_of_life(&mut self) {
        if !self.outbox.is_watched() {
            return;
        }
        let speaks = matches!(self.stage, Stage::Speaking);
        let (log, alerts) = (self.log.as_ref(), &self.alerts);
        let is_well = speaks
            && self
                .life
                .has_caught_up(log, alerts, self.position, self.now_ms);
        self.outbox.beat(self.id, is_well);
    }

    fn perform(&mut self, outputs: Outputs) {
        self.records.extend(outputs.records);
        for (number, order) in outputs.orders {
            self.outbox.order(number, order);
        }
    }

    /// All that this owner wrote was in the ledger before, and an owner that replaced it has written nothing below if the
    /// commit that a snapshot waits for succeeds after this question.
    fn move_history_on(&mut self) {
        self.history_due_ms = self.now_ms.saturating_add(HISTORY_STEP_MS);
        match history::end_of(self.log.as_ref(), &self.notifications) {
            Ok(end) => self.history_from = Some(end),
            Err(error) => {
                tracing::warn!(partition = %self.notifications, %error, "where the notifications end is not known; the next owner reads more of them");
            }
        }
    }

    fn takeover(&self) -> Notification {
        let mut notification = Notification {
            at_ms: self.now_ms,
            ..Notification::default()
        };
        notification.set_state(NotificationState::Takeover);
        notification
    }

    fn write(&self, records: Vec<Notification>, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        let batch = |notifications| NotificationBatch {
            source: stamp.source,
            epoch: stamp.epoch,
            batch: stamp.batch,
            notifications,
        };
        let mut send = |notifications: Vec<Notification>| {
            let value = batch(notifications).encode_to_vec();
            let TopicPartition { topic, partition } = self.notifications.clone();
            out.push(Outgoing::new(topic, partition, value));
        };
        let mut part = Vec::new();
        let mut bytes = 0;
        for notification in records {
            // The head of the batch and the frame of each entry, generously.
            let more = notification.encoded_len() + 16;
            if bytes + more > MAX_RECORD_BYTES - 64 && !part.is_empty() {
                send(std::mem::take(&mut part));
                bytes = 0;
            }
            bytes += more;
            part.push(notification);
        }
        if !part.is_empty() {
            send(part);
        }
    }
}

impl Drop for DispatcherProcessor {
    fn drop(&mut self) {
        self.outbox.forget(self.id);
    }
}

fn unreadable(record: &Record<'_>, error: &dyn fmt::Display) {
    tracing::error!(topic = record.topic, partition = record.partition, offset = record.offset, %error, "a record is none of ours; passed over");
    counter!(names::UNREADABLE.name, "topic" => record.topic.to_owned()).increment(1);
}

fn count(notification: &Notification) {
    let receiver = notification.receiver.clone();
    let state = match notification.state() {
        NotificationState::Unspecified | NotificationState::Takeover => return,
        NotificationState::Intent => {
            count_page(notification);
            "intent"
        }
        NotificationState::Sent => "sent",
        NotificationState::Rejected => {
            counter!(names::REJECTED.name, "receiver" => receiver.clone()).increment(1);
            "rejected"
        }
        NotificationState::Suppressed => {
            count_suppressed(notification.suppression(), &receiver);
            "suppressed"
        }
    };
    counter!(names::NOTIFICATIONS.name, "receiver" => receiver, "state" => state).increment(1);
}

fn count_page(intent: &Notification) {
    let receiver = intent.receiver.clone();
    if intent.step > 0 {
        counter!(names::STEPS.name, "receiver" => receiver, "step" => intent.step.to_string())
            .increment(1);
    } else if ledger::is_summary(&intent.key) && intent.alert_state() == AlertState::Firing {
        counter!(names::SUMMARIES.name, "receiver" => receiver).increment(1);
    }
}

fn count_suppressed(suppression: Suppression, receiver: &str) {
    let reason = match suppression {
        Suppression::Unspecified => "unspecified",
        Suppression::Superseded => "superseded",
        Suppression::Missed => "missed",
        Suppression::Stale => {
            counter!(names::STALE.name, "receiver" => receiver.to_owned()).increment(1);
            "stale"
        }
        Suppression::Lost => "lost",
        Suppression::Silenced => "silenced",
        Suppression::Maintenance => "maintenance",
        Suppression::Inhibited => "inhibited",
        Suppression::Limited => "limited",
    };
    counter!(names::SUPPRESSED.name, "receiver" => receiver.to_owned(), "reason" => reason)
        .increment(1);
}
