//! One receiver and one subject: the newest state, what was said of it, and so what to say next.
//!
//! *Dispatched* is the instant at which an intent is decided. Only there an alert's age is looked at: what was promised
//! by then is told, however long the receiver or the dispatcher is away, as long as it still holds.

use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition, Suppression};

use crate::delivery::{IntentKey, is_over};
use crate::instant::rfc3339;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// Absent while only `slawatch.notifications` has told of it.
    pub(super) newest: Option<Arc<AlertTransition>>,
    /// What fired and was over again before anything was decided about it.
    pub(super) missed: Vec<Arc<AlertTransition>>,
    pub(super) told: Told,
    /// What the receiver calls what it was told; empty if nothing, or if it has no names.
    pub(super) reference: String,
}

/// What the receiver and the installation make of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Its incidents are things of their own to the receiver.
    pub(super) by_incident: bool,
    pub(super) now_ms: i64,
    pub(super) stale_after_ms: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Told {
    #[default]
    Nothing,
    /// Recorded as not sent.
    Suppressed(IntentKey),
    Intent {
        intent: IntentKey,
        /// What the intent tells; not known of one that was read from the log.
        transition: Option<Arc<AlertTransition>>,
        phase: Phase,
    },
    Sent(IntentKey),
    Rejected(IntentKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not yet acknowledged by the log.
    Written { batch: u64, may_be_open: bool },
    /// With the receiver's queue.
    Posted,
    /// Written by an earlier owner who left no result.
    Inherited,
}

#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Nothing,
    /// The receiver knows nothing of it and need not.
    Forget,
    Suppress {
        intent: IntentKey,
        reason: String,
        suppression: Suppression,
    },
    Announce {
        intent: IntentKey,
        transition: Arc<AlertTransition>,
        may_be_open: bool,
    },
    Resend {
        intent: IntentKey,
        transition: Arc<AlertTransition>,
    },
    Refresh {
        intent: IntentKey,
        transition: Arc<AlertTransition>,
    },
}

impl Told {
    fn intent(&self) -> Option<&IntentKey> {
        match self {
            Self::Nothing => None,
            Self::Suppressed(intent)
            | Self::Intent { intent, .. }
            | Self::Sent(intent)
            | Self::Rejected(intent) => Some(intent),
        }
    }

    /// Whether the last thing said was that an earlier incident fires: a further one pages nobody anew.
    fn is_firing(&self) -> bool {
        match self {
            Self::Nothing | Self::Suppressed(_) | Self::Rejected(_) => false,
            Self::Intent { intent, .. } | Self::Sent(intent) => !is_over(intent.state),
        }
    }

    /// Whether the receiver may believe that something of this subject fires.
    fn may_be_open(&self) -> bool {
        match self {
            Self::Nothing | Self::Suppressed(_) | Self::Rejected(_) => false,
            Self::Intent {
                phase: Phase::Written { may_be_open, .. },
                ..
            } => *may_be_open,
            Self::Intent {
                phase: Phase::Posted | Phase::Inherited,
                ..
            } => true,
            Self::Sent(intent) => !is_over(intent.state),
        }
    }
}

impl Line {
    /// A result counts only for the intent it belongs to; a newer one has taken the place of any other.
    pub(super) fn settle(&mut self, intent: &IntentKey, end: fn(IntentKey) -> Told) {
        if self.told.intent() == Some(intent) {
            self.told = end(intent.clone());
        }
    }

    /// The receiver has a name for what it was told.
    pub(super) fn is_called(&mut self, reference: &str) {
        if !reference.is_empty() {
            reference.clone_into(&mut self.reference);
        }
    }

    /// Takes in a newer state of the subject.
    pub(super) fn renew(&mut self, newest: Arc<AlertTransition>) {
        if let Some(before) = self.newest.replace(newest) {
            self.note_missed(before);
        }
    }

    fn note_missed(&mut self, before: Arc<AlertTransition>) {
        let goes_on = self
            .newest
            .as_ref()
            .is_some_and(|newest| !is_over(newest.state()) && newest.incident == before.incident);
        let was_decided = self
            .told
            .intent()
            .is_some_and(|told| told.incident == before.incident);
        if !is_over(before.state()) && !goes_on && !was_decided {
            self.missed.push(before);
        }
    }

    pub(super) fn take_missed(&mut self) -> Vec<(IntentKey, Arc<AlertTransition>)> {
        let missed = std::mem::take(&mut self.missed).into_iter();
        missed
            .map(|missed| {
                let intent = IntentKey {
                    incident: missed.incident.clone(),
                    state: AlertState::Firing,
                    revision: missed.revision,
                    ..IntentKey::default()
                };
                (intent, missed)
            })
            .collect()
    }

    /// An earlier owner wrote down what became of that incident.
    pub(super) fn recall(&mut self, incident: &str) {
        self.missed.retain(|missed| missed.incident != incident);
    }

    /// Unlike a result, a suppression may stand alone: what is stale never had an intent.
    pub(super) fn suppress(&mut self, intent: IntentKey) {
        if self
            .told
            .intent()
            .is_none_or(|told| told.revision <= intent.revision)
        {
            self.told = Told::Suppressed(intent);
        }
    }

    pub(super) fn next(&self, terms: Terms) -> Step {
        let Some(newest) = &self.newest else {
            return self.next_without_alert();
        };
        if is_over(newest.state()) {
            self.next_when_over(newest, terms.by_incident)
        } else {
            self.next_when_firing(newest, terms)
        }
    }

    /// The queue of a receiver that is told again and again goes on trying what was refused, now and then.
    pub(super) fn is_tried_again(&self, repeated: bool) -> Option<&IntentKey> {
        match &self.told {
            Told::Rejected(intent) if repeated && !is_over(intent.state) => Some(intent),
            Told::Nothing
            | Told::Suppressed(_)
            | Told::Intent { .. }
            | Told::Sent(_)
            | Told::Rejected(_) => None,
        }
    }

    fn next_without_alert(&self) -> Step {
        match &self.told {
            Told::Intent { intent, phase: Phase::Inherited, .. } => Step::Suppress {
                intent: intent.clone(),
                reason: "the alert is no longer in slawatch.alerts, so it cannot be sent again; its topic needs a \
                         longer retention"
                    .to_owned(),
                suppression: Suppression::Lost,
            },
            Told::Nothing
            | Told::Suppressed(_)
            | Told::Intent { .. }
            | Told::Sent(_)
            | Told::Rejected(_) => Step::Nothing,
        }
    }

    fn next_when_firing(&self, newest: &Arc<AlertTransition>, terms: Terms) -> Step {
        let same_incident = self
            .told
            .intent()
            .filter(|told| !is_over(told.state) && told.incident == newest.incident);
        if let Some(intent) = same_incident {
            let (intent, transition) = (intent.clone(), Arc::clone(newest));
            return match &self.told {
                Told::Nothing | Told::Suppressed(_) => Step::Nothing,
                Told::Rejected(_) if terms.by_incident => Step::Nothing,
                Told::Intent {
                    phase: Phase::Inherited,
                    ..
                } => Step::Resend { intent, transition },
                Told::Intent { .. } | Told::Sent(_) | Told::Rejected(_)
                    if intent.revision == newest.revision =>
                {
                    Step::Nothing
                }
                Told::Intent { .. } | Told::Sent(_) | Told::Rejected(_) => {
                    Step::Refresh { intent, transition }
                }
            };
        }
        let intent = IntentKey {
            incident: newest.incident.clone(),
            state: AlertState::Firing,
            revision: newest.revision,
            ..IntentKey::default()
        };
        // What a rule watches still holds and is news whenever it is learnt of; a ticket's verdict is not.
        let is_verdict = !newest.ticket_id.is_empty();
        let age_ms = terms.now_ms.saturating_sub(newest.due_ms);
        if is_verdict && age_ms > terms.stale_after_ms && !self.told.is_firing() {
            let reason = format!(
                "stale: due at {} and dispatched {} s later, more than the {} s of stale_after",
                rfc3339(newest.due_ms),
                age_ms / 1000,
                terms.stale_after_ms / 1000
            );
            return Step::Suppress {
                intent,
                reason,
                suppression: Suppression::Stale,
            };
        }
        self.announce(intent, newest)
    }

    fn next_when_over(&self, newest: &Arc<AlertTransition>, by_incident: bool) -> Step {
        let told = match &self.told {
            Told::Nothing | Told::Suppressed(_) => return Step::Forget,
            Told::Rejected(told) if by_incident && !is_over(told.state) => return Step::Forget,
            Told::Rejected(told) | Told::Intent { intent: told, .. } | Told::Sent(told) => told,
        };
        // Where only labels count, over is over; elsewhere "it was never true" is news after "it is over".
        let said_already = is_over(told.state) && (told.state == newest.state() || !by_incident);
        if said_already {
            return match &self.told {
                Told::Intent {
                    phase: Phase::Inherited,
                    ..
                } => Step::Resend {
                    intent: told.clone(),
                    transition: Arc::clone(newest),
                },
                Told::Nothing
                | Told::Suppressed(_)
                | Told::Intent { .. }
                | Told::Sent(_)
                | Told::Rejected(_) => Step::Nothing,
            };
        }
        // What ends is what the receiver has open, even if a further incident came and went unseen.
        let intent = IntentKey {
            incident: told.incident.clone(),
            state: newest.state(),
            revision: newest.revision,
            ..IntentKey::default()
        };
        self.announce(intent, newest)
    }

    fn announce(&self, intent: IntentKey, newest: &Arc<AlertTransition>) -> Step {
        // The end of something sent and ended before (a retraction after a resolve) is due to the receiver as well; what
        // became of something refused since is known to the queue alone.
        let was_told = match &self.told {
            Told::Sent(_) | Told::Rejected(_) => is_over(intent.state),
            Told::Nothing | Told::Suppressed(_) | Told::Intent { .. } => false,
        };
        Step::Announce {
            intent,
            transition: Arc::clone(newest),
            may_be_open: was_told || self.told.may_be_open(),
        }
    }

    /// Whether nothing is owed and nothing was heard of it since the horizon.
    pub(super) fn is_settled_before(&self, horizon_ms: i64) -> bool {
        let owed = !self.missed.is_empty()
            || match &self.told {
                Told::Nothing | Told::Suppressed(_) | Told::Rejected(_) => false,
                Told::Intent { .. } => true,
                Told::Sent(intent) => !is_over(intent.state),
            };
        let alive = self
            .newest
            .as_ref()
            .is_some_and(|newest| !is_over(newest.state()) || newest.at_ms >= horizon_ms);
        !owed && !alive
    }
}
