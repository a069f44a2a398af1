//! The dispatcher's part of the configuration file, checked as far as that goes without the network.

mod email;
mod escalation;
#[cfg(test)]
mod mistakes;
mod pacing;
mod quieting;
mod receiver;
mod watchdog;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use crate::error::DispatcherError;
pub use crate::kind::ReceiverKind;
use crate::links;
pub use crate::matching::AlertMatch;
use crate::message::Templates;
use crate::secret::SecretSource;
pub use email::{EmailConfig, EmailTls};
pub use escalation::{EscalationConfig, StepConfig};
pub use pacing::GroupBy;
pub use quieting::MaintenanceConfig;
pub(crate) use quieting::Times;
pub use receiver::ReceiverConfig;
pub use watchdog::WatchdogConfig;

/// Everything the dispatcher needs to know; `[[receiver]]` tables in file order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatcherConfig {
    /// A page whose due lies further back than this is recorded and not sent (SEMANTICS 6).
    #[serde(default = "default_stale_after", deserialize_with = "duration")]
    pub stale_after: Duration,
    /// Where people reach the board: messages lead there.
    pub board_url: Option<String>,
    /// Where people reach a ticket, with `{ticket_id}` in its place.
    pub ticket_url: Option<String>,
    /// Signs the links by which an alert is acknowledged; the board verifies them by the same secret. None: no such links.
    pub link_secret: Option<SecretSource>,
    /// How long such a link can be used.
    #[serde(default = "default_link_valid_for", deserialize_with = "duration")]
    pub link_valid_for: Duration,
    /// What goes out as long as all is well.
    pub watchdog: Option<WatchdogConfig>,
    /// Whether an alert of a vendor keeps those of its queues from a receiver, and one of a queue those of its tickets.
    #[serde(default = "default_inhibit")]
    pub inhibit: bool,
    /// Who is told.
    #[serde(default, rename = "receiver")]
    pub receivers: Vec<ReceiverConfig>,
    /// Who is told when nobody sees to an alert.
    #[serde(default, rename = "escalation")]
    pub escalations: Vec<EscalationConfig>,
    /// When alerts are expected and nobody need be told.
    #[serde(default)]
    pub maintenance: Vec<MaintenanceConfig>,
}

impl Default for DispatcherConfig {
    fn default() -> Self {
        Self {
            stale_after: default_stale_after(),
            board_url: None,
            ticket_url: None,
            link_secret: None,
            link_valid_for: default_link_valid_for(),
            watchdog: None,
            inhibit: default_inhibit(),
            receivers: Vec::new(),
            escalations: Vec::new(),
            maintenance: Vec::new(),
        }
    }
}

fn default_stale_after() -> Duration {
    Duration::from_secs(3600)
}

fn default_link_valid_for() -> Duration {
    Duration::from_secs(24 * 3600)
}

fn default_inhibit() -> bool {
    true
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
        let mut mistakes = links::check(self);
        mistakes.extend(
            self.watchdog
                .iter()
                .flat_map(|watchdog| watchdog.mistakes(self)),
        );
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
            mistakes.extend(Templates::new(receiver).err());
            mistakes.extend(receiver.check_pace().err());
            if let Some(mistake) = receiver.matching.mistake() {
                let place = format!("receiver {:?}", receiver.name);
                mistakes.push(setting("receiver", &place, mistake));
            }
        }
        let mut escalations = BTreeSet::new();
        for (index, escalation) in self.escalations.iter().enumerate() {
            mistakes.extend(escalation.mistakes(index + 1, &names));
            if !escalation.name.is_empty() && !escalations.insert(&escalation.name) {
                let place = format!("escalation {:?}", escalation.name);
                let reason = "it is configured twice; give every [[escalation]] a name of its own";
                mistakes.push(setting("escalation", &place, reason));
            }
        }
        for (index, maintenance) in self.maintenance.iter().enumerate() {
            mistakes.extend(maintenance.mistakes(index + 1));
        }
        mistakes
    }
}

fn setting(table: &'static str, place: &str, reason: impl Into<String>) -> DispatcherError {
    DispatcherError::Setting {
        table,
        place: place.to_owned(),
        reason: reason.into(),
    }
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
        let config: DispatcherConfig = toml::from_str(
            "link_secret = \"hunter2\"\nboard_url = \"https://b\"\n\
             [[receiver]]\nname = \"p\"\ntype = \"pagerduty\"\nrouting_key = \"hunter2\"\n\
             [[receiver]]\nname = \"s\"\ntype = \"slack\"\ntoken = \"hunter2\"\nchannel = \"C1\"\n\
             [[receiver]]\nname = \"t\"\ntype = \"teams\"\nurl = \"https://t/hunter2\"\n\
             [[receiver]]\nname = \"m\"\ntype = \"email\"\n[receiver.email]\nhost = \"h\"\nfrom = \"f@h\"\n\
             to = [\"t@h\"]\nuser = \"hunter2\"\npassword = \"hunter2\"",
        )
        .unwrap();
        config.check().unwrap();
        let links = std::sync::Arc::new(links::Links::new(&config).unwrap());
        let made: Vec<_> = config
            .receivers
            .iter()
            .map(|receiver| crate::kind::Receiver::new(receiver, &links).unwrap())
            .collect();
        let shown = format!("{config:?} {links:?} {made:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("Teams { host: Some(\"t\"), .. }"), "{shown}");
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
                receiver("token = \"t\""),
                "receiver \"a\": token has no meaning for type \"webhook\"; remove it",
            ),
            (
                receiver("channel = \"C1\"").replace("webhook", "slack"),
                "receiver \"a\": type \"slack\" needs token: the app's bot token, which begins with xoxb-",
            ),
            (
                receiver("").replace("webhook", "pagerduty"),
                "receiver \"a\": type \"pagerduty\" needs routing_key: the integration key of an \"Events API v2\" \
                 integration",
            ),
            (
                receiver("").replace("webhook", "email"),
                "receiver \"a\": url has no meaning for type \"email\"; remove it",
            ),
            (
                receiver("")
                    .replace("webhook", "teams")
                    .replace("url = \"http://x\"", ""),
                "receiver \"a\": type \"teams\" needs url: the address that it is told at",
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
