//! The periods over which contracts judge, and when the target of one was lost.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use slawatch_evaluator::{BadSide, Target};

/// How long a contract adds up before it judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractPeriod {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first to the first.
    Month,
}

impl ContractPeriod {
    /// Every period with its name.
    pub const NAMED: [(&'static str, Self); 3] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];

    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The period that an instant lies in: its first millisecond and the first after it, in the zone's local time.
    pub fn around(self, at_ms: i64, zone: &TimeZone) -> (i64, i64) {
        let whole = || -> Result<(i64, i64), jiff::Error> {
            let at = Timestamp::from_millisecond(at_ms)?.to_zoned(zone.clone());
            let midnight = at.start_of_day()?;
            let (from, to): (Zoned, Zoned) = match self {
                Self::Day => (midnight.clone(), midnight.checked_add(1.day())?),
                Self::Week => {
                    let back = midnight.weekday().since(Weekday::Monday);
                    let monday = midnight.checked_sub(i64::from(back).days())?;
                    (monday.clone(), monday.checked_add(7.days())?)
                }
                Self::Month => {
                    let first = midnight.first_of_month()?;
                    (first.clone(), first.checked_add(1.month())?)
                }
            };
            let start = |day: Zoned| -> Result<i64, jiff::Error> {
                Ok(day.start_of_day()?.timestamp().as_millisecond())
            };
            Ok((start(from)?, start(to)?))
        };
        // Only at the very ends of the calendar, where a period has no end.
        whole().unwrap_or((i64::MIN, i64::MAX))
    }
}

/// How a contract's target was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// From then on nothing that was still to come could have saved it.
    OutOfReach,
    /// At the end it was missed.
    Missed,
}

/// When the target was lost over these minutes, each with what it added to numerator and denominator; `None` if it was
/// kept or too little was counted to say so. `end_ms` is the end of the period.
pub(crate) fn loss(
    target: Target,
    minutes: &[(i64, i64, i64)],
    end_ms: i64,
) -> Option<(i64, Loss)> {
    let sum = |of: fn(&(i64, i64, i64)) -> i64| minutes.iter().map(of).sum::<i64>();
    let (numerator, denominator) = (sum(|minute| minute.1), sum(|minute| minute.2));
    if denominator < target.min_samples.max(1) {
        return None;
    }
    let level = target.level * denominator as f64;
    let is_missed = match target.bad {
        BadSide::Below => (numerator as f64) < level,
        BadSide::Above => numerator as f64 > level,
    };
    if !is_missed {
        return None;
    }
    if !target.is_share {
        return Some((end_ms, Loss::Missed));
    }
    let (mut counted, mut so_far) = (0, 0);
    for (minute_ms, numerator, samples) in minutes {
        counted += samples;
        so_far += numerator;
        let is_lost = match target.bad {
            // Even if everything still to come were good.
            BadSide::Below => ((so_far + denominator - counted) as f64) < level,
            BadSide::Above => so_far as f64 > level,
        };
        if is_lost {
            let lost_ms = minute_ms + crate::MINUTE_MS - 1;
            return Some((lost_ms.min(end_ms), Loss::OutOfReach));
        }
    }
    Some((end_ms, Loss::Missed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZoneDatabase;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn periods_are_local() {
        let zones = TimeZoneDatabase::bundled();
        let berlin = zones.get("Europe/Berlin").unwrap();
        for (period, at, from, to) in [
            // A day of 23 hours.
            (
                ContractPeriod::Day,
                "2025-03-30T12:00:00Z",
                "2025-03-29T23:00:00Z",
                "2025-03-30T22:00:00Z",
            ),
            (
                ContractPeriod::Week,
                "2025-03-30T21:59:59.999Z",
                "2025-03-23T23:00:00Z",
                "2025-03-30T22:00:00Z",
            ),
            (
                ContractPeriod::Week,
                "2025-03-30T22:00:00Z",
                "2025-03-30T22:00:00Z",
                "2025-04-06T22:00:00Z",
            ),
            (
                ContractPeriod::Month,
                "2025-03-31T22:30:00Z",
                "2025-03-31T22:00:00Z",
                "2025-04-30T22:00:00Z",
            ),
        ] {
            assert_eq!(
                period.around(ms(at), &berlin),
                (ms(from), ms(to)),
                "{period:?} {at}"
            );
        }
    }

    #[test]
    fn a_target_is_lost_when_nothing_can_save_it() {
        let share = |level, bad| Target {
            level,
            bad,
            is_share: true,
            min_samples: 10,
        };
        let below = share(0.8, BadSide::Below);
        let above = share(0.1, BadSide::Above);
        let mean = Target {
            level: 300.0,
            is_share: false,
            ..above
        };
        const M: i64 = crate::MINUTE_MS;
        for (target, minutes, expected) in [
            // 20 contacts at 80 %: the fifth miss decides.
            (
                below,
                vec![(0, 8, 10), (M, 3, 6), (2 * M, 4, 4)],
                Some((2 * M - 1, Loss::OutOfReach)),
            ),
            (below, vec![(0, 8, 10), (M, 8, 10)], None),
            (below, vec![(0, 0, 9)], None),
            (below, vec![], None),
            (
                above,
                vec![(0, 1, 10), (M, 2, 10)],
                Some((2 * M - 1, Loss::OutOfReach)),
            ),
            (above, vec![(0, 1, 10), (M, 1, 10)], None),
            (mean, vec![(0, 4000, 10)], Some((9 * M, Loss::Missed))),
            (mean, vec![(0, 3000, 10)], None),
        ] {
            assert_eq!(loss(target, &minutes, 9 * M), expected, "{minutes:?}");
        }
    }
}
