//! The words that ledger, queue and receiver share: what is to be said, and what came of it.

use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition};

/// What a receiver takes for one and the same thing; the newest state of it replaces the older ones.
///
/// Alertmanager knows only labels, so `incident` is empty there. A webhook's incidents are things of their own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The alert's key.
    pub key: String,
    /// The incident, if the receiver tells incidents of one key apart.
    pub incident: String,
}

/// Which ledger of this process a delivery belongs to, so that a partition given up takes its deliveries along. A
/// partition that comes back gets a new ledger, and a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerId(pub u64);

/// A subject and the ledger that speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Who decided it, and hears what came of it.
    pub ledger: LedgerId,
    /// Whose state is told.
    pub subject: Subject,
}

/// One state to be told to one receiver, its intent durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Whom it is about.
    pub address: Address,
    /// What the receiver is told.
    pub transition: Arc<AlertTransition>,
    /// The intent's incident, state and revision; a resend keeps them, so the receiver sees one and the same key.
    pub intent: IntentKey,
    /// The receiver may have something of this subject open already, so its end must not be kept from it.
    pub may_be_open: bool,
    /// What the receiver calls what it was told before of this subject; empty if nothing, or if it has no names.
    pub reference: String,
    /// A receiver that can is told in one message what belongs to one group; `None` stands alone.
    pub group: Option<String>,
}

impl Delivery {
    /// The receiver has a name for what it was told of this subject.
    pub(crate) fn is_called(&mut self, reference: &str) {
        if !reference.is_empty() {
            reference.clone_into(&mut self.reference);
        }
    }
}

/// Names one intent of one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentKey {
    /// The incident told of.
    pub incident: String,
    /// The state told.
    pub state: AlertState,
    /// The transition's revision when the intent was written.
    pub revision: u64,
    /// How often the same was told before on purpose; 0 the first time.
    pub repeat: u32,
    /// Step of the escalation that it belongs to, from 1; 0 without one.
    pub step: u32,
}

/// What a ledger asks of a receiver's queue.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Tell this.
    Deliver(Delivery),
    /// This was told before and still holds: go on repeating it, if the protocol wants that.
    Keep(Delivery),
    /// What was or will be told has newer evidence; nobody is paged for that.
    Refresh(Delivery),
}

/// What came of an intent, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whom it is about.
    pub address: Address,
    /// Which intent.
    pub intent: IntentKey,
    /// How often it was tried by this process.
    pub attempts: u32,
    /// What became of it.
    pub end: DeliveryEnd,
    /// The receiver's answer, or the reason.
    pub detail: String,
    /// See [`Delivery::reference`]; empty unless it was sent.
    pub reference: String,
}

/// How an intent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// The receiver took it.
    Sent,
    /// The receiver refused it for good.
    Rejected,
    /// It was not sent, since it was no longer the newest state.
    Suppressed,
}

/// The receiver's answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx.
    Taken {
        /// The status.
        detail: String,
        /// What the receiver calls it from now on, so that a later state can change it; empty if it has no names.
        reference: String,
    },
    /// Any other answer that trying again will not change.
    Refused {
        /// Status and the beginning of the body.
        detail: String,
    },
    /// Trouble that may pass: 5xx, logins and routes, 429, time-outs, lost connections.
    Trouble {
        /// What happened, without the address.
        detail: String,
        /// How long the receiver asked to be left alone.
        retry_after_ms: Option<i64>,
        /// The receiver may have acted on the request all the same.
        maybe_delivered: bool,
    },
}

impl Answer {
    /// Taken by a receiver that has no names for what it is told.
    pub fn taken(detail: impl Into<String>) -> Self {
        Self::Taken {
            detail: detail.into(),
            reference: String::new(),
        }
    }
}

/// Whether a receiver told of this state has something open.
///
/// What a newer program may add later counts as over: better a resolve too many than one that never comes.
pub(crate) fn is_over(state: AlertState) -> bool {
    match state {
        AlertState::Pending | AlertState::Firing | AlertState::Acknowledged => false,
        AlertState::Resolved
        | AlertState::Retracted
        | AlertState::Expired
        | AlertState::Unspecified => true,
    }
}

/// The state in lower case, as receivers and logs show it.
pub(crate) fn state_word(state: AlertState) -> &'static str {
    match state {
        AlertState::Unspecified => "unspecified",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
        AlertState::Retracted => "retracted",
        AlertState::Expired => "expired",
        AlertState::Acknowledged => "acknowledged",
    }
}
