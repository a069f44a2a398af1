//! One receiver and one subject: the newest state, what was said of it, and so what to say next.
//!
//! *Dispatched* is the instant at which an intent is decided. Only there an alert's age is looked at: what was promised
//! by then is told, however long the receiver or the dispatcher is away, as long as it still holds.

use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition, Notification, Suppression};

use super::course::Course;
use crate::delivery::{IntentKey, is_over};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line {
    /// Absent while only `slawatch.notifications` has told of it.
    pub(super) newest: Option<Arc<AlertTransition>>,
    /// What fired and was over again before anything was decided about it.
    pub(super) missed: Vec<Arc<AlertTransition>>,
    pub(super) told: Told,
    /// What the receiver calls what it was told; empty if nothing, or if it has no names.
    pub(super) reference: String,
    pub(super) course: Course,
    /// When its group is told, while it waits for that. Never in a snapshot.
    pub(super) group_due_ms: Option<i64>,
    /// Whether it kept lesser alerts from the receiver when it was last decided about. Never in a snapshot.
    pub(super) was_heard: bool,
}

/// What the receiver and the installation make of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Its incidents are things of their own to the receiver.
    pub(super) by_incident: bool,
    /// It is told again and again as long as something holds, also what it refused.
    pub(super) repeated: bool,
    /// It can show that somebody sees to an alert.
    pub(super) tells_acknowledged: bool,
}

/// What has still to be asked before something is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It follows from what the receiver knows already.
    None,
    /// The receiver knows nothing of this incident.
    First,
    /// The receiver is told once more that it fires.
    Again,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Told {
    #[default]
    Nothing,
    /// Recorded as not sent.
    Suppressed(IntentKey),
    /// Recorded as not sent for now; it is told when what keeps it back is over.
    Withheld {
        intent: IntentKey,
        why: Suppression,
        cause: String,
        at_ms: i64,
    },
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
    /// Not sent for now.
    Withhold {
        intent: IntentKey,
        why: Suppression,
        cause: String,
        reason: String,
    },
    Announce {
        intent: IntentKey,
        transition: Arc<AlertTransition>,
        gate: Gate,
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
    pub(super) fn intent(&self) -> Option<&IntentKey> {
        match self {
            Self::Nothing => None,
            Self::Suppressed(intent)
            | Self::Withheld { intent, .. }
            | Self::Intent { intent, .. }
            | Self::Sent(intent)
            | Self::Rejected(intent) => Some(intent),
        }
    }

    /// Whether the last thing said was that an earlier incident fires: a further one pages nobody anew.
    fn is_firing(&self) -> bool {
        match self {
            Self::Nothing | Self::Suppressed(_) | Self::Withheld { .. } | Self::Rejected(_) => {
                false
            }
            Self::Intent { intent, .. } | Self::Sent(intent) => !is_over(intent.state),
        }
    }

    /// Whether the receiver may believe that something of this subject fires.
    fn may_be_open(&self) -> bool {
        match self {
            Self::Nothing | Self::Suppressed(_) | Self::Withheld { .. } | Self::Rejected(_) => {
                false
            }
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
        self.course.renew(&newest);
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

    /// Unlike a result, a suppression may stand alone: what is stale or withheld never had an intent.
    pub(super) fn suppress(&mut self, intent: IntentKey, recorded: &Notification) {
        let newer = self
            .told
            .intent()
            .is_some_and(|told| told.revision > intent.revision);
        if newer {
            return;
        }
        let why = recorded.suppression();
        self.told = match why {
            Suppression::Silenced
            | Suppression::Maintenance
            | Suppression::Inhibited
            | Suppression::Limited => Told::Withheld {
                intent,
                why,
                cause: recorded.cause.clone(),
                at_ms: recorded.at_ms,
            },
            Suppression::Unspecified
            | Suppression::Superseded
            | Suppression::Missed
            | Suppression::Stale
            | Suppression::Lost => Told::Suppressed(intent),
        };
    }

    /// Whether it fires or is acknowledged.
    pub(super) fn is_on(&self) -> bool {
        self.newest
            .as_ref()
            .is_some_and(|newest| !is_over(newest.state()))
    }

    /// Whether the receiver hears of this trouble, by this alert or by a greater one.
    pub(super) fn is_heard(&self) -> bool {
        self.is_on()
            && match &self.told {
                Told::Nothing => self.group_due_ms.is_some(),
                Told::Withheld { why, .. } => {
                    *why == Suppression::Inhibited || self.group_due_ms.is_some()
                }
                Told::Intent { intent, .. } | Told::Sent(intent) => !is_over(intent.state),
                Told::Suppressed(_) | Told::Rejected(_) => false,
            }
    }

    pub(super) fn next(&self, terms: Terms) -> Step {
        let Some(newest) = &self.newest else {
            return self.next_without_alert();
        };
        if is_over(newest.state()) {
            self.next_when_over(newest, terms)
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
            | Told::Withheld { .. }
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
            | Told::Withheld { .. }
            | Told::Intent { .. }
            | Told::Sent(_)
            | Told::Rejected(_) => Step::Nothing,
        }
    }

    fn next_when_firing(&self, newest: &Arc<AlertTransition>, terms: Terms) -> Step {
        let acknowledged = newest.state() == AlertState::Acknowledged;
        let state = if acknowledged && terms.tells_acknowledged {
            AlertState::Acknowledged
        } else {
            AlertState::Firing
        };
        let intent = IntentKey {
            incident: newest.incident.clone(),
            state,
            revision: newest.revision,
            ..IntentKey::default()
        };
        let told = self
            .told
            .intent()
            .filter(|told| !is_over(told.state) && told.incident == newest.incident);
        let Some(told) = told else {
            // Where only labels count, a further incident of what is shown already pages nobody.
            let gate = if self.told.is_firing() {
                Gate::None
            } else {
                Gate::First
            };
            return self.announce(intent, newest, gate);
        };
        let again = !terms.repeated
            && !acknowledged
            && (told.state == AlertState::Acknowledged
                || self.course.got_worse_since(told.revision));
        match &self.told {
            Told::Withheld { .. } => self.announce(intent, newest, Gate::First),
            Told::Suppressed(_) if again => self.announce(intent, newest, Gate::First),
            Told::Rejected(_) | Told::Intent { .. } | Told::Sent(_) if again => {
                self.announce(intent, newest, Gate::Again)
            }
            Told::Nothing | Told::Suppressed(_) => Step::Nothing,
            Told::Rejected(_) if !terms.repeated => Step::Nothing,
            Told::Intent { .. } | Told::Sent(_) if told.state != state => {
                self.announce(intent, newest, Gate::None)
            }
            Told::Intent {
                phase: Phase::Inherited,
                ..
            } => Step::Resend {
                intent: told.clone(),
                transition: Arc::clone(newest),
            },
            Told::Intent { .. } | Told::Sent(_) | Told::Rejected(_)
                if told.revision == newest.revision =>
            {
                Step::Nothing
            }
            Told::Intent { .. } | Told::Sent(_) | Told::Rejected(_) => Step::Refresh {
                intent: told.clone(),
                transition: Arc::clone(newest),
            },
        }
    }

    fn next_when_over(&self, newest: &Arc<AlertTransition>, terms: Terms) -> Step {
        let told = match &self.told {
            Told::Nothing | Told::Suppressed(_) | Told::Withheld { .. } => return Step::Forget,
            Told::Rejected(told) if !terms.repeated && !is_over(told.state) => return Step::Forget,
            Told::Rejected(told) | Told::Intent { intent: told, .. } | Told::Sent(told) => told,
        };
        // Where only labels count, over is over; elsewhere "it was never true" is news after "it is over".
        let said_already =
            is_over(told.state) && (told.state == newest.state() || !terms.by_incident);
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
                | Told::Withheld { .. }
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
        self.announce(intent, newest, Gate::None)
    }

    fn announce(&self, intent: IntentKey, newest: &Arc<AlertTransition>, gate: Gate) -> Step {
        // The end of something sent and ended before (a retraction after a resolve) is due to the receiver as well; what
        // became of something refused since is known to the queue alone.
        let was_told = match &self.told {
            Told::Sent(_) | Told::Rejected(_) => is_over(intent.state),
            Told::Nothing | Told::Suppressed(_) | Told::Withheld { .. } | Told::Intent { .. } => {
                false
            }
        };
        Step::Announce {
            intent,
            transition: Arc::clone(newest),
            gate,
            may_be_open: was_told || self.told.may_be_open(),
        }
    }

    /// Whether nothing is owed and nothing was heard of it since the horizon.
    pub(super) fn is_settled_before(&self, horizon_ms: i64) -> bool {
        let owed = !self.missed.is_empty()
            || match &self.told {
                Told::Nothing | Told::Suppressed(_) | Told::Withheld { .. } | Told::Rejected(_) => {
                    false
                }
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
