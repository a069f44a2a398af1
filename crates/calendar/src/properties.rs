//! What holds of every calendar, on random ones around the clock changes of every zone from 1970 to 2200.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::{
    Config, RngSeed, TestCaseResult, TestError, TestRunner, contextualize_config,
};

use crate::reference::{Reference, spans_of};
use crate::{Calendar, CalendarSpec, Span, time_zone_names};

/// Zones whose clocks do unusual things, and some ordinary ones.
const ZONES: [&str; 19] = [
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
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
const Y1975_S: i64 = 157_766_400;
const Y2200_S: i64 = 7_258_118_400;

/// The same cases in each run. `PROPTEST_CASES` asks for more, and `PROPTEST_RNG_SEED` for others.
fn config(cases: u32) -> Config {
    contextualize_config(Config {
        cases,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Config::default()
    })
}

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

/// A calendar of one of the difficult zones, or of any.
fn any_case() -> impl Strategy<Value = Case> {
    let difficult = prop::sample::select(&ZONES[..]).prop_map(ToOwned::to_owned);
    prop_oneof![difficult, prop::sample::select(time_zone_names())].prop_flat_map(case_in)
}

/// A calendar and a window between 1970 and 2200 that mostly has a change of its zone's clock in the middle.
fn case_in(zone_name: String) -> impl Strategy<Value = Case> {
    let dates = (
        vec((0_i64..WINDOW_DAYS, spans()), 0..4),
        vec(0_i64..WINDOW_DAYS, 0..3),
    );
    (
        Just(zone_name),
        prop::array::uniform7(spans()),
        dates,
        prop_oneof![1 => 0..Y1975_S, 3 => Y1975_S..Y2200_S],
        prop::bool::weighted(0.7),
    )
        .prop_map(
            |(timezone, hours, (special, holidays), second, at_change)| {
                let zone = crate::zones::get(&timezone).unwrap();
                let moment = Timestamp::from_second(second).unwrap();
                let change = at_change.then(|| zone.following(moment).next()).flatten();
                let middle = change.map_or(moment, |change| change.timestamp());
                let from_ms =
                    middle.as_millisecond().div_euclid(DAY_MS) * DAY_MS - WINDOW_DAYS / 2 * DAY_MS;
                let date = |day: i64| date_of(from_ms / DAY_MS + day);
                let special: BTreeMap<_, _> = special
                    .into_iter()
                    .map(|(day, spans)| (date(day), spans))
                    .collect();
                let holidays: BTreeSet<_> = holidays.into_iter().map(date).collect();
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

fn date_of(day: i64) -> Date {
    date(1970, 1, 1).checked_add(day.days()).unwrap()
}

/// Offsets into a window, mostly not on a minute.
fn offset_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..WINDOW_DAYS * DAY_MS,
        (0..WINDOW_DAYS * 1_440).prop_map(|minute| minute * 60_000),
    ]
}

fn agrees_with_the_reference(case: &Case, moments: &[(i64, i64)]) -> TestCaseResult {
    let calendar = Calendar::new(&case.spec).unwrap();
    let reference = Reference::new(&case.spec, case.from_ms, WINDOW_DAYS);
    let latest_ms = reference.to_ms();
    for &(first, second) in moments {
        let (from_ms, to_ms) = (
            reference.from_ms + first.min(second),
            reference.from_ms + first.max(second),
        );
        let elapsed_ms = reference.elapsed(from_ms, to_ms);
        prop_assert_eq!(calendar.elapsed(from_ms, to_ms), elapsed_ms);
        prop_assert_eq!(calendar.is_open(from_ms), reference.is_open(from_ms));
        for duration_ms in [elapsed_ms, elapsed_ms + 1, second] {
            prop_assert_eq!(
                calendar.add_until(from_ms, duration_ms, latest_ms),
                reference.add(from_ms, duration_ms),
                "{} + {}",
                from_ms,
                duration_ms
            );
        }
        let later = |change_ms: &i64| *change_ms < latest_ms;
        prop_assert_eq!(
            calendar.next_change(from_ms).filter(later),
            reference.next_change(from_ms)
        );
    }
    Ok(())
}

fn add_is_the_first_inverse_of_elapsed(
    calendar: &Calendar,
    start_ms: i64,
    duration_ms: i64,
) -> TestCaseResult {
    if let Some(due_ms) = calendar.add(start_ms, duration_ms) {
        prop_assert_eq!(calendar.elapsed(start_ms, due_ms), duration_ms);
        prop_assert_eq!(calendar.elapsed(start_ms, due_ms - 1), duration_ms - 1);
        prop_assert_eq!(
            calendar.add_until(start_ms, duration_ms, due_ms),
            Some(due_ms)
        );
        prop_assert_eq!(calendar.add_until(start_ms, duration_ms, due_ms - 1), None);
    } else {
        prop_assert!(calendar.elapsed(start_ms, i64::MAX) < duration_ms);
    }
    Ok(())
}

/// The other way round: what elapsed up to an open instant leads there again.
fn elapsed_is_the_inverse_of_add(calendar: &Calendar, from_ms: i64, to_ms: i64) -> TestCaseResult {
    let elapsed_ms = calendar.elapsed(from_ms, to_ms);
    if elapsed_ms > 0 && calendar.is_open(to_ms - 1) {
        prop_assert_eq!(calendar.add(from_ms, elapsed_ms), Some(to_ms));
    }
    Ok(())
}

/// Asks everything that can be asked at an instant, and holds the answers against each other.
fn answers(calendar: &Calendar, at_ms: i64, to_ms: i64, duration_ms: i64) -> TestCaseResult {
    let elapsed_ms = calendar.elapsed(at_ms, to_ms);
    prop_assert!((0..=to_ms.saturating_sub(at_ms).max(0)).contains(&elapsed_ms));
    let due_ms = calendar.add(at_ms, duration_ms);
    prop_assert!(due_ms.is_none_or(|due_ms| due_ms >= at_ms));
    let until_ms = calendar.add_until(at_ms, duration_ms, to_ms);
    prop_assert_eq!(until_ms, due_ms.filter(|due_ms| *due_ms <= to_ms));
    let change_ms = calendar.next_change(at_ms);
    prop_assert!(change_ms.is_none_or(|change_ms| change_ms > at_ms));
    if let Some(change_ms) = change_ms {
        let open = calendar.is_open(at_ms);
        prop_assert_eq!(calendar.is_open(change_ms), !open);
        let between_ms = change_ms.saturating_sub(at_ms);
        // Before the year 1 everything is closed.
        prop_assert_eq!(
            calendar.elapsed(at_ms, change_ms),
            if open { between_ms } else { 0 }
        );
    }
    Ok(())
}

/// Where the zone's clock does not change for days around, the calendar is open when the local clock shows that it is.
fn is_open_by_the_clock_on_the_wall(
    spec: &CalendarSpec,
    calendar: &Calendar,
    at_ms: i64,
) -> TestCaseResult {
    let zone = crate::zones::get(&spec.timezone).unwrap();
    let at = Timestamp::from_millisecond(at_ms).unwrap();
    let around = [at - 48.hours(), at, at + 48.hours()].map(|moment| zone.to_offset(moment));
    let changes = zone.following(at - 48.hours()).next();
    if changes.is_some_and(|change| change.timestamp() <= at + 48.hours()) {
        return Ok(());
    }
    prop_assert!(around.iter().all(|offset| *offset == around[0]));
    let local = around[0].to_datetime(at);
    let minute = u16::try_from(local.hour()).unwrap() * 60 + u16::try_from(local.minute()).unwrap();
    let by_the_wall = spans_of(spec, local.date())
        .iter()
        .any(|span| (span.start_minute..span.end_minute).contains(&minute));
    prop_assert_eq!(calendar.is_open(at_ms), by_the_wall, "{}", at);
    Ok(())
}

/// Runs a test on random calendars of every zone there is.
fn in_every_zone<S: Strategy>(
    cases: u32,
    more: impl Fn() -> S,
    test: impl Fn(&Case, S::Value) -> TestCaseResult,
) where
    S::Value: Clone,
{
    for zone in time_zone_names() {
        let strategy = (case_in(zone), more());
        let result =
            TestRunner::new(config(cases)).run(&strategy, |(case, value)| test(&case, value));
        match result {
            Ok(()) => {}
            Err(TestError::Abort(reason)) => panic!("{reason}"),
            Err(TestError::Fail(reason, (case, value))) => {
                panic!("{reason}\nin {case:?}\nwith {value:?}")
            }
        }
    }
}

#[test]
fn every_zone_agrees_with_the_reference_from_1970_to_2200() {
    in_every_zone(
        6,
        || vec((offset_ms(), offset_ms()), 6),
        |case, moments| agrees_with_the_reference(case, &moments),
    );
}

#[test]
fn add_and_elapsed_are_inverse_in_every_zone_to_the_millisecond() {
    in_every_zone(
        4,
        || vec((offset_ms(), offset_ms(), 1_i64..2_000_000_000), 4),
        |case, moments| {
            let calendar = Calendar::new(&case.spec).unwrap();
            for (first, second, duration_ms) in moments {
                let (from_ms, to_ms) = (
                    case.from_ms + first.min(second),
                    case.from_ms + first.max(second),
                );
                add_is_the_first_inverse_of_elapsed(&calendar, from_ms, duration_ms)?;
                elapsed_is_the_inverse_of_add(&calendar, from_ms, to_ms)?;
            }
            Ok(())
        },
    );
}

#[test]
fn no_instant_from_1970_to_2200_panics_in_any_zone() {
    let instant_ms = || 0..Y2200_S * 1_000;
    in_every_zone(
        1,
        || vec((instant_ms(), 0..40 * DAY_MS, 0..3 * DAY_MS), 12),
        |case, moments| {
            let calendar = Calendar::new(&case.spec).unwrap();
            for (at_ms, to_ms, duration_ms) in moments {
                answers(&calendar, at_ms, at_ms + to_ms, duration_ms)?;
                is_open_by_the_clock_on_the_wall(&case.spec, &calendar, at_ms)?;
            }
            Ok(())
        },
    );
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn agrees_with_the_reference_around_difficult_nights(case in any_case(), moments in vec((offset_ms(), offset_ms()), 24)) {
        agrees_with_the_reference(&case, &moments)?;
    }

    #[test]
    fn add_is_the_first_inverse_of_elapsed_over_years(case in any_case(), start in offset_ms(), duration_ms in 1_i64..200_000_000_000) {
        let calendar = Calendar::new(&case.spec).unwrap();
        add_is_the_first_inverse_of_elapsed(&calendar, case.from_ms + start, duration_ms)?;
        elapsed_is_the_inverse_of_add(&calendar, case.from_ms + start, case.from_ms + start + duration_ms)?;
    }

    #[test]
    fn elapsed_adds_up_and_never_shrinks(case in any_case(), mut moments in prop::array::uniform3(-200_000_000_000_i64..200_000_000_000)) {
        let calendar = Calendar::new(&case.spec).unwrap();
        moments.sort_unstable();
        let [a, b, c] = moments.map(|moment| case.from_ms + moment);
        let (whole, first, second) = (calendar.elapsed(a, c), calendar.elapsed(a, b), calendar.elapsed(b, c));
        prop_assert_eq!(whole, first + second);
        prop_assert!((0..=b - a).contains(&first) && (0..=c - b).contains(&second));
        prop_assert_eq!(calendar.elapsed(c, a), 0);
    }

    #[test]
    fn changes_bound_what_is_open(case in any_case(), start in offset_ms()) {
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
    // Each works out the years that lie between its instants, up to all from 1 to 2500.
    #![proptest_config(config(24))]

    #[test]
    fn no_question_panics_however_far_it_reaches(
        case in any_case(),
        from_ms in any::<i64>(),
        near_ms in 0..Y2200_S * 1_000,
        to_ms in prop_oneof![any::<i64>(), 0..Y2200_S * 1_000],
        duration_ms in prop_oneof![any::<i64>(), 0..Y2200_S * 1_000],
    ) {
        let calendar = Calendar::new(&case.spec).unwrap();
        let edges = [i64::MIN, i64::MIN + 1, -62_135_596_800_001, -62_135_596_800_000, -1, 0, 253_402_300_799_999, 253_402_300_800_000, i64::MAX];
        for at_ms in edges.into_iter().chain([from_ms, near_ms, case.from_ms]) {
            answers(&calendar, at_ms, to_ms, duration_ms)?;
        }
    }
}
