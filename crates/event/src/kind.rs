//! The thirteen types of event, in the order that breaks ties (SEMANTICS 2).

/// What happened. The discriminant is the rank of SEMANTICS 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventType {
    /// The ticket is opened.
    Created,
    /// Only attributes changed.
    Updated,
    /// The customer wrote.
    CustomerReplied,
    /// An agent wrote to the customer.
    AgentReplied,
    /// A call or chat was offered to a queue.
    ContactOffered,
    /// An agent took it.
    ContactAnswered,
    /// The customer gave up waiting.
    ContactAbandoned,
    /// A contact or a piece of work is finished, wrap-up included.
    Handled,
    /// The customer rated the service.
    Rated,
    /// The ticket was escalated.
    Escalated,
    /// Quality assurance looked at it.
    Audited,
    /// Merged into another ticket: ended.
    Merged,
    /// Cancelled: ended.
    Cancelled,
}

impl EventType {
    /// Every type, by rank.
    pub const ALL: [Self; 13] = [
        Self::Created,
        Self::Updated,
        Self::CustomerReplied,
        Self::AgentReplied,
        Self::ContactOffered,
        Self::ContactAnswered,
        Self::ContactAbandoned,
        Self::Handled,
        Self::Rated,
        Self::Escalated,
        Self::Audited,
        Self::Merged,
        Self::Cancelled,
    ];

    /// Position in the order of SEMANTICS 2, from 0.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::CustomerReplied => "customer_replied",
            Self::AgentReplied => "agent_replied",
            Self::ContactOffered => "contact_offered",
            Self::ContactAnswered => "contact_answered",
            Self::ContactAbandoned => "contact_abandoned",
            Self::Handled => "handled",
            Self::Rated => "rated",
            Self::Escalated => "escalated",
            Self::Audited => "audited",
            Self::Merged => "merged",
            Self::Cancelled => "cancelled",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "updated" => Self::Updated,
            "customer_replied" => Self::CustomerReplied,
            "agent_replied" => Self::AgentReplied,
            "contact_offered" => Self::ContactOffered,
            "contact_answered" => Self::ContactAnswered,
            "contact_abandoned" => Self::ContactAbandoned,
            "handled" => Self::Handled,
            "rated" => Self::Rated,
            "escalated" => Self::Escalated,
            "audited" => Self::Audited,
            "merged" => Self::Merged,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }
}
