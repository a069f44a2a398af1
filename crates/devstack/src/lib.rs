//! The real parts that slawatch runs on, for development, the demo and tests: ClickHouse embedded in a process of its own, a
//! local Kafka broker, an Alertmanager, a mail server, and generated traffic. Nothing here runs in production.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod alertmanager;
mod binary;
mod cache;
pub mod clickhouse;
mod error;
pub mod generate;
pub mod grafana;
pub mod kafka;
mod kafka_files;
mod library_file;
mod process;
pub mod smtp;
pub mod topic_writer;

pub use error::{Error, Result};
pub use process::die_with_parent;
pub use slawatch_traffic as traffic;
