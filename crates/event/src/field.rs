//! The fields of an event, by the names of SEMANTICS 1.

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field(usize);

/// The text attributes stand first, in the order of [`crate::TEXT_ATTRIBUTES`].
const NAMES: [&str; Field::COUNT] = [
    "vendor",
    "queue",
    "priority",
    "channel",
    "category",
    "agent_id",
    "requester_id",
    "root_cause",
    "sop",
    "event_id",
    "ticket_id",
    "type",
    "occurred_at",
    "sequence",
    "status",
    "labels",
    "contact_id",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "score",
    "score_max",
    "level",
    "reason",
    "passed",
    "into",
];

impl Field {
    pub(crate) const COUNT: usize = 26;
    pub(crate) const EVENT_ID: Self = Self(9);
    pub(crate) const TICKET_ID: Self = Self(10);
    pub(crate) const TYPE: Self = Self(11);
    pub(crate) const OCCURRED_AT: Self = Self(12);
    pub(crate) const SEQUENCE: Self = Self(13);
    pub(crate) const STATUS: Self = Self(14);
    pub(crate) const LABELS: Self = Self(15);
    pub(crate) const CONTACT_ID: Self = Self(16);
    pub(crate) const TALK_MS: Self = Self(17);
    pub(crate) const HOLD_MS: Self = Self(18);
    pub(crate) const WRAP_MS: Self = Self(19);
    pub(crate) const SCORE: Self = Self(20);
    pub(crate) const SCORE_MAX: Self = Self(21);
    pub(crate) const LEVEL: Self = Self(22);
    pub(crate) const REASON: Self = Self(23);
    pub(crate) const PASSED: Self = Self(24);
    pub(crate) const INTO: Self = Self(25);

    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// The field of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let position = match name {
            "vendor" => 0,
            "queue" => 1,
            "priority" => 2,
            "channel" => 3,
            "category" => 4,
            "agent_id" => 5,
            "requester_id" => 6,
            "root_cause" => 7,
            "sop" => 8,
            "event_id" => 9,
            "ticket_id" => 10,
            "type" => 11,
            "occurred_at" => 12,
            "sequence" => 13,
            "status" => 14,
            "labels" => 15,
            "contact_id" => 16,
            "talk_ms" => 17,
            "hold_ms" => 18,
            "wrap_ms" => 19,
            "score" => 20,
            "score_max" => 21,
            "level" => 22,
            "reason" => 23,
            "passed" => 24,
            "into" => 25,
            _ => return None,
        };
        Some(Self(position))
    }

    /// The name in events.
    pub const fn name(self) -> &'static str {
        NAMES[self.0]
    }

    /// The position in the list of fields, below [`Self::COUNT`].
    pub(crate) const fn position(self) -> usize {
        self.0
    }

    /// The text attribute at a position of [`crate::TEXT_ATTRIBUTES`].
    pub(crate) const fn text_attribute(position: usize) -> Self {
        Self(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TEXT_ATTRIBUTES;

    #[test]
    fn every_field_has_its_name_back() {
        for field in Field::all() {
            assert_eq!(Field::from_name(field.name()), Some(field));
        }
        assert_eq!(Field::from_name("vendors"), None);
        for (position, attribute) in TEXT_ATTRIBUTES.iter().enumerate() {
            assert_eq!(Field::text_attribute(position).name(), attribute.name());
        }
        assert_eq!(Field::INTO.name(), "into");
        assert_eq!(Field::STATUS.name(), "status");
    }
}
