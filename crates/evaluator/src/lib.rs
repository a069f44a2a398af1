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
//! - An alert about a vendor or queue becomes `pending` when its trouble begins, if its rule has a `for`, and `firing`
//!   after that; it is `resolved` when the trouble is over, or nothing is left to tell by, for as long as `keep_firing_for`
//!   says, and `retracted` instead if late events have by then shown that at no remembered moment there was trouble. A
//!   `resolved` without incident ends a `pending` that never fired.
//! - It is `expired` when its rule's hours end, or its subject or its rule is gone.
//! - A clock's alert is `firing` at its due or warning level, `resolved` when the clock stops, `retracted` when late events
//!   undo the breach (also after it was resolved), `expired` when its subject or its rule is gone.
//! - Either is `acknowledged` once a person says so, and `firing` again, in the same incident, when it has got worse since
//!   by what its rule says.
//!
//! # How a kind of rule plugs in
//! Alerts about vendors and queues share one life cycle (`episode`) and one form (`group_alert`). A kind says how a
//! group stands, what that rests on and the words for it:
//! 1. `kinds/NAME.rs`: a struct with what its rule watches, and its part of `watch::Watch`: `assess` (an
//!    `episode::Assessment` of a `view::View`), `grounds` and `holds` (what a firing rests on, so that late events can
//!    prove it false), `words`.
//! 2. A variant in `watch::Watch`; the compiler then names every match that needs an arm. `window` makes a sliding sum be
//!    kept for it, `reach` panes per source further back than any window (for the differences that late rows make).
//!    `follows_the_clock` and `wakes_ms` say that and when a look is due though nothing was heard.
//! 3. `parse/NAME.rs` with its keys and `read`, and an entry in `parse::kind::KINDS` with its placeholders (`summary`).
//! 4. State of its own about a group belongs into `view::Figures` (one vendor and queue), fed by `Vendor::changed` in
//!    `groups`, which hears of every change of a pane's counts, and into `snapshot/`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod breaches;
mod case;
mod clock_alert;
mod counters;
mod crowd;
mod crowd_alert;
mod episode;
mod evaluator;
mod facts;
mod forecast;
mod formula;
mod gauges;
mod group_alert;
mod groups;
mod history;
mod identity;
mod kinds;
mod measure;
mod minute;
mod parse;
mod rule;
mod snapshot;
mod sources;
mod stats;
mod summary;
mod ticket_alert;
mod tickets;
mod view;
mod watch;
mod windows;
mod wording;

#[cfg(test)]
mod tests;

pub use evaluator::{Evaluator, Home, Stats};
pub use facts::{BadSide, RuleFacts, Target};
pub use parse::{RulesReport, check_rules};
pub use rule::RuleSet;
pub use snapshot::{RestoreError, SCHEMA};
