//! One source partition as a worker sees it: absent, being claimed, running or stopped.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::processor::{Processor, Source};
use crate::record::{Record, TopicPartition};
use crate::snapshot::{Folder, SnapshotId};

use super::WorkerConfig;

/// A position and the clock there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) position: i64,
    pub(super) clock_ms: i64,
}

/// A flush that is on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) batch: u64,
    pub(super) mark: Mark,
    /// The producer's number of its first send, if it has any, ...
    pub(super) first: u64,
    /// ... and of its last.
    pub(super) upto: u64,
    pub(super) bytes: usize,
}

/// A snapshot that waits for the commit of its offset.
pub(super) struct PendingSnapshot {
    pub(super) id: SnapshotId,
    pub(super) mark: Mark,
    pub(super) file: Vec<u8>,
}

/// The silent part of a takeover: up to `until` nothing is published, then the clock is raised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replay {
    pub(super) until: i64,
    pub(super) clock_ms: i64,
}

/// After the replay: the last owner may have published what it concluded from records beyond the group's offset. Saying
/// less than that first would take true things back for a moment, so nothing is said before the records that existed at
/// the takeover are applied, within reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct CatchUp {
    pub(super) until: i64,
    pub(super) at_most_until_ms: u64,
}

pub(super) struct Running<P> {
    pub(super) processor: P,
    pub(super) epoch: u64,
    pub(super) batch: u64,
    pub(super) base: i64,
    pub(super) follows_wall_clock: bool,
    pub(super) replay: Option<Replay>,
    pub(super) catch_up: Option<CatchUp>,

    pub(super) position: i64,
    /// The clock that the processor knows: record timestamps and what was written down, nothing else. So whatever it
    /// concludes follows from the log and a committed clock.
    pub(super) clock_ms: i64,
    /// The newest instant at which nothing was missing and nothing fell due; told as progress, not to the processor.
    pub(super) proved_ms: i64,
    pub(super) log_clock_ms: i64,
    /// An instant proved by the probe at which something fires; to be written down first.
    pub(super) proposal_ms: Option<i64>,

    pub(super) unflushed: u32,
    /// Something other than a record is to be published.
    pub(super) fired: bool,
    pub(super) flushed_at_ms: u64,
    /// `None`: progress is due at once.
    pub(super) progress_at_ms: Option<u64>,
    pub(super) flights: VecDeque<Flight>,
    pub(super) flight_bytes: usize,

    /// Everything up to here is acknowledged.
    pub(super) acknowledged: Mark,
    pub(super) committed: Mark,
    /// The snapshot that the committed metadata names.
    pub(super) named: Option<SnapshotId>,
    /// The newest one in the store.
    pub(super) stored: Option<SnapshotId>,
    pub(super) pending: Option<PendingSnapshot>,
    pub(super) snapshot_due_ms: u64,
    pub(super) stored_at_ms: u64,
}

/// The wall clock, read at most once per poll unless a record is ahead of it.
pub(super) struct Wall<'a> {
    clock: &'a dyn Clock,
    read_ms: i64,
}

impl<'a> Wall<'a> {
    pub(super) fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            read_ms: clock.wall_ms(),
        }
    }

    /// The smaller of `timestamp_ms` and the wall clock.
    fn cap(&mut self, timestamp_ms: i64) -> i64 {
        if timestamp_ms > self.read_ms {
            self.read_ms = self.clock.wall_ms();
        }
        timestamp_ms.min(self.read_ms)
    }
}

impl<P: Processor> Running<P> {
    /// Takes in one record; the hot path.
    pub(super) fn take(&mut self, record: &Record<'_>, wall: &mut Wall<'_>) {
        if self
            .replay
            .is_some_and(|replay| record.offset >= replay.until)
        {
            self.go_live();
        }
        self.processor.apply(record);
        self.position = record.offset + 1;
        self.log_clock_ms = self.log_clock_ms.max(record.timestamp_ms);
        self.unflushed = self.unflushed.saturating_add(1);
        if self.follows_wall_clock && record.timestamp_ms > self.clock_ms {
            let clock_ms = wall.cap(record.timestamp_ms);
            if clock_ms > self.clock_ms {
                self.move_clock(clock_ms);
            }
        }
    }

    pub(super) fn move_clock(&mut self, clock_ms: i64) {
        self.clock_ms = clock_ms;
        self.processor.advance_clock(clock_ms);
    }

    /// There is no record between the position and `end`.
    pub(super) fn reach(&mut self, end: i64) {
        self.position = self.position.max(end);
    }

    /// Was this send part of a flush that is still under way?
    pub(super) fn sent(&self, number: u64) -> bool {
        let of = |flight: &Flight| (flight.first..=flight.upto).contains(&number);
        self.flights.iter().any(of)
    }

    /// Ends the replay if it has come far enough.
    pub(super) fn finish_replay(&mut self) {
        if self
            .replay
            .is_some_and(|replay| self.position >= replay.until)
        {
            self.go_live();
        }
    }

    fn go_live(&mut self) {
        if let Some(replay) = self.replay.take() {
            if self.follows_wall_clock && replay.clock_ms > self.clock_ms {
                self.move_clock(replay.clock_ms);
            }
            self.processor.took_over(self.epoch);
            self.fired = true;
            self.progress_at_ms = None;
        }
    }

    /// All records below `end` existed at `asked_at_ms`, and no others.
    pub(super) fn prove(&mut self, end: i64, asked_at_ms: i64) {
        if self.position < end || asked_at_ms <= self.spoken_clock_ms() {
            return;
        }
        if self.processor.fires_before(asked_at_ms) {
            self.proposal_ms = Some(asked_at_ms);
        } else {
            self.proved_ms = asked_at_ms;
        }
    }

    /// What the source's clock is to everybody else.
    pub(super) fn spoken_clock_ms(&self) -> i64 {
        self.clock_ms.max(self.proved_ms)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            position: self.position,
            clock_ms: self.clock_ms,
        }
    }

    pub(super) fn has_news(&self) -> bool {
        self.unflushed > 0 || self.fired
    }

    /// A source that knows no instant yet has nothing to say to anybody.
    fn may_speak(&self) -> bool {
        self.replay.is_none() && (!self.follows_wall_clock || self.spoken_clock_ms() > i64::MIN)
    }

    pub(super) fn progress_due(&self, now_ms: u64, config: &WorkerConfig) -> bool {
        self.progress_at_ms
            .is_none_or(|at_ms| now_ms >= at_ms + config.progress_ms)
    }

    /// When the next flush is due; `None` while nothing may be said.
    pub(super) fn next_flush_ms(&self, now_ms: u64, config: &WorkerConfig) -> Option<u64> {
        let catching_up = self.catch_up.is_some_and(|catch_up| {
            now_ms < catch_up.at_most_until_ms && self.position < catch_up.until
        });
        if !self.may_speak() || catching_up {
            return None;
        }
        let progress_ms = self
            .progress_at_ms
            .map_or(0, |at_ms| at_ms + config.progress_ms);
        if self.unflushed >= config.flush_records {
            Some(0)
        } else if self.has_news() {
            Some(progress_ms.min(self.flushed_at_ms + config.flush_ms))
        } else {
            Some(progress_ms)
        }
    }

    /// Is there anything to say, and may it be said?
    pub(super) fn must_flush(&self) -> bool {
        self.may_speak() && self.has_news()
    }
}

pub(super) enum Phase<P> {
    /// Another member's, or nobody's.
    Absent,
    /// Assigned; to be claimed and loaded, not before `retry_at_ms`.
    Claiming {
        retry_at_ms: u64,
        note: Option<String>,
    },
    Running(Box<Running<P>>),
    /// Assigned, and out of work until a person has read the reason.
    Stopped {
        reason: String,
    },
}

pub(super) struct Slot<P> {
    pub(super) partition: TopicPartition,
    pub(super) source: Source,
    pub(super) folder: Folder,
    pub(super) phase: Phase<P>,
}

impl<P> fmt::Debug for Slot<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Absent => "absent".to_owned(),
            Phase::Claiming { .. } => "claiming".to_owned(),
            Phase::Running(running) => {
                format!(
                    "epoch {} batch {} at {}",
                    running.epoch, running.batch, running.position
                )
            }
            Phase::Stopped { reason } => format!("stopped: {reason}"),
        };
        write!(f, "{}: {phase}", self.partition)
    }
}

impl<P> Slot<P> {
    pub(super) fn new(
        topic: &Arc<str>,
        partition: u32,
        partitions: u32,
        config: &WorkerConfig,
    ) -> Self {
        Self {
            partition: TopicPartition::new(Arc::clone(topic), partition),
            source: Source {
                topic: Arc::clone(topic),
                partition,
                partitions,
            },
            folder: Folder::new(&config.snapshot_folder, topic, partition),
            phase: Phase::Absent,
        }
    }

    pub(super) fn running(&self) -> Option<&Running<P>> {
        match &self.phase {
            Phase::Running(running) => Some(running),
            Phase::Absent | Phase::Claiming { .. } | Phase::Stopped { .. } => None,
        }
    }

    pub(super) fn running_mut(&mut self) -> Option<&mut Running<P>> {
        match &mut self.phase {
            Phase::Running(running) => Some(running),
            Phase::Absent | Phase::Claiming { .. } | Phase::Stopped { .. } => None,
        }
    }

    /// Running, and past the replay.
    pub(super) fn live_mut(&mut self) -> Option<&mut Running<P>> {
        self.running_mut()
            .filter(|running| running.replay.is_none())
    }

    pub(super) fn awaits_acknowledgement(&self) -> bool {
        self.running()
            .is_some_and(|running| !running.flights.is_empty())
    }

    /// Puts the partition out of work and says why.
    pub(super) fn stop(&mut self, reason: String) {
        tracing::error!(partition = %self.partition, reason, "the partition is stopped");
        self.phase = Phase::Stopped { reason };
    }
}
