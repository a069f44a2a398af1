//! Local time, for "today" and for the clocks people read. The bundled time zone data, never the machine's.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::error::BoardError;

/// A time zone by its IANA name.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// Universal time.
    pub fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }

    /// The zone of that name, such as `Asia/Manila`.
    ///
    /// # Errors
    /// [`BoardError::UnknownTimeZone`].
    pub fn named(name: &str) -> Result<Self, BoardError> {
        let zone = TimeZoneDatabase::bundled().get(name);
        let zone = zone.map_err(|_| BoardError::UnknownTimeZone {
            name: name.to_owned(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            zone,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The first instant of the local day; the instant itself where the calendar ends.
    pub(crate) fn day_start_ms(&self, instant_ms: i64) -> i64 {
        let start = Timestamp::from_millisecond(instant_ms)
            .and_then(|instant| instant.to_zoned(self.zone.clone()).start_of_day());
        start.map_or(instant_ms, |start| start.timestamp().as_millisecond())
    }

    /// `14:03:22`.
    pub(crate) fn time_of_day(&self, instant_ms: i64) -> String {
        self.format(instant_ms, "%H:%M:%S")
    }

    /// `14:03` of the day on which `now_ms` falls too, else `Sat 14:03` or, a week or more away, `2026-11-22 14:03`.
    pub(crate) fn short(&self, instant_ms: i64, now_ms: i64) -> String {
        let pattern = if self.day_start_ms(instant_ms) == self.day_start_ms(now_ms) {
            "%H:%M"
        } else if (now_ms - instant_ms).abs() < 6 * 86_400_000 {
            "%a %H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        self.format(instant_ms, pattern)
    }

    /// The instant of a local day and time as browsers write them, `2026-11-22T14:30`.
    pub(crate) fn local_ms(&self, text: &str) -> Option<i64> {
        let local: jiff::civil::DateTime = text.trim().parse().ok()?;
        let zoned = local.to_zoned(self.zone.clone()).ok()?;
        Some(zoned.timestamp().as_millisecond())
    }

    /// `Sun 22 Nov 2026`.
    pub(crate) fn date(&self, instant_ms: i64) -> String {
        self.format(instant_ms, "%a %-d %b %Y")
    }

    fn format(&self, instant_ms: i64, pattern: &str) -> String {
        match Timestamp::from_millisecond(instant_ms) {
            Ok(instant) => instant
                .to_zoned(self.zone.clone())
                .strftime(pattern)
                .to_string(),
            Err(_) => "–".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun 2026-11-22 20:30:15 UTC, the 23rd in Manila.
    const NOW_MS: i64 = 1_795_379_415_000;

    #[test]
    fn a_day_starts_at_local_midnight() {
        let manila = Zone::named("Asia/Manila").unwrap();
        assert_eq!(manila.day_start_ms(NOW_MS), 1_795_363_200_000);
        assert_eq!(manila.time_of_day(NOW_MS), "04:30:15");
        assert_eq!(manila.date(NOW_MS), "Mon 23 Nov 2026");
        assert_eq!(Zone::utc().day_start_ms(NOW_MS), 1_795_305_600_000);
    }

    #[test]
    fn an_instant_is_as_short_as_it_is_clear() {
        let utc = Zone::utc();
        for (ago_ms, expected) in [
            (0, "20:30"),
            (20 * 3_600_000, "00:30"),
            (21 * 3_600_000, "Sat 23:30"),
            (8 * 86_400_000, "2026-11-14 20:30"),
        ] {
            assert_eq!(utc.short(NOW_MS - ago_ms, NOW_MS), expected);
        }
        assert_eq!(utc.time_of_day(i64::MAX), "–");
    }

    #[test]
    fn a_local_time_is_an_instant_of_the_zone() {
        let manila = Zone::named("Asia/Manila").unwrap();
        assert_eq!(manila.local_ms("2026-11-23T04:30"), Some(NOW_MS - 15_000));
        assert_eq!(manila.local_ms(""), None);
        assert_eq!(manila.local_ms("tomorrow"), None);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = Zone::named("Manila").map(|_| ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no time zone \"Manila\": write an IANA name such as \"Asia/Manila\" or \"UTC\""
        );
    }
}
