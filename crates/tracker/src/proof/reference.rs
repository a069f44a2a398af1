//! SEMANTICS 2, 3, 5 and 8 for one ticket, read as literally as they can be: every state a copy, every clock walked
//! minute by minute, every question asked from the beginning. It shares no thought with the fold.

mod cycles;
mod instants;
mod measures;
mod rows;

use std::collections::BTreeMap;

use slawatch_event::{EventType, Status};
use slawatch_wire::v1;

use super::model::{CATEGORIES, Event, PRIORITIES, QUEUES, Set, TIERS, VENDORS};
use crate::story::Panes;
use cycles::{Cycle, Place};

/// What holds between two events.
#[derive(Clone, Copy, Debug)]
struct State {
    vendor: &'static str,
    queue: &'static str,
    priority: &'static str,
    tier: &'static str,
    category: &'static str,
    status: Status,
    created: bool,
    ended: bool,
}

impl State {
    fn over(&self) -> bool {
        self.created && matches!(self.status, Status::Solved | Status::Closed)
    }

    fn open(&self) -> bool {
        self.created && !self.over() && !self.ended
    }

    fn owner(&self) -> (&'static str, &'static str) {
        (self.vendor, self.queue)
    }
}

/// One ticket's events in order, the states between them, and its cycles.
#[derive(Debug)]
pub(super) struct Reference<'a> {
    sets: Vec<&'a Set>,
    events: Vec<&'a Event>,
    /// One more than events: what holds before each, and at the end.
    states: Vec<State>,
    cycles: Vec<Cycle>,
}

/// An open ticket.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) ticket_id: String,
    pub(super) owner: (&'static str, &'static str),
    pub(super) created_ms: i64,
}

/// What a ticket comes to.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: BTreeMap<(String, i32, u32), v1::OutcomeRow>,
    pub(super) panes: Panes,
    /// If it is open.
    pub(super) open: Option<Open>,
    /// Running clocks by owner and metric.
    pub(super) running: BTreeMap<(&'static str, &'static str, i32), i64>,
}

impl<'a> Reference<'a> {
    pub(super) fn new(sets: &'a [Set], events: &'a [Event], ticket: u8) -> Self {
        let mut sets: Vec<&Set> = sets.iter().collect();
        sets.sort_by_key(|set| set.from);
        let mut events: Vec<&Event> = events
            .iter()
            .filter(|event| event.ticket == ticket)
            .collect();
        events.sort_by_key(|event| event.order());
        let mut states = vec![State {
            vendor: VENDORS[0],
            queue: QUEUES[0],
            priority: PRIORITIES[0],
            tier: TIERS[0],
            category: CATEGORIES[0],
            status: Status::New,
            created: false,
            ended: false,
        }];
        for event in &events {
            states.push(after(states[states.len() - 1], event));
        }
        let mut reference = Self {
            sets,
            events,
            states,
            cycles: Vec::new(),
        };
        reference.find_cycles();
        reference
    }

    /// Everything, the clock standing at minute `now`.
    pub(super) fn found(&self, now: i64) -> Found {
        let mut found = Found::default();
        self.measure(now, &mut found.panes);
        for cycle in &self.cycles {
            if let Some(row) = self.row(cycle, now) {
                let key = (row.ticket_id.clone(), row.metric, row.cycle);
                found.rows.insert(key, row);
            }
            if let Some(owner) = self.runs_at_last(cycle, now) {
                let metric = crate::outcome::wire_metric(cycle.metric) as i32;
                *found.running.entry((owner.0, owner.1, metric)).or_default() += 1;
            }
        }
        let last = self.states[self.events.len()];
        let created = self
            .events
            .iter()
            .position(|event| event.event_type == EventType::Created);
        if let Some(created) = created.filter(|_| last.open()) {
            found.open = Some(Open {
                ticket_id: self.events[created].ticket_id(),
                owner: last.owner(),
                created_ms: self.events[created].at_ms(),
            });
        }
        found
    }
}

fn works_after_the_end(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::Handled | EventType::Rated | EventType::Escalated | EventType::Audited
    )
}

fn after(before: State, event: &Event) -> State {
    if before.ended && !works_after_the_end(event.event_type) {
        return before;
    }
    let ends = matches!(event.event_type, EventType::Merged | EventType::Cancelled);
    State {
        vendor: event.vendor.unwrap_or(before.vendor),
        queue: event.queue.unwrap_or(before.queue),
        priority: event.priority.unwrap_or(before.priority),
        tier: event.tier.unwrap_or(before.tier),
        category: event.category.unwrap_or(before.category),
        status: event.status.unwrap_or(before.status),
        created: before.created || event.event_type == EventType::Created,
        ended: before.ended || (before.created && ends),
    }
}

/// The state at a place.
impl Reference<'_> {
    fn at(&self, place: Place) -> &State {
        match place {
            Place::Before(event) => &self.states[event],
            Place::After(event) => &self.states[event + 1],
        }
    }
}
