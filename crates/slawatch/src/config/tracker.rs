//! `[tracker]`: how events are read, and how long they are waited for and remembered.

use std::collections::BTreeMap;

use serde::Deserialize;
use slawatch_event::{DecodeOptions, Encoding, Status, StatusMap};

use super::Duration;

/// Reading events, and how long they are waited for and remembered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracker {
    /// Threads, each with partitions of its own.
    pub workers: usize,
    /// How records without a content type header are written.
    pub encoding: EncodingName,
    /// The source's own status names.
    pub statuses: BTreeMap<String, StatusName>,
    /// How far an event may lie after its record's timestamp.
    pub max_future_skew: Duration,
    /// The time that events may need to reach the log.
    pub allowed_delay: Duration,
    /// When a finished ticket is forgotten.
    pub forget_after: Duration,
    /// How long panes are held in memory.
    pub pane_horizon: Duration,
    /// Go on where retention removed records that were not read yet, and record the gap.
    pub accept_gap: bool,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            workers: 2,
            encoding: EncodingName::Json,
            statuses: BTreeMap::new(),
            max_future_skew: Duration::from_ms(5 * 60_000),
            allowed_delay: Duration::from_ms(2_000),
            forget_after: Duration::from_ms(30 * 86_400_000),
            pane_horizon: Duration::from_ms(26 * 3_600_000),
            accept_gap: false,
        }
    }
}

impl Tracker {
    /// How events are checked, by tracker and loader alike.
    pub fn decode(&self) -> DecodeOptions {
        let names = self.statuses.iter();
        DecodeOptions {
            statuses: StatusMap::new(names.map(|(name, status)| (name.clone(), status.0))),
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

/// One of the six statuses, by name.
#[derive(Clone, Copy, Debug)]
pub struct StatusName(pub Status);

impl<'de> Deserialize<'de> for StatusName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let status = Status::from_name(&name).filter(|_| !name.is_empty());
        status.map(Self).ok_or_else(|| {
            let known = Status::ALL.map(Status::name).join(", ");
            serde::de::Error::custom(format!("{name:?} is no status; write one of {known}"))
        })
    }
}
