//! Tickets, clocks, panes: what SEMANTICS 2 to 5 and 8 say of events, as one pure state machine per source.
//!
//! [`Tracker`] takes accepted events and clock movements and concludes panes, outcomes, gauges and warnings. It does no
//! I/O and knows no time but what it is told, so two trackers told the same say the same.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attributes;
mod codec;
mod event;
mod explain;
mod fold;
mod gauges;
mod measure;
mod outcome;
mod panes;
#[cfg(test)]
mod proof;
mod rules;
mod snapshot;
#[cfg(test)]
mod story;
mod symbol;
mod tally;
mod ticket;
mod tracker;

pub use explain::{
    AttributeChange, Cause, CycleStory, DroppedEvent, EventEffect, EventStory, Explainer,
    Explanation, Happened, Holding, Moment, Segment, SegmentKind, StopReason, TicketState,
};
pub use outcome::wire_metric;
pub use snapshot::{SNAPSHOT_SCHEMA, SnapshotError};
pub use ticket::Outcome;
pub use tracker::{Applied, Conclusions, MAX_HISTORY, Options, Tracker};
