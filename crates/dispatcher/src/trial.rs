//! `slawatch test-alert`: one marked alert to one receiver, and its end, so that it is known beforehand whether it arrives.

use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition};

use crate::config::DispatcherConfig;
use crate::delivery::{Address, Answer, Delivery, IntentKey, LedgerId, Subject, state_word};
use crate::error::DispatcherError;
use crate::kind::Receiver;
use crate::links::Links;
use crate::message::TEST_LABEL;
use crate::queue::Item;

/// What came of one of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The state told: "firing", "resolved".
    pub state: &'static str,
    /// The receiver's answer.
    pub answer: Answer,
}

impl Told {
    /// Whether it arrived.
    pub fn is_taken(&self) -> bool {
        matches!(self.answer, Answer::Taken { .. })
    }
}

/// Sends a marked alert and, if that was taken, its end. Nothing is tried a second time. `now_ms` is the wall clock, and of a
/// test what makes it one of its own.
///
/// # Errors
/// If there is no such receiver, or the configuration cannot work.
pub async fn run(
    config: &DispatcherConfig,
    receiver: &str,
    now_ms: i64,
) -> Result<Vec<Told>, DispatcherError> {
    config.check()?;
    let of_name = config.receivers.iter().find(|known| known.name == receiver);
    let Some(listed) = of_name else {
        let names: Vec<_> = config
            .receivers
            .iter()
            .map(|known| format!("{:?}", known.name))
            .collect();
        return Err(DispatcherError::UnknownReceiver {
            name: receiver.to_owned(),
            known: if names.is_empty() {
                "none; add a [[dispatcher.receiver]]".to_owned()
            } else {
                names.join(", ")
            },
        });
    };
    let made = Receiver::new(listed, &Arc::new(Links::new(config)?))?;
    let mut told = Vec::new();
    let mut reference = String::new();
    for state in [AlertState::Firing, AlertState::Resolved] {
        let answer = made
            .send(&[item(receiver, state, now_ms, &reference)], now_ms)
            .await;
        if let Answer::Taken {
            reference: called, ..
        } = &answer
        {
            reference.clone_from(called);
        }
        told.push(Told {
            state: state_word(state),
            answer,
        });
        if !told.iter().all(Told::is_taken) {
            break;
        }
    }
    Ok(told)
}

fn item(receiver: &str, state: AlertState, now_ms: i64, reference: &str) -> Item {
    let key = format!("slawatch-test/{receiver}/{now_ms}");
    let transition = AlertTransition {
        key: key.clone(),
        incident: format!("test-{now_ms}"),
        rule: "slawatch-test".to_owned(),
        kind: "test".to_owned(),
        severity: "info".to_owned(),
        state: state.into(),
        at_ms: now_ms,
        fired_at_ms: Some(now_ms),
        due_ms: now_ms,
        summary: format!("TEST of receiver {receiver:?} by slawatch: nothing is wrong"),
        reason: match state {
            AlertState::Firing => "somebody tries out whether alerts arrive here",
            AlertState::Pending
            | AlertState::Acknowledged
            | AlertState::Resolved
            | AlertState::Retracted
            | AlertState::Expired
            | AlertState::Unspecified => "the test is over",
        }
        .to_owned(),
        labels: [(TEST_LABEL.to_owned(), "true".to_owned())].into(),
        revision: u64::from(state != AlertState::Firing) + 1,
        ..AlertTransition::default()
    };
    Item {
        delivery: Delivery {
            address: Address {
                ledger: LedgerId(0),
                subject: Subject {
                    key,
                    incident: transition.incident.clone(),
                },
            },
            intent: IntentKey {
                incident: transition.incident.clone(),
                state,
                revision: transition.revision,
                ..IntentKey::default()
            },
            transition: Arc::new(transition),
            may_be_open: true,
            reference: reference.to_owned(),
            group: None,
        },
        over_for_ms: 0,
        repeated: false,
        attempt: 1,
    }
}
