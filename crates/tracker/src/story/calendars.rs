//! SEMANTICS 7, cases 1 to 10: business time, pauses and calendars.

use super::teller::{always, desk, policy};
use super::ticket;

#[test]
fn case_1_a_due_skips_the_weekend() {
    ticket()
        .policies(&desk("'09:00-17:00'", "first_reply = '1h'"))
        .created("Fri 16:30")
        .at("Sat 12:00")
        .says("first_reply", "running, due Mon 09:30");
}

#[test]
fn case_2_a_due_goes_over_the_evening() {
    ticket()
        .policies(&desk("'08:00-18:00'", "resolution = '4h'"))
        .created("Mon 17:00")
        .at("Mon 17:00")
        .assert_due("resolution", "Tue 11:00");
}

#[test]
fn case_3_clock_changes_at_the_weekend_move_the_opening_in_utc() {
    for (created, due) in [
        ("2025-03-28 15:00", "2025-03-31 08:00"),
        ("2024-10-25 14:00", "2024-10-28 09:00"),
    ] {
        ticket()
            .policies(
                &desk("'09:00-17:00'", "resolution = '2h'").replace("'UTC'", "'Europe/Berlin'"),
            )
            .created(created)
            .at(created)
            .assert_due("resolution", due);
    }
}

#[test]
fn case_4_an_always_open_local_day_lasts_23_or_25_hours() {
    let sundays = "[[calendar]]\nname = 'sundays'\ntimezone = 'Europe/Berlin'\nhours = { sun = ['00:00-24:00'] }\n";
    let sundays = format!(
        "{sundays}{}",
        policy("calendar = 'sundays'\n[policy.targets]\nresolution = '48h'")
    );
    for (created, solved, elapsed) in [
        ("2025-03-29 12:00", "2025-03-31 12:00", "23h"),
        ("2024-10-26 12:00", "2024-10-28 12:00", "25h"),
        ("2025-06-07 12:00", "2025-06-09 12:00", "24h"),
    ] {
        let story = ticket()
            .policies(&sundays)
            .created(created)
            .solved(solved)
            .at(solved);
        let row = story.clone().row_of("resolution").elapsed_ms;
        assert_eq!(
            row.map(super::when::duration).as_deref(),
            Some(elapsed),
            "{created}"
        );
    }
}

#[test]
fn case_5_arriving_in_the_lunch_break_starts_counting_after_it() {
    ticket()
        .policies(&desk("'08:00-12:00', '13:30-18:00'", "first_reply = '1h'"))
        .created("Mon 12:30")
        .agent_replied("Mon 13:40")
        .at("Mon 14:00")
        .says(
            "first_reply",
            "met at Mon 13:40, due Mon 14:30, elapsed 10m",
        );
}

#[test]
fn case_6_a_pause_moves_the_due_to_the_second() {
    for (resumed, due) in [("Thu 17:00", "Thu 18:00"), ("Thu 17:00:01", "Fri 10:00:01")] {
        ticket()
            .policies(&desk("'10:00-18:00'", "requester_wait = '2h'"))
            .created("Thu 15:00")
            .updated("Thu 16:00")
            .status("pending")
            .updated(resumed)
            .status("open")
            .at("Thu 17:30")
            .assert_due("requester_wait", due);
    }
}

#[test]
fn case_7_a_pause_over_a_holiday_and_a_weekend() {
    let with_holiday = desk("'10:00-18:00'", "requester_wait = '2h'")
        .replace("'UTC'\n", "'UTC'\nholidays = ['2025-06-06']\n");
    ticket()
        .policies(&with_holiday)
        .created("Thu 17:30")
        .updated("Thu 17:50")
        .status("pending")
        .updated("Mon 12:30")
        .status("open")
        .solved("Mon 13:00")
        .at("Mon 14:00")
        .says(
            "requester_wait",
            "met at Mon 13:00, due Mon 14:10, elapsed 50m",
        );
}

#[test]
fn case_8_a_pause_extends_only_by_its_business_time() {
    for (paused, resumed, due) in [
        ("Mon 16:00", "Tue 10:00", "Tue 13:00"),
        ("Mon 18:00", "Tue 08:00", "Tue 11:00"),
        ("Mon 23:59", "Tue 00:01", "Tue 11:00"),
        ("Mon 16:59", "Tue 08:00", "Tue 11:01"),
    ] {
        ticket()
            .policies(&desk("'09:00-17:00'", "requester_wait = '4h'"))
            .created("Mon 15:00")
            .updated(paused)
            .status("pending")
            .updated(resumed)
            .status("open")
            .at("Tue 10:30")
            .assert_due("requester_wait", due);
    }
}

#[test]
fn case_9_a_reply_after_closing_takes_no_time() {
    ticket()
        .policies(&desk("'09:00-17:00'", "first_reply = '30m'"))
        .created("Mon 18:00")
        .agent_replied("Mon 18:10")
        .at("Mon 18:10")
        .says("first_reply", "met at Mon 18:10, due Tue 09:30, elapsed 0")
        .shared("first_reply", "");
}

const SHIFTS: &str = "
[[calendar]]
name = 'early'
timezone = 'UTC'
hours = { mon-sun = ['06:00-14:00'] }
[[calendar]]
name = 'late'
timezone = 'UTC'
hours = { mon-sun = ['14:00-22:00'] }
[[policy]]
name = 'early'
match = { queue = ['early'] }
calendar = 'early'
[policy.targets]
resolution = '4h'
[[policy]]
name = 'late'
match = { queue = ['late'] }
calendar = 'late'
[policy.targets]
resolution = '4h'
";

#[test]
fn case_10_time_accumulates_under_each_calendar() {
    let story = ticket()
        .policies(SHIFTS)
        .created("Mon 13:00")
        .queue("early");
    story
        .clone()
        .at("Mon 13:30")
        .assert_due("resolution", "Tue 09:00");
    story
        .updated("Mon 15:00")
        .queue("late")
        .at("Mon 15:00")
        .says("resolution", "running, due Mon 18:00")
        .stands("resolution", "/late, late, ");
}

#[test]
fn without_a_calendar_time_always_runs() {
    ticket()
        .policies(&always("resolution = '72h'"))
        .created("Fri 16:30")
        .at("Fri 16:30")
        .assert_due("resolution", "Mon 16:30");
}
