//! What contracts ask for: policy sets read from TOML files, checked, and matched against a ticket's attributes
//! (SEMANTICS 4). It knows no events and keeps no clocks; files come as text, for it reads no disk.
//!
//! Its tests take the same random cases in each run; `PROPTEST_CASES` asks for more, and `PROPTEST_RNG_SEED` for others.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod build;
mod calendars;
mod check;
mod cross;
mod diagnostics;
mod draft;
mod duration;
mod glob;
mod keys;
mod leaf;
mod metric;
mod nearest;
mod policy;
mod reach;
mod schema;
mod set;
mod shape;
mod slips;
mod source;
mod status_set;
mod unreachable;
mod warn_level;

#[cfg(test)]
mod tests;

pub use check::{Report, check};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use duration::{DurationError, parse_duration_ms};
pub use glob::Glob;
pub use metric::Metric;
pub use policy::{AttributeTo, DEFAULT_SHORT_ABANDON_MS, OnReopen, Policy, ReplyBySolving};
pub use set::{PolicySet, PolicySets};
pub use status_set::StatusSet;
pub use warn_level::WarnLevel;

/// What other files of slawatch are read with, so that their mistakes are told the same way.
pub mod reading {
    pub use crate::calendars::{NamedCalendar, calendars};
    pub use crate::leaf::{Mistake, attribute_name, duration_ms, read_warn_level, time_zone};
    pub use crate::nearest::nearest;
    pub use crate::source::{Position, Source};
}
