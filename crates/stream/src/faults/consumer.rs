//! A consumer that fails on demand.

use std::time::Duration;

use super::{Fault, Faults, Operation, dead};
use crate::consumer::{
    Commit, CommitOutcome, Committed, Consumer, LogReader, OffsetRange, PollHandler,
};
use crate::error::StreamError;
use crate::record::TopicPartition;

#[derive(Debug)]
pub(super) struct FaultyConsumer {
    faults: Faults,
    inner: Box<dyn Consumer>,
}

impl FaultyConsumer {
    pub(super) fn new(faults: Faults, inner: Box<dyn Consumer>) -> Self {
        Self { faults, inner }
    }
}

impl LogReader for FaultyConsumer {
    fn poll(
        &mut self,
        max_wait: Duration,
        max_records: usize,
        handler: &mut dyn PollHandler,
    ) -> Result<usize, StreamError> {
        match self.faults.meet(Operation::Poll) {
            Fault::None | Fault::LosesAnswer => self.inner.poll(max_wait, max_records, handler),
            Fault::Fails | Fault::Delays => Ok(0),
            Fault::CrashesBefore => Err(dead()),
            Fault::CrashesAfter => {
                self.inner.poll(max_wait, max_records, handler)?;
                Err(dead())
            }
        }
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), StreamError> {
        self.faults.around(Operation::Ask, "a seek", || {
            self.inner.seek(partition, offset)
        })
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        self.inner.pause(partitions)
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        self.inner.resume(partitions)
    }

    fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.inner.position(partition)
    }

    fn offsets(&mut self, partition: &TopicPartition) -> Result<OffsetRange, StreamError> {
        self.faults
            .around(Operation::Ask, "the first and last offset", || {
                self.inner.offsets(partition)
            })
    }
}

impl Consumer for FaultyConsumer {
    fn commit(&mut self, commits: &[Commit]) -> CommitOutcome {
        let unknown = |reason: &str| CommitOutcome::Unknown {
            reason: reason.to_owned(),
        };
        match self.faults.meet(Operation::Commit) {
            Fault::None | Fault::Delays => self.inner.commit(commits),
            Fault::Fails => unknown("failed on demand"),
            Fault::CrashesBefore => unknown("crashed on demand"),
            Fault::LosesAnswer | Fault::CrashesAfter => match self.inner.commit(commits) {
                CommitOutcome::Committed | CommitOutcome::Fenced { .. } => {
                    unknown("the answer was lost on demand")
                }
                CommitOutcome::Unknown { reason } => CommitOutcome::Unknown { reason },
            },
        }
    }

    fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<Committed>>, StreamError> {
        self.faults
            .around(Operation::Ask, "the committed offsets", || {
                self.inner.committed(partitions)
            })
    }

    fn rejoin(&mut self) -> Result<(), StreamError> {
        if self.faults.crashed() {
            Err(dead())
        } else {
            self.inner.rejoin()
        }
    }

    fn leave(&mut self) {
        if !self.faults.crashed() {
            self.inner.leave();
        }
    }
}
