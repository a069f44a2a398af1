//! Why a record cannot count (SEMANTICS 1).

use std::fmt;

/// The reason of a dead letter. Where several hold, the first in this order is given. Where a mapping gave no event there is
/// nothing that another reason could be said of, `bad_json` excepted, which is said of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Not one JSON object in UTF-8 (from protobuf: not the message).
    BadJson,
    /// A required field is absent, null or empty.
    MissingField,
    /// A known field is of the wrong type or out of its range.
    BadField,
    /// `type` is none of the thirteen.
    UnknownType,
    /// `status` is neither one of the six nor in the configured map.
    UnknownStatus,
    /// Later than the record's own timestamp by more than `max_future_skew`.
    FutureEvent,
    /// Of an unknown ticket, and older than `forget_after`.
    TicketForgotten,
    /// Its ticket has the most events that a history may have.
    TicketTooLong,
    /// The mapping's program failed, or gave no one object.
    MappingFailed,
    /// The mapping's program gave nothing: the source's records of this kind are no events.
    MappingSkipped,
}

impl Reason {
    /// Every reason, in order.
    pub const ALL: [Self; 10] = [
        Self::BadJson,
        Self::MissingField,
        Self::BadField,
        Self::UnknownType,
        Self::UnknownStatus,
        Self::FutureEvent,
        Self::TicketForgotten,
        Self::TicketTooLong,
        Self::MappingFailed,
        Self::MappingSkipped,
    ];

    /// The name in dead letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::MissingField => "missing_field",
            Self::BadField => "bad_field",
            Self::UnknownType => "unknown_type",
            Self::UnknownStatus => "unknown_status",
            Self::FutureEvent => "future_event",
            Self::TicketForgotten => "ticket_forgotten",
            Self::TicketTooLong => "ticket_too_long",
            Self::MappingFailed => "mapping_failed",
            Self::MappingSkipped => "mapping_skipped",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record that cannot count: the reason, and what was wrong in words for the source's owner. The words repeat
/// nothing of the record's own content but field names and single short words; what a mapping's program says is cut short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Rejection {
    /// Which of SEMANTICS 1.
    pub reason: Reason,
    /// Which field, what was wrong, what is expected.
    pub detail: String,
}

impl Rejection {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}
