//! What a calendar is made from, and what can be wrong with it. It resolves nothing to instants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;

/// Minutes of a local day.
pub(crate) const MINUTES_PER_DAY: u16 = 1_440;

/// A half-open span of a local day, in minutes since its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First minute inside.
    pub start_minute: u16,
    /// First minute outside; 1440 is the start of the next local day.
    pub end_minute: u16,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            start_minute: start,
            end_minute: end,
        } = *self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            start / 60,
            start % 60,
            end / 60,
            end % 60
        )
    }
}

/// A weekday or a date, to say where a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Day {
    /// 0 is Monday.
    Weekday(usize),
    /// One date with spans of its own.
    Date(Date),
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        match *self {
            Self::Weekday(weekday) => f.write_str(NAMES[weekday % 7]),
            Self::Date(date) => date.fmt(f),
        }
    }
}

/// The definition of a calendar (SEMANTICS 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarSpec {
    /// IANA name.
    pub timezone: String,
    /// Open spans of Monday to Sunday, in any order, none overlapping another.
    pub hours: [Vec<Span>; 7],
    /// Dates with spans of their own; they go before `holidays`.
    pub special: BTreeMap<Date, Vec<Span>>,
    /// Dates that are closed.
    pub holidays: BTreeSet<Date>,
}

impl CalendarSpec {
    /// A calendar of that zone that is never open.
    pub fn in_zone(timezone: &str) -> Self {
        Self {
            timezone: timezone.to_owned(),
            hours: Default::default(),
            special: BTreeMap::new(),
            holidays: BTreeSet::new(),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), CalendarError> {
        for (weekday, spans) in self.hours.iter().enumerate() {
            validate_day(Day::Weekday(weekday), spans)?;
        }
        for (&date, spans) in &self.special {
            validate_day(Day::Date(date), spans)?;
        }
        Ok(())
    }
}

fn validate_day(day: Day, spans: &[Span]) -> Result<(), CalendarError> {
    for &span in spans {
        if span.end_minute > MINUTES_PER_DAY {
            return Err(CalendarError::PastMidnight { day, span });
        }
        if span.start_minute >= span.end_minute {
            return Err(CalendarError::EmptySpan { day, span });
        }
    }
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    for pair in sorted.windows(2) {
        let (first, second) = (pair[0], pair[1]);
        if second.start_minute < first.end_minute {
            return Err(CalendarError::Overlap { day, first, second });
        }
    }
    Ok(())
}

/// Why a [`CalendarSpec`] makes no calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No such zone in the bundled data.
    #[error("unknown time zone \"{name}\"; write an IANA name such as \"Europe/Berlin\"")]
    UnknownTimeZone {
        /// As given.
        name: String,
    },
    /// A span ends where it starts or before.
    #[error(
        "{day}: the span {span} does not end after it starts; where it crosses midnight, write two spans, one up to 24:00 and one from 00:00 of the next day"
    )]
    EmptySpan {
        /// Where.
        day: Day,
        /// As given.
        span: Span,
    },
    /// A span ends after 24:00.
    #[error(
        "{day}: the span {span} ends after 24:00; write the rest as a span of the next day, from 00:00"
    )]
    PastMidnight {
        /// Where.
        day: Day,
        /// As given.
        span: Span,
    },
    /// Two spans of a day overlap.
    #[error(
        "{day}: the spans {first} and {second} overlap; join them, or let one end where the other starts"
    )]
    Overlap {
        /// Where.
        day: Day,
        /// The one that starts first.
        first: Span,
        /// The other.
        second: Span,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Calendar;

    fn span(start_minute: u16, end_minute: u16) -> Span {
        Span {
            start_minute,
            end_minute,
        }
    }

    #[test]
    fn every_mistake_has_a_text_that_says_where_and_what_to_write() {
        let christmas = jiff::civil::date(2026, 12, 24);
        type Spoil<'a> = &'a dyn Fn(&mut CalendarSpec);
        let cases: [(&str, Spoil<'_>); 5] = [
            (
                "unknown time zone \"Europe/Berlni\"; write an IANA name such as \"Europe/Berlin\"",
                &|spec| spec.timezone = "Europe/Berlni".to_owned(),
            ),
            (
                "tue: the span 17:00-09:00 does not end after it starts; where it crosses midnight, write two spans, one up to 24:00 and one from 00:00 of the next day",
                &|spec| spec.hours[1] = vec![span(1_020, 540)],
            ),
            (
                "2026-12-24: the span 09:00-09:00 does not end after it starts; where it crosses midnight, write two spans, one up to 24:00 and one from 00:00 of the next day",
                &|spec| drop(spec.special.insert(christmas, vec![span(540, 540)])),
            ),
            (
                "sun: the span 23:00-24:01 ends after 24:00; write the rest as a span of the next day, from 00:00",
                &|spec| spec.hours[6] = vec![span(1_380, 1_441)],
            ),
            (
                "fri: the spans 08:00-12:30 and 12:29-20:00 overlap; join them, or let one end where the other starts",
                &|spec| spec.hours[4] = vec![span(749, 1_200), span(480, 750)],
            ),
        ];
        for (expected, spoil) in cases {
            let mut spec = CalendarSpec::in_zone("Europe/Berlin");
            spoil(&mut spec);
            assert_eq!(Calendar::new(&spec).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn spans_may_touch_and_stand_in_any_order() {
        let mut spec = CalendarSpec::in_zone("Europe/Berlin");
        spec.hours[0] = vec![span(720, 1_440), span(0, 720)];
        assert!(Calendar::new(&spec).is_ok());
    }
}
