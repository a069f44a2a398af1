//! What a calendar opens on each local day, and which spans that makes of a block. It answers no questions.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::block::{BLOCK_DAYS, BLOCK_S, Block};
use crate::offsets::Offsets;
use crate::spec::{CalendarSpec, MINUTES_PER_DAY, Span};

const DAY_S: i64 = 86_400;

/// Day number of 0001-01-01, where the first block starts.
pub(crate) const FIRST_DAY: i64 = -719_162;
/// How far a local day can lie from the UTC day of the same date, zones that skip or repeat a day included.
pub(crate) const MARGIN_DAYS: i64 = 3;

/// Spans of local days, and the zone that they are local to.
pub(crate) struct Hours {
    zone: TimeZone,
    /// By weekday, Monday first.
    weekly: [Box<[Span]>; 7],
    /// By day number: dates that differ from their weekday. Holidays have no spans.
    dated: BTreeMap<i64, Box<[Span]>>,
}

impl Hours {
    pub(crate) fn new(spec: &CalendarSpec, zone: TimeZone) -> Self {
        let weekly = spec
            .hours
            .each_ref()
            .map(|spans| spans.clone().into_boxed_slice());
        let mut dated: BTreeMap<i64, Box<[Span]>> = BTreeMap::new();
        dated.extend(
            spec.holidays
                .iter()
                .map(|&holiday| (day_number(holiday), Box::default())),
        );
        dated.extend(
            spec.special
                .iter()
                .map(|(&day, spans)| (day_number(day), spans.as_slice().into())),
        );
        Self {
            zone,
            weekly,
            dated,
        }
    }

    /// How many dates have hours of their own.
    pub(crate) fn dates(&self) -> usize {
        self.dated.len()
    }

    pub(crate) fn last_dated_day(&self) -> Option<i64> {
        self.dated.keys().next_back().copied()
    }

    /// No day from this one on has any span; `None` if days with spans never end.
    pub(crate) fn closed_from_day(&self) -> Option<i64> {
        if self.weekly.iter().any(|spans| !spans.is_empty()) {
            return None;
        }
        let mut special = self.dated.iter().rev();
        let last = special.find(|(_, spans)| !spans.is_empty());
        Some(last.map_or(FIRST_DAY, |(day, _)| day + 1))
    }

    /// Whether every day is open from its start to its end.
    pub(crate) fn are_whole_days(&self) -> bool {
        self.weekly
            .iter()
            .chain(self.dated.values())
            .all(|spans| is_whole_day(spans))
    }

    /// Works out a block: the only slow step, as it asks the zone for its offsets.
    pub(crate) fn work_out(&self, index: usize) -> Block {
        let first_day = FIRST_DAY + index as i64 * BLOCK_DAYS;
        let start_s = first_day * DAY_S;
        let days = first_day - MARGIN_DAYS..first_day + BLOCK_DAYS + MARGIN_DAYS;
        let margin_s = (MARGIN_DAYS + 1) * DAY_S;
        let offsets = Offsets::of(&self.zone, start_s - margin_s, start_s + BLOCK_S + margin_s);
        let mut dated = self.dated.range(days.clone()).peekable();
        let mut open = Vec::new();
        for day in days {
            let spans = match dated.next_if(|(listed, _)| **listed == day) {
                Some((_, spans)) => spans,
                None => &self.weekly[weekday(day)],
            };
            let local_s = |minute: u16| day * DAY_S + i64::from(minute) * 60;
            open.extend(spans.iter().map(|span| {
                (
                    offsets.start_of(local_s(span.start_minute)) - start_s,
                    offsets.end_of(local_s(span.end_minute)) - start_s,
                )
            }));
        }
        Block::new(open)
    }
}

fn is_whole_day(spans: &[Span]) -> bool {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut covered_to = 0;
    for span in sorted {
        if span.start_minute != covered_to {
            return false;
        }
        covered_to = span.end_minute;
    }
    covered_to == MINUTES_PER_DAY
}

/// Days since 1970-01-01.
pub(crate) fn day_number(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1))
        .as_secs()
        .div_euclid(DAY_S)
}

/// 0 is Monday; 1970-01-01 was a Thursday.
fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}
