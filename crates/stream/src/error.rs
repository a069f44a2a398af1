//! Everything that can go wrong between a process and its logs and stores, each with what to do about it.

use crate::producer::DeliveryFailed;
use crate::record::TopicPartition;

/// An error of a log, a store or a worker.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Trouble that may pass; the caller tries again later.
    #[error("{what} is not available: {reason}; it is tried again")]
    Unavailable {
        /// What was asked.
        what: String,
        /// Why there was no answer.
        reason: String,
    },
    /// The client cannot go on; the process ends and is started again.
    #[error("{what} cannot go on: {reason}")]
    Fatal {
        /// Which client.
        what: String,
        /// Why.
        reason: String,
    },
    /// There is no such topic.
    #[error("topic {topic} does not exist: create it, or correct its name in the configuration")]
    UnknownTopic {
        /// The name asked for.
        topic: String,
    },
    /// A topic exists with another number of partitions.
    #[error(
        "topic {topic} has {actual} partitions, but {wanted} are configured: configure {actual}, or the name of another topic"
    )]
    TopicDiffers {
        /// The topic.
        topic: String,
        /// What was asked for.
        wanted: u32,
        /// What is there.
        actual: u32,
    },
    /// The partition is not (or no longer) this member's.
    #[error("{partition} is not assigned to this member")]
    NotAssigned {
        /// Which one.
        partition: TopicPartition,
    },
    /// A record exceeds what the topic takes.
    #[error("{}", too_large(.destination, *.bytes, Some(*.limit)))]
    TooLarge {
        /// Topic and partition.
        destination: TopicPartition,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A record was given up.
    #[error(transparent)]
    Delivery(#[from] DeliveryFailed),
    /// The snapshot store failed.
    #[error("snapshot store: {what}: {reason}")]
    Store {
        /// What was tried, with the key.
        what: String,
        /// Why it failed.
        reason: String,
    },
}

pub(crate) fn too_large(
    destination: &TopicPartition,
    bytes: usize,
    limit: Option<usize>,
) -> String {
    let limit = limit.map_or_else(
        || "it does not say how much".to_owned(),
        |limit| format!("{limit} bytes"),
    );
    format!(
        "a record of {bytes} bytes for {destination} is larger than the log takes ({limit}): raise max.message.bytes of \
         topic {}",
        destination.topic
    )
}
