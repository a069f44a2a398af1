//! One `[[receiver]]`: who is told, over which protocol, and how patiently.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::{duration, optional_duration};
use crate::error::DispatcherError;
use crate::matching::AlertMatch;
use crate::secret::SecretSource;

/// One `[[receiver]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// Its name in `slawatch.notifications` and in metrics; renaming it makes a new receiver of it.
    pub name: String,
    /// Which protocol it speaks.
    #[serde(rename = "type")]
    pub kind: ReceiverKind,
    /// For `alertmanager` its root (`/api/v2/alerts` is added), for `webhook` the whole address.
    pub url: SecretSource,
    /// Which alerts it gets; default all.
    #[serde(default, rename = "match")]
    pub matching: AlertMatch,
    /// One request, from connecting to the last byte of the answer.
    #[serde(default = "default_timeout", deserialize_with = "duration")]
    pub timeout: Duration,
    /// `alertmanager` only: how often everything that fires is posted again (default 60 s).
    #[serde(default, deserialize_with = "optional_duration")]
    pub repost_interval: Option<Duration>,
    /// `webhook` only: requests under way at once while the receiver is well (default 4).
    pub concurrency: Option<usize>,
    /// `webhook` only: signs each request with HMAC-SHA256.
    pub hmac_key: Option<SecretSource>,
    /// Added to each request, for instance `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretSource>,
    /// First pause after a failure; it doubles with each further one.
    #[serde(default = "default_retry_min", deserialize_with = "duration")]
    pub retry_min: Duration,
    /// Longest pause between two attempts.
    #[serde(default = "default_retry_max", deserialize_with = "duration")]
    pub retry_max: Duration,
}

/// The protocols.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverKind {
    /// Alertmanager's API v2: stable labels, posted again while firing.
    Alertmanager,
    /// One JSON object for each state of each incident.
    Webhook,
}

impl ReceiverKind {
    fn as_written(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
        }
    }
}

const DEFAULT_REPOST_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_CONCURRENCY: usize = 4;

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_retry_min() -> Duration {
    Duration::from_millis(500)
}

fn default_retry_max() -> Duration {
    Duration::from_secs(30)
}

impl ReceiverConfig {
    /// `repost_interval` or its default.
    pub fn repost_interval(&self) -> Duration {
        self.repost_interval.unwrap_or(DEFAULT_REPOST_INTERVAL)
    }

    /// `concurrency` or its default.
    pub fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(DEFAULT_CONCURRENCY)
    }

    pub(super) fn check(&self) -> Result<(), DispatcherError> {
        match self.kind {
            ReceiverKind::Alertmanager => {
                self.misplaced("concurrency", self.concurrency.is_some())?;
                self.misplaced("hmac_key", self.hmac_key.is_some())?;
            }
            ReceiverKind::Webhook => {
                self.misplaced("repost_interval", self.repost_interval.is_some())?;
            }
        }
        self.at_least_a_millisecond("timeout", self.timeout)?;
        self.at_least_a_millisecond("repost_interval", self.repost_interval())?;
        self.at_least_a_millisecond("retry_min", self.retry_min)?;
        if self.retry_max < self.retry_min {
            return Err(self.out_of_range(
                "retry_max",
                format!("{:?}", self.retry_max),
                "it must not be shorter than retry_min",
            ));
        }
        if !(1..=64).contains(&self.concurrency()) {
            return Err(self.out_of_range(
                "concurrency",
                self.concurrency().to_string(),
                "1 to 64 are accepted",
            ));
        }
        Ok(())
    }

    fn misplaced(&self, field: &'static str, given: bool) -> Result<(), DispatcherError> {
        if given {
            return Err(DispatcherError::Misplaced {
                name: self.name.clone(),
                field,
                kind: self.kind.as_written(),
            });
        }
        Ok(())
    }

    fn at_least_a_millisecond(
        &self,
        field: &'static str,
        value: Duration,
    ) -> Result<(), DispatcherError> {
        if value < Duration::from_millis(1) {
            return Err(self.out_of_range(field, format!("{value:?}"), "at least 1ms is needed"));
        }
        Ok(())
    }

    fn out_of_range(
        &self,
        field: &'static str,
        value: String,
        expected: &'static str,
    ) -> DispatcherError {
        DispatcherError::OutOfRange {
            name: self.name.clone(),
            field,
            value,
            expected,
        }
    }
}
