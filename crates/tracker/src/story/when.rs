//! Instants as stories write them: `Fri 16:30` in the week that begins with the story's first day, or a date in UTC.

use slawatch_event::{format_instant, parse_instant};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAY_MS: i64 = 86_400_000;
/// Monday, 2025-06-02, in UTC: no clock change is near.
const MONDAY_MS: i64 = 1_748_822_400_000;

/// The seven days of a story, from the day of its first instant on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Week {
    first_day: Option<usize>,
}

impl Week {
    /// Reads `Fri 16:30`, `Fri 16:30:01.250` or `2025-03-28 15:00`.
    pub(super) fn instant(&mut self, text: &str) -> i64 {
        let (day, time) = text.split_once(' ').unwrap();
        let Some(weekday) = DAYS.iter().position(|known| *known == day) else {
            return parse_instant(&format!("{day}T{}Z", with_seconds(time)))
                .unwrap_or_else(|| panic!("{text:?} is no instant"));
        };
        let first_day = *self.first_day.get_or_insert(weekday);
        let days = first_day + (weekday + 7 - first_day) % 7;
        MONDAY_MS + days as i64 * DAY_MS + time_ms(time)
    }

    /// Writes an instant as it would be read.
    pub(super) fn text(self, instant_ms: i64) -> String {
        let days = (instant_ms - MONDAY_MS).div_euclid(DAY_MS);
        let first_day = self.first_day.unwrap_or(0) as i64;
        let written = format_instant(instant_ms);
        let (date, time) = written.trim_end_matches('Z').split_once('T').unwrap();
        let time = time.trim_end_matches(".000").trim_end_matches(":00");
        let time = if time.len() < 5 {
            format!("{time}:00")
        } else {
            time.to_owned()
        };
        if self.first_day.is_some() && (first_day..first_day + 7).contains(&days) {
            format!("{} {time}", DAYS[days as usize % 7])
        } else {
            format!("{date} {time}")
        }
    }
}

fn with_seconds(time: &str) -> String {
    if time.len() == 5 {
        format!("{time}:00")
    } else {
        time.to_owned()
    }
}

fn time_ms(time: &str) -> i64 {
    let written = format!("1970-01-01T{}Z", with_seconds(time));
    parse_instant(&written).unwrap_or_else(|| panic!("{time:?} is no time of day"))
}

/// `1h30m`, `20.5s`, `0`.
pub(super) fn duration(ms: i64) -> String {
    let (hours, minutes, rest_ms) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let mut text = String::new();
    for (number, unit) in [(hours, "h"), (minutes, "m")] {
        if number != 0 {
            text += &format!("{number}{unit}");
        }
    }
    if rest_ms % 1000 != 0 {
        text += &format!("{}.{:03}s", rest_ms / 1000, rest_ms % 1000);
    } else if rest_ms != 0 {
        text += &format!("{}s", rest_ms / 1000);
    }
    if text.is_empty() { "0".into() } else { text }
}

#[test]
fn instants_are_read_and_written() {
    let mut week = Week::default();
    for text in [
        "Fri 16:30",
        "Mon 09:30:01",
        "Thu 00:00",
        "Thu 20:00:00.250",
        "2025-03-28 15:00",
        "2025-03-28 10:00",
    ] {
        let instant = week.instant(text);
        assert_eq!(week.text(instant), text);
    }
    assert!(week.instant("Fri 16:30") < week.instant("Mon 09:30"));
    assert_eq!(duration(5_400_000), "1h30m");
    assert_eq!(duration(20_500), "20.500s");
    assert_eq!(duration(0), "0");
}
