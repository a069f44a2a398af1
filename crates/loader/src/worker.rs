//! Carries out what [`LoaderCore`] decides: reads the topics as a member of a consumer group, hands batches to the sink,
//! commits offsets, pauses and resumes. One thread, one loop; the inserts run elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slawatch_stream::{
    Clock, CommitOutcome, Consumer, ConsumerEvent, Log, PollHandler, Record, StreamError,
    TopicPartition,
};

use crate::core::{BatchOptions, LoaderCore};
use crate::intake::{IntakeOptions, TopicKind, Topics};
use crate::sink::Sink;
use crate::{LoaderError, metrics};

/// How a loader reads and commits.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Names of the topics.
    pub topics: Topics,
    /// The consumer group.
    pub group: String,
    /// What the meaning of records depends on.
    pub intake: IntakeOptions,
    /// When batches are sent.
    pub batches: BatchOptions,
    /// How often offsets are committed.
    pub commit_interval_ms: u64,
    /// Go on behind records that retention removed before they were loaded, instead of stopping their partition.
    pub accept_gap: bool,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            topics: Topics::default(),
            group: "slawatch-loader".to_owned(),
            intake: IntakeOptions::default(),
            batches: BatchOptions::default(),
            commit_interval_ms: 1000,
            accept_gap: false,
        }
    }
}

/// Records taken in before anything else is looked at.
const MAX_RECORDS: usize = 1000;

/// See the module.
pub struct LoaderWorker {
    consumer: Box<dyn Consumer>,
    sink: Box<dyn Sink>,
    clock: Arc<dyn Clock>,
    options: WorkerOptions,
    core: LoaderCore,
    /// Partitions that are this member's; those not started yet are `false`.
    partitions: BTreeMap<TopicPartition, bool>,
    gaps: BTreeMap<TopicPartition, String>,
    paused: BTreeSet<TopicKind>,
    last_commit_ms: u64,
    health: LoaderHealth,
}

/// What is wrong with a loader, to be asked from other threads (`/readyz`, `slawatch status`). Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LoaderHealth(Arc<Mutex<Vec<String>>>);

impl LoaderHealth {
    /// Tables that stopped and partitions with gaps, in words; empty while all is well.
    pub fn problems(&self) -> Vec<String> {
        // The list is replaced as a whole, so a panic elsewhere leaves it sound.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, problems: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = problems;
    }
}

impl fmt::Debug for LoaderWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoaderWorker")
            .field("group", &self.options.group)
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

/// What a poll brought beside records.
#[derive(Debug, Default)]
struct Events {
    assigned: Vec<TopicPartition>,
    gone: Vec<TopicPartition>,
    /// Partitions that cannot go on, why, and the offset at which they can if that is accepted.
    gaps: Vec<(TopicPartition, LoaderError, Option<i64>)>,
}

struct Handler<'a> {
    core: &'a mut LoaderCore,
    now_ms: u64,
    events: Events,
}

impl PollHandler for Handler<'_> {
    fn record(&mut self, record: &Record<'_>) {
        self.core.apply(record, self.now_ms);
    }

    fn event(&mut self, event: ConsumerEvent<'_>) {
        match event {
            ConsumerEvent::Assigned(partitions) => {
                self.events.gone.retain(|gone| !partitions.contains(gone));
                self.events.assigned.extend_from_slice(partitions);
            }
            ConsumerEvent::Revoked(partitions) | ConsumerEvent::Lost(partitions) => {
                for partition in partitions {
                    self.core.drop_partition(partition);
                    self.events
                        .assigned
                        .retain(|assigned| assigned != partition);
                    self.events.gone.push(partition.clone());
                }
            }
            ConsumerEvent::OffsetsGone {
                partition,
                position,
                low,
            } => {
                let gap = LoaderError::Gap {
                    partition: partition.to_string(),
                    position,
                    low,
                };
                self.events.gaps.push((partition.clone(), gap, Some(low)));
            }
            ConsumerEvent::OffsetsAhead {
                partition,
                position,
                range,
            } => {
                let other = LoaderError::OtherLog {
                    partition: partition.to_string(),
                    position,
                    high: range.high,
                };
                self.events.gaps.push((partition.clone(), other, None));
            }
            ConsumerEvent::EndReached { .. } => {}
        }
    }
}

impl LoaderWorker {
    /// Joins the consumer group.
    ///
    /// # Errors
    /// [`LoaderError::Stream`].
    pub fn new(
        log: &dyn Log,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        options: WorkerOptions,
    ) -> Result<Self, LoaderError> {
        let names = TopicKind::ALL.map(|kind| Arc::clone(options.topics.name(kind)));
        let consumer = log.member(&options.group, &names.each_ref().map(|name| &**name))?;
        Ok(Self::with_consumer(consumer, sink, clock, options))
    }

    fn with_consumer(
        consumer: Box<dyn Consumer>,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        options: WorkerOptions,
    ) -> Self {
        metrics::running();
        let core = LoaderCore::new(
            options.topics.clone(),
            options.intake.clone(),
            options.batches.clone(),
        );
        Self {
            consumer,
            sink,
            clock,
            core,
            partitions: BTreeMap::new(),
            gaps: BTreeMap::new(),
            paused: BTreeSet::new(),
            last_commit_ms: 0,
            health: LoaderHealth::default(),
            options,
        }
    }

    /// Runs until `stop` is set, then sends what it holds and leaves the group. Calls `comes_round` before every step.
    ///
    /// # Errors
    /// As [`LoaderWorker::step`].
    pub fn run(&mut self, stop: &AtomicBool, comes_round: impl Fn()) -> Result<(), LoaderError> {
        const MAX_WAIT: Duration = Duration::from_millis(20);
        const FAREWELL_MS: u64 = 10_000;
        while !stop.load(Ordering::Relaxed) {
            comes_round();
            self.step(MAX_WAIT)?;
        }
        self.finish(FAREWELL_MS)
    }

    /// One round: reads for at most `max_wait`, sends what is due, takes in answers, commits. Returns how many records
    /// were read.
    ///
    /// # Errors
    /// [`LoaderError::Stream`] if the log's client cannot go on, [`LoaderError::Metadata`] and
    /// [`LoaderError::MetadataTooLong`].
    pub fn step(&mut self, max_wait: Duration) -> Result<usize, LoaderError> {
        let mut handler = Handler {
            core: &mut self.core,
            now_ms: self.clock.steady_ms(),
            events: Events::default(),
        };
        let records = self.consumer.poll(max_wait, MAX_RECORDS, &mut handler)?;
        let events = handler.events;
        self.take_events(events)?;
        self.start_partitions()?;
        self.exchange(Duration::ZERO);
        self.pause_and_resume()?;
        let now_ms = self.clock.steady_ms();
        if now_ms.saturating_sub(self.last_commit_ms) >= self.options.commit_interval_ms {
            self.last_commit_ms = now_ms;
            self.commit()?;
            metrics::held_bytes(self.core.held_bytes());
            self.health.set(self.problems());
        }
        Ok(records)
    }

    /// Sends what it holds, for at most `max_ms`, commits and leaves the group.
    ///
    /// # Errors
    /// As [`LoaderWorker::step`].
    pub fn finish(&mut self, max_ms: u64) -> Result<(), LoaderError> {
        let until_ms = self.clock.steady_ms() + max_ms;
        self.core.hurry();
        while self.core.is_busy() && self.clock.steady_ms() < until_ms {
            self.exchange(Duration::from_millis(20));
        }
        self.commit()?;
        self.consumer.leave();
        Ok(())
    }

    /// What is wrong, as of the last commit interval.
    pub fn health(&self) -> LoaderHealth {
        self.health.clone()
    }

    fn problems(&self) -> Vec<String> {
        let stopped = self.core.stopped().into_iter();
        let stopped = stopped.map(|(table, reason)| {
            format!("table {table} takes no rows until it is repaired and the loader restarted: {reason}")
        });
        stopped.chain(self.gaps.values().cloned()).collect()
    }

    /// Whether rows are waiting to be sent or acknowledged.
    pub fn is_busy(&self) -> bool {
        self.core.is_busy()
    }

    fn take_events(&mut self, events: Events) -> Result<(), LoaderError> {
        for partition in events.gone {
            self.partitions.remove(&partition);
            self.gaps.remove(&partition);
        }
        for partition in events.assigned {
            self.partitions.insert(partition, false);
        }
        for (partition, gap, low) in events.gaps {
            let low = low.filter(|_| self.options.accept_gap);
            tracing::error!(accepted = low.is_some(), "{gap}");
            if let Some(low) = low {
                tolerate_rebalance(self.consumer.seek(&partition, low))?;
            } else {
                self.gaps.insert(partition, gap.to_string());
            }
        }
        Ok(())
    }

    /// Starts partitions that were assigned: at their committed offset, or at the beginning.
    fn start_partitions(&mut self) -> Result<(), LoaderError> {
        let is_new =
            |(partition, started): (&TopicPartition, &bool)| (!started).then(|| partition.clone());
        let new: Vec<TopicPartition> = self.partitions.iter().filter_map(is_new).collect();
        if new.is_empty() {
            return Ok(());
        }
        let committed = match self.consumer.committed(&new) {
            Ok(committed) => committed,
            Err(error) => return later(error),
        };
        for (partition, committed) in new.into_iter().zip(committed) {
            let (offset, metadata) = match committed {
                Some(committed) => (committed.offset, committed.metadata),
                None => match self.consumer.offsets(&partition) {
                    Ok(range) => (range.low, String::new()),
                    Err(error) => return later(error),
                },
            };
            self.core.assign(&partition, offset, &metadata)?;
            let kind = self.core.topics().kind(&partition.topic);
            if kind.is_some_and(|kind| self.paused.contains(&kind)) {
                tolerate_rebalance(self.consumer.pause(std::slice::from_ref(&partition)))?;
            }
            match self.consumer.seek(&partition, offset) {
                Ok(()) => self.partitions.insert(partition, true),
                Err(error) => return later(error),
            };
        }
        Ok(())
    }

    /// Hands due batches to the sink and takes in its answers.
    fn exchange(&mut self, max_wait: Duration) {
        for batch in self.core.due(self.clock.steady_ms()) {
            self.sink.start(batch);
        }
        for (id, answer) in self.sink.answers(max_wait) {
            self.core.answer(id, &answer, self.clock.steady_ms());
        }
    }

    fn pause_and_resume(&mut self) -> Result<(), LoaderError> {
        for kind in TopicKind::ALL {
            let pause = !self.core.has_room(kind);
            if pause == self.paused.contains(&kind) {
                continue;
            }
            let topic = Arc::clone(self.core.topics().name(kind));
            let of_topic = |partition: &&TopicPartition| partition.topic == topic;
            let partitions: Vec<_> = self.partitions.keys().filter(of_topic).cloned().collect();
            if pause {
                self.paused.insert(kind);
                tolerate_rebalance(self.consumer.pause(&partitions))?;
            } else {
                self.paused.remove(&kind);
                tolerate_rebalance(self.consumer.resume(&partitions))?;
            }
            metrics::paused(&topic, pause);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), LoaderError> {
        let commits = self.core.commits()?;
        if commits.is_empty() {
            return Ok(());
        }
        match self.consumer.commit(&commits) {
            CommitOutcome::Committed => self.core.committed(&commits),
            CommitOutcome::Unknown { reason } => {
                tracing::warn!(reason, "committing offsets failed; it is tried again");
            }
            CommitOutcome::Fenced { reason } => {
                tracing::warn!(
                    reason,
                    "this member was put out of its group; it joins again"
                );
                for partition in std::mem::take(&mut self.partitions).keys() {
                    self.core.drop_partition(partition);
                }
                self.consumer.rejoin()?;
            }
        }
        Ok(())
    }
}

/// What passes by itself is tried again at the next step.
fn later(error: StreamError) -> Result<(), LoaderError> {
    match error {
        StreamError::Unavailable { .. } | StreamError::NotAssigned { .. } => {
            tracing::warn!("{error}");
            Ok(())
        }
        StreamError::Fatal { .. }
        | StreamError::UnknownTopic { .. }
        | StreamError::TopicDiffers { .. }
        | StreamError::TooLarge { .. }
        | StreamError::Delivery(_)
        | StreamError::Store { .. } => Err(error.into()),
    }
}

/// A partition that a rebalance took meanwhile needs neither pausing nor seeking.
fn tolerate_rebalance(result: Result<(), StreamError>) -> Result<(), LoaderError> {
    result.or_else(later)
}

#[cfg(test)]
mod tests;
