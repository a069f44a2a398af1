//! Business time computed span by span, with `jiff`'s own reading of local times: slow, obvious, exact to the millisecond, and
//! sharing nothing with the real thing but the definition of a calendar.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::spec::{CalendarSpec, Span};

const DAY_MS: i64 = 86_400_000;
/// Days worked out beyond both ends, as local days lie shifted.
const MARGIN_DAYS: i64 = 4;

/// What is open in a window of days.
pub(crate) struct Reference {
    pub(crate) from_ms: i64,
    to_ms: i64,
    /// Sorted, and none touches another.
    open: Vec<(i64, i64)>,
}

impl Reference {
    /// The window from midnight UTC of the day of `from_ms` on, `days` long.
    pub(crate) fn new(spec: &CalendarSpec, from_ms: i64, days: i64) -> Self {
        let zone = crate::zones::get(&spec.timezone).unwrap();
        let first_day = from_ms.div_euclid(DAY_MS);
        let (from_ms, to_ms) = (first_day * DAY_MS, (first_day + days) * DAY_MS);
        let mut bounds: Vec<(i64, i64)> = Vec::new();
        for day in first_day - MARGIN_DAYS..first_day + days + MARGIN_DAYS {
            let date = date(1970, 1, 1).checked_add(day.days()).unwrap();
            bounds.extend(spans_of(spec, date).iter().map(|span| {
                let start_ms = start_ms(&zone, local(date, span.start_minute));
                let end_ms = end_ms(&zone, local(date, span.end_minute));
                (start_ms.max(from_ms), end_ms.min(to_ms))
            }));
        }
        bounds.retain(|(start_ms, end_ms)| start_ms < end_ms);
        bounds.sort_unstable();
        let mut open: Vec<(i64, i64)> = Vec::new();
        for (start_ms, end_ms) in bounds {
            match open.last_mut() {
                Some(last) if start_ms <= last.1 => last.1 = last.1.max(end_ms),
                Some(_) | None => open.push((start_ms, end_ms)),
            }
        }
        Self {
            from_ms,
            to_ms,
            open,
        }
    }

    pub(crate) fn to_ms(&self) -> i64 {
        self.to_ms
    }

    pub(crate) fn is_open(&self, at_ms: i64) -> bool {
        self.open
            .iter()
            .any(|(start_ms, end_ms)| (*start_ms..*end_ms).contains(&at_ms))
    }

    pub(crate) fn elapsed(&self, from_ms: i64, to_ms: i64) -> i64 {
        let spans = self.open.iter();
        spans
            .map(|(start_ms, end_ms)| (to_ms.min(*end_ms) - from_ms.max(*start_ms)).max(0))
            .sum()
    }

    /// `None` if the window ends before.
    pub(crate) fn add(&self, start_ms: i64, duration_ms: i64) -> Option<i64> {
        if duration_ms <= 0 {
            return Some(start_ms);
        }
        let mut missing_ms = duration_ms;
        for &(opens_ms, closes_ms) in &self.open {
            let from_ms = opens_ms.max(start_ms);
            if missing_ms <= closes_ms - from_ms {
                return Some(from_ms + missing_ms);
            }
            missing_ms -= (closes_ms - from_ms).max(0);
        }
        None
    }

    /// `None` if nothing changes up to the window's end.
    pub(crate) fn next_change(&self, at_ms: i64) -> Option<i64> {
        let changes = self
            .open
            .iter()
            .flat_map(|(start_ms, end_ms)| [*start_ms, *end_ms]);
        changes
            .filter(|change_ms| *change_ms > at_ms && *change_ms < self.to_ms)
            .min()
    }
}

/// What a local date opens.
pub(crate) fn spans_of(spec: &CalendarSpec, date: Date) -> &[Span] {
    match spec.special.get(&date) {
        Some(special) => special,
        None if spec.holidays.contains(&date) => &[],
        None => &spec.hours[date.weekday().to_monday_zero_offset() as usize],
    }
}

fn local(date: Date, minute: u16) -> DateTime {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    midnight.checked_add(i64::from(minute).minutes()).unwrap()
}

fn start_ms(zone: &TimeZone, local: DateTime) -> i64 {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant_ms(local, offset),
        AmbiguousOffset::Fold { before, .. } => instant_ms(local, before),
        AmbiguousOffset::Gap { before, after } => gap_ms(zone, local, before, after),
    }
}

fn end_ms(zone: &TimeZone, local: DateTime) -> i64 {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant_ms(local, offset),
        AmbiguousOffset::Fold { after, .. } => instant_ms(local, after),
        AmbiguousOffset::Gap { before, after } => gap_ms(zone, local, before, after),
    }
}

fn instant_ms(local: DateTime, offset: Offset) -> i64 {
    offset.to_timestamp(local).unwrap().as_millisecond()
}

/// The instant of the change that skips `local`: with the later offset it seems to lie before the change, with the earlier one
/// after it.
fn gap_ms(zone: &TimeZone, local: DateTime, before: Offset, after: Offset) -> i64 {
    let mut earlier_s = instant_ms(local, after) / 1_000 - 1;
    let mut later_s = instant_ms(local, before) / 1_000;
    while later_s - earlier_s > 1 {
        let middle_s = i64::midpoint(earlier_s, later_s);
        if zone.to_offset(Timestamp::from_second(middle_s).unwrap()) == before {
            earlier_s = middle_s;
        } else {
            later_s = middle_s;
        }
    }
    later_s * 1_000
}
