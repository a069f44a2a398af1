//! Why a ticket's clocks stand where they stand: its events, and for each cycle the stretches of time, what changed and
//! through which event, the due and the verdict.
//!
//! Nothing is decided here. The ticket is folded by the same [`Fold`](crate::fold::Fold) as in the pipeline, looked at
//! after every event, and asked for the same row; what lies between two looks is laid out by its calendar. Words for
//! people are the caller's.

mod causes;
mod moments;
mod segments;
mod story;
mod walk;

use slawatch_event::{Reason, TicketEvent};
use slawatch_policy::PolicySets;

use crate::event::Event;
use crate::fold::Verdict;
use crate::outcome;
use crate::rules::Rules;
use crate::ticket::{Place, Ticket};
use crate::tracker::{Applied, MAX_HISTORY};
pub use story::{
    AttributeChange, Cause, CycleStory, DroppedEvent, EventEffect, EventStory, Explanation,
    Happened, Holding, Moment, Segment, SegmentKind, StopReason, TicketState,
};
use walk::{Walk, walk};

/// Takes the events of one ticket and explains its clocks.
#[derive(Debug)]
pub struct Explainer {
    rules: Rules,
    ticket: Ticket,
    /// Of the ticket's history, in its order.
    ids: Vec<String>,
    dropped: Vec<DroppedEvent>,
}

impl Explainer {
    /// An explainer of a ticket of which nothing is known yet.
    pub fn new(ticket_id: &str, sets: &PolicySets) -> Self {
        let rules = Rules::new(sets.clone(), &[]);
        Self {
            ticket: Ticket::new(ticket_id.into(), &rules),
            rules,
            ids: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Takes the next accepted event of the ticket, in the order of the log, and says what becomes of it, as a tracker
    /// that forgets nothing would.
    pub fn tell(&mut self, event: &TicketEvent<'_>) -> Applied {
        let kept = Event::of(event, &mut self.rules);
        let known = self.ticket.history.len();
        let position = match self.ticket.place(&kept) {
            Place::Known { same } => {
                let applied = if same {
                    Applied::Duplicate
                } else {
                    Applied::Conflicting
                };
                return self.drop_event(event, applied);
            }
            Place::Last | Place::Late(_) if known >= MAX_HISTORY => {
                return self.drop_event(event, Applied::Rejected(Reason::TicketTooLong));
            }
            Place::Last => known,
            Place::Late(position) => position,
        };
        self.ticket.history.insert(position, kept);
        self.ids
            .insert(position, event.event_id.clone().into_owned());
        Applied::Counted
    }

    fn drop_event(&mut self, event: &TicketEvent<'_>, applied: Applied) -> Applied {
        self.dropped.push(DroppedEvent {
            id: event.event_id.clone().into_owned(),
            event_type: event.event_type,
            at_ms: event.occurred_at_ms,
            applied,
        });
        applied
    }

    /// Notes an event of the ticket that a tracker rejected: it is not known.
    pub fn leave_out(&mut self, event: &TicketEvent<'_>, reason: Reason) {
        self.drop_event(event, Applied::Rejected(reason));
    }

    /// How many events are known: those that were told and not dropped.
    pub fn events(&self) -> usize {
        self.ids.len()
    }

    /// Everything, as it stands when the clock less `allowed_delay` is at `now_ms`.
    pub fn explain(&mut self, now_ms: i64) -> Explanation {
        let history = &self.ticket.history;
        let walk = walk(history, &self.ids, &mut self.rules);
        let mut cycles: Vec<CycleStory> = (0..walk.fold.cycles.len())
            .filter_map(|index| {
                cycle(
                    &self.ticket.id,
                    history,
                    &walk,
                    index,
                    now_ms,
                    &mut self.rules,
                )
            })
            .collect();
        cycles.sort_by_key(|cycle| (cycle.metric, cycle.row.cycle));
        Explanation {
            ticket_id: self.ticket.id.to_string(),
            now_ms,
            state: walk.state(),
            created_at_ms: walk.fold.created_at_ms,
            events: walk.events,
            dropped: self.dropped.clone(),
            cycles,
        }
    }
}

fn cycle(
    ticket_id: &str,
    history: &[Event],
    walk: &Walk,
    index: usize,
    now_ms: i64,
    rules: &mut Rules,
) -> Option<CycleStory> {
    let cycle = &walk.fold.cycles[index];
    let verdict = walk.fold.verdict(index, now_ms, rules);
    let has_row = outcome::has_row(cycle, &verdict);
    let breached_at_ms = match &verdict {
        Verdict::Breached(decision) => Some(decision.at_ms),
        Verdict::Stopped(_) | Verdict::Undecided { .. } => None,
    };
    let is_decided = !matches!(verdict, Verdict::Undecided { .. });
    let said = outcome::say(history, &walk.fold, index, verdict, now_ms, rules)?;
    let row = said.row(ticket_id, cycle, rules);
    let samples = &walk.tracks[index];
    let cuts = segments::Cuts {
        due_ms: breached_at_ms,
        now_ms: Some(now_ms).filter(|_| !is_decided),
        end_ms: now_ms.max(walk.fold.last_at_ms),
    };
    let segments = segments::segments(cycle, samples, cuts, rules);
    let moments = moments::moments(walk, index, &segments, breached_at_ms, rules);
    let decided = is_decided
        .then(|| walk.standing_at(index, breached_at_ms))
        .flatten();
    let attribute_to = decided.map(|standing| rules.attribute_to(cycle.set, standing.policy));
    let decided_under = decided.map(|standing| Holding::of(&standing, cycle.set, rules));
    let sets = rules.sets().sets();
    Some(CycleStory {
        metric: cycle.metric,
        policy_file: cycle
            .set
            .map(|set| sets[usize::from(set)].file().to_owned()),
        row,
        has_row,
        segments,
        moments,
        decided_under,
        attribute_to,
    })
}
