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

/// Instants spread evenly over five years from 2024 on.
fn moments() -> Vec<i64> {
    let step_ms = 5 * 8_766 * HOUR_MS / CALLS as i64;
    // A stride without common factor with the count visits all in an order that no predictor learns.
    (0..CALLS)
        .map(|at| 1_704_067_200_000 + (at * 7_919 % CALLS) as i64 * step_ms)
        .collect()
}

#[divan::bench(args = [1, 8, 80, 2_000])]
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

#[divan::bench(args = [1, 8, 80, 2_000])]
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
