//! Who may be told what.

use std::time::Duration;

use crate::config::DispatcherConfig;
use crate::matching::AlertMatch;

/// Who may be told what; shared by all partitions.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(super) receivers: Vec<Listed>,
    pub(super) stale_after_ms: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) matching: AlertMatch,
    /// Its incidents are things of their own.
    pub(super) by_incident: bool,
    /// It is told again and again as long as something holds.
    pub(super) repeated: bool,
}

impl Directory {
    /// Receivers are numbered in the order of the configuration.
    pub fn new(config: &DispatcherConfig) -> Self {
        let receivers = config.receivers.iter().map(|receiver| Listed {
            name: receiver.name.clone(),
            matching: receiver.matching.clone(),
            by_incident: receiver.kind.shows().by_incident,
            repeated: receiver.kind.shows().repeated,
        });
        Self {
            receivers: receivers.collect(),
            stale_after_ms: as_ms(config.stale_after),
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.receivers
            .iter()
            .position(|receiver| receiver.name == name)
    }
}

fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
