//! A log in memory: topics, partitions, groups, fencing and retention, as the broker has them, in one process.
//!
//! Two ways to use it. [`MemoryLog::new`] waits in `poll` until something arrives: whole pipelines run on it on their
//! own threads (the demo). [`MemoryLog::stepped`] never waits: with an injected clock and one thread a cluster of
//! workers is deterministic, the caller deciding who moves when.
//!
//! What it models of the broker, because workers depend on it:
//! - a member takes note of a rebalance only when it polls; a partition is handed to its next owner only after the
//!   former one has been told `Revoked`, unless that one was expelled ([`MemorySession::expire`]);
//! - an expelled member's commits are refused until it polls again; **after that they are accepted for any partition**;
//! - offsets may have gaps ([`MemoryLog::skip_offsets`]), the beginning may be cut off ([`MemoryLog::truncate`]);
//! - records are stamped by the topic or by the producer, and refused above the topic's size;
//! - a producer whose answer was lost sends again, and the log drops the copy ([`MemoryLog::lose_answers`]).
//!
//! `tests/conformance` holds it to what the broker does. Failed deliveries and crashes are not here but in
//! [`crate::faults`], which wraps any implementation.

mod group;
mod partition;
mod producer;
mod reader;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::consumer::{Committed, Consumer, LogReader};
use crate::error::StreamError;
use crate::log::{Log, StartAt, TimestampKind, TopicSpec};
use crate::probe::{EndOffsets, EndProbe};
use crate::producer::Producer;
use crate::record::{Outgoing, TopicPartition};

use group::Group;
use partition::{PartitionLog, Stored};
use producer::MemoryProducer;
pub use reader::{MemoryConsumer, MemorySession};

struct Topic {
    spec: TopicSpec,
    partitions: Vec<PartitionLog>,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<Arc<str>, Topic>,
    groups: BTreeMap<String, Group>,
    last_member: u64,
    last_producer: u64,
    answers_to_lose: u32,
}

impl State {
    fn topic(&self, topic: &str) -> Result<&Topic, StreamError> {
        self.topics
            .get(topic)
            .ok_or_else(|| StreamError::UnknownTopic {
                topic: topic.to_owned(),
            })
    }

    fn partition(&self, of: &TopicPartition) -> Result<&PartitionLog, StreamError> {
        self.topic(&of.topic)?
            .partitions
            .get(of.partition as usize)
            .ok_or_else(|| StreamError::UnknownTopic {
                topic: of.to_string(),
            })
    }

    fn partition_mut(&mut self, of: &TopicPartition) -> Result<&mut PartitionLog, StreamError> {
        self.topics
            .get_mut(&of.topic)
            .and_then(|topic| topic.partitions.get_mut(of.partition as usize))
            .ok_or_else(|| StreamError::UnknownTopic {
                topic: of.to_string(),
            })
    }

    fn rebalance_all(&mut self) {
        let names: Vec<String> = self.groups.keys().cloned().collect();
        for name in names {
            reader::rebalance(self, &name);
        }
    }

    fn new_producer(&mut self) -> u64 {
        self.last_producer += 1;
        self.last_producer
    }

    fn loses_answer(&mut self) -> bool {
        let loses = self.answers_to_lose > 0;
        self.answers_to_lose = self.answers_to_lose.saturating_sub(1);
        loses
    }

    fn append(&mut self, record: Outgoing, wall_ms: i64) -> Result<i64, StreamError> {
        let bytes = record.payload_bytes();
        let destination = TopicPartition::new(Arc::clone(&record.topic), record.partition);
        let spec = &self.topic(&record.topic)?.spec;
        let limit = spec.max_record_bytes as usize;
        if bytes > limit {
            return Err(StreamError::TooLarge {
                destination,
                bytes,
                limit,
            });
        }
        let timestamp_ms = match spec.timestamps {
            TimestampKind::LogAppend => wall_ms,
            TimestampKind::Create => record.timestamp_ms.unwrap_or(wall_ms),
        };
        let oldest_ms = spec
            .retention_ms
            .map(|kept| wall_ms.saturating_sub_unsigned(kept));
        let log = self.partition_mut(&destination)?;
        let offset = log.append(Stored {
            offset: log.next(),
            timestamp_ms,
            key: record.key,
            value: Some(record.value),
            headers: record.headers,
        });
        if let Some(oldest_ms) = oldest_ms {
            log.expire_before(oldest_ms);
        }
        Ok(offset)
    }

    /// All partitions of these topics that exist.
    fn partitions_of(&self, topics: &[Arc<str>]) -> Vec<TopicPartition> {
        let known = topics
            .iter()
            .filter_map(|name| Some((name, self.topics.get(name)?)));
        known
            .flat_map(|(name, topic)| {
                (0..topic.spec.partitions)
                    .map(|partition| TopicPartition::new(Arc::clone(name), partition))
            })
            .collect()
    }
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
    waits: bool,
}

/// The log. Clones share it.
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("waits", &self.shared.waits)
            .finish_non_exhaustive()
    }
}

impl MemoryLog {
    /// An empty log for use from threads.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, true)
    }

    /// An empty log on which nothing ever waits.
    pub fn stepped(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, false)
    }

    fn with(clock: Arc<dyn Clock>, waits: bool) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            clock,
            waits,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panicking holder leaves no half-made state behind: every change is a single step.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins `group`; like [`Log::member`], with a way to expel the member.
    pub fn join(&self, group: &str, topics: &[&str]) -> MemoryConsumer {
        MemoryConsumer::member(self.clone(), group, topics)
    }

    /// Appends a record and returns its offset.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`], [`StreamError::TooLarge`].
    pub fn append(&self, record: Outgoing) -> Result<i64, StreamError> {
        let wall_ms = self.shared.clock.wall_ms();
        let offset = self.lock().append(record, wall_ms)?;
        self.shared.changed.notify_all();
        Ok(offset)
    }

    /// Loses the answers to the next `count` records that producers send: the records are in the log, and the producers
    /// send them again, as they do with a connection that broke.
    pub fn lose_answers(&self, count: u32) {
        self.lock().answers_to_lose = count;
    }

    /// How many of the answers of [`MemoryLog::lose_answers`] have not been lost yet.
    pub fn answers_left_to_lose(&self) -> u32 {
        self.lock().answers_to_lose
    }

    /// Leaves `count` offsets unused, as compaction and transaction markers do.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`].
    pub fn skip_offsets(&self, partition: &TopicPartition, count: u32) -> Result<(), StreamError> {
        self.lock().partition_mut(partition)?.skip(count);
        Ok(())
    }

    /// Removes every record below `low`, as retention does.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`].
    pub fn truncate(&self, partition: &TopicPartition, low: i64) -> Result<(), StreamError> {
        self.lock().partition_mut(partition)?.truncate(low);
        Ok(())
    }

    /// Gives a topic more partitions, as an operator may.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`].
    pub fn add_partitions(&self, topic: &str, count: u32) -> Result<(), StreamError> {
        let mut state = self.lock();
        let found = state.topics.get_mut(topic);
        let found = found.ok_or_else(|| StreamError::UnknownTopic {
            topic: topic.to_owned(),
        })?;
        found.spec.partitions += count;
        found
            .partitions
            .extend((0..count).map(|_| PartitionLog::default()));
        state.rebalance_all();
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Forgets what `group` has committed, as the coordinator does with a group that was empty for too long.
    pub fn forget_group(&self, group: &str) {
        self.lock().groups.remove(group);
    }

    /// What `group` has committed for a partition.
    pub fn committed(&self, group: &str, partition: &TopicPartition) -> Option<Committed> {
        self.lock().groups.get(group)?.committed(partition).cloned()
    }

    /// Waits for a change, or not, as this log was made. False if there was none.
    fn wait(&self, state: MutexGuard<'_, State>, remaining: Duration) -> bool {
        if !self.shared.waits || remaining.is_zero() {
            return false;
        }
        let waited = self.shared.changed.wait_timeout(state, remaining);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }
}

impl Log for MemoryLog {
    fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        Ok(self.lock().topic(topic)?.spec.partitions)
    }

    fn create_topic(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        let mut state = self.lock();
        if let Some(there) = state.topics.get(spec.name.as_str()) {
            return spec.check_partitions(there.spec.partitions);
        }
        let partitions = (0..spec.partitions)
            .map(|_| PartitionLog::default())
            .collect();
        let topic = Topic {
            spec: spec.clone(),
            partitions,
        };
        state.topics.insert(Arc::from(spec.name.as_str()), topic);
        state.rebalance_all();
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn member(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, StreamError> {
        Ok(Box::new(self.join(group, topics)))
    }

    fn reader(
        &self,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Box<dyn LogReader>, StreamError> {
        Ok(Box::new(MemoryConsumer::alone(
            self.clone(),
            partitions,
            from,
        )?))
    }

    fn producer(&self) -> Result<Box<dyn Producer>, StreamError> {
        Ok(Box::new(MemoryProducer::new(self.clone())))
    }

    fn end_probe(&self, topic: &str) -> Result<Box<dyn EndProbe>, StreamError> {
        let state = self.lock();
        let (name, _) =
            state
                .topics
                .get_key_value(topic)
                .ok_or_else(|| StreamError::UnknownTopic {
                    topic: topic.to_owned(),
                })?;
        let probe = MemoryProbe {
            topic: Arc::clone(name),
            log: self.clone(),
            last_asked_ms: None,
        };
        Ok(Box::new(probe))
    }
}

/// Looks at the ends itself, at most once a millisecond of the wall clock.
#[derive(Debug)]
struct MemoryProbe {
    topic: Arc<str>,
    log: MemoryLog,
    last_asked_ms: Option<i64>,
}

impl EndProbe for MemoryProbe {
    fn newest(&mut self) -> Option<EndOffsets> {
        let asked_at_ms = self.log.shared.clock.wall_ms();
        if self.last_asked_ms == Some(asked_at_ms) {
            return None;
        }
        self.last_asked_ms = Some(asked_at_ms);
        let state = self.log.lock();
        let topic = state.topics.get(&self.topic)?;
        let ends = topic
            .partitions
            .iter()
            .map(|log| Some(log.next()))
            .collect();
        Some(EndOffsets { asked_at_ms, ends })
    }
}
