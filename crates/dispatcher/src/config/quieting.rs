//! One `[[maintenance]]`: a time in which alerts are expected and nobody need be told.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use slawatch_calendar::{Calendar, CalendarSpec, Span};

use super::setting;
use crate::error::DispatcherError;
use crate::matching::AlertMatch;

/// Once, from an instant to another, or every week at local times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// Which alerts it quiets.
    #[serde(rename = "match")]
    pub matching: AlertMatch,
    /// Its begin.
    #[serde(default, deserialize_with = "instant")]
    pub from: Option<i64>,
    /// Its end.
    #[serde(default, deserialize_with = "instant")]
    pub until: Option<i64>,
    /// Instead of both: `"sat 02:00-04:00"`, in `timezone`.
    pub weekly: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Who answers for it.
    pub author: String,
    /// What is done then.
    pub reason: String,
}

/// When a window is open.
#[derive(Debug)]
pub(crate) enum Times {
    /// Half open.
    Once {
        from_ms: i64,
        until_ms: i64,
    },
    Weekly(Box<Calendar>),
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: Result<Timestamp, _> = text.parse();
    parsed.map(|at| Some(at.as_millisecond())).map_err(|_| {
        serde::de::Error::custom(format!(
            "{text:?} is not an instant; write it with its offset, like \"2026-03-01T22:00:00Z\""
        ))
    })
}

impl Times {
    /// The end of the window that this instant lies in.
    pub(crate) fn until_ms(&self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Once { from_ms, until_ms } => {
                (*from_ms..*until_ms).contains(&now_ms).then_some(*until_ms)
            }
            Self::Weekly(calendar) => calendar
                .is_open(now_ms)
                .then(|| calendar.next_change(now_ms).unwrap_or(i64::MAX)),
        }
    }
}

impl MaintenanceConfig {
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(crate) fn times(&self) -> Result<Times, String> {
        match (self.from, self.until, &self.weekly, &self.timezone) {
            (Some(from_ms), Some(until_ms), None, None) if from_ms < until_ms => {
                Ok(Times::Once { from_ms, until_ms })
            }
            (Some(_), Some(_), None, None) => {
                Err("until is not after from; did you mean the other way round?".to_owned())
            }
            (None, None, Some(weekly), Some(timezone)) => {
                let spec = weekly_hours(weekly, timezone)?;
                let calendar = Calendar::new(&spec).map_err(|error| error.to_string())?;
                Ok(Times::Weekly(Box::new(calendar)))
            }
            (None, None, Some(_), None) => {
                Err("timezone is missing; write the IANA name that weekly goes by, such as \"Europe/Berlin\"".to_owned())
            }
            _ => Err("its time is not clear; write either from and until, or weekly and timezone".to_owned()),
        }
    }

    pub(super) fn mistakes(&self, position: usize) -> Vec<DispatcherError> {
        let place = format!("[[maintenance]] number {position}");
        let mut mistakes = Vec::new();
        if let Err(reason) = self.times() {
            mistakes.push(setting("maintenance", &place, reason));
        }
        if let Some(mistake) = self.matching.mistake() {
            mistakes.push(setting("maintenance", &place, mistake));
        }
        if self.author.trim().is_empty() {
            mistakes.push(setting(
                "maintenance",
                &place,
                "author is empty; say who answers for it",
            ));
        }
        if self.reason.trim().is_empty() {
            mistakes.push(setting("maintenance", &place, "reason is empty; say what is done then, it is recorded with every alert that is not told"));
        }
        mistakes
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn weekly_hours(text: &str, timezone: &str) -> Result<CalendarSpec, String> {
    let unclear = || {
        format!(
            "weekly = {text:?} is not understood; write a day or a range of days and a span, like \"sat 02:00-04:00\" or \
             \"mon-fri 22:00-24:00\""
        )
    };
    let (days, span) = text.trim().split_once(' ').ok_or_else(unclear)?;
    let weekday = |name: &str| WEEKDAYS.iter().position(|known| *known == name);
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (Some(first), Some(last)) = (weekday(first), weekday(last)) else {
        return Err(unclear());
    };
    let (start, end) = span.trim().split_once('-').ok_or_else(unclear)?;
    let (Some(start_minute), Some(end_minute)) = (minute_of_day(start), minute_of_day(end)) else {
        return Err(unclear());
    };
    let mut spec = CalendarSpec::in_zone(timezone);
    let mut day = first;
    loop {
        spec.hours[day].push(Span {
            start_minute,
            end_minute,
        });
        if day == last {
            return Ok(spec);
        }
        day = (day + 1) % 7;
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0))).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekly_window_follows_the_local_time() {
        let text = "match = {}\nweekly = \"sat 02:00-04:00\"\ntimezone = \"Europe/Berlin\"\nauthor = \"maria\"\nreason = \"backup\"";
        let config: MaintenanceConfig = toml::from_str(text).unwrap();
        let times = config.times().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        for (now, until) in [
            ("2026-01-10T00:59:59Z", None),
            ("2026-01-10T01:00:00Z", Some("2026-01-10T03:00:00Z")),
            ("2026-01-10T03:00:00Z", None),
            ("2026-01-11T01:30:00Z", None),
            ("2026-07-11T00:00:00Z", Some("2026-07-11T02:00:00Z")),
        ] {
            assert_eq!(times.until_ms(at(now)), until.map(at), "{now}");
        }
    }

    #[test]
    fn a_range_of_days_may_go_over_the_end_of_the_week() {
        let spec = weekly_hours("sat-mon 22:00-24:00", "UTC").unwrap();
        let open: Vec<usize> = (0..7).filter(|day| !spec.hours[*day].is_empty()).collect();
        assert_eq!(open, [0, 5, 6]);
        for text in [
            "sat",
            "sat 2:00-4:00",
            "sat 02:00",
            "sat 02:00-24:01",
            "soon 02:00-04:00",
            "sat 02:60-04:00",
        ] {
            assert!(weekly_hours(text, "UTC").is_err(), "{text}");
        }
    }
}
