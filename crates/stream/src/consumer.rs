//! Reading a log: alone ([`LogReader`]) or as a member of a group that shares out partitions ([`Consumer`]).
//!
//! Records and changes of ownership are handed to a [`PollHandler`] inside [`LogReader::poll`], in the order in which
//! they happened: a handler that is told `Revoked` gets no further record of that partition, and everything it does
//! afterwards it does knowing so. That order is the whole reason for a callback instead of a list of records.

use std::fmt;
use std::time::Duration;

use crate::error::StreamError;
use crate::record::{Record, TopicPartition};

/// What happened beside records.
#[derive(Clone, Copy, Debug)]
pub enum ConsumerEvent<'a> {
    /// These partitions are this member's from now on. They deliver nothing until [`LogReader::seek`] names the offset
    /// to start from. (A reader outside a group is told the same once, and its partitions are already started.)
    Assigned(&'a [TopicPartition]),
    /// These partitions go to another member, which gets them only after this call: drop them, commit nothing for them.
    Revoked(&'a [TopicPartition]),
    /// These partitions were taken away while this member was not heard of; another one may be at work on them already.
    Lost(&'a [TopicPartition]),
    /// The partition ended at `end` a moment ago, and between the last record delivered and there is none: aborted
    /// transactions, their markers and compaction leave such tails. The position is `end` now. Readers of several topics
    /// may not be told.
    EndReached {
        /// The partition.
        partition: &'a TopicPartition,
        /// Where it ended.
        end: i64,
    },
    /// Retention removed records that were not read yet: `position` is below the partition's first offset, `low`.
    /// The partition delivers nothing until it is told to [`LogReader::seek`].
    OffsetsGone {
        /// The partition.
        partition: &'a TopicPartition,
        /// The next offset that would have been read.
        position: i64,
        /// The first offset that still exists.
        low: i64,
    },
    /// The log ends before `position`: it lost records, or the topic was made anew.
    /// The partition delivers nothing until it is told to [`LogReader::seek`].
    OffsetsAhead {
        /// The partition.
        partition: &'a TopicPartition,
        /// The next offset that would have been read.
        position: i64,
        /// What the partition holds.
        range: OffsetRange,
    },
}

/// Gets what a poll brings. Neither method may call back into the consumer.
pub trait PollHandler {
    /// The next record of one of the partitions, in offset order within each.
    fn record(&mut self, record: &Record<'_>);
    /// A change of ownership or of the log itself.
    fn event(&mut self, event: ConsumerEvent<'_>);
}

/// The offsets a partition holds: `low` is the first, `high` the one that will be written next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetRange {
    /// First offset that still exists (or will, in an empty partition).
    pub low: i64,
    /// Offset of the next record to be appended.
    pub high: i64,
}

/// Reads partitions in offset order.
pub trait LogReader: Send + fmt::Debug {
    /// Delivers at most `max_records` records and every event that is due, and waits at most `max_wait` for the first
    /// of them. Returns how many records were delivered. Must be called regularly, also when nothing is wanted: group
    /// membership is served here.
    ///
    /// # Errors
    /// [`StreamError::Fatal`] if the client cannot go on; transient trouble is retried inside and not reported.
    fn poll(
        &mut self,
        max_wait: Duration,
        max_records: usize,
        handler: &mut dyn PollHandler,
    ) -> Result<usize, StreamError>;

    /// The next record delivered of that partition will be the first one at or above `offset`. Starts a partition that
    /// has just been assigned; leaves a paused one paused.
    ///
    /// # Errors
    /// [`StreamError::NotAssigned`], or [`StreamError::Unavailable`] if the client did not get there in time.
    fn seek(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), StreamError>;

    /// Stops delivering records of these partitions, without giving them up.
    ///
    /// # Errors
    /// [`StreamError::NotAssigned`].
    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError>;

    /// Undoes [`LogReader::pause`]; goes on where it stopped.
    ///
    /// # Errors
    /// [`StreamError::NotAssigned`].
    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError>;

    /// One more than the last delivered offset, the last end told of, or where [`LogReader::seek`] pointed, whichever
    /// came last; `None` before all of them.
    fn position(&self, partition: &TopicPartition) -> Option<i64>;

    /// Asks the log which offsets the partition holds.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`], [`StreamError::UnknownTopic`].
    fn offsets(&mut self, partition: &TopicPartition) -> Result<OffsetRange, StreamError>;
}

/// An offset to commit for the group: everything below it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Which partition.
    pub partition: TopicPartition,
    /// The next offset to be read by whoever owns it next.
    pub offset: i64,
    /// Text kept beside the offset (at most 4096 bytes).
    pub metadata: String,
}

/// What the group's coordinator holds for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The committed offset.
    pub offset: i64,
    /// The text committed beside it; empty if there was none.
    pub metadata: String,
}

/// The answer to a commit. Everything in one call shares one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a commit that was refused means giving the partitions up"]
pub enum CommitOutcome {
    /// Written down.
    Committed,
    /// Refused: this member's generation is over and others own the partitions. Nothing was written.
    Fenced {
        /// The coordinator's words.
        reason: String,
    },
    /// Nobody knows: the answer was lost, or a rebalance is under way. Poll, and if the partitions are still one's own,
    /// commit again (repeating is harmless).
    Unknown {
        /// What went wrong.
        reason: String,
    },
}

/// A member of a consumer group.
///
/// Partitions are shared out cooperatively: a rebalance takes only what moves. A member that was silent too long is
/// out of the group; until it polls again its commits are refused, **and once it has polled the coordinator accepts its
/// commits for any partition**. So after every poll a member drops what the rebalance took before it does anything
/// else, and commits for nothing else.
pub trait Consumer: LogReader {
    /// Commits, and waits for the answer.
    fn commit(&mut self, commits: &[Commit]) -> CommitOutcome;

    /// What is committed for these partitions, in the same order; `None` where nothing is.
    ///
    /// # Errors
    /// [`StreamError::Unavailable`].
    fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<Committed>>, StreamError>;

    /// Leaves the group and joins it again: what a member does whose commit was refused. Its partitions come back by
    /// `Assigned` in a later poll, if they come back.
    ///
    /// # Errors
    /// [`StreamError::Fatal`].
    fn rejoin(&mut self) -> Result<(), StreamError>;

    /// Leaves the group for good, so that others need not wait for a time-out.
    fn leave(&mut self);
}
