//! Names of ticket attributes, as policies match them (SEMANTICS 1 and 4).

/// An attribute of a ticket that a policy can match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The outsourcer that has the ticket.
    Vendor,
    /// The queue the ticket is in.
    Queue,
    /// Its priority.
    Priority,
    /// Its status, by canonical name; `new` where never set.
    Status,
    /// Its channel (phone, chat, mail).
    Channel,
    /// Its category.
    Category,
    /// The agent who has it.
    AgentId,
    /// Who asked.
    RequesterId,
    /// Why it came up.
    RootCause,
    /// The operating procedure it is handled by.
    Sop,
    /// A label, written `labels.NAME`.
    Label(String),
}

impl Attribute {
    /// The attributes with a name of their own, in the order of the specification.
    pub const NAMED: [Self; 10] = [
        Self::Vendor,
        Self::Queue,
        Self::Priority,
        Self::Status,
        Self::Channel,
        Self::Category,
        Self::AgentId,
        Self::RequesterId,
        Self::RootCause,
        Self::Sop,
    ];

    /// The attribute that a policy names so; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(label) = name.strip_prefix("labels.") {
            return (!label.is_empty()).then(|| Self::Label(label.to_owned()));
        }
        Self::NAMED.into_iter().find(|known| known.name() == name)
    }

    /// The name in events and policies; for a label `labels`, without its own name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Vendor => "vendor",
            Self::Queue => "queue",
            Self::Priority => "priority",
            Self::Status => "status",
            Self::Channel => "channel",
            Self::Category => "category",
            Self::AgentId => "agent_id",
            Self::RequesterId => "requester_id",
            Self::RootCause => "root_cause",
            Self::Sop => "sop",
            Self::Label(_) => "labels",
        }
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Label(name) => write!(f, "labels.{name}"),
            Self::Vendor
            | Self::Queue
            | Self::Priority
            | Self::Status
            | Self::Channel
            | Self::Category
            | Self::AgentId
            | Self::RequesterId
            | Self::RootCause
            | Self::Sop => f.write_str(self.name()),
        }
    }
}
