//! `[tracker]`: how events are read, and how long they are waited for and remembered.

use std::path::PathBuf;

use serde::Deserialize;
use slawatch_event::{DecodeOptions, Encoding, Mapping};

use super::Duration;

/// Reading events, and how long they are waited for and remembered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracker {
    /// Threads, each with partitions of its own.
    pub workers: usize,
    /// How records without a content type header are written.
    pub encoding: EncodingName,
    /// The file that says how the source's own records become events, relative to the configuration file.
    pub mapping: Option<PathBuf>,
    /// How far an event may lie after its record's timestamp.
    pub max_future_skew: Duration,
    /// The time that events may need to reach the log.
    pub allowed_delay: Duration,
    /// When a finished ticket is forgotten.
    pub forget_after: Duration,
    /// How long panes are held in memory.
    pub pane_horizon: Duration,
    /// Go on where retention removed records that were not read yet, and record the gap; of every role.
    pub accept_gap: bool,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            workers: 2,
            encoding: EncodingName::Json,
            mapping: None,
            max_future_skew: Duration::from_ms(5 * 60_000),
            allowed_delay: Duration::from_ms(2_000),
            forget_after: Duration::from_ms(30 * 86_400_000),
            pane_horizon: Duration::from_ms(26 * 3_600_000),
            accept_gap: false,
        }
    }
}

impl Tracker {
    /// How events are read and checked, by tracker and loader alike.
    pub fn decode(&self, mapping: &Mapping) -> DecodeOptions {
        DecodeOptions {
            encoding: self.encoding.into(),
            mapping: mapping.clone(),
            max_future_skew_ms: self.max_future_skew.as_ms(),
        }
    }

    /// Delays and horizons.
    pub fn options(&self) -> slawatch_tracker::Options {
        slawatch_tracker::Options {
            allowed_delay_ms: self.allowed_delay.as_ms(),
            forget_after_ms: Some(self.forget_after.as_ms()),
            pane_horizon_ms: Some(self.pane_horizon.as_ms()),
        }
    }
}

/// An encoding by name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingName {
    /// One JSON object.
    Json,
    /// One `slawatch.v1.TicketEvent`.
    Protobuf,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Json => Self::Json,
            EncodingName::Protobuf => Self::Protobuf,
        }
    }
}
