//! Business time: how much of an interval a calendar was open, and when so much of it will have passed (SEMANTICS 4).
//!
//! A [`Calendar`] is an IANA time zone, local spans per weekday, closed dates and dates with spans of their own. Instants
//! are UTC milliseconds since 1970, durations are milliseconds. It knows no tickets, policies or files, reads no clock and
//! uses only the time zone data compiled into the program, so equal input gives equal output on every machine.
//!
//! ```
//! use slawatch_calendar::{Calendar, CalendarSpec, Span};
//!
//! let mut spec = CalendarSpec::in_zone("Europe/Berlin");
//! for weekday in 0..5 {
//!     spec.hours[weekday] = vec![Span { start_minute: 9 * 60, end_minute: 17 * 60 }];
//! }
//! let calendar = Calendar::new(&spec)?;
//! let friday_16_30 = 1_767_972_600_000; // 2026-01-09T15:30:00Z
//! let monday_09_30 = 1_768_206_600_000; // 2026-01-12T08:30:00Z
//! assert_eq!(calendar.add(friday_16_30, 3_600_000), Some(monday_09_30));
//! assert_eq!(calendar.elapsed(friday_16_30, monday_09_30), 3_600_000);
//! # Ok::<(), slawatch_calendar::CalendarError>(())
//! ```
//!
//! Its tests take the same random cases in each run; `PROPTEST_CASES` asks for more, and `PROPTEST_RNG_SEED` for others.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod block;
mod blocks;
mod calendar;
mod hours;
mod offsets;
mod periods;
mod spec;
mod zones;

/// What the README shows holds.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod far;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;

pub use calendar::Calendar;
pub use periods::{Period, PeriodLength, Periods};
pub use spec::{CalendarError, CalendarSpec, Day, Span};
pub use zones::{is_time_zone, time_zone_names, tzdb_version};
