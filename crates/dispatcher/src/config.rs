//! The dispatcher's part of the configuration file, checked as far as that goes without the network.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use crate::error::DispatcherError;
pub use crate::matching::AlertMatch;
use crate::secret::SecretSource;

/// Everything the dispatcher needs to know; `[[receiver]]` tables in file order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatcherConfig {
    /// A page whose due lies further back than this is recorded and not sent (SEMANTICS 6).
    #[serde(default = "default_stale_after", deserialize_with = "duration")]
    pub stale_after: Duration,
    /// Who is told.
    #[serde(default, rename = "receiver")]
    pub receivers: Vec<ReceiverConfig>,
}

impl Default for DispatcherConfig {
    fn default() -> Self {
        Self {
            stale_after: default_stale_after(),
            receivers: Vec::new(),
        }
    }
}

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

fn default_stale_after() -> Duration {
    Duration::from_secs(3600)
}

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_retry_min() -> Duration {
    Duration::from_millis(500)
}

fn default_retry_max() -> Duration {
    Duration::from_secs(30)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|parsed| Duration::try_from(parsed).ok())
        .ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{text:?} is not a duration; write it like \"500ms\", \"60s\" or \"1h30m\""
            ))
        })
}

fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

impl DispatcherConfig {
    /// Refuses what cannot work, the first mistake in file order.
    ///
    /// # Errors
    /// Names the receiver, the field and what would be accepted.
    pub fn check(&self) -> Result<(), DispatcherError> {
        self.mistakes().into_iter().next().map_or(Ok(()), Err)
    }

    /// What cannot work, in file order, with at most one mistake of each receiver's fields.
    pub fn mistakes(&self) -> Vec<DispatcherError> {
        let mut mistakes = Vec::new();
        let mut names = BTreeSet::new();
        for (index, receiver) in self.receivers.iter().enumerate() {
            if receiver.name.is_empty() {
                mistakes.push(DispatcherError::UnnamedReceiver {
                    position: index + 1,
                });
            } else if !names.insert(&receiver.name) {
                mistakes.push(DispatcherError::DuplicateReceiver {
                    name: receiver.name.clone(),
                });
            }
            mistakes.extend(receiver.check().err());
        }
        mistakes
    }
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

    fn check(&self) -> Result<(), DispatcherError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
        stale_after = "30m"
        [[receiver]]
        name = "am"
        type = "alertmanager"
        url = "http://127.0.0.1:9093"
        match = { severity = ["critical"] }
        repost_interval = "15s"
        [[receiver]]
        name = "hook"
        type = "webhook"
        url = { env = "HOOK_URL" }
        hmac_key = "hunter2"
        timeout = "3s"
        headers = { Authorization = "Bearer hunter2" }
    "#;

    #[test]
    fn a_file_reads_back() {
        let config: DispatcherConfig = toml::from_str(TWO).unwrap();
        config.check().unwrap();
        assert_eq!(config.stale_after, Duration::from_secs(1800));
        assert_eq!(
            config.receivers[0].repost_interval(),
            Duration::from_secs(15)
        );
        assert_eq!(config.receivers[1].timeout, Duration::from_secs(3));
        assert_eq!(config.receivers[1].concurrency(), 4);
        let empty: DispatcherConfig = toml::from_str("").unwrap();
        assert_eq!(empty.stale_after, Duration::from_secs(3600));
    }

    #[test]
    fn no_secret_is_printed() {
        let config: DispatcherConfig = toml::from_str(TWO).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains("127.0.0.1"), "{shown}");
    }

    #[test]
    fn every_mistake_says_what_to_write() {
        let receiver = |extra: &str| {
            format!("[[receiver]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"http://x\"\n{extra}\n")
        };
        for (text, message) in [
            (
                receiver("") + &receiver(""),
                "receiver \"a\" is configured twice; give every [[receiver]] a name of its own",
            ),
            (
                receiver("").replace("\"a\"", "\"\""),
                "[[receiver]] number 1 has an empty name; name it, notifications are recorded under that name",
            ),
            (
                receiver("repost_interval = \"1s\""),
                "receiver \"a\": repost_interval has no meaning for type \"webhook\"; remove it",
            ),
            (
                receiver("concurrency = 1").replace("webhook", "alertmanager"),
                "receiver \"a\": concurrency has no meaning for type \"alertmanager\"; remove it",
            ),
            (
                receiver("timeout = \"0s\""),
                "receiver \"a\": timeout = 0ns is out of range: at least 1ms is needed",
            ),
            (
                receiver("retry_min = \"5s\"\nretry_max = \"1s\""),
                "receiver \"a\": retry_max = 1s is out of range: it must not be shorter than retry_min",
            ),
            (
                receiver("concurrency = 0"),
                "receiver \"a\": concurrency = 0 is out of range: 1 to 64 are accepted",
            ),
        ] {
            let config: DispatcherConfig = toml::from_str(&text).unwrap();
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
        let wrong = toml::from_str::<DispatcherConfig>("stale_after = \"soon\"").unwrap_err();
        assert!(
            wrong.to_string().contains(
                "\"soon\" is not a duration; write it like \"500ms\", \"60s\" or \"1h30m\""
            ),
            "{wrong}"
        );
        assert!(toml::from_str::<DispatcherConfig>("stale_after = \"-1h\"").is_err());
    }
}
