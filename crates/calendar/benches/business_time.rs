//! How many `add` and `elapsed` a core does in a second: one item is one call.

use divan::Bencher;
use divan::counter::ItemsCount;
use slawatch_calendar::{Calendar, CalendarSpec, Span};

const CALLS: usize = 10_000;
const HOUR_MS: i64 = 3_600_000;

fn main() {
    divan::main();
}

fn desk() -> CalendarSpec {
    let mut spec = CalendarSpec::in_zone("Europe/Berlin");
    let day = vec![
        Span {
            start_minute: 8 * 60,
            end_minute: 12 * 60,
        },
        Span {
            start_minute: 13 * 60,
            end_minute: 18 * 60,
        },
    ];
    spec.hours[..5].fill(day);
    spec.holidays.extend((2020..2040).flat_map(|year| {
        [
            jiff::civil::date(year, 1, 1),
            jiff::civil::date(year, 12, 25),
        ]
    }));
    spec
}

fn minute_a_year() -> CalendarSpec {
    let mut spec = CalendarSpec::in_zone("Europe/Berlin");
    let noon = Span {
        start_minute: 720,
        end_minute: 721,
    };
    spec.special
        .extend((2_000..3_000).map(|year| (jiff::civil::date(year, 1, 1), vec![noon])));
    spec
}

/// Instants spread evenly over five years from 2024 on.
fn moments() -> Vec<i64> {
    let step_ms = 5 * 8_766 * HOUR_MS / CALLS as i64;
    // A stride without common factor with the count visits all in an order that no predictor learns.
    (0..CALLS)
        .map(|at| 1_704_067_200_000 + (at * 7_919 % CALLS) as i64 * step_ms)
        .collect()
}

/// Of the desk's 45 hours a week, 20,000 take nine years and 200,000 take eighty-five.
#[divan::bench(args = [1, 8, 80, 2_000, 20_000, 200_000])]
fn add_hours(bencher: Bencher<'_, '_>, hours: i64) {
    let calendar = Calendar::new(&desk()).expect("the desk is a calendar");
    let moments = moments();
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let due_ms = |&start_ms: &i64| calendar.add(divan::black_box(start_ms), hours * HOUR_MS);
        moments
            .iter()
            .filter_map(due_ms)
            .fold(0_i64, i64::wrapping_add)
    });
}

#[divan::bench(args = [1, 8, 80, 2_000, 200_000, 2_000_000])]
fn elapsed_hours(bencher: Bencher<'_, '_>, hours: i64) {
    let calendar = Calendar::new(&desk()).expect("the desk is a calendar");
    let moments = moments();
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let elapsed_ms =
            |&from_ms: &i64| calendar.elapsed(divan::black_box(from_ms), from_ms + hours * HOUR_MS);
        moments
            .iter()
            .map(elapsed_ms)
            .fold(0_i64, i64::wrapping_add)
    });
}

/// Each minute takes a year.
#[divan::bench(args = [1, 10, 600])]
fn add_minutes_of_a_minute_a_year(bencher: Bencher<'_, '_>, minutes: i64) {
    let calendar = Calendar::new(&minute_a_year()).expect("a date a year is a calendar");
    let moments = moments();
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        let due_ms = |&start_ms: &i64| calendar.add(divan::black_box(start_ms), minutes * 60_000);
        moments
            .iter()
            .filter_map(due_ms)
            .fold(0_i64, i64::wrapping_add)
    });
}

#[divan::bench]
fn make_a_calendar(bencher: Bencher<'_, '_>) {
    let spec = desk();
    bencher.bench_local(|| Calendar::new(divan::black_box(&spec)));
}

#[divan::bench]
fn first_add_of_a_new_calendar(bencher: Bencher<'_, '_>) {
    let spec = desk();
    let fresh = || Calendar::new(&spec).expect("the desk is a calendar");
    bencher
        .with_inputs(fresh)
        .bench_local_refs(|calendar| calendar.add(1_704_067_200_000, HOUR_MS));
}

/// What the first question that reaches far costs: every block up to there is worked out once.
#[divan::bench]
fn first_add_of_600_years(bencher: Bencher<'_, '_>) {
    let spec = minute_a_year();
    let fresh = || Calendar::new(&spec).expect("a date a year is a calendar");
    bencher
        .with_inputs(fresh)
        .bench_local_refs(|calendar| calendar.add(1_704_067_200_000, 600 * 60_000));
}
