//! Rules over a history: what they would have told, and what that would have been worth.
//!
//! A [`Course`] takes events in the order of their log through trackers and, minute by minute, what those conclude
//! through an evaluator, the same that run in the pipeline. It reads no clock and does no I/O: a history and the rules give
//! the same alerts every time, however many trackers share the tickets.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod course;
mod episodes;
mod ledger;
mod lines;
mod measures;
mod periods;
mod report;
mod table;

pub use course::{Course, CourseOptions, Ended};
pub use episodes::{Episode, Hindsight, episodes};
pub use ledger::{MergedPanes, OutcomeKey};
pub use lines::{alert_state_name, write_alerts};
pub use measures::{merge, metric_name};
pub use periods::{ContractPeriod, Loss};
pub use report::{Backtest, ClockLeads, Contract, Lead, LostPeriod, RuleReport};
pub use table::Told;

/// One minute, the length of a pane.
pub const MINUTE_MS: i64 = 60_000;
