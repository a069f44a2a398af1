//! One accepted event, decoded: its identity, its place in order, the attributes it carries and what happened.

use std::borrow::Cow;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{Attribute, EventType, Rating, Status};

/// One event of SEMANTICS 1, its strings borrowed from the record where the source allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketEvent<'a> {
    /// The same id within a ticket is the same event. Never empty.
    pub event_id: Cow<'a, str>,
    /// The ticket it belongs to. Never empty.
    pub ticket_id: Cow<'a, str>,
    /// What happened.
    pub event_type: EventType,
    /// Event time, UTC ms since 1970, in the years 1 to 9999.
    pub occurred_at_ms: i64,
    /// The source's own order inside a ticket.
    pub sequence: u64,
    /// The ticket attributes that it sets.
    pub attributes: Attributes<'a>,
    /// The contact it is about; `None` is the ticket's one contact.
    pub contact_id: Option<Cow<'a, str>>,
    /// What only some types need.
    pub details: Details<'a>,
}

/// Fields that matter to one type of event only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details<'a> {
    /// Talk time of `handled`.
    pub talk_ms: u64,
    /// Hold time of `handled`.
    pub hold_ms: u64,
    /// Wrap-up time of `handled`.
    pub wrap_ms: u64,
    /// The rating; present on every `rated`.
    pub rating: Option<Rating<'a>>,
    /// Escalation level.
    pub level: Option<Cow<'a, str>>,
    /// Escalation reason.
    pub reason: Option<Cow<'a, str>>,
    /// Whether an audit was passed; absent counts as not passed.
    pub passed: Option<bool>,
    /// The ticket that this one was merged into.
    pub into: Option<Cow<'a, str>>,
}

/// The attributes that an event carries: absent ones keep the ticket's value, empty ones clear it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// The status, if present.
    pub status: Option<Status>,
    /// By position in [`TEXT_ATTRIBUTES`].
    pub(crate) text: [Option<Cow<'a, str>>; TEXT_ATTRIBUTES.len()],
    /// Label names and values, each name once, sorted.
    pub labels: Vec<Label<'a>>,
}

/// A label's name and value.
pub type Label<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The attributes that are plain text and have a name of their own.
pub const TEXT_ATTRIBUTES: [Attribute; 9] = [
    Attribute::Vendor,
    Attribute::Queue,
    Attribute::Priority,
    Attribute::Channel,
    Attribute::Category,
    Attribute::AgentId,
    Attribute::RequesterId,
    Attribute::RootCause,
    Attribute::Sop,
];

impl Attributes<'_> {
    /// The value that the event gives to an attribute; `None` if it does not touch it.
    pub fn get(&self, attribute: &Attribute) -> Option<&str> {
        let position = match attribute {
            Attribute::Vendor => 0,
            Attribute::Queue => 1,
            Attribute::Priority => 2,
            Attribute::Channel => 3,
            Attribute::Category => 4,
            Attribute::AgentId => 5,
            Attribute::RequesterId => 6,
            Attribute::RootCause => 7,
            Attribute::Sop => 8,
            Attribute::Status => return self.status.map(Status::name),
            Attribute::Label(name) => {
                return self
                    .labels
                    .iter()
                    .find(|(label, _)| label == name)
                    .map(|(_, value)| value.as_ref());
            }
        };
        self.text[position].as_deref()
    }

    /// Whether the event carries no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.status.is_none() && self.labels.is_empty() && self.text.iter().all(Option::is_none)
    }
}

impl TicketEvent<'_> {
    /// The same event, borrowing nothing.
    pub fn into_owned(self) -> TicketEvent<'static> {
        let Details {
            talk_ms,
            hold_ms,
            wrap_ms,
            rating,
            level,
            reason,
            passed,
            into,
        } = self.details;
        let labels = self.attributes.labels.into_iter();
        TicketEvent {
            event_id: owned(self.event_id),
            ticket_id: owned(self.ticket_id),
            event_type: self.event_type,
            occurred_at_ms: self.occurred_at_ms,
            sequence: self.sequence,
            attributes: Attributes {
                status: self.attributes.status,
                text: self.attributes.text.map(|text| text.map(owned)),
                labels: labels
                    .map(|(name, value)| (owned(name), owned(value)))
                    .collect(),
            },
            contact_id: self.contact_id.map(owned),
            details: Details {
                talk_ms,
                hold_ms,
                wrap_ms,
                rating: rating.map(|rating| Rating {
                    score: owned(rating.score),
                    score_max: owned(rating.score_max),
                }),
                level: level.map(owned),
                reason: reason.map(owned),
                passed,
                into: into.map(owned),
            },
        }
    }

    /// The last key of the order of SEMANTICS 2, and the event's identity within its ticket: XXH3-64 of `event_id`.
    pub fn key(&self) -> u64 {
        xxh3_64(self.event_id.as_bytes())
    }

    /// A hash of everything the event says, so that copies of one id that differ can be told. Not stable between
    /// versions.
    pub fn content_hash(&self) -> u64 {
        // Each text is hashed with what came before as the seed: for short ones far cheaper than a running state.
        let mut hash = 0;
        let mut text = |value: Option<&str>| {
            hash = match value {
                None => hash_number(hash, u64::MAX),
                Some(value) => xxh3_64_with_seed(value.as_bytes(), hash),
            };
        };
        text(self.attributes.status.map(Status::name));
        for value in &self.attributes.text {
            text(value.as_deref());
        }
        for (name, value) in &self.attributes.labels {
            text(Some(name));
            text(Some(value));
        }
        let details = &self.details;
        text(self.contact_id.as_deref());
        text(details.rating.as_ref().map(|rating| &*rating.score));
        text(details.rating.as_ref().map(|rating| &*rating.score_max));
        text(details.level.as_deref());
        text(details.reason.as_deref());
        text(details.into.as_deref());
        for number in [
            self.occurred_at_ms as u64,
            self.sequence,
            details.talk_ms,
            details.hold_ms,
            details.wrap_ms,
            self.event_type.rank().into(),
            details.passed.map_or(2, u64::from),
        ] {
            hash = hash_number(hash, number);
        }
        hash
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// One round of a multiplicative hash.
fn hash_number(hash: u64, number: u64) -> u64 {
    let mixed = (hash.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}
