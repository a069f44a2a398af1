//! The loader: every topic of slawatch into ClickHouse, and the tables and views that it loads into.
//!
//! - [`migrate`]: makes and upgrades the database; the SQL stands in `migrations/`.
//! - [`schema`](Table): the tables' columns as they are written.
//! - [`LoaderCore`]: all decisions, pure. [`LoaderWorker`]: carries them out on a log and a [`Sink`].
//! - [`ClickHouseSink`]: the sink that is ClickHouse; [`model::MemoryTables`]: the one that lives in memory.
//!
//! Not here: what the numbers mean (the tracker and the evaluator say that), and reading tables for people (views).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
mod batch;
mod clickhouse_sink;
mod client;
mod core;
mod error;
mod fence;
mod frame;
mod intake;
mod metrics;
mod migrate;
mod migration_sql;
pub mod model;
mod refusal;
mod row_policy;
mod rowbinary;
mod rows;
mod schema;
mod sink;
mod worker;

pub use backoff::Backoff;
pub use batch::{Batch, BatchId};
pub use clickhouse_sink::ClickHouseSink;
pub use client::ClickHouseOptions;
pub use core::{Answer, BatchOptions, LoaderCore};
pub use error::LoaderError;
pub use fence::MAX_METADATA_BYTES;
pub use intake::{IntakeOptions, TopicKind, Topics};
pub use metrics::describe as describe_metrics;
pub use migrate::{Applied, MigrateOptions, migrate};
pub use row_policy::{RowPolicy, row_policies};
pub use schema::Table;
pub use sink::Sink;
pub use worker::{LoaderHealth, LoaderWorker, WorkerOptions};
