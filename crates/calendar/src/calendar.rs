//! Questions about business time, answered from blocks that are worked out when first asked for.
//!
//! Blocks are kept for the years 1 to 9999. Once neither listed dates nor the zone's own changes are ahead, everything
//! repeats with the Gregorian calendar every 400 years, and later blocks are the same as earlier ones.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use crate::block::{BLOCK_DAYS, BLOCK_MS, BLOCK_S, Block};
use crate::offsets::Offsets;
use crate::spec::{CalendarError, CalendarSpec, Span};
use crate::zones;

const DAY_S: i64 = 86_400;
const DAY_MS: i64 = 86_400_000;

/// Day number of 0001-01-01, where the first block starts.
const FIRST_DAY: i64 = -719_162;
/// The first instant that counts.
const FIRST_MS: i64 = FIRST_DAY * DAY_MS;
/// The first instant past the year 9999.
const END_MS: i64 = 2_932_897 * DAY_MS;
/// From this year on every zone follows one yearly rule; the data lists single changes up to 2087 (Morocco).
const SETTLED_YEAR: i16 = 2_100;
/// 400 years are 146,097 days: a whole number of weeks, and of blocks.
const BLOCKS_PER_CYCLE: usize = 773;
const BLOCKS_PER_PAGE: usize = 64;
/// How far a local day can lie from the UTC day of the same date, zones that skip or repeat a day included.
const MARGIN_DAYS: i64 = 3;

/// When a support desk works: business time over an IANA zone (SEMANTICS 4).
///
/// Immutable and shared between threads at will. Open spans are worked out by stretches of half a year when first needed, so
/// making a calendar is cheap. Instants outside of the years 1 to 9999 are closed.
pub struct Calendar {
    zone: TimeZone,
    /// By weekday, Monday first.
    weekly: [Box<[Span]>; 7],
    /// By day number: dates that differ from their weekday. Holidays have no spans.
    dated: BTreeMap<i64, Box<[Span]>>,
    /// Nothing opens from this instant on.
    closed_from_ms: i64,
    /// Open without a break, so that nothing ever changes.
    always_open: bool,
    /// Blocks from this one on repeat after `BLOCKS_PER_CYCLE`.
    first_settled_block: usize,
    pages: Box<[Page]>,
    cycle_open_ms: OnceLock<i64>,
}

type Page = OnceLock<Box<[OnceLock<Block>]>>;

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("zone", &self.zone.iana_name())
            .field("weekly", &self.weekly)
            .field("dated", &self.dated.len())
            .finish_non_exhaustive()
    }
}

impl Calendar {
    /// Checks a definition and makes the calendar.
    ///
    /// # Errors
    /// An unknown zone, or a span that is empty, ends after 24:00 or overlaps another.
    pub fn new(spec: &CalendarSpec) -> Result<Self, CalendarError> {
        spec.validate()?;
        let zone = zones::get(&spec.timezone).ok_or_else(|| CalendarError::UnknownTimeZone {
            name: spec.timezone.clone(),
        })?;
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

        let last_dated_day = dated.keys().next_back().copied().unwrap_or(FIRST_DAY);
        let settled_day =
            day_number(date(SETTLED_YEAR, 1, 1)).max(last_dated_day) + MARGIN_DAYS + 1;
        // Not negative: both days lie after the first one.
        let first_settled_block = ((settled_day - FIRST_DAY) / BLOCK_DAYS + 1) as usize;
        let blocks = (first_settled_block + BLOCKS_PER_CYCLE).min(block_index(END_MS) + 1);
        let pages = (0..blocks.div_ceil(BLOCKS_PER_PAGE))
            .map(|_| OnceLock::new())
            .collect();

        let closed_from_ms = if weekly.iter().any(|spans| !spans.is_empty()) {
            END_MS
        } else {
            let last_special = dated.iter().rev().find(|(_, spans)| !spans.is_empty());
            last_special.map_or(FIRST_MS, |(day, _)| {
                (day + 1 + MARGIN_DAYS).saturating_mul(DAY_MS).min(END_MS)
            })
        };
        let always_open = weekly
            .iter()
            .chain(dated.values())
            .all(|spans| is_whole_day(spans));
        Ok(Self {
            zone,
            weekly,
            dated,
            closed_from_ms,
            always_open,
            first_settled_block,
            pages,
            cycle_open_ms: OnceLock::new(),
        })
    }

    /// Business time in `[from_ms, to_ms)`; 0 if that is empty.
    pub fn elapsed(&self, from_ms: i64, to_ms: i64) -> i64 {
        let from_ms = from_ms.clamp(FIRST_MS, END_MS);
        let to_ms = to_ms.clamp(FIRST_MS, END_MS).min(self.closed_from_ms);
        if to_ms <= from_ms {
            return 0;
        }
        let (first, last) = (block_index(from_ms), block_index(to_ms));
        let before_from_ms = self
            .block(first)
            .open_before_ms(from_ms - block_start_ms(first));
        let before_to_ms = self
            .block(last)
            .open_before_ms(to_ms - block_start_ms(last));
        self.open_in_blocks_ms(first, last) + before_to_ms - before_from_ms
    }

    /// The first instant `t >= start_ms` with `elapsed(start_ms, t) >= duration_ms`; `None` if there is none up to the year
    /// 9999. Where a span ends just then it is that end, not the next opening.
    pub fn add(&self, start_ms: i64, duration_ms: i64) -> Option<i64> {
        self.add_until(start_ms, duration_ms, i64::MAX)
    }

    /// As [`Self::add`], but `None` if that instant is later than `latest_ms`; looks no further than there.
    pub fn add_until(&self, start_ms: i64, duration_ms: i64, latest_ms: i64) -> Option<i64> {
        if duration_ms <= 0 {
            return (start_ms <= latest_ms).then_some(start_ms);
        }
        let latest_ms = latest_ms.min(self.closed_from_ms).min(END_MS - 1);
        let start_ms = start_ms.max(FIRST_MS);
        // Business time is never longer than plain time. The subtraction holds: both lie between FIRST_MS and END_MS.
        if start_ms >= latest_ms || duration_ms > latest_ms - start_ms {
            return None;
        }
        let last = block_index(latest_ms);
        let mut at = block_index(start_ms);
        let mut block = self.block(at);
        let mut missing_ms = duration_ms + block.open_before_ms(start_ms - block_start_ms(at));
        while missing_ms > block.open_ms() {
            missing_ms -= block.open_ms();
            at += 1;
            if at > last {
                return None;
            }
            if at >= self.first_settled_block && last - at >= BLOCKS_PER_CYCLE {
                // Whole cycles that leave something missing; a calendar that is never open has none to skip by.
                let cycle_open_ms = self.cycle_open_ms();
                let cycles = (missing_ms - 1).checked_div(cycle_open_ms)?;
                let cycles = cycles.min(((last - at) / BLOCKS_PER_CYCLE) as i64);
                missing_ms -= cycles * cycle_open_ms;
                at += cycles as usize * BLOCKS_PER_CYCLE;
            }
            block = self.block(at);
        }
        let reached_ms = block_start_ms(at) + block.offset_at_open_ms(missing_ms);
        (reached_ms <= latest_ms).then_some(reached_ms)
    }

    /// Whether business time runs at this instant.
    pub fn is_open(&self, at_ms: i64) -> bool {
        (FIRST_MS..END_MS).contains(&at_ms) && {
            let at = block_index(at_ms);
            self.block(at)
                .open_until_ms(at_ms - block_start_ms(at))
                .is_some()
        }
    }

    /// The first instant after `at_ms` at which the calendar opens or closes; `None` if there is none up to the year 9999.
    pub fn next_change(&self, at_ms: i64) -> Option<i64> {
        if at_ms >= self.closed_from_ms {
            return None;
        }
        if self.is_open(at_ms) {
            self.next_closing(at_ms)
        } else {
            self.next_opening(at_ms)
        }
    }

    fn next_closing(&self, at_ms: i64) -> Option<i64> {
        if self.always_open {
            return None;
        }
        let first = block_index(at_ms);
        let mut offset_ms = at_ms - block_start_ms(first);
        for at in first..self.blocks_to_look_at(first) {
            match self.block(at).open_until_ms(offset_ms) {
                // Open to the block's very end: the next one tells how it goes on.
                Some(BLOCK_MS) => offset_ms = 0,
                Some(until_ms) => return before_end(block_start_ms(at) + until_ms),
                None => return before_end(block_start_ms(at)),
            }
        }
        None
    }

    fn next_opening(&self, at_ms: i64) -> Option<i64> {
        let from_ms = at_ms.max(FIRST_MS);
        let first = block_index(from_ms);
        let mut offset_ms = from_ms - block_start_ms(first);
        for at in first..self.blocks_to_look_at(first) {
            if let Some(opening_ms) = self.block(at).next_opening_ms(offset_ms) {
                return before_end(block_start_ms(at) + opening_ms);
            }
            offset_ms = 0;
        }
        None
    }

    /// One past the last block that can hold a first change after block `first`.
    fn blocks_to_look_at(&self, first: usize) -> usize {
        let repeats_from = first.max(self.first_settled_block) + BLOCKS_PER_CYCLE + 1;
        repeats_from.min(block_index(self.closed_from_ms) + 1)
    }

    /// Business time of the blocks `first..last`.
    fn open_in_blocks_ms(&self, first: usize, last: usize) -> i64 {
        let mut from = first;
        let mut open_ms = 0;
        while from < last {
            if from >= self.first_settled_block && last - from >= BLOCKS_PER_CYCLE {
                let cycles = (last - from) / BLOCKS_PER_CYCLE;
                open_ms += cycles as i64 * self.cycle_open_ms();
                from += cycles * BLOCKS_PER_CYCLE;
            } else {
                open_ms += self.block(from).open_ms();
                from += 1;
            }
        }
        open_ms
    }

    /// Business time of any 400 years once everything repeats.
    fn cycle_open_ms(&self) -> i64 {
        *self.cycle_open_ms.get_or_init(|| {
            let first = self.first_settled_block;
            (first..first + BLOCKS_PER_CYCLE)
                .map(|at| self.block(at).open_ms())
                .sum()
        })
    }

    fn block(&self, index: usize) -> &Block {
        let repeats_from = self.first_settled_block + BLOCKS_PER_CYCLE;
        let index = if index < repeats_from {
            index
        } else {
            self.first_settled_block + (index - self.first_settled_block) % BLOCKS_PER_CYCLE
        };
        let page = self.pages[index / BLOCKS_PER_PAGE]
            .get_or_init(|| (0..BLOCKS_PER_PAGE).map(|_| OnceLock::new()).collect());
        page[index % BLOCKS_PER_PAGE].get_or_init(|| self.work_out(index))
    }

    fn work_out(&self, index: usize) -> Block {
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
    covered_to == crate::spec::MINUTES_PER_DAY
}

/// Days since 1970-01-01.
fn day_number(day: Date) -> i64 {
    day.duration_since(date(1970, 1, 1))
        .as_secs()
        .div_euclid(DAY_S)
}

/// 0 is Monday; 1970-01-01 was a Thursday.
fn weekday(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// The block of an instant in `FIRST_MS..=END_MS`.
fn block_index(at_ms: i64) -> usize {
    ((at_ms - FIRST_MS) / BLOCK_MS) as usize
}

fn block_start_ms(index: usize) -> i64 {
    FIRST_MS + index as i64 * BLOCK_MS
}

fn before_end(at_ms: i64) -> Option<i64> {
    (at_ms < END_MS).then_some(at_ms)
}
