//! The six states of a ticket (SEMANTICS 1).

/// A ticket's status, after any mapping from the source's own names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    /// Never set, or set to the empty string.
    #[default]
    New,
    /// Being worked on.
    Open,
    /// Waits for the customer.
    Pending,
    /// Waits for a third party.
    OnHold,
    /// Solved.
    Solved,
    /// Closed for good, in the source's eyes; it may still reopen.
    Closed,
}

impl Status {
    /// Every status, in the order of the specification.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Open,
        Self::Pending,
        Self::OnHold,
        Self::Solved,
        Self::Closed,
    ];

    /// The name in events, policies and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Pending => "pending",
            Self::OnHold => "on_hold",
            Self::Solved => "solved",
            Self::Closed => "closed",
        }
    }

    /// The status of that name; the empty string is `new`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "new" | "" => Self::New,
            "open" => Self::Open,
            "pending" => Self::Pending,
            "on_hold" => Self::OnHold,
            "solved" => Self::Solved,
            "closed" => Self::Closed,
            _ => return None,
        })
    }

    /// Solved or closed.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Solved | Self::Closed)
    }
}
