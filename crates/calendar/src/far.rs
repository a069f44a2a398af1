//! Questions that reach far look at little: counted in blocks and sums, as seconds differ between machines.

use jiff::civil::date;

use crate::blocks::steps::{LOOKS, WORKED_OUT};
use crate::{Calendar, CalendarSpec, Span};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const YEAR_MS: i64 = 8_766 * HOUR_MS;
/// 2024-01-01T00:00:00Z.
const START_MS: i64 = 1_704_067_200_000;
/// Twice the way up a tree of the 19,000 blocks of 9,999 years, and the way down.
const MOST_LOOKS: usize = 48;

fn noon(minutes: u16) -> Vec<Span> {
    vec![Span {
        start_minute: 720,
        end_minute: 720 + minutes,
    }]
}

fn whole_days() -> CalendarSpec {
    let mut spec = CalendarSpec::in_zone("America/New_York");
    spec.hours = std::array::from_fn(|_| {
        vec![Span {
            start_minute: 0,
            end_minute: 1_440,
        }]
    });
    spec
}

fn minute_a_year() -> CalendarSpec {
    let mut spec = CalendarSpec::in_zone("Europe/Berlin");
    spec.special
        .extend((2_000..3_000).map(|year| (date(year, 1, 1), noon(1))));
    spec
}

fn desk() -> CalendarSpec {
    let mut spec = CalendarSpec::in_zone("Asia/Manila");
    spec.hours[..5].fill(noon(480));
    spec.holidays.insert(date(9_000, 12, 25));
    spec
}

/// What an answer takes in blocks and sums, and how many blocks had to be worked out for it.
fn steps<T>(ask: impl FnOnce() -> T) -> (T, usize, usize) {
    LOOKS.set(0);
    WORKED_OUT.set(0);
    let answer = ask();
    (answer, LOOKS.get(), WORKED_OUT.get())
}

#[test]
fn ten_hours_of_a_minute_a_year_take_600_years_and_a_few_steps() {
    let calendar = Calendar::new(&minute_a_year()).unwrap();
    let add = || calendar.add(START_MS, 10 * HOUR_MS);
    let (due_ms, _, worked_out) = steps(add);
    // Noon in Berlin, and a minute, on the 600th New Year's Day from 2024 on.
    assert_eq!(due_ms, Some(20_606_698_860_000));
    let blocks_between = 600 * 366 / 189;
    assert!(worked_out <= 2 * blocks_between + 64, "{worked_out}");
    let (again_ms, looks, worked_out) = steps(add);
    assert_eq!((again_ms, worked_out), (due_ms, 0));
    assert!(looks <= MOST_LOOKS, "{looks}");
}

#[test]
fn steps_grow_with_the_logarithm_of_the_years() {
    for spec in [desk(), minute_a_year(), whole_days()] {
        let calendar = Calendar::new(&spec).unwrap();
        for years in [1, 3, 10, 30, 100, 300, 900, 3_000, 7_000] {
            let to_ms = START_MS + years * YEAR_MS;
            let elapsed = || calendar.elapsed(START_MS, to_ms);
            let elapsed_ms = elapsed();
            let (again_ms, looks, worked_out) = steps(elapsed);
            assert_eq!((again_ms, worked_out), (elapsed_ms, 0), "{years}");
            assert!(looks <= MOST_LOOKS, "{years}: {looks}");
            let add = || calendar.add(START_MS, elapsed_ms);
            let due_ms = add();
            assert!(due_ms.is_some_and(|due_ms| due_ms <= to_ms), "{years}");
            let (again_ms, looks, worked_out) = steps(add);
            assert_eq!((again_ms, worked_out), (due_ms, 0), "{years}");
            let most = 8 + 4 * (2 * years).ilog2() as usize;
            assert!(looks <= most, "{years}: {looks} of {most}");
        }
    }
}

#[test]
fn a_short_duration_works_out_what_is_near_and_no_more() {
    for start_ms in (0..64).map(|at| START_MS + at * 100 * 24 * HOUR_MS) {
        let calendar = Calendar::new(&desk()).unwrap();
        let (_, _, worked_out) = steps(|| calendar.add(start_ms, 9 * HOUR_MS));
        assert!(worked_out <= 2, "{worked_out}");
        // Eight months: up to three blocks, and as many beyond.
        let (_, _, worked_out) = steps(|| calendar.add(start_ms, 1_400 * HOUR_MS));
        assert!(worked_out <= 6, "{worked_out}");
    }
}

#[test]
fn a_change_far_away_is_found_in_a_few_steps() {
    let mut once = CalendarSpec::in_zone("Asia/Manila");
    once.special.insert(date(9_000, 1, 1), noon(60));
    let mut closed_once = whole_days();
    closed_once.holidays.insert(date(9_000, 1, 1));
    // 9000-01-01T04:00:00Z and 9000-01-01T05:00:00Z.
    for (spec, change_ms) in [
        (once, 221_845_406_400_000),
        (closed_once, 221_845_410_000_000),
    ] {
        let calendar = Calendar::new(&spec).unwrap();
        assert_eq!(calendar.next_change(START_MS), Some(change_ms));
        let (again_ms, looks, worked_out) = steps(|| calendar.next_change(START_MS));
        assert_eq!((again_ms, worked_out), (Some(change_ms), 0));
        assert!(looks <= MOST_LOOKS, "{looks}");
    }
}
