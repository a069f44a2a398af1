//! Reads a partition of `slawatch.notifications` from where a snapshot left off up to one's own takeover record.

use std::fmt;
use std::time::Duration;

use slawatch_stream::{
    ConsumerEvent, Log, LogReader, PollHandler, Record, StartAt, StreamError, TopicPartition,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{NotificationBatch, NotificationState};

use super::unreadable;

/// The worker's thread serves its consumer group too, so a read never waits long.
const POLL_WAIT: Duration = Duration::from_millis(2);
const RECORDS_A_POLL: usize = 1000;
const POLLS_A_TICK: usize = 50;
const RETRY_MS: i64 = 1000;

pub(super) struct History {
    alerts: TopicPartition,
    notifications: TopicPartition,
    from: Option<i64>,
    epoch: u64,
    open: Option<Open>,
    retry_at_ms: i64,
}

struct Open {
    reader: Box<dyn LogReader>,
    alerts_end: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Underway,
    Done {
        /// Offset of the takeover record.
        takeover: i64,
        /// Where the alerts ended after the claim.
        alerts_end: i64,
    },
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("from", &self.from)
            .field("epoch", &self.epoch)
            .field("open", &self.open.is_some())
            .finish_non_exhaustive()
    }
}

impl History {
    pub(super) fn new(
        alerts: TopicPartition,
        notifications: TopicPartition,
        from: Option<i64>,
        epoch: u64,
    ) -> Self {
        Self {
            alerts,
            notifications,
            from,
            epoch,
            open: None,
            retry_at_ms: i64::MIN,
        }
    }

    /// Reads what is there; `recall` gets each batch and says whether it dropped it. Trouble of the log is tried again.
    pub(super) fn read(
        &mut self,
        log: &dyn Log,
        now_ms: i64,
        recall: impl FnMut(&NotificationBatch) -> bool,
    ) -> Progress {
        if now_ms < self.retry_at_ms {
            return Progress::Underway;
        }
        match self.try_read(log, recall) {
            Ok(progress) => progress,
            Err(error) => {
                tracing::warn!(partition = %self.notifications, %error, "the past cannot be read yet; nothing is sent until it is");
                self.open = None;
                self.retry_at_ms = now_ms.saturating_add(RETRY_MS);
                Progress::Underway
            }
        }
    }

    fn try_read(
        &mut self,
        log: &dyn Log,
        recall: impl FnMut(&NotificationBatch) -> bool,
    ) -> Result<Progress, StreamError> {
        let open = match &mut self.open {
            Some(open) => open,
            closed @ None => {
                let at = &self.notifications;
                closed.insert(open(log, &self.alerts, at, self.from)?)
            }
        };
        let mut pages = Pages {
            epoch: self.epoch,
            recall,
            takeover: None,
            next: None,
            low: None,
        };
        for _ in 0..POLLS_A_TICK {
            let records = open.reader.poll(POLL_WAIT, RECORDS_A_POLL, &mut pages)?;
            // A reader that has to be opened again goes on from here: what was recalled stays recalled.
            self.from = pages.next.or(self.from);
            if let Some(takeover) = pages.takeover {
                return Ok(Progress::Done {
                    takeover,
                    alerts_end: open.alerts_end,
                });
            }
            if let Some(low) = pages.low.take() {
                tracing::warn!(partition = %self.notifications, low, "the log holds other notifications than those awaited: reading goes on at its beginning");
                open.reader.seek(&self.notifications, low)?;
            } else if records == 0 {
                break;
            }
        }
        Ok(Progress::Underway)
    }
}

fn open(
    log: &dyn Log,
    alerts: &TopicPartition,
    notifications: &TopicPartition,
    from: Option<i64>,
) -> Result<Open, StreamError> {
    let mut reader = log.reader(std::slice::from_ref(notifications), StartAt::Beginning)?;
    if let Some(from) = from {
        let high = reader.offsets(notifications)?.high;
        if from <= high {
            reader.seek(notifications, from)?;
        } else {
            tracing::warn!(partition = %notifications, from, high, "notifications are gone that a snapshot knows of; all of the topic is read");
        }
    }
    let alerts_end = reader.offsets(alerts)?.high;
    Ok(Open { reader, alerts_end })
}

/// Where a partition ends now. What lies below was written by this owner or those before it.
pub(super) fn end_of(log: &dyn Log, partition: &TopicPartition) -> Result<i64, StreamError> {
    let mut reader = log.reader(std::slice::from_ref(partition), StartAt::End)?;
    Ok(reader.offsets(partition)?.high)
}

struct Pages<F> {
    epoch: u64,
    recall: F,
    takeover: Option<i64>,
    next: Option<i64>,
    low: Option<i64>,
}

impl<F: FnMut(&NotificationBatch) -> bool> PollHandler for Pages<F> {
    fn record(&mut self, record: &Record<'_>) {
        if self.takeover.is_some() {
            return;
        }
        self.next = Some(record.offset + 1);
        let Some(value) = record.value else { return };
        let batch = match NotificationBatch::decode(value) {
            Ok(batch) => batch,
            Err(error) => return unreadable(record, &error),
        };
        if (self.recall)(&batch) {
            tracing::debug!(
                epoch = batch.epoch,
                "passed over a record of a dispatcher that was replaced"
            );
        }
        let takeover = batch
            .notifications
            .iter()
            .any(|notification| notification.state() == NotificationState::Takeover);
        if takeover && batch.epoch == self.epoch {
            self.takeover = Some(record.offset);
        }
    }

    fn event(&mut self, event: ConsumerEvent<'_>) {
        match event {
            ConsumerEvent::OffsetsGone { low, .. } => self.low = Some(low),
            ConsumerEvent::OffsetsAhead { range, .. } => self.low = Some(range.low),
            ConsumerEvent::Assigned(_)
            | ConsumerEvent::Revoked(_)
            | ConsumerEvent::Lost(_)
            | ConsumerEvent::EndReached { .. } => {}
        }
    }
}
