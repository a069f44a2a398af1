//! The thread that reads signals and alerts into the picture and lays a snapshot of it where requests find it.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use slawatch_health::Heartbeat;
use slawatch_stream::{
    Clock, ConsumerEvent, Log, LogReader, PollHandler, Record, StartAt, StreamError, TopicPartition,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{Action, AlertBatch, Signal, signal};

use crate::act::{KnownActions, SILENCE_MOST_MS};
use crate::metrics;
use crate::picture::{KEPT_MS, Picture};
use crate::view::View;
use crate::zone::Zone;

/// An alert may fire for days before it changes again, and a silence last for weeks.
const ALERTS_BACK_MS: i64 = SILENCE_MOST_MS + 86_400_000;
const POLL_WAIT: Duration = Duration::from_millis(50);
const POLL_RECORDS: usize = 2_000;
/// A snapshot is made at most this often, and never takes more than a tenth of the thread's time.
const SNAPSHOT_EVERY_MS: u64 = 200;
const SNAPSHOT_SHARE: u64 = 10;
/// A partition that has said nothing for so long, all others being read, has nothing for us: its records are too old.
const NOTHING_THERE_MS: u64 = 2_000;
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What requests see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) view: View,
    /// Steady clock when the picture's clock last moved.
    pub(crate) moved_at_ms: Option<u64>,
    /// Everything that was there at the start has been read.
    pub(crate) caught_up: bool,
    /// Why nothing can be read at the moment.
    pub(crate) trouble: Option<String>,
}

/// Where the newest snapshot lies.
#[derive(Debug, Default)]
pub(crate) struct Newest(RwLock<Arc<Snapshot>>);

impl Newest {
    pub(crate) fn get(&self) -> Arc<Snapshot> {
        let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&newest)
    }

    pub(crate) fn put(&self, snapshot: Snapshot) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

/// Everything the thread needs.
pub(crate) struct Feed {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) signals_topic: String,
    pub(crate) alerts_topic: String,
    pub(crate) zone: Zone,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) newest: Arc<Newest>,
    /// Ids of actions are told to whom may be asked to repeat one.
    pub(crate) known: Arc<Mutex<KnownActions>>,
    pub(crate) heartbeat: Heartbeat,
    /// Nothing ever comes out of it: it closes when the board stops.
    pub(crate) stop: Receiver<()>,
}

impl Feed {
    /// Reads until the board stops; whatever fails is begun again.
    pub(crate) fn run(self) {
        let mut known: Option<(u32, Inbox)> = None;
        loop {
            self.heartbeat.beat();
            let Err(error) = self.read(&mut known) else {
                return;
            };
            tracing::warn!(%error, "the board cannot read and begins again");
            metrics::LOG_FAILURES.increment(1);
            let mut snapshot = Snapshot::clone(&self.newest.get());
            snapshot.trouble = Some(error.to_string());
            self.newest.put(snapshot);
            match self.stop.recv_timeout(BEGIN_AGAIN_AFTER) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// One life of the readers. What was read before stays: rows are absolute, so reading them again does no harm.
    fn read(&self, known: &mut Option<(u32, Inbox)>) -> Result<(), StreamError> {
        let partitions = self.log.partitions(&self.signals_topic)?;
        let inbox = match known {
            Some((of, inbox)) if *of == partitions => inbox,
            _ => {
                let picture = Picture::new(partitions, self.zone.clone());
                let inbox = Inbox::new(picture, &self.signals_topic, Arc::clone(&self.known));
                &mut known.insert((partitions, inbox)).1
            }
        };
        let now_ms = self.clock.wall_ms();
        let mut signals = self.reader(&self.signals_topic, now_ms - KEPT_MS)?;
        let mut alerts = self.reader(&self.alerts_topic, now_ms - ALERTS_BACK_MS)?;
        let mut next_ms = self.clock.steady_ms();
        loop {
            match self.stop.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(()) | Err(TryRecvError::Disconnected) => return Ok(()),
            }
            self.heartbeat.beat();
            signals.poll(POLL_WAIT, inbox)?;
            alerts.poll(Duration::ZERO, inbox)?;
            let steady_ms = self.clock.steady_ms();
            if steady_ms >= next_ms {
                inbox.picture.sweep();
                let view = inbox.picture.view();
                let caught_up = signals.is_caught_up(steady_ms) && alerts.is_caught_up(steady_ms);
                self.publish(view, caught_up, steady_ms);
                let took_ms = self.clock.steady_ms().saturating_sub(steady_ms);
                next_ms = steady_ms + SNAPSHOT_EVERY_MS.max(took_ms * SNAPSHOT_SHARE);
            }
        }
    }

    fn reader(&self, topic: &str, from_ms: i64) -> Result<Following, StreamError> {
        let count = self.log.partitions(topic)?;
        let topic: Arc<str> = topic.into();
        let partitions: Vec<_> = (0..count)
            .map(|number| TopicPartition::new(Arc::clone(&topic), number))
            .collect();
        let mut reader = self
            .log
            .reader(&partitions, StartAt::TimestampMs(from_ms))?;
        let mut left = BTreeMap::new();
        for partition in partitions {
            let range = reader.offsets(&partition)?;
            if range.high > range.low {
                left.insert(partition, range.high);
            }
        }
        Ok(Following {
            reader,
            left,
            silent_since_ms: None,
        })
    }

    fn publish(&self, view: View, caught_up: bool, steady_ms: u64) {
        let last = self.newest.get();
        let moved = view.as_of_ms.is_some() && view.as_of_ms != last.view.as_of_ms;
        if let Some(as_of_ms) = view.as_of_ms {
            let lag_ms = self.clock.wall_ms().saturating_sub(as_of_ms);
            metrics::LAG_SECONDS.set(lag_ms as f64 / 1_000.0);
        }
        self.newest.put(Snapshot {
            view,
            moved_at_ms: if moved {
                Some(steady_ms)
            } else {
                last.moved_at_ms
            },
            caught_up,
            trouble: None,
        });
    }
}

/// A reader, and how far each partition reached when it began.
struct Following {
    reader: Box<dyn LogReader>,
    left: BTreeMap<TopicPartition, i64>,
    /// Since when all that is left are partitions that have never said anything.
    silent_since_ms: Option<u64>,
}

impl Following {
    fn poll(&mut self, max_wait: Duration, inbox: &mut Inbox) -> Result<(), StreamError> {
        let read = self.reader.poll(max_wait, POLL_RECORDS, inbox)?;
        metrics::RECORDS_READ.increment(read as u64);
        for (partition, low) in std::mem::take(&mut inbox.gone) {
            tracing::warn!(%partition, low, "the log holds other records than those awaited: the board goes on at its beginning");
            self.reader.seek(&partition, low)?;
        }
        Ok(())
    }

    /// Whether all that was there at the beginning has been read.
    fn is_caught_up(&mut self, steady_ms: u64) -> bool {
        let Self { reader, left, .. } = self;
        left.retain(|partition, end| reader.position(partition).is_none_or(|at| at < *end));
        if left
            .keys()
            .any(|partition| reader.position(partition).is_some())
        {
            self.silent_since_ms = None;
            return false;
        }
        let since_ms = *self.silent_since_ms.get_or_insert(steady_ms);
        self.left.is_empty() || steady_ms.saturating_sub(since_ms) >= NOTHING_THERE_MS
    }
}

/// Takes records in.
struct Inbox {
    picture: Picture,
    signals_topic: String,
    known: Arc<Mutex<KnownActions>>,
    /// Partitions whose next records are gone, and where they go on.
    gone: Vec<(TopicPartition, i64)>,
}

impl Inbox {
    fn new(picture: Picture, signals_topic: &str, known: Arc<Mutex<KnownActions>>) -> Self {
        Self {
            picture,
            known,
            signals_topic: signals_topic.to_owned(),
            gone: Vec::new(),
        }
    }
}

impl Inbox {
    fn note(&self, action: &Action) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.note(action);
    }
}

impl PollHandler for Inbox {
    fn record(&mut self, record: &Record<'_>) {
        let Some(value) = record.value else {
            return;
        };
        let understood = if record.topic == self.signals_topic {
            Signal::decode(value).map(|signal| {
                if let Some(signal::Kind::Action(action)) = &signal.kind {
                    self.note(action);
                }
                self.picture.apply_signal(record.partition, &signal);
            })
        } else {
            AlertBatch::decode(value).map(|batch| self.picture.apply_alerts(batch))
        };
        if let Err(error) = understood {
            let (topic, partition, offset) = (record.topic, record.partition, record.offset);
            tracing::warn!(topic, partition, offset, %error, "a record is no message and is passed over");
            metrics::RECORDS_UNREADABLE.increment(1);
        }
    }

    fn event(&mut self, event: ConsumerEvent<'_>) {
        match event {
            ConsumerEvent::OffsetsGone { partition, low, .. } => {
                self.gone.push((partition.clone(), low));
            }
            // Rows are absolute: what is read again does no harm.
            ConsumerEvent::OffsetsAhead {
                partition, range, ..
            } => self.gone.push((partition.clone(), range.low)),
            // Outside a group partitions neither come nor go.
            ConsumerEvent::Assigned(_)
            | ConsumerEvent::Revoked(_)
            | ConsumerEvent::Lost(_)
            | ConsumerEvent::EndReached { .. } => {}
        }
    }
}
