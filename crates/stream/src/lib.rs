//! Partitioned logs and the workers that turn one log into another.
//!
//! Everything a role needs from the outside is a small trait here: a [`Log`] to read from and write to, a
//! [`SnapshotStore`], a [`Clock`]. Each has a real implementation and one that lives in memory. One conformance suite
//! (`tests/conformance`) holds the Kafka log and the in-memory log to the same behaviour, so that whole clusters with
//! crashes, zombies and rebalances can be tested on the latter, deterministically.
//!
//! - [`record`], [`consumer`], [`producer`], [`probe`], [`log`]: what a log is.
//! - [`store`]: where snapshots are kept.
//! - [`clock`]: the wall clock, injected.
//! - [`processor`]: the pure logic of a role over one source partition, which a worker drives.
//!
//! Not here: what is read or written (the roles know), and any decision about tickets, alerts or rows.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clock;
pub mod consumer;
mod error;
pub mod faults;
pub mod kafka;
pub mod log;
pub mod memory;
pub mod probe;
pub mod processor;
pub mod producer;
pub mod record;
pub mod snapshot;
pub mod store;
mod telemetry;
pub mod worker;

pub use clock::{Clock, ManualClock, SystemClock};
pub use consumer::{
    Commit, CommitOutcome, Committed, Consumer, ConsumerEvent, LogReader, OffsetRange, PollHandler,
};
pub use error::StreamError;
pub use kafka::{KafkaLog, KafkaOptions};
pub use log::{Log, StartAt, TimestampKind, TopicSpec};
pub use memory::{MemoryConsumer, MemoryLog, MemorySession};
pub use probe::{EndOffsets, EndProbe};
pub use processor::{Processor, ProcessorFactory, RestoreError, SnapshotView, Source, Stamp};
pub use producer::{DeliveryFailed, MAX_SENT_BYTES, Producer};
pub use record::{HeaderSource, Headers, NoHeaders, Outgoing, Record, TopicPartition};
pub use store::{MemoryStore, ObjectSnapshots, PutOutcome, SnapshotStore};
pub use telemetry::describe as describe_metrics;
pub use worker::{
    PartitionState, PartitionStatus, StepOutcome, Worker, WorkerConfig, WorkerParts, WorkerStatus,
};
