//! From messages to rows: which field goes into which column. Nothing is decided here, and nothing is kept.
//!
//! A message that says what cannot be (a metric or a state without a name) is refused before any byte of it counts.

mod alert;
mod event;
mod signal;

pub(crate) use alert::{write_action, write_alert, write_notification};
pub(crate) use event::{write_dead_letter, write_event};
pub(crate) use signal::{write_gauge, write_outcome, write_pane};

/// Where a record stands in its log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) generation: u32,
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
}

/// What all rows of one batch message share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchStamp {
    pub(crate) generation: u32,
    pub(crate) source: u32,
    pub(crate) version: u64,
    pub(crate) clock_ms: i64,
    pub(crate) log_clock_ms: i64,
}

/// A message of one of our own topics that makes no sense: which field, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} has no meaning for {value}")]
pub(crate) struct Senseless {
    pub(crate) field: &'static str,
    pub(crate) value: i64,
}

impl Senseless {
    pub(crate) fn new(field: &'static str, value: impl Into<i64>) -> Self {
        Self {
            field,
            value: value.into(),
        }
    }
}
