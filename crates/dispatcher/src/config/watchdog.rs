//! The dead man's switch: what goes out for ever, so that its absence is noticed.

use std::time::Duration;

use serde::Deserialize;

use super::{DispatcherConfig, duration};
use crate::error::DispatcherError;
use crate::kind::ReceiverKind;

/// `[dispatcher.watchdog]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchdogConfig {
    /// Names of receivers whose other side notices when nothing comes.
    pub receivers: Vec<String>,
    /// How often they are told; an Alertmanager at least as often as its `repost_interval`.
    #[serde(default = "default_interval", deserialize_with = "duration")]
    pub interval: Duration,
}

fn default_interval() -> Duration {
    Duration::from_secs(60)
}

impl WatchdogConfig {
    pub(super) fn mistakes(&self, config: &DispatcherConfig) -> Vec<DispatcherError> {
        let mut mistakes = Vec::new();
        let mut wrong = |reason: String| mistakes.push(DispatcherError::Watchdog { reason });
        if self.receivers.is_empty() {
            wrong(
                "receivers is empty; name who is to notice that nothing comes, or remove the table"
                    .to_owned(),
            );
        }
        if self.interval < Duration::from_secs(1) {
            wrong(format!(
                "interval = {:?} is out of range: at least 1s is needed",
                self.interval
            ));
        }
        for name in &self.receivers {
            let Some(receiver) = config.receivers.iter().find(|known| known.name == *name) else {
                wrong(format!(
                    "there is no receiver {name:?}; name one of [[receiver]]"
                ));
                continue;
            };
            match receiver.kind {
                ReceiverKind::Alertmanager | ReceiverKind::Webhook | ReceiverKind::Email => {}
                ReceiverKind::PagerDuty | ReceiverKind::Slack | ReceiverKind::Teams => {
                    wrong(format!(
                        "nothing at receiver {name:?} of type {:?} notices that a message did not come; name one of type \
                         \"alertmanager\", \"webhook\" or \"email\"",
                        receiver.kind.as_written()
                    ));
                }
            }
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_says_what_to_write() {
        for (watchdog, expected) in [
            (
                "receivers = []",
                "watchdog: receivers is empty; name who is to notice that nothing comes, or remove the table",
            ),
            (
                "receivers = [\"hook\"]\ninterval = \"1ms\"",
                "watchdog: interval = 1ms is out of range: at least 1s is needed",
            ),
            (
                "receivers = [\"hok\"]",
                "watchdog: there is no receiver \"hok\"; name one of [[receiver]]",
            ),
            (
                "receivers = [\"duty\"]",
                "watchdog: nothing at receiver \"duty\" of type \"pagerduty\" notices that a message did not come; name one of \
                 type \"alertmanager\", \"webhook\" or \"email\"",
            ),
        ] {
            let config: DispatcherConfig = toml::from_str(&format!(
                "[watchdog]\n{watchdog}\n[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"https://x\"\n\
                 [[receiver]]\nname = \"duty\"\ntype = \"pagerduty\"\nrouting_key = \"k\""
            ))
            .unwrap();
            assert_eq!(config.check().unwrap_err().to_string(), expected);
        }
    }
}
