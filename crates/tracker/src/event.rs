//! An event as a ticket's history keeps it: only what can still change a number.

use slawatch_event::{Attribute, EventType, Status, TicketEvent};

use crate::rules::Rules;
use crate::symbol::Symbol;

/// One known event of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at_ms: i64,
    pub(crate) sequence: u64,
    pub(crate) event_type: EventType,
    /// XXH3-64 of `event_id`.
    pub(crate) key: u64,
    /// A hash of all it says, to tell copies that differ.
    pub(crate) content: u32,
    pub(crate) status: Option<Status>,
    /// (position in the rules' attributes, value).
    pub(crate) attributes: Box<[(u16, Symbol)]>,
    pub(crate) contact: Option<Box<str>>,
    pub(crate) effect: Effect,
}

/// What only some types carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    None,
    Handled {
        talk_ms: u64,
        hold_ms: u64,
        wrap_ms: u64,
    },
    Rated {
        satisfied: bool,
    },
    Audited {
        passed: bool,
    },
}

impl Event {
    /// Keeps of a decoded event what the rules can ask for.
    pub(crate) fn of(event: &TicketEvent<'_>, rules: &mut Rules) -> Self {
        let effect = match event.event_type {
            EventType::Handled => Effect::Handled {
                talk_ms: event.details.talk_ms,
                hold_ms: event.details.hold_ms,
                wrap_ms: event.details.wrap_ms,
            },
            EventType::Rated => Effect::Rated {
                satisfied: event
                    .details
                    .rating
                    .as_ref()
                    .is_some_and(slawatch_event::Rating::is_satisfied),
            },
            EventType::Audited => Effect::Audited {
                passed: event.details.passed == Some(true),
            },
            EventType::Created
            | EventType::Updated
            | EventType::CustomerReplied
            | EventType::AgentReplied
            | EventType::ContactOffered
            | EventType::ContactAnswered
            | EventType::ContactAbandoned
            | EventType::Escalated
            | EventType::Merged
            | EventType::Cancelled => Effect::None,
        };
        let is_contact = matches!(
            event.event_type,
            EventType::ContactOffered | EventType::ContactAnswered | EventType::ContactAbandoned
        );
        Self {
            at_ms: event.occurred_at_ms,
            sequence: event.sequence,
            event_type: event.event_type,
            key: event.key(),
            content: event.content_hash() as u32,
            status: event.attributes.status,
            attributes: rules
                .kept_attributes(|attribute: &Attribute| event.attributes.get(attribute)),
            contact: event
                .contact_id
                .as_deref()
                .filter(|_| is_contact)
                .map(Box::from),
            effect,
        }
    }

    /// The order of SEMANTICS 2.
    pub(crate) fn order(&self) -> (i64, u64, u8, u64) {
        (self.at_ms, self.sequence, self.event_type.rank(), self.key)
    }
}
