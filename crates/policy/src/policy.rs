//! One policy: what it applies to and what it asks for (SEMANTICS 3 and 4). It comes from a file by way of `PolicySets`.

use std::sync::Arc;

use slawatch_calendar::Calendar;
use slawatch_event::Attribute;

use crate::{Glob, Metric, StatusSet, WarnLevel};

/// What a reopened ticket does to the clocks that stop when it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum OnReopen {
    /// The same cycle runs on.
    #[default]
    Resume,
    /// The stop stands and a new cycle starts.
    Restart,
    /// The stop is final.
    Ignore,
}

/// To which owner a decision belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AttributeTo {
    /// The one in force when it was decided.
    #[default]
    Due,
    /// The one at the cycle's start.
    Start,
    /// The one with the largest share.
    Longest,
}

/// What solving without a reply means for a clock that waits for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ReplyBySolving {
    /// It counts as the reply.
    #[default]
    Met,
    /// The cycle ends without verdict.
    Cancelled,
}

/// A choice that a policy writes as one of a few words.
pub(crate) trait Choice: Copy + Sized + 'static {
    const ALL: &'static [(&'static str, Self)];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, choice)| *choice)
    }
}

impl Choice for OnReopen {
    const ALL: &'static [(&'static str, Self)] = &[
        ("resume", Self::Resume),
        ("restart", Self::Restart),
        ("ignore", Self::Ignore),
    ];
}

impl Choice for AttributeTo {
    const ALL: &'static [(&'static str, Self)] = &[
        ("due", Self::Due),
        ("start", Self::Start),
        ("longest", Self::Longest),
    ];
}

impl Choice for ReplyBySolving {
    const ALL: &'static [(&'static str, Self)] =
        &[("met", Self::Met), ("cancelled", Self::Cancelled)];
}

/// `short_abandon` where a policy names none, and where no policy is in force.
pub const DEFAULT_SHORT_ABANDON_MS: i64 = 5_000;

/// What one metric is to take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    #[default]
    None,
    Always(i64),
    ByPriority {
        /// Few enough that looking at each is the fastest search.
        priorities: Box<[(Box<str>, i64)]>,
        default_ms: Option<i64>,
    },
}

/// An attribute, and the patterns of which one must match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) attribute: Attribute,
    pub(crate) globs: Vec<Glob>,
}

/// A policy of a set.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Unique in its set.
    pub name: String,
    /// The business hours of its clocks; `None` is always open.
    pub calendar: Option<Arc<Calendar>>,
    /// The name of that calendar in the file.
    pub calendar_name: Option<String>,
    /// What a reopen does.
    pub on_reopen: OnReopen,
    /// Whose a decision is.
    pub attribute_to: AttributeTo,
    /// What solving without a reply does.
    pub reply_by_solving: ReplyBySolving,
    /// The longest wait, in plain time, of a contact abandoned too soon to count.
    pub short_abandon_ms: i64,
    /// When to announce that a clock is running out, in the order of the file.
    pub warn_at: Vec<WarnLevel>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) targets: [Target; Metric::COUNT],
    pub(crate) pause_on: [StatusSet; Metric::COUNT],
}

impl Policy {
    /// The statuses in which a metric's clock stands still.
    pub fn pause_on(&self, metric: Metric) -> StatusSet {
        self.pause_on[metric.index()]
    }

    /// What a metric is to take at this priority (`""` if unset); `None` if nothing is asked.
    pub fn target_ms(&self, metric: Metric, priority: &str) -> Option<i64> {
        match &self.targets[metric.index()] {
            Target::None => None,
            Target::Always(ms) => Some(*ms),
            Target::ByPriority {
                priorities,
                default_ms,
            } => {
                let named = priorities.iter().find(|(name, _)| **name == *priority);
                named.map(|(_, ms)| *ms).or(*default_ms)
            }
        }
    }

    /// Whether it asks anything of a metric at any priority.
    pub fn has_target(&self, metric: Metric) -> bool {
        match &self.targets[metric.index()] {
            Target::None => false,
            Target::Always(_) => true,
            Target::ByPriority {
                priorities,
                default_ms,
            } => default_ms.is_some() || !priorities.is_empty(),
        }
    }
}
