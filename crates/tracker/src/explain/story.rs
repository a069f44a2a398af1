//! What an explanation says, as data: the same for text and JSON.

use slawatch_event::{Attribute, EventType, Status};
use slawatch_policy::{AttributeTo, Metric, OnReopen};
use slawatch_wire::v1;

use crate::fold::Standing;
use crate::rules::{Rules, SetIndex};
use crate::tracker::Applied;

/// A ticket, explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The ticket.
    pub ticket_id: String,
    /// The clock less `allowed_delay`, UTC ms.
    pub now_ms: i64,
    /// After its last event.
    pub state: TicketState,
    /// The first `created`, UTC ms; `None` where none is known.
    pub created_at_ms: Option<i64>,
    /// Every known event, in the order of SEMANTICS 2.
    pub events: Vec<EventStory>,
    /// Events that are not known, in the order in which they came.
    pub dropped: Vec<DroppedEvent>,
    /// By metric in the order of the specification, then by number.
    pub cycles: Vec<CycleStory>,
}

/// What a ticket is after its last event (SEMANTICS 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// No `created` is known.
    NotCreated,
    /// Created, not over, not ended.
    Open,
    /// Solved or closed.
    Over,
    /// Merged or cancelled.
    Ended,
}

/// One known event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventStory {
    /// Its `event_id`.
    pub id: String,
    /// UTC ms.
    pub at_ms: i64,
    /// The source's own order.
    pub sequence: u64,
    /// What happened.
    pub event_type: EventType,
    /// The contact of a contact event.
    pub contact_id: Option<String>,
    /// The values that it changed, of the attributes that any policy or row looks at.
    pub changes: Vec<AttributeChange>,
    /// How much of it counts.
    pub effect: EventEffect,
}

/// How much of an event counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventEffect {
    /// All of it.
    Counts,
    /// It comes before `created`, so it sets attributes and nothing else.
    BeforeCreated,
    /// A further `created`: it acts as `updated`.
    ActsAsUpdated,
    /// The end of a contact that does not wait: its attributes count.
    NothingWaits,
    /// It comes after the ticket's end and counts in measures, but moves no clock.
    CountsAfterEnd,
    /// It comes after the ticket's end: nothing of it counts.
    AfterEnd,
}

/// A value that an event changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeChange {
    /// Of which attribute.
    pub attribute: Attribute,
    /// Before; empty if unset.
    pub from: String,
    /// After; empty if cleared.
    pub to: String,
}

/// An event that is not among the known ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedEvent {
    /// Its `event_id`.
    pub id: String,
    /// What it said happened.
    pub event_type: EventType,
    /// When it said so, UTC ms.
    pub at_ms: i64,
    /// Why it is not known.
    pub applied: Applied,
}

/// One cycle of one clock, explained.
#[derive(Clone, Debug, PartialEq)]
pub struct CycleStory {
    /// Which clock.
    pub metric: Metric,
    /// The file of the policy set that it keeps; `None` if none was in force at its start.
    pub policy_file: Option<String>,
    /// Its row (SEMANTICS 8), or what its row would be if it had one.
    pub row: v1::OutcomeRow,
    /// Whether it has a row: whether a target was ever defined for it.
    pub has_row: bool,
    /// From the start to the stop, or to now, without a gap. None has length 0.
    pub segments: Vec<Segment>,
    /// What happened to it, in order.
    pub moments: Vec<Moment>,
    /// What was in force where it was decided, before any `attribute_to`.
    pub decided_under: Option<Holding>,
    /// To whom the policy there attributes decisions.
    pub attribute_to: Option<AttributeTo>,
}

/// A stretch of time in which one thing was the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// UTC ms.
    pub from_ms: i64,
    /// UTC ms.
    pub to_ms: i64,
    /// What was the case.
    pub kind: SegmentKind,
    /// What was in force.
    pub holding: Holding,
    /// The cycle's elapsed time at the segment's end, ms.
    pub elapsed_ms: i64,
}

/// What the clock did in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// It ran.
    Running,
    /// Its calendar was closed.
    Closed,
    /// The status paused it.
    Paused(Status),
    /// The ticket was over, and reopened later.
    Over,
    /// It ran in the hours of its calendar: a stretch of more openings and closings than are told one by one.
    InHours,
}

/// What is in force for a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The owner's vendor.
    pub vendor: String,
    /// The owner's queue.
    pub queue: String,
    /// The ticket's priority.
    pub priority: String,
    /// The policy, by name.
    pub policy: Option<String>,
    /// The policy's calendar, by name; `None` is always open.
    pub calendar: Option<String>,
    /// The target, ms.
    pub target_ms: Option<i64>,
}

impl Holding {
    pub(super) fn of(standing: &Standing, set: Option<SetIndex>, rules: &Rules) -> Self {
        let policy = rules.in_force(set, standing.policy);
        let text = |symbol| rules.symbols.text(symbol).to_owned();
        Self {
            vendor: text(standing.owner.vendor),
            queue: text(standing.owner.queue),
            priority: text(standing.priority),
            policy: policy.map(|policy| policy.name.clone()),
            calendar: policy.and_then(|policy| policy.calendar_name.clone()),
            target_ms: standing.target_ms,
        }
    }
}

/// Something that happened to a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// UTC ms.
    pub at_ms: i64,
    /// The cycle's elapsed time there, ms.
    pub elapsed_ms: i64,
    /// The event through which it happened, by its place among the explanation's events; a due needs none.
    pub event: Option<usize>,
    /// What happened.
    pub happened: Happened,
}

/// What can happen to a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It started, under this.
    Started(Holding),
    /// The ticket came to another owner.
    Owner {
        /// (vendor, queue) before.
        from: (String, String),
        /// (vendor, queue) after.
        to: (String, String),
    },
    /// Another policy matches.
    Policy {
        /// Before.
        from: Option<String>,
        /// After.
        to: Option<String>,
        /// Its calendar before.
        calendar_from: Option<String>,
        /// Its calendar after.
        calendar_to: Option<String>,
        /// The changes of attributes that policies match on.
        causes: Vec<Cause>,
    },
    /// The ticket's priority changed, and the target did not.
    Priority {
        /// Before.
        from: String,
        /// After.
        to: String,
        /// The target, ms.
        target_ms: Option<i64>,
    },
    /// The target changed.
    Target {
        /// Before, ms.
        from_ms: Option<i64>,
        /// After, ms.
        to_ms: Option<i64>,
        /// Another policy matches, and this is its target.
        by_policy: bool,
        /// The changes that brought it about.
        causes: Vec<Cause>,
    },
    /// The status pauses it.
    Paused(Status),
    /// Nothing pauses it any more.
    Unpaused(Status),
    /// It stopped or ended.
    Stopped(StopReason),
    /// The ticket was reopened, and this is what the policy in force made of it.
    Reopened(OnReopen),
    /// It fell due.
    Due,
}

/// A change of an attribute and the event that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The event, by its place among the explanation's events.
    pub event: usize,
    /// The change.
    pub change: AttributeChange,
}

/// How a cycle came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// An agent replied.
    Replied,
    /// The ticket became over, which fulfils it.
    Over(Status),
    /// The ticket became over, and there was nothing to fulfil any more.
    CancelledByOver(Status),
    /// The ticket was merged or cancelled.
    Ended,
    /// The contact was answered.
    Answered,
    /// The contact was abandoned.
    Abandoned,
    /// The contact was offered again.
    OfferedAgain,
}
