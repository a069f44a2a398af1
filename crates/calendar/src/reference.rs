//! Business time computed minute by minute from a zone's offsets alone: slow, obvious, and sharing nothing with the real
//! thing but the definition of a calendar.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::spec::CalendarSpec;

const MINUTE_MS: i64 = 60_000;
/// Days worked out beyond both ends, as local days lie shifted.
const MARGIN_DAYS: i64 = 4;

/// Whether each minute of a window is open. Only for years in which offsets are whole minutes.
pub(crate) struct Reference {
    pub(crate) from_ms: i64,
    open: Vec<bool>,
}

impl Reference {
    /// The window from midnight UTC of the day of `from_ms` on, `days` long.
    pub(crate) fn new(spec: &CalendarSpec, from_ms: i64, days: i64) -> Self {
        let zone = crate::zones::get(&spec.timezone).unwrap();
        let from_minute = from_ms.div_euclid(86_400_000) * 1_440;
        let minutes = from_minute - MARGIN_DAYS * 1_440..from_minute + (days + MARGIN_DAYS) * 1_440;
        let clock: Vec<(i64, i64)> = minutes
            .map(|minute| (minute, local_minute(&zone, minute)))
            .collect();
        let mut shown: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for &(minute, local) in &clock {
            shown.entry(local).or_insert((minute, minute)).1 = minute;
        }
        let skipped = |local: i64| {
            let jump = clock
                .windows(2)
                .find(|pair| pair[0].1 < local && local < pair[1].1);
            jump.map(|pair| pair[1].0).unwrap()
        };
        let start_of = |local| {
            shown
                .get(&local)
                .map_or_else(|| skipped(local), |both| both.0)
        };
        let end_of = |local| {
            shown
                .get(&local)
                .map_or_else(|| skipped(local), |both| both.1)
        };

        let mut open = vec![false; (days * 1_440) as usize];
        for day in
            from_minute / 1_440 - MARGIN_DAYS + 2..=from_minute / 1_440 + days + MARGIN_DAYS - 2
        {
            let date = jiff::civil::date(1970, 1, 1)
                .checked_add(day.days())
                .unwrap();
            let weekday = date.weekday().to_monday_zero_offset() as usize;
            let spans = match spec.special.get(&date) {
                Some(special) => special.as_slice(),
                None if spec.holidays.contains(&date) => &[],
                None => &spec.hours[weekday],
            };
            for span in spans {
                let start = start_of(day * 1_440 + i64::from(span.start_minute));
                let end = end_of(day * 1_440 + i64::from(span.end_minute));
                for minute in start..end {
                    if let Ok(at) = usize::try_from(minute - from_minute)
                        && let Some(slot) = open.get_mut(at)
                    {
                        *slot = true;
                    }
                }
            }
        }
        Self {
            from_ms: from_minute * MINUTE_MS,
            open,
        }
    }

    pub(crate) fn to_ms(&self) -> i64 {
        self.from_ms + self.open.len() as i64 * MINUTE_MS
    }

    pub(crate) fn is_open(&self, at_ms: i64) -> bool {
        self.open[((at_ms - self.from_ms) / MINUTE_MS) as usize]
    }

    pub(crate) fn elapsed(&self, from_ms: i64, to_ms: i64) -> i64 {
        self.open_minutes()
            .map(|start_ms| (to_ms.min(start_ms + MINUTE_MS) - from_ms.max(start_ms)).max(0))
            .sum()
    }

    /// `None` if the window ends before.
    pub(crate) fn add(&self, start_ms: i64, duration_ms: i64) -> Option<i64> {
        if duration_ms <= 0 {
            return Some(start_ms);
        }
        let mut missing_ms = duration_ms;
        for minute_ms in self.open_minutes() {
            let from_ms = minute_ms.max(start_ms);
            let here_ms = minute_ms + MINUTE_MS - from_ms;
            if here_ms > 0 {
                if missing_ms <= here_ms {
                    return Some(from_ms + missing_ms);
                }
                missing_ms -= here_ms;
            }
        }
        None
    }

    /// `None` if nothing changes up to the window's end.
    pub(crate) fn next_change(&self, at_ms: i64) -> Option<i64> {
        let at = ((at_ms - self.from_ms) / MINUTE_MS) as usize;
        let change = (at + 1..self.open.len()).find(|&later| self.open[later] != self.open[at])?;
        Some(self.from_ms + change as i64 * MINUTE_MS)
    }

    fn open_minutes(&self) -> impl Iterator<Item = i64> {
        let minutes = self.open.iter().enumerate().filter(|(_, open)| **open);
        minutes.map(|(at, _)| self.from_ms + at as i64 * MINUTE_MS)
    }
}

fn local_minute(zone: &TimeZone, minute: i64) -> i64 {
    let offset_s = zone
        .to_offset(Timestamp::from_second(minute * 60).unwrap())
        .seconds();
    assert_eq!(
        offset_s % 60,
        0,
        "this zone's offset is no whole minute at that time"
    );
    minute + i64::from(offset_s) / 60
}
