//! Tells receivers what the evaluator decided, at least once and under one key.
//!
//! The decisions are pure: [`ledger`] knows what each receiver has been told and what it must be told next, [`queue`]
//! knows which request a receiver gets when. [`receiver`] performs the requests, in the words of each [`kind`]; [`role`]
//! connects all that to the topics. Whether an alert is true is the evaluator's business and is never questioned here.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backoff;
pub mod config;
pub mod delivery;
pub mod error;
pub mod kind;
pub mod ledger;
pub mod links;
pub mod metrics;
pub mod queue;
pub mod receiver;
pub mod role;
pub mod secret;
pub mod trial;

mod address;
mod http;
mod instant;
mod matching;
mod message;
mod watchdog;

pub use config::{DispatcherConfig, ReceiverConfig, ReceiverKind};
pub use error::DispatcherError;
pub use receiver::Receivers;
pub use role::{DispatcherFactory, Topics};
