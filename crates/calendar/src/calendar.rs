//! Questions about business time, answered from blocks of the years 1 to 9999.
//!
//! Once neither listed dates nor the zone's own changes are ahead, everything repeats with the Gregorian calendar every
//! 400 years, and later blocks are the same as earlier ones.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::block::{BLOCK_DAYS, BLOCK_MS};
use crate::blocks::{Blocks, Sought};
use crate::hours::{FIRST_DAY, Hours, MARGIN_DAYS, day_number};
use crate::spec::{CalendarError, CalendarSpec};
use crate::zones;

const DAY_MS: i64 = 86_400_000;

/// The first instant that counts.
const FIRST_MS: i64 = FIRST_DAY * DAY_MS;
/// The first instant past the year 9999.
const END_MS: i64 = 2_932_897 * DAY_MS;
/// From this year on every zone follows one yearly rule; the data lists single changes up to 2087 (Morocco).
const SETTLED_YEAR: i16 = 2_100;

/// When a support desk works: business time over an IANA zone (SEMANTICS 4).
///
/// Immutable and shared between threads at will. Open spans are worked out by stretches of half a year when first needed, so
/// making a calendar is cheap; what was worked out once is found again in time that grows with the logarithm of how far the
/// question reaches. Instants outside of the years 1 to 9999 are closed.
pub struct Calendar {
    zone: TimeZone,
    /// Nothing opens from this instant on.
    closed_from_ms: i64,
    /// Open without a break, so that nothing ever changes.
    always_open: bool,
    blocks: Blocks,
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("zone", &self.zone.iana_name())
            .field("dates", &self.blocks.hours().dates())
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
        let hours = Hours::new(spec, zone.clone());
        let last_dated_day = hours.last_dated_day().unwrap_or(FIRST_DAY);
        let settled_day =
            day_number(date(SETTLED_YEAR, 1, 1)).max(last_dated_day) + MARGIN_DAYS + 1;
        // Not negative: both days lie after the first one.
        let first_settled = ((settled_day - FIRST_DAY) / BLOCK_DAYS + 1) as usize;
        let closed_from_day = hours.closed_from_day();
        let closed_from_ms =
            closed_from_day.map_or(END_MS, |day| ((day + MARGIN_DAYS) * DAY_MS).min(END_MS));
        Ok(Self {
            zone,
            closed_from_ms,
            always_open: hours.are_whole_days(),
            blocks: Blocks::new(hours, first_settled, block_index(END_MS)),
        })
    }

    /// The IANA name of its time zone.
    pub fn time_zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// How far its local time is ahead of UTC at an instant, in seconds.
    pub fn utc_offset_s(&self, at_ms: i64) -> i32 {
        let at = Timestamp::from_millisecond(at_ms.clamp(FIRST_MS, END_MS - 1));
        at.map_or(0, |at| self.zone.to_offset(at).seconds())
    }

    /// Business time in `[from_ms, to_ms)`; 0 if that is empty.
    pub fn elapsed(&self, from_ms: i64, to_ms: i64) -> i64 {
        let from_ms = from_ms.clamp(FIRST_MS, END_MS);
        let to_ms = to_ms.clamp(FIRST_MS, END_MS).min(self.closed_from_ms);
        if to_ms <= from_ms {
            return 0;
        }
        let (first, last) = (block_index(from_ms), block_index(to_ms));
        let before = |at: usize, at_ms: i64| {
            let block = self.blocks.block(at);
            block.open_before_ms(at_ms - block_start_ms(at))
        };
        self.blocks.open_ms(first, last) + before(last, to_ms) - before(first, from_ms)
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
        let mut at = block_index(start_ms);
        let mut block = self.blocks.block(at);
        let mut missing_ms = duration_ms + block.open_before_ms(start_ms - block_start_ms(at));
        if missing_ms > block.open_ms() {
            missing_ms -= block.open_ms();
            let last = block_index(latest_ms);
            (at, missing_ms) = self
                .blocks
                .seek(at + 1, last, missing_ms, Sought::OpenTime)?;
            block = self.blocks.block(at);
        }
        let reached_ms = block_start_ms(at) + block.offset_at_open_ms(missing_ms);
        (reached_ms <= latest_ms).then_some(reached_ms)
    }

    /// Whether business time runs at this instant.
    pub fn is_open(&self, at_ms: i64) -> bool {
        (FIRST_MS..END_MS).contains(&at_ms) && {
            let at = block_index(at_ms);
            let block = self.blocks.block(at);
            block.open_until_ms(at_ms - block_start_ms(at)).is_some()
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
            // Where the first millisecond of business time is over, it began one before.
            Some(self.add(at_ms.max(FIRST_MS), 1)? - 1)
        }
    }

    /// When the span ends that `at_ms` is in.
    fn next_closing(&self, at_ms: i64) -> Option<i64> {
        if self.always_open {
            return None;
        }
        let mut at = block_index(at_ms);
        let offset_ms = at_ms - block_start_ms(at);
        let mut until_ms = self.blocks.block(at).open_until_ms(offset_ms)?;
        if until_ms == BLOCK_MS {
            let last = block_index(self.closed_from_ms);
            (at, _) = self.blocks.seek(at + 1, last, 1, Sought::ClosedTime)?;
            until_ms = self.blocks.block(at).open_until_ms(0).unwrap_or(0);
        }
        let closing_ms = block_start_ms(at) + until_ms;
        (closing_ms < END_MS).then_some(closing_ms)
    }
}

/// The block of an instant in `FIRST_MS..=END_MS`.
fn block_index(at_ms: i64) -> usize {
    ((at_ms - FIRST_MS) / BLOCK_MS) as usize
}

fn block_start_ms(index: usize) -> i64 {
    FIRST_MS + index as i64 * BLOCK_MS
}
