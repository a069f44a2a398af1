//! The worker: one thread's share of a role, as a step function over a log, a snapshot store and two clocks.
//!
//! It owns a [`Processor`] for each partition that the group gives it, and everything that makes a restart invisible in
//! the numbers. One [`Worker::step`] polls once and then does whatever is due; nothing happens between steps, so a
//! test that decides who steps next decides everything.
//!
//! # What keeps it right
//! - **Ownership comes first.** The poll's callback drops what a rebalance took before another record is looked at;
//!   what is dropped is neither published nor committed any more. What was sent already is of an epoch that the next
//!   owner outbids.
//! - **Claim, then speak.** A partition is taken by committing its own offset with epoch + 1. The coordinator refuses
//!   members of an old generation, so of two that believe to own a partition at most one gets past this point with the
//!   higher epoch, and readers drop the other's batches.
//!   Where the group's offset is gone (Kafka deletes those of a group without members after a week) but snapshots are
//!   there, the newest is gone on from, under an epoch above any that can have been claimed since.
//! - **Commit behind the acknowledgements.** Each flush remembers the position that it covers and the number of its
//!   last send. The position is committed once the producer has everything up to that number acknowledged; several
//!   flushes may be under way.
//! - **Write the clock down before it speaks.** The processor's clock is moved by record timestamps and by instants
//!   that were committed, by nothing else. A proof that nothing is missing is told as progress as long as nothing falls
//!   due. Where something does, the worker *holds*: it flushes, reads nothing, waits for the
//!   acknowledgements, commits (position, clock), and only then lets the clock fire. A hold that takes too long is
//!   called off, and tried again at the next proof: an unreachable broker must not stop the polling that keeps the
//!   membership alive. So all that a dead owner can have said follows from the log and the committed clock.
//! - **Snapshots trail commits.** A snapshot is taken right after a flush, kept until a commit covers its offset and
//!   clock, then put (create-only), and named by the next commit. Whatever a commit names is in the store; whatever is
//!   in the store could be derived again from the log and a committed clock.
//! - **Failure is forgetting.** A refused commit gives everything up and rejoins; a failed delivery takes every
//!   partition again under a new epoch; a step that returns an error ends the thread. No state is ever repaired.
//!
//! Not here: what the records mean ([`crate::processor`]), threads and signals (the program that steps it).

mod commit;
mod config;
mod intake;
mod publish;
mod slot;
mod snapshots;
mod status;
mod takeover;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use config::WorkerConfig;
pub use status::{PartitionState, PartitionStatus, WorkerStatus};

use crate::clock::Clock;
use crate::consumer::Consumer;
use crate::error::StreamError;
use crate::log::Log;
use crate::probe::{EndOffsets, EndProbe};
use crate::processor::{Processor, ProcessorFactory};
use crate::producer::Producer;
use crate::record::{Outgoing, TopicPartition};
use crate::store::SnapshotStore;

use intake::{Intake, OutOfRange};
use slot::{Phase, Slot};

/// What a worker works with.
pub struct WorkerParts<F> {
    /// Its membership of the group.
    pub consumer: Box<dyn Consumer>,
    /// Its own writer.
    pub producer: Box<dyn Producer>,
    /// Where the source topic ends.
    pub probe: Box<dyn EndProbe>,
    /// Where snapshots are kept, the same for all workers of the group.
    pub store: Arc<dyn SnapshotStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The role.
    pub factory: Arc<F>,
    /// How many partitions the source topic has.
    pub partitions: u32,
}

impl<F> fmt::Debug for WorkerParts<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerParts")
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

impl<F> WorkerParts<F> {
    /// Opens everything that a worker needs of `log`.
    ///
    /// # Errors
    /// As the log's own functions.
    pub fn open(
        log: &dyn Log,
        config: &WorkerConfig,
        store: Arc<dyn SnapshotStore>,
        clock: Arc<dyn Clock>,
        factory: Arc<F>,
    ) -> Result<Self, StreamError> {
        Ok(Self {
            partitions: log.partitions(&config.topic)?,
            probe: log.end_probe(&config.topic)?,
            producer: log.producer()?,
            consumer: log.member(&config.group, &[&config.topic])?,
            store,
            clock,
            factory,
        })
    }
}

/// What a step came to; tells the caller whether the next one has work at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// Records were applied.
    Worked {
        /// How many.
        records: usize,
    },
    /// Nothing was there to read.
    Idle,
    /// Nothing was read: acknowledgements are awaited before the clock may fire.
    Held,
}

/// See the module.
pub struct Worker<F: ProcessorFactory> {
    parts: WorkerParts<F>,
    config: WorkerConfig,
    /// By partition number.
    slots: Vec<Slot<F::Processor>>,
    /// Output of one flush, reused.
    out: Vec<Outgoing>,
    ends: Option<EndOffsets>,
    /// When the current hold began.
    held_since_ms: Option<u64>,
    throttled: bool,
    /// The topic has at least so many partitions, more than when this worker began.
    grown: Option<u32>,
    committed_at_ms: u64,
    /// A snapshot waits to be named, or a partition was just taken over.
    commit_soon: bool,
    reported_at_ms: u64,
    status: WorkerStatus,
}

impl<F: ProcessorFactory> fmt::Debug for Worker<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("config", &self.config)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

impl<F: ProcessorFactory> Worker<F> {
    /// A worker that owns nothing yet.
    pub fn new(parts: WorkerParts<F>, config: WorkerConfig) -> Self {
        let topic: Arc<str> = Arc::from(config.topic.as_str());
        let slots = (0..parts.partitions)
            .map(|number| Slot::new(&topic, number, parts.partitions, &config));
        let now_ms = parts.clock.steady_ms();
        Self {
            slots: slots.collect(),
            out: Vec::new(),
            ends: None,
            held_since_ms: None,
            throttled: false,
            grown: None,
            committed_at_ms: now_ms,
            commit_soon: false,
            reported_at_ms: now_ms,
            status: WorkerStatus::new(&config.role),
            parts,
            config,
        }
    }

    /// A handle on how the partitions fare, brought up to date about once a second.
    pub fn status(&self) -> WorkerStatus {
        self.status.clone()
    }

    /// Polls once, waiting at most `max_wait` for something to read, and does whatever is due.
    ///
    /// # Errors
    /// Those that end the worker: drop it and start another one.
    pub fn step(&mut self, max_wait: Duration) -> Result<StepOutcome, StreamError> {
        self.take_acknowledgements(Duration::ZERO)?;
        if self.still_holding(max_wait)? {
            return Ok(StepOutcome::Held);
        }
        let records = self.read(max_wait)?;
        self.take_over_next()?;
        self.tick();
        self.prove_clocks();
        self.flush_due()?;
        self.begin_hold();
        self.commit_due()?;
        self.throttle();
        self.report(false);
        Ok(if records > 0 {
            StepOutcome::Worked { records }
        } else {
            StepOutcome::Idle
        })
    }

    /// Ends in good order: publishes, waits at most `max_wait` for the acknowledgements, commits, leaves a snapshot of
    /// every partition, and leaves the group.
    ///
    /// # Errors
    /// As [`Worker::step`]; nothing is lost by it that a takeover would not find again.
    pub fn close(mut self, max_wait: Duration) -> Result<(), StreamError> {
        self.abandon_hold();
        let until_ms = self
            .now_ms()
            .saturating_add(u64::try_from(max_wait.as_millis()).unwrap_or(u64::MAX));
        self.flush_all()?;
        self.snapshot_all();
        loop {
            self.take_acknowledgements(Duration::from_millis(20))?;
            let waiting = self.slots.iter().any(Slot::awaits_acknowledgement);
            if !waiting || self.now_ms() >= until_ms {
                break;
            }
        }
        // The first commit lets the snapshots be put, the second names them.
        self.commit_all()?;
        self.commit_all()?;
        self.report(true);
        self.parts.consumer.leave();
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        self.parts.clock.steady_ms()
    }

    /// Polls, and serves what the poll told.
    fn read(&mut self, max_wait: Duration) -> Result<usize, StreamError> {
        let wait = self.wait_until_due(max_wait);
        let mut intake = Intake::new(&mut self.slots, self.parts.clock.as_ref());
        let records = self
            .parts
            .consumer
            .poll(wait, self.config.max_poll_records, &mut intake)?;
        let troubles = intake.finish();
        for (partition, how) in troubles.out_of_range {
            self.out_of_range(partition as usize, how)?;
        }
        if let Some(unknown) = troubles.unknown {
            self.grown = Some(unknown + 1);
        }
        self.stop_if_grown();
        Ok(records)
    }

    /// How long the poll may sleep without delaying a flush.
    fn wait_until_due(&self, max_wait: Duration) -> Duration {
        let now_ms = self.now_ms();
        let due = self
            .slots
            .iter()
            .filter_map(|slot| slot.running()?.next_flush_ms(now_ms, &self.config))
            .min();
        let sleep = due.map_or(max_wait, |due_ms| {
            Duration::from_millis(due_ms.saturating_sub(now_ms))
        });
        sleep.min(max_wait)
    }

    /// The log does not hold what comes next: retention was faster, or the log is not the one that was read.
    fn out_of_range(&mut self, index: usize, how: OutOfRange) -> Result<(), StreamError> {
        let Some(slot) = self.slots.get(index) else {
            return Ok(());
        };
        if slot.running().is_none() {
            return Ok(());
        }
        let reason = match how {
            OutOfRange::Gone { position, low } => {
                match takeover::gap(slot, position, low, &self.config) {
                    Some(reason) => reason,
                    None => return self.go_on_at(index, low),
                }
            }
            OutOfRange::Ahead { position, high } => takeover::beyond_end(
                &slot.partition,
                "the position",
                position,
                high,
                &self.config,
            ),
        };
        self.stop(index, reason);
        Ok(())
    }

    /// Tickets go to other partitions than their history once there are more: nothing goes on, here or elsewhere.
    fn stop_if_grown(&mut self) {
        let Some(actual) = self.grown else {
            return;
        };
        for index in 0..self.slots.len() {
            match &self.slots[index].phase {
                Phase::Absent | Phase::Stopped { .. } => {}
                Phase::Claiming { .. } | Phase::Running(_) => {
                    let source = &self.slots[index].source;
                    let reason = takeover::other_count(
                        &source.topic,
                        source.partitions,
                        actual,
                        &self.config,
                    );
                    self.stop(index, reason);
                }
            }
        }
    }

    fn go_on_at(&mut self, index: usize, low: i64) -> Result<(), StreamError> {
        let slot = &mut self.slots[index];
        self.parts.consumer.seek(&slot.partition, low)?;
        if let Some(running) = slot.running_mut() {
            running.reach(low);
            running.finish_replay();
        }
        Ok(())
    }

    fn tick(&mut self) {
        let wall_ms = self.parts.clock.wall_ms();
        for running in self.slots.iter_mut().filter_map(Slot::live_mut) {
            if running.processor.tick(wall_ms) {
                running.fired = true;
            }
        }
    }

    /// Moves the clocks of partitions in which nothing is missing to the instant of the newest probe, where that
    /// publishes nothing; where it would, notes the instant to be written down first.
    fn prove_clocks(&mut self) {
        if let Some(newest) = self.parts.probe.newest() {
            self.ends = Some(newest);
        }
        let Some(ends) = self
            .ends
            .as_ref()
            .filter(|_| self.parts.factory.follows_wall_clock())
        else {
            return;
        };
        // An answer proves its instant also once what it named has been read since.
        for slot in &mut self.slots {
            let end = ends
                .ends
                .get(slot.source.partition as usize)
                .copied()
                .flatten();
            if let (Some(end), Some(running)) = (end, slot.live_mut()) {
                running.prove(end, ends.asked_at_ms);
            }
        }
    }

    /// Keeps what is published but not acknowledged within bounds, without leaving the group.
    fn throttle(&mut self) {
        let under_way: usize = self
            .slots
            .iter()
            .filter_map(Slot::running)
            .map(|running| running.flight_bytes)
            .sum();
        let pause = if self.throttled {
            under_way >= self.config.max_unacknowledged_bytes / 2
        } else {
            under_way > self.config.max_unacknowledged_bytes
        };
        if pause == self.throttled {
            return;
        }
        let started = self.slots.iter().filter(|slot| slot.running().is_some());
        let partitions: Vec<TopicPartition> = started.map(|slot| slot.partition.clone()).collect();
        let consumer = &mut self.parts.consumer;
        let told = if pause {
            consumer.pause(&partitions)
        } else {
            consumer.resume(&partitions)
        };
        match told {
            Ok(()) => self.throttled = pause,
            Err(error) => tracing::warn!(%error, "reading could not be throttled"),
        }
    }

    /// Forgets everything owned, and joins the group anew.
    fn give_up(&mut self, reason: &str) -> Result<(), StreamError> {
        tracing::warn!(
            role = self.config.role,
            reason,
            "fenced: giving up all partitions and joining the group again"
        );
        crate::telemetry::count_fenced(&self.config.role);
        for slot in &mut self.slots {
            slot.phase = Phase::Absent;
        }
        self.held_since_ms = None;
        self.throttled = false;
        self.parts.consumer.rejoin()
    }

    /// Takes every partition again under a new epoch, with a new producer.
    fn retake(&mut self, reason: &str) -> Result<(), StreamError> {
        tracing::error!(
            role = self.config.role,
            reason,
            "a delivery failed: taking all partitions again"
        );
        crate::telemetry::count_retaken(&self.config.role);
        let retry_at_ms = self.now_ms() + self.config.retry_ms;
        for slot in &mut self.slots {
            if slot.running().is_some() {
                slot.phase = Phase::Claiming {
                    retry_at_ms,
                    note: Some(reason.to_owned()),
                };
            }
        }
        self.held_since_ms = None;
        self.parts.producer.reset()
    }

    fn report(&mut self, now: bool) {
        let now_ms = self.now_ms();
        if now || now_ms >= self.reported_at_ms + self.config.report_ms {
            self.reported_at_ms = now_ms;
            let wall_ms = self.parts.clock.wall_ms();
            self.status
                .update(&self.slots, self.ends.as_ref(), wall_ms, now_ms);
        }
    }
}

#[cfg(test)]
mod tests;
