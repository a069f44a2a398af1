//! A desk with a calendar, as the cases write it down.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::{Calendar, CalendarSpec, Span};

/// `"mon-fri 09:00-13:00 14:00-18:00; sat 10:00-14:00; 2026-12-25; 2026-12-24 09:00-12:00"`; a date without spans is closed.
pub(super) fn calendar(zone: &str, rules: &str) -> Desk {
    let mut spec = CalendarSpec::in_zone(zone);
    for rule in rules.split("; ").filter(|rule| !rule.is_empty()) {
        let mut words = rule.split(' ');
        let days = words.next().unwrap();
        let spans: Vec<Span> = words.map(span).collect();
        if let Ok(date) = days.parse() {
            if spans.is_empty() {
                spec.holidays.insert(date);
            } else {
                spec.special.insert(date, spans);
            }
            continue;
        }
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        for weekday in weekday(first)..=weekday(last) {
            spec.hours[weekday] = spans.clone();
        }
    }
    Desk {
        calendar: Calendar::new(&spec).unwrap(),
        zone: zone.to_owned(),
    }
}

fn weekday(name: &str) -> usize {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .position(|known| *known == name)
        .unwrap()
}

fn span(text: &str) -> Span {
    let minute =
        |time: &str| time[..2].parse::<u16>().unwrap() * 60 + time[3..].parse::<u16>().unwrap();
    Span {
        start_minute: minute(&text[..5]),
        end_minute: minute(&text[6..]),
    }
}

pub(super) struct Desk {
    pub(super) calendar: Calendar,
    zone: String,
}

impl Desk {
    /// `"2025-03-28T15:00Z"` is UTC; without `Z` the desk's own time, the first of two.
    pub(super) fn at(&self, text: &str) -> i64 {
        if let Some(utc) = text.strip_suffix('Z') {
            let seconds = if utc.len() == 16 { ":00" } else { "" };
            return format!("{utc}{seconds}Z")
                .parse::<Timestamp>()
                .unwrap()
                .as_millisecond();
        }
        let zone = crate::zones::get(&self.zone).unwrap();
        text.parse::<DateTime>()
            .unwrap()
            .to_zoned(zone)
            .unwrap()
            .timestamp()
            .as_millisecond()
    }

    pub(super) fn assert_due(&self, start: &str, target_ms: i64, due: &str) {
        let shown =
            |at_ms: Option<i64>| at_ms.map(|at_ms| Timestamp::from_millisecond(at_ms).unwrap());
        assert_eq!(
            shown(self.calendar.add(self.at(start), target_ms)),
            shown(Some(self.at(due))),
            "{start} + {target_ms} ms in {}",
            self.zone
        );
    }

    pub(super) fn assert_elapsed(&self, from: &str, to: &str, elapsed_ms: i64) {
        assert_eq!(
            self.calendar.elapsed(self.at(from), self.at(to)),
            elapsed_ms,
            "{from} to {to} in {}",
            self.zone
        );
    }
}
