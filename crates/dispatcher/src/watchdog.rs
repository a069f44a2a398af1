//! The dead man's switch: an alert that goes out for ever, as long as this process's dispatcher is alive and has caught up.
//! What is missed at the other side when it stays away is the page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::counter;
use slawatch_wire::v1::{AlertState, AlertTransition};

use crate::config::{ReceiverConfig, WatchdogConfig};
use crate::delivery::{Address, Answer, Delivery, IntentKey, LedgerId, Subject};
use crate::kind::Receiver;
use crate::metrics as names;
use crate::queue::Item;

/// The rule's name, which an Alertmanager knows as `alertname`.
const RULE: &str = "SlawatchWatchdog";
/// A partition whose owner gave no sign of life for so long is not well.
const SILENCE_MS: u64 = 30_000;

#[derive(Clone, Copy, Debug)]
struct Beat {
    at_ms: u64,
    is_well: bool,
}

/// How the partitions of this process are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse(Arc<Mutex<BTreeMap<LedgerId, Beat>>>);

impl Pulse {
    pub(crate) fn beat(&self, ledger: LedgerId, is_well: bool, at_ms: u64) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.insert(ledger, Beat { at_ms, is_well });
    }

    pub(crate) fn forget(&self, ledger: LedgerId) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats.remove(&ledger);
    }

    /// Whether this process has a partition, and all that it has are alive and have caught up.
    fn is_well(&self, now_ms: u64) -> bool {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_well = |beat: &Beat| beat.is_well && now_ms.saturating_sub(beat.at_ms) < SILENCE_MS;
        !beats.is_empty() && beats.values().all(is_well)
    }
}

/// When one receiver gets the watchdog's message.
#[derive(Debug)]
pub(crate) struct Heart {
    receiver: String,
    pulse: Pulse,
    interval_ms: u64,
    next_ms: u64,
}

impl Heart {
    /// `None`: this receiver is told nothing of the kind.
    pub(crate) fn of(
        receiver: &ReceiverConfig,
        watchdog: Option<&WatchdogConfig>,
        pulse: &Pulse,
    ) -> Option<Self> {
        let watchdog = watchdog.filter(|watchdog| watchdog.receivers.contains(&receiver.name))?;
        let interval = if receiver.kind.shows().repeated {
            // What it holds ends a few of its own intervals after the last post.
            watchdog.interval.min(receiver.repost_interval())
        } else {
            watchdog.interval
        };
        Some(Self {
            receiver: receiver.name.clone(),
            pulse: pulse.clone(),
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            next_ms: 0,
        })
    }

    /// What is to be sent now, if its time has come and all is well. While it is not, it is looked at again every second.
    pub(crate) fn due(&mut self, steady_ms: u64, wall_ms: i64) -> Option<Item> {
        if steady_ms < self.next_ms {
            return None;
        }
        if !self.pulse.is_well(steady_ms) {
            self.next_ms = steady_ms + self.interval_ms.min(1_000);
            counter!(names::WATCHDOG.name, "receiver" => self.receiver.clone(), "outcome" => "held_back")
                .increment(1);
            return None;
        }
        self.next_ms = steady_ms + self.interval_ms;
        Some(item(wall_ms))
    }

    pub(crate) fn pause(&self, steady_ms: u64) -> Duration {
        Duration::from_millis(self.next_ms.saturating_sub(steady_ms))
    }
}

fn item(wall_ms: i64) -> Item {
    let transition = AlertTransition {
        key: RULE.to_owned(),
        incident: RULE.to_owned(),
        rule: RULE.to_owned(),
        kind: "watchdog".to_owned(),
        severity: "info".to_owned(),
        at_ms: wall_ms,
        due_ms: wall_ms,
        summary: "slawatch's dispatcher is alive and has caught up".to_owned(),
        reason: "this is sent for ever: only its absence is an alarm".to_owned(),
        // Each message is one of its own where that is told by the revision.
        revision: wall_ms.unsigned_abs(),
        ..AlertTransition::default()
    };
    let subject = Subject {
        key: RULE.to_owned(),
        incident: String::new(),
    };
    Item {
        delivery: Delivery {
            address: Address {
                ledger: LedgerId(0),
                subject,
            },
            intent: IntentKey {
                incident: RULE.to_owned(),
                state: AlertState::Firing,
                revision: transition.revision,
                ..IntentKey::default()
            },
            transition: Arc::new(transition),
            may_be_open: false,
            reference: String::new(),
            group: None,
        },
        over_for_ms: 0,
        repeated: false,
        attempt: 1,
    }
}

/// One message; the next one comes soon, so it is not tried again.
pub(crate) async fn send(receiver: &Receiver, name: &str, item: Item, now_ms: i64) {
    let outcome = match receiver.send(&[item], now_ms).await {
        Answer::Taken { .. } => "sent",
        Answer::Refused { detail } | Answer::Trouble { detail, .. } => {
            tracing::warn!(receiver = name, answer = %detail, "a watchdog message did not arrive");
            "failed"
        }
    };
    counter!(names::WATCHDOG.name, "receiver" => name.to_owned(), "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heart(pulse: &Pulse) -> Heart {
        let receiver: ReceiverConfig =
            toml::from_str("name = \"hook\"\ntype = \"webhook\"\nurl = \"https://x\"").unwrap();
        let watchdog: WatchdogConfig =
            toml::from_str("receivers = [\"hook\"]\ninterval = \"60s\"").unwrap();
        Heart::of(&receiver, Some(&watchdog), pulse).unwrap()
    }

    #[test]
    fn it_beats_only_while_every_partition_is_well() {
        let pulse = Pulse::default();
        let mut heart = heart(&pulse);
        let (one, other) = (LedgerId(1), LedgerId(2));
        assert_eq!(heart.due(0, 0), None, "without a partition");
        pulse.beat(one, true, 1_000);
        pulse.beat(other, false, 1_000);
        assert_eq!(heart.due(1_000, 0), None, "one has not caught up");
        pulse.beat(other, true, 1_500);
        assert_eq!(heart.due(1_500, 0), None, "it is looked at every second");
        assert!(heart.due(2_000, 0).is_some());
        assert_eq!(heart.pause(2_000), Duration::from_secs(60));
        assert_eq!(heart.due(61_999, 0), None);
        pulse.beat(one, true, 62_000);
        assert_eq!(heart.due(62_000, 0), None, "the other is silent");
        pulse.forget(other);
        assert!(heart.due(63_000, 0).is_some());
    }

    #[test]
    fn each_message_is_one_of_its_own() {
        let (one, other) = (item(1), item(2));
        assert_ne!(one.delivery.intent, other.delivery.intent);
        assert_eq!(one.delivery.transition.key, other.delivery.transition.key);
    }
}
