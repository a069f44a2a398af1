//! What a process says about its own state over HTTP: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever starts
//! and restarts it.
//!
//! - [`Heartbeat`]: the last sign of life of one thread.
//! - [`RoleHealth`]: what keeps a role from its work, and its threads.
//! - [`Probes`]: the answers of a whole process, as a router of their own or beside other pages.
//! - [`HttpServer`]: a thread that serves a router until it is dropped.
//!
//! Not here: what makes a role ready (each role knows), and what the metrics are.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod heartbeat;
mod probes;
mod role;
mod server;
#[cfg(test)]
mod tests;

pub use error::HealthError;
pub use heartbeat::Heartbeat;
pub use probes::{Probes, describe_metrics};
pub use role::{RoleHealth, Thread};
pub use server::HttpServer;
