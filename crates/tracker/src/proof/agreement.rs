//! The tracker against the literal reading: the same rows, panes and gauges for every case at every clock tried.

use proptest::prelude::*;

use super::generate::{Size, cases};
use super::model::{Case, minute_ms, plain};
use super::readers::{Readers, config};
use super::reference::{Found, Reference};

const TICKETS: u8 = 2;

fn found(case: &Case, now: i64) -> Vec<Found> {
    (0..TICKETS)
        .map(|ticket| Reference::new(&case.sets, &case.events, ticket).found(now))
        .collect()
}

fn agrees(case: &Case, nows: &[i64]) {
    for now in nows {
        let mut tracker = case.tracker(plain());
        for (offset, event) in case.events.iter().enumerate() {
            event.tell(&mut tracker, offset as u64);
        }
        tracker.advance_clock(minute_ms(*now));
        let readers = Readers::of(&mut tracker);
        readers.assert_found(&found(case, *now), *now >= case.last());
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn short_tickets_in_few_minutes(
        case in cases(Size { events: 12, tickets: TICKETS, minutes: 8 }),
        now in 478..500_i64,
    ) {
        agrees(&case, &[now, 5000]);
    }

    #[test]
    fn long_tickets_over_an_hour(
        case in cases(Size { events: 30, tickets: TICKETS, minutes: 60 }),
        now in 478..560_i64,
    ) {
        agrees(&case, &[now, 5000]);
    }
}
