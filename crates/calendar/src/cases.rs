//! The cases of SEMANTICS 7 that concern calendars, as they read there, and the awkward nights of several zones.

mod desk;
mod nights;

use jiff::{Timestamp, ToSpan};

use crate::{Calendar, CalendarSpec, time_zone_names};
use desk::calendar;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
#[test]
fn case_1_created_friday_16_30_target_1_h_due_monday_09_30() {
    calendar("Europe/Berlin", "mon-fri 09:00-17:00").assert_due(
        "2026-01-09T16:30",
        HOUR_MS,
        "2026-01-12T09:30",
    );
}

#[test]
fn case_2_monday_17_00_plus_4_h_is_tuesday_11_00() {
    calendar("Europe/Berlin", "mon-fri 08:00-18:00").assert_due(
        "2026-01-12T17:00",
        4 * HOUR_MS,
        "2026-01-13T11:00",
    );
}

#[test]
fn case_3_two_hours_over_the_weekends_on_which_the_clock_changes() {
    let berlin = calendar("Europe/Berlin", "mon-fri 09:00-17:00");
    berlin.assert_due("2025-03-28T15:00Z", 2 * HOUR_MS, "2025-03-31T08:00Z");
    berlin.assert_due("2024-10-25T14:00Z", 2 * HOUR_MS, "2024-10-28T09:00Z");
}

#[test]
fn case_4_an_always_open_local_day_lasts_23_or_25_h_at_dst() {
    let berlin = calendar("Europe/Berlin", "mon-sun 00:00-24:00");
    berlin.assert_elapsed("2025-03-30T00:00", "2025-03-31T00:00", 23 * HOUR_MS);
    berlin.assert_elapsed("2025-10-26T00:00", "2025-10-27T00:00", 25 * HOUR_MS);
    berlin.assert_elapsed("2025-10-27T00:00", "2025-10-28T00:00", 24 * HOUR_MS);
    let sundays = calendar("Europe/Berlin", "sun 00:00-24:00");
    sundays.assert_elapsed("2025-03-25T00:00", "2025-04-05T00:00", 23 * HOUR_MS);
    sundays.assert_elapsed("2025-10-20T00:00", "2025-11-01T00:00", 25 * HOUR_MS);
}

#[test]
fn case_5_arrival_at_12_30_starts_counting_13_30() {
    let split = calendar("Asia/Manila", "mon-fri 08:00-12:00 13:30-18:00");
    split.assert_due("2026-01-12T12:30", 1, "2026-01-12T13:30:00.001");
    split.assert_due("2026-01-12T12:30", 30 * MINUTE_MS, "2026-01-12T14:00");
    split.assert_due("2026-01-12T11:30", 30 * MINUTE_MS, "2026-01-12T12:00");
}

#[test]
fn case_6_a_pause_inside_hours_moves_the_due_by_its_length() {
    let desk = calendar("Europe/Berlin", "mon-fri 10:00-18:00");
    // Paused from 16:00: one hour is used up, one is left from the resume on.
    desk.assert_due("2026-01-15T17:00", HOUR_MS, "2026-01-15T18:00");
    desk.assert_due("2026-01-15T17:00:01", HOUR_MS, "2026-01-16T10:00:01");
}

#[test]
fn case_7_a_pause_over_a_holiday_leaves_50_min_elapsed() {
    let desk = calendar("Europe/Berlin", "mon-fri 10:00-18:00; 2026-01-16");
    desk.assert_elapsed("2026-01-15T17:30", "2026-01-15T17:50", 20 * MINUTE_MS);
    desk.assert_elapsed("2026-01-19T12:30", "2026-01-19T13:00", 30 * MINUTE_MS);
    desk.assert_elapsed("2026-01-15T17:50", "2026-01-19T10:00", 10 * MINUTE_MS);
}

#[test]
fn case_8_a_pause_out_of_hours_extends_only_by_its_overlap_with_business_time() {
    let desk = calendar("Europe/Berlin", "mon-fri 10:00-18:00");
    // Created 15:00 with 4 h, paused 17:30 to 10:30 the next day: 30 + 30 min of business time.
    desk.assert_elapsed("2026-01-14T17:30", "2026-01-15T10:30", HOUR_MS);
    desk.assert_due("2026-01-15T10:30", 90 * MINUTE_MS, "2026-01-15T12:00");
    desk.assert_due("2026-01-14T15:00", 4 * HOUR_MS, "2026-01-15T11:00");
}

#[test]
fn an_offset_of_44_minutes_and_30_seconds_is_exact_to_the_second() {
    // Liberia was 00:44:30 behind UTC until 1972-01-07, when its clocks went from 00:00:00 to 00:44:30.
    let desk = calendar("Africa/Monrovia", "mon-fri 00:00-01:00 09:00-17:00");
    desk.assert_due("1970-01-05T09:44:29.999Z", 1, "1970-01-05T09:44:30.001Z");
    desk.assert_due("1970-01-05T10:00Z", 8 * HOUR_MS, "1970-01-06T01:00Z");
    desk.assert_elapsed("1970-01-05T00:00", "1970-01-06T00:00", 9 * HOUR_MS);
    desk.assert_elapsed("1972-01-06T20:00Z", "1972-01-07T00:44:30Z", 0);
    desk.assert_elapsed("1972-01-06T20:00Z", "1972-01-07T04:00Z", 930_000);
    desk.assert_due("1972-01-07T00:00Z", 930_000, "1972-01-07T01:00Z");
}

#[test]
fn special_dates_go_before_holidays_and_both_before_the_week() {
    let desk = calendar(
        "Asia/Manila",
        "mon-fri 09:00-17:00; 2026-12-24; 2026-12-25; 2026-12-24 10:00-12:00; 2026-12-27 08:00-09:00",
    );
    let days = [
        ("2026-12-23", 8),
        ("2026-12-24", 2),
        ("2026-12-25", 0),
        ("2026-12-26", 0),
        ("2026-12-27", 1),
        ("2026-12-28", 8),
    ];
    for (day, hours) in days {
        desk.assert_elapsed(
            &format!("{day}T00:00"),
            &format!("{day}T23:59:59.999"),
            hours * HOUR_MS,
        );
    }
}

#[test]
fn a_calendar_that_never_opens_again_answers_at_once() {
    let never = calendar("Europe/Berlin", "");
    assert_eq!(never.calendar.add(0, 1), None);
    assert_eq!(never.calendar.add(0, 0), Some(0));
    assert_eq!(never.calendar.next_change(0), None);
    assert_eq!(never.calendar.elapsed(i64::MIN, i64::MAX), 0);
    let once = calendar("Europe/Berlin", "2026-05-04 09:00-10:00");
    once.assert_due("2020-01-01T00:00", HOUR_MS, "2026-05-04T10:00");
    assert_eq!(once.calendar.add(0, HOUR_MS + 1), None);
    assert_eq!(once.calendar.add(once.at("2026-05-04T10:00"), 1), None);
    assert_eq!(once.calendar.next_change(once.at("2026-05-04T10:00")), None);
    assert_eq!(
        once.calendar.next_change(once.at("2026-05-04T09:00")),
        Some(once.at("2026-05-04T10:00"))
    );
}

#[test]
fn business_time_reaches_the_year_9999_and_ends_there() {
    let end_ms = "9999-12-30T22:00:00Z"
        .parse::<Timestamp>()
        .unwrap()
        .as_millisecond()
        + 26 * HOUR_MS;
    let minute_a_week = calendar("Europe/Berlin", "mon 09:00-09:01");
    let left_ms = minute_a_week.calendar.elapsed(0, i64::MAX);
    // From the first Monday of 1970 to the last of 9999.
    assert_eq!(left_ms, 418_985 * MINUTE_MS);
    let last_ms = minute_a_week.calendar.add(0, left_ms).unwrap();
    assert_eq!(
        Timestamp::from_millisecond(last_ms).unwrap().to_string(),
        "9999-12-27T08:01:00Z"
    );
    assert_eq!(minute_a_week.calendar.add(0, left_ms + 1), None);
    let always = calendar("UTC", "mon-sun 00:00-24:00");
    assert_eq!(always.calendar.elapsed(0, i64::MAX), end_ms);
    assert_eq!(always.calendar.add(0, end_ms - 1), Some(end_ms - 1));
    assert_eq!(always.calendar.add(0, end_ms), None);
    assert_eq!(always.calendar.next_change(0), None);
}

#[test]
fn far_years_are_worked_out_as_near_ones() {
    let desk = calendar(
        "America/New_York",
        "mon-fri 09:00-17:00; 5000-07-04; 5000-07-05 10:00-11:00",
    );
    desk.assert_elapsed("4999-12-28T00:00", "5000-01-04T00:00", 40 * HOUR_MS);
    desk.assert_elapsed("5000-07-04T00:00", "5000-07-06T00:00", HOUR_MS);
    desk.assert_due("9998-11-06T16:00", 2 * HOUR_MS, "9998-11-09T10:00");
}

#[test]
fn every_zone_repeats_every_400_years_from_the_settled_year_on() {
    let (from, cycle) = (
        "2099-12-31T00:00:00Z".parse::<Timestamp>().unwrap(),
        146_097 * 24,
    );
    let to = from + (30 * 366 * 24).hours();
    for name in time_zone_names() {
        let zone = crate::zones::get(&name).unwrap();
        let changes = |from: Timestamp, to: Timestamp| -> Vec<(i64, i32)> {
            let changes = zone
                .following(from)
                .take_while(|change| change.timestamp() < to);
            changes
                .map(|change| {
                    (
                        change.timestamp().as_second() - from.as_second(),
                        change.offset().seconds(),
                    )
                })
                .collect()
        };
        assert_eq!(
            zone.to_offset(from),
            zone.to_offset(from + cycle.hours()),
            "{name}"
        );
        assert_eq!(
            changes(from, to),
            changes(from + cycle.hours(), to + cycle.hours()),
            "{name}"
        );
    }
}

#[test]
fn local_time_is_told_over_dst() {
    let berlin = Calendar::new(&CalendarSpec::in_zone("Europe/Berlin")).unwrap();
    assert_eq!(berlin.time_zone(), "Europe/Berlin");
    // 2026-03-29T01:00:00Z, when summer begins.
    let summer_ms = 1_774_746_000_000;
    assert_eq!(berlin.utc_offset_s(summer_ms - 1), 3_600);
    assert_eq!(berlin.utc_offset_s(summer_ms), 7_200);
    for far_ms in [i64::MIN, i64::MAX] {
        assert!(berlin.utc_offset_s(far_ms).abs() <= 7_200);
    }
}
