//! Contract periods: the local day, week or month that an instant lies in, and the same local time of weeks before.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::spec::CalendarError;
use crate::zones;

/// How long a contract's period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeriodLength {
    /// From local midnight to the next: 23 to 25 hours where the clocks change.
    Day,
    /// From Monday's start.
    Week,
    /// From the first day's start.
    Month,
}

impl PeriodLength {
    /// As files name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// One period, half open, in UTC milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// First instant inside.
    pub start_ms: i64,
    /// First instant outside, at which the next begins.
    pub end_ms: i64,
}

impl Period {
    /// Whether the instant lies in it.
    pub const fn has(self, at_ms: i64) -> bool {
        self.start_ms <= at_ms && at_ms < self.end_ms
    }
}

/// The periods of a contract. Each begins with its first local day: at midnight, at the first of two midnights, or, where
/// the clocks skip midnight, at the first instant after the gap. So they follow each other without gap or overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Periods {
    length: PeriodLength,
    zone: TimeZone,
    name: String,
}

impl Periods {
    /// Periods of that length in an IANA zone.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn new(length: PeriodLength, timezone: &str) -> Result<Self, CalendarError> {
        let name = timezone.to_owned();
        match zones::get(timezone) {
            Some(zone) => Ok(Self { length, zone, name }),
            None => Err(CalendarError::UnknownTimeZone { name }),
        }
    }

    /// Their length.
    pub fn length(&self) -> PeriodLength {
        self.length
    }

    /// The zone's name as given.
    pub fn time_zone(&self) -> &str {
        &self.name
    }

    /// The period that the instant lies in. At the ends of the supported years (-9999 and 9999) it is cut off there.
    pub fn around(&self, at_ms: i64) -> Period {
        let today = timestamp(at_ms).to_zoned(self.zone.clone()).date();
        let first = match self.length {
            PeriodLength::Day => today,
            PeriodLength::Week => {
                let days = today.weekday().since(Weekday::Monday);
                today.saturating_sub(Span::new().days(days))
            }
            PeriodLength::Month => today.first_of_month(),
        };
        let next = match self.length {
            PeriodLength::Day => first.saturating_add(Span::new().days(1)),
            PeriodLength::Week => first.saturating_add(Span::new().weeks(1)),
            PeriodLength::Month => first.saturating_add(Span::new().months(1)),
        };
        Period {
            start_ms: self.start_of(first),
            end_ms: self.start_of(next).max(at_ms.saturating_add(1)),
        }
    }

    fn start_of(&self, date: Date) -> i64 {
        let midnight = date.to_zoned(self.zone.clone());
        // A gap that takes a whole day away moves the answer by that day: the next day's start is the first instant after.
        midnight.map_or(i64::MAX, |midnight| midnight.timestamp().as_millisecond())
    }

    /// The same local time that many weeks earlier; where the clocks skip it, as much later.
    pub fn weeks_before(&self, at_ms: i64, weeks: u32) -> i64 {
        let local = timestamp(at_ms).to_zoned(self.zone.clone()).datetime();
        let then = local.saturating_sub(Span::new().weeks(weeks));
        let then = then.to_zoned(self.zone.clone());
        then.map_or(i64::MIN, |then| then.timestamp().as_millisecond())
    }

    /// The hour of the local week, from 0 (Monday from 00:00 to 01:00) to 167.
    pub fn hour_of_week(&self, at_ms: i64) -> usize {
        let local = timestamp(at_ms).to_zoned(self.zone.clone());
        let day = local.weekday().to_monday_zero_offset();
        // Neither is negative.
        24 * usize::from(day.unsigned_abs()) + usize::from(local.hour().unsigned_abs())
    }

    /// The local time as people write it: "2026-03-31 14:05 CEST".
    pub fn local_time(&self, at_ms: i64) -> String {
        let local = timestamp(at_ms).to_zoned(self.zone.clone());
        local.strftime("%Y-%m-%d %H:%M %Z").to_string()
    }
}

/// The nearest instant that has a calendar date.
fn timestamp(at_ms: i64) -> Timestamp {
    let bounds = (
        Timestamp::MIN.as_millisecond(),
        Timestamp::MAX.as_millisecond(),
    );
    Timestamp::from_millisecond(at_ms.clamp(bounds.0, bounds.1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR_MS: i64 = 3_600_000;

    fn ms(text: &str) -> i64 {
        let instant: Timestamp = text.parse().unwrap();
        instant.as_millisecond()
    }

    fn text(at_ms: i64) -> String {
        Timestamp::from_millisecond(at_ms).unwrap().to_string()
    }

    #[test]
    fn periods_follow_the_local_calendar() {
        use PeriodLength::{Day, Month, Week};
        for (length, zone, at, start, end) in [
            // Manila is 8 hours ahead: its 1st of April begins on the 31st of March.
            (
                Day,
                "Asia/Manila",
                "2026-03-31T16:00:00Z",
                "2026-03-31T16:00:00Z",
                "2026-04-01T16:00:00Z",
            ),
            (
                Month,
                "Asia/Manila",
                "2026-03-31T15:59:59.999Z",
                "2026-02-28T16:00:00Z",
                "2026-03-31T16:00:00Z",
            ),
            // The clocks go forward and back: 23 and 25 hours.
            (
                Day,
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ),
            (
                Day,
                "Europe/Berlin",
                "2026-10-25T12:00:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            (
                Week,
                "Europe/Berlin",
                "2026-03-29T21:59:59Z",
                "2026-03-22T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ),
            (
                Week,
                "UTC",
                "2026-01-01T00:00:00Z",
                "2025-12-29T00:00:00Z",
                "2026-01-05T00:00:00Z",
            ),
            // Months have 28 to 31 days.
            (
                Month,
                "UTC",
                "2026-02-28T23:59:59Z",
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
            (
                Month,
                "UTC",
                "2028-02-29T00:00:00Z",
                "2028-02-01T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                Month,
                "America/New_York",
                "2026-12-31T12:00:00Z",
                "2026-12-01T05:00:00Z",
                "2027-01-01T05:00:00Z",
            ),
            // Beirut's clocks skip midnight: the day begins at 01:00.
            (
                Day,
                "Asia/Beirut",
                "2025-03-30T12:00:00Z",
                "2025-03-29T22:00:00Z",
                "2025-03-30T21:00:00Z",
            ),
            // Havana's come to midnight twice: the day begins at the first.
            (
                Day,
                "America/Havana",
                "2025-11-02T12:00:00Z",
                "2025-11-02T04:00:00Z",
                "2025-11-03T05:00:00Z",
            ),
            // Samoa had no 30th of December.
            (
                Day,
                "Pacific/Apia",
                "2011-12-30T09:59:59Z",
                "2011-12-29T10:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
            (
                Day,
                "Pacific/Apia",
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-31T10:00:00Z",
            ),
        ] {
            let period = Periods::new(length, zone).unwrap().around(ms(at));
            let found = (text(period.start_ms), text(period.end_ms));
            assert_eq!(
                found,
                (start.to_owned(), end.to_owned()),
                "{length:?} {zone} {at}"
            );
            assert!(period.has(ms(at)));
        }
    }

    #[test]
    fn a_week_before_is_the_same_local_time() {
        let berlin = Periods::new(PeriodLength::Week, "Europe/Berlin").unwrap();
        for (at, weeks, then) in [
            ("2026-04-01T08:00:00Z", 1, "2026-03-25T09:00:00Z"),
            ("2026-04-01T08:00:00Z", 4, "2026-03-04T09:00:00Z"),
            ("2026-03-25T09:00:00Z", 1, "2026-03-18T09:00:00Z"),
            // 02:30 did not exist a week before.
            ("2026-04-05T00:30:00Z", 1, "2026-03-29T01:30:00Z"),
        ] {
            assert_eq!(text(berlin.weeks_before(ms(at), weeks)), then, "{at}");
        }
    }

    #[test]
    fn hours_of_the_local_week() {
        for (zone, at, hour) in [
            ("UTC", "2026-01-05T00:59:59Z", 0),
            ("UTC", "2026-01-04T23:00:00Z", 167),
            ("Asia/Manila", "2026-01-04T16:00:00Z", 0),
            ("Asia/Kolkata", "2026-01-05T00:00:00Z", 5),
        ] {
            let periods = Periods::new(PeriodLength::Week, zone).unwrap();
            assert_eq!(periods.hour_of_week(ms(at)), hour, "{zone} {at}");
        }
    }

    #[test]
    fn local_times_are_written_with_their_zone() {
        for (zone, written) in [
            ("Europe/Berlin", "2026-03-31 16:05 CEST"),
            ("Asia/Manila", "2026-03-31 22:05 PST"),
            ("UTC", "2026-03-31 14:05 UTC"),
        ] {
            let periods = Periods::new(PeriodLength::Day, zone).unwrap();
            assert_eq!(periods.local_time(ms("2026-03-31T14:05:59Z")), written);
        }
    }

    #[test]
    fn an_unknown_zone_is_refused_by_name() {
        let error = Periods::new(PeriodLength::Day, "Europe/Berln").unwrap_err();
        assert!(error.to_string().contains("Europe/Berln"), "{error}");
    }

    #[test]
    fn the_ends_of_time_have_a_period() {
        for zone in ["UTC", "Asia/Manila", "America/New_York"] {
            for at_ms in [i64::MIN, i64::MAX - 1] {
                for length in [PeriodLength::Day, PeriodLength::Week, PeriodLength::Month] {
                    Periods::new(length, zone).unwrap().around(at_ms);
                }
            }
        }
    }

    proptest! {
        /// Every period contains its instant, is as long as its kind can be, and the next begins where it ends.
        #[test]
        fn periods_tile_time(
            at_ms in 0..4_102_444_800_000i64,
            zone in prop_oneof![
                Just("Europe/Berlin"), Just("Asia/Manila"), Just("America/New_York"), Just("Asia/Kathmandu"),
                Just("Australia/Lord_Howe"), Just("America/Havana"), Just("Asia/Beirut"), Just("UTC"),
            ],
            length in prop_oneof![Just(PeriodLength::Day), Just(PeriodLength::Week), Just(PeriodLength::Month)],
        ) {
            let periods = Periods::new(length, zone).unwrap();
            let period = periods.around(at_ms);
            prop_assert!(period.has(at_ms));
            let days = match length {
                PeriodLength::Day => 1..=1,
                PeriodLength::Week => 7..=7,
                PeriodLength::Month => 28..=31,
            };
            let hours = (period.end_ms - period.start_ms) / HOUR_MS;
            prop_assert!((days.start() * 24 - 2..=days.end() * 24 + 2).contains(&hours), "{} h", hours);
            prop_assert_eq!(periods.around(period.end_ms).start_ms, period.end_ms);
            prop_assert_eq!(periods.around(period.end_ms - 1), period);
            prop_assert_eq!(periods.around(period.start_ms), period);
        }
    }
}
