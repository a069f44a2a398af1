//! The wallboard: the live picture of every vendor's queues, and the HTTP API beside it.
//!
//! - [`Picture`]: what the signals and alerts read so far amount to; pure, at the sources' clock. [`View`] is what it shows.
//! - [`Board`]: reads the topics into a picture and serves it.
//!
//! Not here: any threshold or verdict (trackers and evaluators decide, the board shows), and history (ClickHouse has it).
#![cfg_attr(test, allow(clippy::unwrap_used))]

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
mod sources;
mod status;
#[cfg(test)]
mod story;
mod view;
mod wording;
mod zone;

pub use alerts::{Alert, Fact, Phase, Severity};
pub use board::{Board, BoardOptions, DEFAULT_LISTEN};
pub use counts::Figures;
pub use error::BoardError;
pub use gauges::Standing;
pub use metrics::describe as describe_metrics;
pub use picture::Picture;
pub use sources::SourceOut;
pub use view::{AlertsView, Group, QueueView, State, VendorView, View};
pub use zone::Zone;
