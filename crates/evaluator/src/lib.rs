//! Says when a vendor's queue is in trouble: sliding windows over the panes of the signals, rules with levels to enter and
//! to leave, and the life of every alert from pending to resolved (DESIGN 2.7).
//!
//! One [`Evaluator`] serves one partition of `slawatch.signals`. It is a pure function of that partition: no I/O, no
//! clock but the one the signals carry, so whoever reads the same records says the same. Whom to tell, how often and by
//! which way is not decided here.
//!
//! # What is evaluated when
//! A window of `n` minutes at clock `t` holds the panes `floor(t / 1 min) - n < pane <= floor(t / 1 min)`: whole panes and
//! the current one as far as it is known. Threshold rules run as the clock advances, ticket alerts with their rows; see
//! [`Evaluator`].
//!
//! # Transitions
//! - A threshold alert becomes `pending` when the level to enter is passed with samples enough, if its rule has a `for`,
//!   and `firing` after that; it is `resolved` when the level to leave is reached, or the window is empty, for as long as
//!   `keep_firing_for` says. A `resolved` without incident ends a `pending` that never fired.
//! - A clock's alert is `firing` at its due or warning level, `resolved` when the clock stops, `retracted` when late events
//!   undo the breach (also after it was resolved), `expired` when its subject or its rule is gone.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod counters;
mod evaluator;
mod formula;
mod gauges;
mod groups;
mod identity;
mod measure;
mod minute;
mod parse;
mod rule;
mod snapshot;
mod sources;
mod summary;
mod threshold;
mod threshold_alert;
mod ticket_alert;
mod tickets;
mod windows;
mod wording;

#[cfg(test)]
mod tests;

pub use evaluator::{Evaluator, Home, Stats};
pub use parse::{RulesReport, check_rules};
pub use rule::RuleSet;
pub use snapshot::{RestoreError, SCHEMA};
