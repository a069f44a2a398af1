//! `[tracker]`: how events are read, and how long they are waited for and remembered.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use slawatch_event::{Attribute, DecodeOptions, Encoding, Mapping};
use slawatch_policy::reading::nearest;

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
    /// What alerts on tickets show and can match on, beside the status and what policies match on.
    pub alert_attributes: Vec<AttributeName>,
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
            alert_attributes: vec![AttributeName(Attribute::Category)],
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
            alert_attributes: self
                .alert_attributes
                .iter()
                .map(|name| name.0.clone())
                .collect(),
        }
    }
}

/// An attribute by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeName(pub Attribute);

impl<'de> Deserialize<'de> for AttributeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(attribute) = Attribute::from_name(&text) {
            return Ok(Self(attribute));
        }
        let names = Attribute::NAMED.map(|attribute| attribute.name());
        let meant = match nearest(&text, names) {
            Some(name) => name.to_owned(),
            None => format!("{} or labels.NAME", names.join(", ")),
        };
        Err(serde::de::Error::custom(format!(
            "tickets have no attribute {text:?}; write {meant}"
        )))
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
