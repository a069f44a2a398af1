//! From one record to the rows it means: which topic says what, which batches are believed, which records are none.
//!
//! Rows are staged per table and taken over only when the whole record made sense, so that half a message never counts.

use std::sync::Arc;

use slawatch_event::{DecodeOptions, Incoming, decode};
use slawatch_stream::Record;
use slawatch_wire::{Message, row_version, v1};
use xxhash_rust::xxh3::xxh3_64;

use crate::Table;
use crate::fence::Fence;
use crate::rows::{
    BatchStamp, Place, Senseless, write_action, write_alert, write_dead_letter, write_event,
    write_gauge, write_notification, write_outcome, write_pane,
};

/// The five topics of slawatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKind {
    /// The input.
    TicketEvents,
    /// What trackers conclude, and what people do.
    Signals,
    /// What evaluators conclude.
    Alerts,
    /// What dispatchers send.
    Notifications,
    /// Records that cannot count.
    DeadLetters,
}

impl TopicKind {
    /// Every kind of topic.
    pub const ALL: [Self; 5] = [
        Self::TicketEvents,
        Self::Signals,
        Self::Alerts,
        Self::Notifications,
        Self::DeadLetters,
    ];

    /// The tables that its records go into; all may also bring dead letters of their own.
    pub(crate) const fn tables(self) -> &'static [Table] {
        match self {
            Self::TicketEvents => &[Table::TicketEvents],
            Self::Signals => &[
                Table::Panes,
                Table::Outcomes,
                Table::Gauges,
                Table::Actions,
                Table::DeadLetters,
            ],
            Self::Alerts => &[Table::Alerts, Table::DeadLetters],
            Self::Notifications => &[Table::Notifications, Table::DeadLetters],
            Self::DeadLetters => &[Table::DeadLetters],
        }
    }
}

/// Names of the topics in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    /// The input.
    pub ticket_events: Arc<str>,
    /// Signals.
    pub signals: Arc<str>,
    /// Alerts.
    pub alerts: Arc<str>,
    /// Notifications.
    pub notifications: Arc<str>,
    /// Dead letters.
    pub dead_letters: Arc<str>,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            ticket_events: "ticket-events".into(),
            signals: "slawatch.signals".into(),
            alerts: "slawatch.alerts".into(),
            notifications: "slawatch.notifications".into(),
            dead_letters: "slawatch.dead-letters".into(),
        }
    }
}

impl Topics {
    /// The name of one of them.
    pub fn name(&self, kind: TopicKind) -> &Arc<str> {
        match kind {
            TopicKind::TicketEvents => &self.ticket_events,
            TopicKind::Signals => &self.signals,
            TopicKind::Alerts => &self.alerts,
            TopicKind::Notifications => &self.notifications,
            TopicKind::DeadLetters => &self.dead_letters,
        }
    }

    /// Which of them a name is.
    pub fn kind(&self, name: &str) -> Option<TopicKind> {
        TopicKind::ALL
            .into_iter()
            .find(|kind| **self.name(*kind) == *name)
    }
}

/// What the meaning of records depends on; the same for tracker and loader.
#[derive(Clone, Debug, Default)]
pub struct IntakeOptions {
    /// How events are read and checked.
    pub decode: DecodeOptions,
    /// The generation that raw events are stored under.
    pub generation: u32,
}

/// Rows of one record, by table.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    tables: [(u64, Vec<u8>); Table::ALL.len()],
}

impl Staged {
    fn clear(&mut self) {
        for (rows, bytes) in &mut self.tables {
            *rows = 0;
            bytes.clear();
        }
    }

    fn row(&mut self, table: Table) -> &mut Vec<u8> {
        let (rows, bytes) = &mut self.tables[table as usize];
        *rows += 1;
        bytes
    }

    /// Tables with rows: how many, and their bytes.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Table, u64, &[u8])> {
        Table::ALL
            .into_iter()
            .zip(&self.tables)
            .filter(|(_, (rows, _))| *rows > 0)
            .map(|(table, (rows, bytes))| (table, *rows, bytes.as_slice()))
    }
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its rows are staged (there may be none).
    Rows,
    /// It is not an accepted event; the tracker says why in the dead letters.
    NotAccepted,
    /// From a writer that was replaced.
    Fenced { source: u32, epoch: u64 },
    /// A message of our own topics that cannot be read: a dead letter is staged.
    Senseless(String),
}

/// The dead letter reason of a message of our own topics that cannot be read.
const BAD_MESSAGE: &str = "bad_message";
/// How much of a record a dead letter keeps.
const PAYLOAD_BYTES: usize = 64 * 1024;

/// Reads records into staged rows.
#[derive(Debug)]
pub(crate) struct Intake {
    options: IntakeOptions,
    pub(crate) staged: Staged,
}

impl Intake {
    pub(crate) fn new(options: IntakeOptions) -> Self {
        Self {
            options,
            staged: Staged::default(),
        }
    }

    /// Stages the rows of one record, in place of those of the record before.
    pub(crate) fn take(
        &mut self,
        kind: TopicKind,
        record: &Record<'_>,
        fence: &mut Fence,
    ) -> Taken {
        self.staged.clear();
        let value = record.value.unwrap_or_default();
        let taken = match kind {
            TopicKind::TicketEvents => Ok(self.take_event(record, value)),
            TopicKind::Signals => self.take_signal(record, value, fence),
            TopicKind::Alerts => self.take_alerts(record, value, fence),
            TopicKind::Notifications => self.take_notifications(record, value, fence),
            TopicKind::DeadLetters => self.take_dead_letters(value),
        };
        taken.unwrap_or_else(|unreadable| self.refuse(record, value, unreadable))
    }

    fn take_event(&mut self, record: &Record<'_>, value: &[u8]) -> Taken {
        let incoming = Incoming {
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            value,
            headers: &|name| record.headers.get(name),
        };
        match decode(&incoming, &self.options.decode) {
            Ok(event) => {
                let place = Place {
                    generation: self.options.generation,
                    partition: record.partition,
                    offset: record.offset,
                    timestamp_ms: record.timestamp_ms,
                };
                write_event(self.staged.row(Table::TicketEvents), &place, &event);
                Taken::Rows
            }
            Err(_) => Taken::NotAccepted,
        }
    }

    fn take_signal(
        &mut self,
        record: &Record<'_>,
        value: &[u8],
        fence: &mut Fence,
    ) -> Result<Taken, Unreadable> {
        match read::<v1::Signal>(value)?.kind {
            None => Err(Unreadable(
                "a signal that is neither batch nor action nor rules".into(),
            )),
            Some(v1::signal::Kind::Action(action)) => {
                write_action(self.staged.row(Table::Actions), &action)?;
                Ok(Taken::Rows)
            }
            // What an evaluator works by; its alerts say what came of it.
            Some(v1::signal::Kind::Rules(_)) => Ok(Taken::Rows),
            Some(v1::signal::Kind::Batch(batch)) => self.take_batch(record, &batch, fence),
        }
    }

    fn take_batch(
        &mut self,
        record: &Record<'_>,
        batch: &v1::SignalBatch,
        fence: &mut Fence,
    ) -> Result<Taken, Unreadable> {
        let stamp = BatchStamp {
            generation: batch.generation,
            source: batch.source,
            version: version(batch.epoch, batch.batch)?,
            clock_ms: batch.clock_ms,
            log_clock_ms: batch.log_clock_ms,
        };
        if !fence.admit(record.offset, batch.source, batch.epoch) {
            return Ok(fenced(batch.source, batch.epoch));
        }
        for pane in &batch.panes {
            write_pane(self.staged.row(Table::Panes), &stamp, pane)?;
        }
        for outcome in &batch.outcomes {
            write_outcome(self.staged.row(Table::Outcomes), &stamp, outcome)?;
        }
        for gauge in &batch.gauges {
            write_gauge(self.staged.row(Table::Gauges), &stamp, gauge)?;
        }
        Ok(Taken::Rows)
    }

    fn take_alerts(
        &mut self,
        record: &Record<'_>,
        value: &[u8],
        fence: &mut Fence,
    ) -> Result<Taken, Unreadable> {
        let batch = read::<v1::AlertBatch>(value)?;
        let stamp = unclocked(batch.source, version(batch.epoch, batch.batch)?);
        if !fence.admit(record.offset, batch.source, batch.epoch) {
            return Ok(fenced(batch.source, batch.epoch));
        }
        for alert in &batch.alerts {
            write_alert(self.staged.row(Table::Alerts), &stamp, alert)?;
        }
        Ok(Taken::Rows)
    }

    fn take_notifications(
        &mut self,
        record: &Record<'_>,
        value: &[u8],
        fence: &mut Fence,
    ) -> Result<Taken, Unreadable> {
        let batch = read::<v1::NotificationBatch>(value)?;
        let stamp = unclocked(batch.source, version(batch.epoch, batch.batch)?);
        if !fence.admit(record.offset, batch.source, batch.epoch) {
            return Ok(fenced(batch.source, batch.epoch));
        }
        let (rows, bytes) = &mut self.staged.tables[Table::Notifications as usize];
        for notification in &batch.notifications {
            *rows += u64::from(write_notification(bytes, &stamp, notification)?);
        }
        Ok(Taken::Rows)
    }

    /// Dead letters never change, so it does not matter which owner of a partition wrote them down.
    fn take_dead_letters(&mut self, value: &[u8]) -> Result<Taken, Unreadable> {
        for letter in &read::<v1::DeadLetterBatch>(value)?.dead_letters {
            write_dead_letter(self.staged.row(Table::DeadLetters), letter);
        }
        Ok(Taken::Rows)
    }

    fn refuse(&mut self, record: &Record<'_>, value: &[u8], unreadable: Unreadable) -> Taken {
        self.staged.clear();
        let letter = v1::DeadLetter {
            topic: record.topic.to_owned(),
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            reason: BAD_MESSAGE.to_owned(),
            detail: unreadable.0.clone(),
            payload: value[..value.len().min(PAYLOAD_BYTES)].to_vec(),
            payload_bytes: value.len() as u64,
            payload_hash: xxh3_64(value),
            generation: self.options.generation,
        };
        write_dead_letter(self.staged.row(Table::DeadLetters), &letter);
        Taken::Senseless(unreadable.0)
    }
}

fn fenced(source: u32, epoch: u64) -> Taken {
    Taken::Fenced { source, epoch }
}

/// The stamp of rows that carry neither clock nor generation.
fn unclocked(source: u32, version: u64) -> BatchStamp {
    BatchStamp {
        generation: 0,
        source,
        version,
        clock_ms: 0,
        log_clock_ms: 0,
    }
}

fn version(epoch: u64, batch: u64) -> Result<u64, Unreadable> {
    if epoch >= 1 << 24 || batch >= 1 << 40 {
        return Err(Unreadable(format!(
            "epoch {epoch}, batch {batch} do not fit into a row version"
        )));
    }
    Ok(row_version(epoch, batch))
}

/// Why a message cannot be read.
#[derive(Debug)]
struct Unreadable(String);

impl From<Senseless> for Unreadable {
    fn from(senseless: Senseless) -> Self {
        Self(senseless.to_string())
    }
}

fn read<M: Message + Default>(value: &[u8]) -> Result<M, Unreadable> {
    M::decode(value).map_err(|error| Unreadable(format!("not a message of this topic: {error}")))
}
