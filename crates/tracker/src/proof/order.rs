//! The order in which events come in, copies of them, the steps of the clock and the number of trackers change nothing.

use proptest::collection::vec;
use proptest::prelude::*;

use super::generate::{Size, cases};
use super::model::{Case, Event, minute_ms, plain};
use super::readers::{Readers, config};
use crate::tracker::{Applied, Options, Tracker};

const SIZE: Size = Size {
    events: 16,
    tickets: 3,
    minutes: 40,
};

/// A case, and what happens to its log: the order of delivery with repetitions, and how far the clock moves at each.
fn deliveries() -> impl Strategy<Value = (Case, Vec<(usize, i64)>)> {
    cases(SIZE).prop_flat_map(|case| {
        let all: Vec<usize> = (0..case.events.len()).collect();
        let extra = vec(0..case.events.len(), 0..6);
        let order = extra.prop_flat_map(move |extra| {
            let mut log = all.clone();
            log.extend(extra);
            Just(log).prop_shuffle()
        });
        let steps = vec(
            prop_oneof![3 => Just(0), 2 => 0..4_i64, 1 => 0..60_i64],
            case.events.len() + 6,
        );
        (Just(case), order, steps).prop_map(|(case, order, steps)| {
            let log = order.into_iter().zip(steps).collect();
            (case, log)
        })
    })
}

/// What a tracker that has just begun makes of these events.
fn fresh<'a>(like: &Tracker, events: impl IntoIterator<Item = &'a Event>, clock: i64) -> Readers {
    let mut tracker = Tracker::new(like.rules.sets().clone(), like.options.clone());
    for (offset, event) in events.into_iter().enumerate() {
        event.tell(&mut tracker, offset as u64);
    }
    tracker.advance_clock(minute_ms(clock));
    Readers::of(&mut tracker)
}

fn in_order(case: &Case) -> Vec<&Event> {
    let mut events: Vec<&Event> = case.events.iter().collect();
    events.sort_by_key(|event| event.order());
    events
}

proptest! {
    #![proptest_config(config(40))]

    #[test]
    fn any_order_with_any_copies_ends_as_the_sorted_log((case, log) in deliveries()) {
        let mut tracker = case.tracker(plain());
        let mut seen = vec![false; case.events.len()];
        let mut clock = 470;
        let mut readers = Readers::default();
        for (offset, (index, step)) in log.iter().enumerate() {
            let applied = case.events[*index].tell(&mut tracker, offset as u64);
            let copy = std::mem::replace(&mut seen[*index], true);
            prop_assert_eq!(applied, if copy { Applied::Duplicate } else { Applied::Counted });
            clock += step;
            tracker.advance_clock(minute_ms(clock));
            if offset % 3 == 0 {
                readers.hear(tracker.conclude());
            }
        }
        clock += 100;
        tracker.advance_clock(minute_ms(clock));
        readers.hear(tracker.conclude());
        readers.assert_same(&fresh(&tracker, in_order(&case), clock));
        prop_assert!(tracker.conclude().is_empty());
    }

    #[test]
    fn at_every_moment_what_was_published_is_what_the_events_so_far_say((case, log) in deliveries()) {
        let delayed = Options { allowed_delay_ms: 120_000, ..plain() };
        let mut tracker = case.tracker(delayed);
        let mut readers = Readers::default();
        let mut clock = 470;
        let mut told: Vec<&Event> = Vec::new();
        for (offset, (index, step)) in log.iter().enumerate() {
            let event = &case.events[*index];
            event.tell(&mut tracker, offset as u64);
            told.push(event);
            clock += step;
            tracker.advance_clock(minute_ms(clock));
            readers.hear(tracker.conclude());
            readers.assert_same(&fresh(&tracker, told.iter().copied(), clock));
        }
    }

    #[test]
    fn a_clock_that_steps_and_one_that_leaps_arrive_at_the_same((case, log) in deliveries()) {
        let mut stepping = case.tracker(plain());
        for (offset, (index, _)) in log.iter().enumerate() {
            case.events[*index].tell(&mut stepping, offset as u64);
        }
        let mut readers = Readers::default();
        for clock in 470..600 {
            let fires = stepping.fires_before(minute_ms(clock));
            stepping.advance_clock(minute_ms(clock));
            let conclusions = stepping.conclude();
            prop_assert!(fires || clock == 470 || conclusions.is_empty(), "{:?}", conclusions);
            readers.hear(conclusions);
        }
        readers.assert_same(&fresh(&stepping, &case.events, 599));
    }

    #[test]
    fn tickets_may_be_spread_over_trackers((case, log) in deliveries()) {
        let mut trackers: Vec<Tracker> = (0..SIZE.tickets).map(|_| case.tracker(plain())).collect();
        let mut one = case.tracker(plain());
        for (offset, (index, _)) in log.iter().enumerate() {
            let event = &case.events[*index];
            event.tell(&mut trackers[usize::from(event.ticket)], offset as u64);
            event.tell(&mut one, offset as u64);
        }
        let mut rows = std::collections::BTreeMap::new();
        let mut panes = crate::story::Panes::new();
        for tracker in &mut trackers {
            tracker.advance_clock(minute_ms(520));
            let readers = Readers::of(tracker);
            rows.extend(readers.rows.clone());
            for (key, measures) in readers.panes() {
                let pane = panes.entry(key).or_default();
                for (name, amount) in measures {
                    *pane.entry(name).or_default() += amount;
                }
            }
        }
        one.advance_clock(minute_ms(520));
        let whole = Readers::of(&mut one);
        prop_assert_eq!(&whole.rows, &rows);
        prop_assert_eq!(whole.panes(), panes);
    }
}
