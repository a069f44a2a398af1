//! The seven clocks by name, and the statuses in which each pauses unless a policy says otherwise (SEMANTICS 3).

use slawatch_event::Status;

use crate::StatusSet;

/// What a clock measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Metric {
    /// From the creation to the first reply.
    FirstReply,
    /// From a customer's word to the next reply.
    NextReply,
    /// From one reply to the next.
    PeriodicUpdate,
    /// From the creation until over, less what waits for the customer.
    RequesterWait,
    /// From the creation until over, less what waits for anybody else.
    AgentWork,
    /// From the creation until over.
    Resolution,
    /// From the offer of a contact to its answer.
    Answer,
}

impl Metric {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// Every metric, in the order of the specification.
    pub const ALL: [Self; Self::COUNT] = [
        Self::FirstReply,
        Self::NextReply,
        Self::PeriodicUpdate,
        Self::RequesterWait,
        Self::AgentWork,
        Self::Resolution,
        Self::Answer,
    ];

    /// The name in policies, rows and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstReply => "first_reply",
            Self::NextReply => "next_reply",
            Self::PeriodicUpdate => "periodic_update",
            Self::RequesterWait => "requester_wait",
            Self::AgentWork => "agent_work",
            Self::Resolution => "resolution",
            Self::Answer => "answer",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The statuses in which its clock stands still where the policy names none.
    pub const fn default_pause(self) -> StatusSet {
        match self {
            Self::FirstReply | Self::NextReply | Self::Resolution | Self::Answer => {
                StatusSet::EMPTY
            }
            Self::PeriodicUpdate | Self::RequesterWait => StatusSet::of(&[Status::Pending]),
            Self::AgentWork => StatusSet::of(&[Status::Pending, Status::OnHold]),
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_go_both_ways() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), index);
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
        }
        assert_eq!(Metric::from_name("Resolution"), None);
    }

    #[test]
    fn pauses_are_those_of_the_specification() {
        let pauses: Vec<String> = Metric::ALL
            .iter()
            .map(|metric| format!("{metric}: {}", metric.default_pause()))
            .collect();
        assert_eq!(
            pauses,
            [
                "first_reply: -",
                "next_reply: -",
                "periodic_update: pending",
                "requester_wait: pending",
                "agent_work: pending on_hold",
                "resolution: -",
                "answer: -",
            ]
        );
    }
}
