//! Writing to a log, so that it can be known what has arrived.
//!
//! Sends are numbered from 1 in the order of their calls. [`Producer::poll`] says up to which number *all* of them are
//! acknowledged by every in-sync replica. A worker remembers the number after each flush; an input offset may be
//! committed once the number of its flush is reached. A slow output partition thereby holds back commits, never output.

use std::fmt;
use std::time::Duration;

use crate::error::{StreamError, too_large};
use crate::record::{Outgoing, TopicPartition};

/// The largest record that a producer takes; a topic's own limit is usually lower.
pub const MAX_SENT_BYTES: usize = 16 << 20;

/// A record was given up by the client, and later ones may be in the log without it.
/// The producer is of no more use until [`Producer::reset`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryFailed {
    /// It may or may not be in the log; a worker retakes its partitions under a new epoch.
    #[error("a record for {destination} could not be delivered: {reason}")]
    Lost {
        /// Topic and partition.
        destination: String,
        /// The client's words.
        reason: String,
    },
    /// The log refuses it for its size, and would do so again.
    #[error("{}", too_large(.destination, *.bytes, *.limit))]
    TooLarge {
        /// The number of its send.
        number: u64,
        /// Topic and partition.
        destination: TopicPartition,
        /// Its size.
        bytes: usize,
        /// What the topic takes; `None` if it does not say.
        limit: Option<usize>,
    },
}

/// An idempotent writer: within its life no record is doubled, and records of one partition keep their order.
pub trait Producer: Send + fmt::Debug {
    /// Hands a record over, without waiting for it to arrive. Returns its number. May block while the client's own
    /// buffer is full.
    ///
    /// # Errors
    /// [`StreamError::TooLarge`] above [`MAX_SENT_BYTES`] (nothing was sent), [`StreamError::UnknownTopic`],
    /// [`StreamError::Delivery`] if the producer has failed.
    fn send(&mut self, record: Outgoing) -> Result<u64, StreamError>;

    /// Takes in acknowledgements, waiting at most `max_wait` for some if records are under way. Returns the number up
    /// to which every send is acknowledged.
    ///
    /// # Errors
    /// [`DeliveryFailed`] if a record was given up; the same again until [`Producer::reset`].
    fn poll(&mut self, max_wait: Duration) -> Result<u64, DeliveryFailed>;

    /// The number of the last send; 0 before the first.
    fn sent(&self) -> u64;

    /// Starts afresh after a failure: what was under way is forgotten (it may still arrive), and numbers go on from
    /// where they were, everything up to there counting as acknowledged.
    ///
    /// # Errors
    /// [`StreamError::Fatal`] if no new client can be made.
    fn reset(&mut self) -> Result<(), StreamError>;
}
