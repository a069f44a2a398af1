//! slawatch as a library: what the program's commands do, so that tests reach it without a process.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bench;
pub mod commands;
pub mod config;
pub mod demo;
pub mod explain;
pub mod import;
pub mod mapping;
pub mod metrics;
mod policies;
pub mod program;
pub mod replay;
pub mod roles;
