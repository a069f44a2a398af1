//! Strategies for policies and logs: few values and few minutes, so that everything meets everything.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use slawatch_event::{EventType, Status};
use slawatch_policy::{AttributeTo, Metric, OnReopen, ReplyBySolving};

use super::model::{
    CATEGORIES, Calendar, Case, Event, PRIORITIES, Policy, QUEUES, STATUSES, Set, TIERS, Target,
    VENDORS,
};

/// How a case is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) events: usize,
    pub(super) tickets: u8,
    /// Events lie in this many minutes from 08:00 on.
    pub(super) minutes: i64,
}

pub(super) fn cases(size: Size) -> impl Strategy<Value = Case> {
    let sets = (
        vec(policy(), 1..4),
        option::weighted(0.4, (480..500_i64, vec(policy(), 1..3))),
        prop_oneof![4 => Just(-1000), 1 => 480..490_i64],
    );
    let sets = sets.prop_map(|(first, second, from)| {
        let mut sets = vec![Set {
            from,
            policies: first,
        }];
        if let Some((from, policies)) = second.filter(|(second, _)| *second != from) {
            sets.push(Set { from, policies });
        }
        sets
    });
    (sets, vec(event(size), 1..=size.events)).prop_map(|(sets, mut events)| {
        for (id, event) in events.iter_mut().enumerate() {
            event.id = id as u32;
        }
        Case { sets, events }
    })
}

fn calendar() -> impl Strategy<Value = Calendar> {
    let opens = (455..485_i64, 5..20_i64, 1..15_i64, 5..60_i64, any::<bool>());
    opens.prop_map(|(from, first, gap, second, on_tuesdays)| {
        let again = from + first + gap;
        Calendar {
            spans: vec![(from, from + first), (again, again + second)],
            on_tuesdays,
        }
    })
}

fn target() -> impl Strategy<Value = Target> {
    let minutes = || option::weighted(0.5, prop_oneof![1..12_i64, 1..60_i64]);
    let default = option::weighted(0.8, prop_oneof![1..12_i64, 1..60_i64]);
    (minutes(), minutes(), default).prop_map(|(low, high, default)| Target { low, high, default })
}

fn some_of<T: Clone + std::fmt::Debug + 'static>(
    values: &[T],
    chance: f64,
) -> impl Strategy<Value = Option<Vec<T>>> + use<T> {
    option::weighted(chance, subsequence(values.to_vec(), 1..values.len()))
}

fn policy() -> impl Strategy<Value = Policy> {
    let matches = (
        some_of(&VENDORS, 0.3),
        some_of(&QUEUES, 0.5),
        some_of(&STATUSES, 0.15),
        some_of(&TIERS, 0.15),
    );
    let choices = (
        select(vec![
            OnReopen::Resume,
            OnReopen::Resume,
            OnReopen::Restart,
            OnReopen::Ignore,
        ]),
        select(vec![
            AttributeTo::Due,
            AttributeTo::Start,
            AttributeTo::Longest,
        ]),
        select(vec![ReplyBySolving::Met, ReplyBySolving::Cancelled]),
        option::of(1..10_i64),
        any::<bool>(),
        option::weighted(0.5, calendar()),
    );
    let targets = vec(option::weighted(0.75, target()), Metric::COUNT);
    let pauses = vec(some_of(&STATUSES[..4], 0.25), Metric::COUNT);
    (matches, choices, targets, pauses).prop_map(|(matches, choices, targets, pauses)| Policy {
        vendors: matches.0,
        queues: matches.1,
        statuses: matches.2,
        tiers: matches.3,
        on_reopen: choices.0,
        attribute_to: choices.1,
        reply_by_solving: choices.2,
        short_abandon: choices.3,
        warns: choices.4,
        calendar: choices.5,
        targets,
        pauses,
    })
}

fn event_type() -> impl Strategy<Value = EventType> {
    prop_oneof![
        6 => Just(EventType::Created),
        8 => Just(EventType::Updated),
        5 => Just(EventType::CustomerReplied),
        5 => Just(EventType::AgentReplied),
        4 => Just(EventType::ContactOffered),
        3 => Just(EventType::ContactAnswered),
        2 => Just(EventType::ContactAbandoned),
        1 => Just(EventType::Handled),
        1 => Just(EventType::Rated),
        1 => Just(EventType::Escalated),
        1 => Just(EventType::Audited),
        1 => Just(EventType::Merged),
        1 => Just(EventType::Cancelled),
    ]
}

fn event(size: Size) -> impl Strategy<Value = Event> {
    let place = (
        0..size.tickets,
        480..480 + size.minutes,
        prop_oneof![6 => 0..3_u64, 1 => Just(u64::MAX)],
        event_type(),
    );
    let attributes = (
        option::weighted(0.2, select(VENDORS.to_vec())),
        option::weighted(0.25, select(QUEUES.to_vec())),
        option::weighted(0.2, select(PRIORITIES.to_vec())),
        option::weighted(0.35, select(STATUSES.to_vec())),
        option::weighted(0.1, select(TIERS.to_vec())),
        option::weighted(0.2, select(CATEGORIES.to_vec())),
        option::weighted(0.6, 0..2_u8),
        0..50_u64,
    );
    (place, attributes).prop_map(|(place, attributes)| Event {
        ticket: place.0,
        id: 0,
        at: place.1,
        sequence: place.2,
        event_type: place.3,
        vendor: attributes.0,
        queue: attributes.1,
        priority: attributes.2,
        status: attributes.3.map(|status: Status| status),
        tier: attributes.4,
        category: attributes.5,
        contact: attributes.6,
        number: attributes.7,
    })
}
