//! The wallboard: the live picture of every vendor's queues, what people do about alerts, and the HTTP API beside it.
//!
//! - [`Picture`]: what the signals and alerts read so far amount to; pure, at the sources' clock. [`View`] is what it shows.
//! - [`Board`]: reads the topics into a picture and serves it.
//! - [`ActionWriter`]: writes what people do onto the signals, where the evaluator reads it.
//! - [`AccessOptions`]: who may see and who may act.
//!
//! Not here: any threshold or verdict (trackers and evaluators decide, the board shows), and history (ClickHouse has it).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod act;
mod alerts;
mod board;
mod breaches;
mod counts;
mod error;
mod feed;
mod gauges;
mod metrics;
mod minutes;
mod owners;
mod page;
mod picture;
mod server;
mod silences;
mod sources;
mod status;
#[cfg(test)]
mod story;
mod view;
mod wording;
mod zone;

pub use access::{AccessMistake, AccessOptions, AccessSetting, Role, TokenGrant};
pub use act::{
    Acknowledge, ActionWriter, Change, EndSilence, Mistake, Mistakes, Moment, Receipt,
    SILENCE_MOST_MS, Silence, Who, WriteError,
};
pub use alerts::{Acknowledged, Alert, Fact, Part, Phase, Severity, Step, Ticket};
pub use board::{Board, BoardOptions, DEFAULT_LISTEN};
pub use counts::Figures;
pub use error::BoardError;
pub use gauges::Standing;
pub use metrics::describe as describe_metrics;
pub use picture::Picture;
pub use silences::{Ended, SilenceState, SilenceView};
pub use sources::SourceOut;
pub use view::{AlertsView, Group, QueueView, State, VendorView, View};
pub use zone::Zone;
