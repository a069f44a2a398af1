//! Follows what the roles say on the log: how far the trackers are, and what was alerted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use slawatch_stream::{ConsumerEvent, Log, PollHandler, Record, StartAt, TopicPartition};
use slawatch_wire::Message;
use slawatch_wire::v1::{AlertBatch, AlertState, AlertTransition, Signal, signal};

use super::Timer;
use crate::config::Topics;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    clocks: BTreeMap<u32, i64>,
    sources: u32,
    /// Transitions by state, each (key, revision) once.
    transitions: BTreeSet<(String, u64)>,
    pub(super) fired: Vec<AlertTransition>,
    pub(super) resolved: Vec<AlertTransition>,
}

impl Seen {
    fn slowest(&self) -> Option<i64> {
        let all = self.sources > 0 && self.clocks.len() == self.sources as usize;
        self.clocks.values().min().copied().filter(|_| all)
    }
}

struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader of its own on signals and alerts. Its thread ends with the process.
pub(super) struct Watch {
    shared: Arc<Shared>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trackers at {:?}", self.shared.lock().clocks)
    }
}

impl Watch {
    pub(super) fn start(log: &dyn Log, topics: &Topics, sources: u32) -> anyhow::Result<Self> {
        let mut partitions = Vec::new();
        for topic in [&topics.signals, &topics.alerts] {
            let count = log.partitions(topic)?;
            partitions.extend((0..count).map(|number| TopicPartition::new(topic.as_str(), number)));
        }
        let mut reader = log.reader(&partitions, StartAt::Beginning)?;
        let seen = Seen {
            sources,
            ..Seen::default()
        };
        let shared = Arc::new(Shared {
            seen: Mutex::new(seen),
            changed: Condvar::new(),
        });
        let weak = Arc::downgrade(&shared);
        let mut handler = Handler {
            alerts_topic: topics.alerts.clone(),
            shared: Arc::clone(&shared),
        };
        std::thread::Builder::new()
            .name("demo-watch".to_owned())
            .spawn(move || {
                while weak.strong_count() > 1 {
                    let polled = reader.poll(Duration::from_millis(50), 1000, &mut handler);
                    if let Err(error) = polled {
                        tracing::error!(%error, "the demo cannot follow the roles");
                        return;
                    }
                }
            })
            .context("cannot start the demo's watch")?;
        Ok(Self { shared })
    }

    /// Waits until every tracker is at `clock_ms`; false if that took too long or `stop` said so.
    pub(super) fn wait_for(
        &self,
        clock_ms: i64,
        patience: Duration,
        stop: &dyn Fn() -> bool,
    ) -> bool {
        const LOOK: Duration = Duration::from_millis(100);
        let waited = Timer::start();
        let mut seen = self.shared.lock();
        while seen.slowest().is_none_or(|slowest| slowest < clock_ms) {
            if waited.elapsed() >= patience || stop() {
                return false;
            }
            let (next, _) = self
                .shared
                .changed
                .wait_timeout(seen, LOOK)
                .unwrap_or_else(PoisonError::into_inner);
            seen = next;
        }
        true
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.lock()
    }
}

struct Handler {
    alerts_topic: String,
    shared: Arc<Shared>,
}

impl PollHandler for Handler {
    fn record(&mut self, record: &Record<'_>) {
        let value = record.value.unwrap_or_default();
        let mut seen = self.shared.lock();
        if record.topic == self.alerts_topic {
            let Ok(batch) = AlertBatch::decode(value) else {
                return;
            };
            for alert in batch.alerts {
                if !seen.transitions.insert((alert.key.clone(), alert.revision)) {
                    continue;
                }
                match alert.state() {
                    AlertState::Firing => seen.fired.push(alert),
                    AlertState::Resolved => seen.resolved.push(alert),
                    AlertState::Unspecified
                    | AlertState::Pending
                    | AlertState::Retracted
                    | AlertState::Expired
                    | AlertState::Acknowledged => {}
                }
            }
        } else if let Ok(Signal {
            kind: Some(signal::Kind::Batch(batch)),
        }) = Signal::decode(value)
        {
            let clock = seen.clocks.entry(batch.source).or_insert(i64::MIN);
            *clock = batch.clock_ms.max(*clock);
        }
        drop(seen);
        self.shared.changed.notify_all();
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}
