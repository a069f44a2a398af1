//! A log as a whole: the one place from which a process gets its readers, writers and probes.

use std::fmt;

use crate::consumer::{Consumer, LogReader};
use crate::error::StreamError;
use crate::probe::EndProbe;
use crate::producer::Producer;
use crate::record::TopicPartition;

/// Whose timestamp a topic's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampKind {
    /// The producer's.
    Create,
    /// The log's, at appending.
    LogAppend,
}

/// A topic to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// Copies of each partition.
    pub replication: u16,
    /// Whose timestamps.
    pub timestamps: TimestampKind,
    /// How long records are kept; `None` for ever.
    pub retention_ms: Option<u64>,
    /// The largest record it takes.
    pub max_record_bytes: u32,
}

impl TopicSpec {
    /// A topic that stamps records itself, keeps them for ever and takes 1 MiB each, unreplicated.
    pub fn new(name: impl Into<String>, partitions: u32) -> Self {
        Self {
            name: name.into(),
            partitions,
            replication: 1,
            timestamps: TimestampKind::LogAppend,
            retention_ms: None,
            max_record_bytes: 1 << 20,
        }
    }

    /// Is the topic that exists, with `actual` partitions, the one wanted?
    pub(crate) fn check_partitions(&self, actual: u32) -> Result<(), StreamError> {
        if actual == self.partitions {
            return Ok(());
        }
        Err(StreamError::TopicDiffers {
            topic: self.name.clone(),
            wanted: self.partitions,
            actual,
        })
    }
}

/// Where a reader outside a group begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// At the first record that still exists.
    Beginning,
    /// At what is written from now on.
    End,
    /// At the first record whose timestamp is this or later; at the end if there is none.
    TimestampMs(i64),
}

/// Partitioned, ordered, durable topics with consumer groups.
pub trait Log: Send + Sync + fmt::Debug {
    /// How many partitions a topic has.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`], [`StreamError::Unavailable`].
    fn partitions(&self, topic: &str) -> Result<u32, StreamError>;

    /// Makes a topic; one that exists with as many partitions is left as it is.
    ///
    /// # Errors
    /// [`StreamError::TopicDiffers`], [`StreamError::Unavailable`].
    fn create_topic(&self, spec: &TopicSpec) -> Result<(), StreamError>;

    /// What to do if a topic takes timestamps of the far future, which a worker's clock must never follow (DESIGN 2.5). A
    /// log whose producers all stamp by its own clock has nothing to tell.
    fn timestamp_trouble(&self, _topic: &str) -> Option<String> {
        None
    }

    /// Joins `group` to share the partitions of `topics`.
    ///
    /// # Errors
    /// [`StreamError::Fatal`] if no client can be made.
    fn member(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, StreamError>;

    /// Reads these partitions alone, in no group. They are started at `from`, and announced by one
    /// [`crate::ConsumerEvent::Assigned`] in the first poll.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`], [`StreamError::Unavailable`].
    fn reader(
        &self,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Box<dyn LogReader>, StreamError>;

    /// A writer of its own. One a thread.
    ///
    /// # Errors
    /// [`StreamError::Fatal`] if no client can be made.
    fn producer(&self) -> Result<Box<dyn Producer>, StreamError>;

    /// Follows the ends of a topic.
    ///
    /// # Errors
    /// [`StreamError::UnknownTopic`], [`StreamError::Unavailable`].
    fn end_probe(&self, topic: &str) -> Result<Box<dyn EndProbe>, StreamError>;
}
