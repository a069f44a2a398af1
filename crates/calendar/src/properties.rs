//! What holds of every calendar, on random ones around the clock changes of difficult zones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use crate::reference::Reference;
use crate::{Calendar, CalendarSpec, Span};

/// Zones whose clocks do unusual things, and some ordinary ones.
const ZONES: [&str; 18] = [
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Manila",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Kwajalein",
];
const DAY_MS: i64 = 86_400_000;
const WINDOW_DAYS: i64 = 12;

#[derive(Clone, Debug)]
struct Case {
    spec: CalendarSpec,
    /// Where the interesting things happen.
    from_ms: i64,
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let minute = prop_oneof![
        (0_u16..=96).prop_map(|quarter| quarter * 15),
        (0_u16..=24).prop_map(|hour| hour * 60),
        0_u16..=1_440,
        Just(0),
        Just(1_440),
    ];
    (btree_set(minute, 0..8), vec(any::<bool>(), 8)).prop_map(|(bounds, keep)| {
        let bounds: Vec<u16> = bounds.into_iter().collect();
        let pairs = bounds.windows(2).zip(keep).filter(|(_, keep)| *keep);
        pairs
            .map(|(pair, _)| Span {
                start_minute: pair[0],
                end_minute: pair[1],
            })
            .collect()
    })
}

/// A calendar and a window that mostly has a change of its zone's clock in the middle.
fn case() -> impl Strategy<Value = Case> {
    let dates = (
        vec((0_i64..WINDOW_DAYS, spans()), 0..4),
        vec(0_i64..WINDOW_DAYS, 0..3),
    );
    (
        prop::sample::select(&ZONES),
        prop::array::uniform7(spans()),
        dates,
        // 1975 to 2200.
        157_766_400_i64..7_258_118_400,
        any::<bool>(),
    )
        .prop_map(
            |(zone_name, hours, (special, holidays), second, at_change)| {
                let zone = crate::zones::get(zone_name).unwrap();
                let moment = Timestamp::from_second(second).unwrap();
                let change = at_change.then(|| zone.following(moment).next()).flatten();
                let middle = change.map_or(moment, |change| change.timestamp());
                let from_ms =
                    middle.as_millisecond().div_euclid(DAY_MS) * DAY_MS - WINDOW_DAYS / 2 * DAY_MS;
                let date = |day: i64| -> Date {
                    let first = jiff::civil::date(1970, 1, 1)
                        .checked_add((from_ms / DAY_MS).days())
                        .unwrap();
                    first.checked_add(day.days()).unwrap()
                };
                let special: BTreeMap<_, _> = special
                    .into_iter()
                    .map(|(day, spans)| (date(day), spans))
                    .collect();
                let holidays: BTreeSet<_> = holidays.into_iter().map(date).collect();
                let timezone = zone_name.to_owned();
                Case {
                    spec: CalendarSpec {
                        timezone,
                        hours,
                        special,
                        holidays,
                    },
                    from_ms,
                }
            },
        )
}

/// Offsets into a window, mostly not on a minute.
fn offset_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..WINDOW_DAYS * DAY_MS,
        (0..WINDOW_DAYS * 1_440).prop_map(|minute| minute * 60_000),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_counting_minutes(case in case(), moments in vec((offset_ms(), offset_ms()), 24)) {
        let calendar = Calendar::new(&case.spec).unwrap();
        let reference = Reference::new(&case.spec, case.from_ms, WINDOW_DAYS);
        for (first, second) in moments {
            let (from_ms, to_ms) = (case.from_ms + first.min(second), case.from_ms + first.max(second));
            let elapsed_ms = reference.elapsed(from_ms, to_ms);
            prop_assert_eq!(calendar.elapsed(from_ms, to_ms), elapsed_ms);
            prop_assert_eq!(calendar.is_open(from_ms), reference.is_open(from_ms));
            for duration_ms in [elapsed_ms, elapsed_ms + 1, second] {
                let latest_ms = reference.to_ms();
                prop_assert_eq!(
                    calendar.add_until(from_ms, duration_ms, latest_ms),
                    reference.add(from_ms, duration_ms),
                    "{} + {}", from_ms, duration_ms
                );
            }
            if let Some(change_ms) = reference.next_change(from_ms) {
                prop_assert_eq!(calendar.next_change(from_ms), Some(change_ms));
            } else {
                prop_assert!(calendar.next_change(from_ms).is_none_or(|change_ms| change_ms >= reference.to_ms()));
            }
        }
    }

    #[test]
    fn add_is_the_first_inverse_of_elapsed(case in case(), start in offset_ms(), duration_ms in 1_i64..4_000_000_000) {
        let calendar = Calendar::new(&case.spec).unwrap();
        let start_ms = case.from_ms + start;
        if let Some(due_ms) = calendar.add(start_ms, duration_ms) {
            prop_assert_eq!(calendar.elapsed(start_ms, due_ms), duration_ms);
            prop_assert_eq!(calendar.elapsed(start_ms, due_ms - 1), duration_ms - 1);
            prop_assert_eq!(calendar.add_until(start_ms, duration_ms, due_ms), Some(due_ms));
            prop_assert_eq!(calendar.add_until(start_ms, duration_ms, due_ms - 1), None);
        } else {
            prop_assert!(calendar.elapsed(start_ms, i64::MAX) < duration_ms);
        }
    }

    #[test]
    fn elapsed_adds_up_and_never_shrinks(case in case(), mut moments in prop::array::uniform3(-200_000_000_000_i64..200_000_000_000)) {
        let calendar = Calendar::new(&case.spec).unwrap();
        moments.sort_unstable();
        let [a, b, c] = moments.map(|moment| case.from_ms + moment);
        let (whole, first, second) = (calendar.elapsed(a, c), calendar.elapsed(a, b), calendar.elapsed(b, c));
        prop_assert_eq!(whole, first + second);
        prop_assert!((0..=b - a).contains(&first) && (0..=c - b).contains(&second));
        prop_assert_eq!(calendar.elapsed(c, a), 0);
    }

    #[test]
    fn changes_bound_what_is_open(case in case(), start in offset_ms()) {
        let calendar = Calendar::new(&case.spec).unwrap();
        let mut at_ms = case.from_ms + start;
        for _ in 0..20 {
            let open = calendar.is_open(at_ms);
            let Some(change_ms) = calendar.next_change(at_ms) else { break };
            prop_assert!(change_ms > at_ms);
            prop_assert_eq!(calendar.is_open(change_ms), !open);
            prop_assert_eq!(calendar.elapsed(at_ms, change_ms), if open { change_ms - at_ms } else { 0 });
            at_ms = change_ms;
        }
    }
}

proptest! {
    // Each works out all of the years 1 to 2500.
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_instant_panics(case in case(), from_ms in any::<i64>(), to_ms in any::<i64>(), duration_ms in any::<i64>()) {
        let calendar = Calendar::new(&case.spec).unwrap();
        let edges = [i64::MIN, i64::MIN + 1, -62_135_596_800_001, -62_135_596_800_000, -1, 0, 253_402_300_799_999, 253_402_300_800_000, i64::MAX];
        for at_ms in edges.into_iter().chain([from_ms]) {
            let elapsed_ms = calendar.elapsed(at_ms, to_ms);
            prop_assert!(elapsed_ms >= 0);
            let due_ms = calendar.add(at_ms, duration_ms);
            prop_assert!(due_ms.is_none_or(|due_ms| due_ms >= at_ms));
            prop_assert!(calendar.add_until(at_ms, duration_ms, to_ms).is_none_or(|due_ms| due_ms <= to_ms));
            prop_assert!(calendar.next_change(at_ms).is_none_or(|change_ms| change_ms > at_ms));
        }
    }
}
