//! How many messages a receiver gets, and when: grouping, repetition and the limit of an hour.

use std::time::Duration;

use serde::Deserialize;

use super::ReceiverConfig;
use crate::config::ReceiverKind;
use crate::error::DispatcherError;

/// What alerts that are told in one message have in common.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum GroupBy {
    /// Their vendor.
    #[default]
    #[serde(rename = "vendor")]
    Vendor,
    /// Their vendor and queue.
    #[serde(rename = "vendor,queue")]
    VendorQueue,
    /// Their rule.
    #[serde(rename = "rule")]
    Rule,
    /// Each alert stands alone.
    #[serde(rename = "none")]
    Nothing,
}

const LONGEST_WAIT: Duration = Duration::from_secs(600);
const SHORTEST_REPEAT: Duration = Duration::from_secs(60);

impl ReceiverConfig {
    pub(super) fn check_pace(&self) -> Result<(), DispatcherError> {
        let given = [
            ("group_wait", self.group_wait.is_some()),
            ("group_by", self.group_by.is_some()),
            ("repeat_interval", self.repeat_interval.is_some()),
            ("max_per_hour", self.max_per_hour.is_some()),
        ];
        if self.kind == ReceiverKind::Alertmanager
            && let Some((field, _)) = given.into_iter().find(|(_, given)| *given)
        {
            return Err(DispatcherError::Misplaced {
                name: self.name.clone(),
                field,
                kind: self.kind.as_written(),
            });
        }
        let out_of_range = |field, value, expected| DispatcherError::OutOfRange {
            name: self.name.clone(),
            field,
            value,
            expected,
        };
        if let Some(wait) = self.group_wait.filter(|wait| *wait > LONGEST_WAIT) {
            return Err(out_of_range(
                "group_wait",
                format!("{wait:?}"),
                "at most 10m is accepted, nobody hears of it meanwhile",
            ));
        }
        if let Some(repeat) = self
            .repeat_interval
            .filter(|repeat| *repeat < SHORTEST_REPEAT)
        {
            return Err(out_of_range(
                "repeat_interval",
                format!("{repeat:?}"),
                "at least 1m is needed",
            ));
        }
        if self.max_per_hour == Some(0) {
            return Err(out_of_range(
                "max_per_hour",
                "0".to_owned(),
                "at least 1 is needed; leave it out for no limit",
            ));
        }
        Ok(())
    }
}
