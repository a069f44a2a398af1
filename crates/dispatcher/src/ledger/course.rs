//! How far the telling of one incident to one receiver has come.

use slawatch_wire::v1::{AlertState, AlertTransition};

use crate::delivery::{IntentKey, is_over};

/// Follows from the alerts and the notifications alone, in whatever order the two are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Course {
    pub(super) incident: String,
    /// Revision of its newest acknowledgement; 0 without one.
    pub(super) acknowledged: u64,
    /// What the steps of an escalation are counted from: it fired, or fired anew after an acknowledgement.
    pub(super) began: Option<Mark>,
    /// The first telling since a beginning.
    pub(super) first: Option<Mark>,
    /// The newest telling that it fires.
    pub(super) last_ms: Option<i64>,
}

/// A revision of the alert, and an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) revision: u64,
    pub(super) at_ms: i64,
}

impl Course {
    /// Takes in a newer state of the alert.
    pub(super) fn renew(&mut self, alert: &AlertTransition) {
        if is_over(alert.state()) {
            return;
        }
        if self.incident != alert.incident {
            *self = Self {
                incident: alert.incident.clone(),
                ..Self::default()
            };
        }
        if alert.state() == AlertState::Acknowledged {
            self.acknowledged = self.acknowledged.max(alert.revision);
            return;
        }
        let at_ms = match self.began {
            None if self.acknowledged == 0 => alert.fired_at_ms.unwrap_or(alert.at_ms),
            Some(began) if self.acknowledged < began.revision => return,
            None | Some(_) => alert.at_ms,
        };
        self.began = Some(Mark {
            revision: alert.revision,
            at_ms,
        });
    }

    /// The receiver is told that it fires.
    pub(super) fn tell(&mut self, intent: &IntentKey, at_ms: i64) {
        if intent.state != AlertState::Firing {
            return;
        }
        if self.incident != intent.incident {
            if self
                .began
                .is_some_and(|began| began.revision > intent.revision)
            {
                return;
            }
            *self = Self {
                incident: intent.incident.clone(),
                ..Self::default()
            };
        }
        if intent.repeat == 0 {
            self.first = Some(Mark {
                revision: intent.revision,
                at_ms,
            });
        }
        self.last_ms = Some(at_ms);
    }

    /// When it was told first since it began.
    pub(super) fn first_ms(&self) -> Option<i64> {
        let began = self.began.map_or(0, |began| began.revision);
        self.first
            .filter(|first| first.revision >= began)
            .map(|first| first.at_ms)
    }

    /// It fires anew, and was acknowledged since that was said.
    pub(super) fn got_worse_since(&self, revision: u64) -> bool {
        self.acknowledged > revision
            && self
                .began
                .is_some_and(|began| began.revision > self.acknowledged)
    }
}
