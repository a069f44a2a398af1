//! Rules of a rules file on what is open: how many tickets, and how old the oldest is.

use super::section::Section;
use super::threshold::levels;
use crate::kinds::oldest::Oldest;
use crate::kinds::threshold::Threshold;
use crate::measure::{Measure, Trouble, Unit};
use crate::watch::Watch;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &["enter", "exit"];

/// `None` only where an error was noted.
pub(super) fn backlog(section: &mut Section<'_>) -> Option<Watch> {
    let measure = Measure::backlog();
    let (enter, exit) = levels(section, measure.unit, measure.trouble, &measure.title)?;
    Some(Watch::Threshold(Threshold {
        measure,
        window: 1,
        window_place: 0,
        enter,
        exit,
        min_samples: 1,
        confidence: None,
    }))
}

/// `None` only where an error was noted.
pub(super) fn oldest(section: &mut Section<'_>) -> Option<Watch> {
    let title = "age of the oldest ticket";
    let (enter, exit) = levels(section, Unit::Duration, Trouble::Above, title)?;
    Some(Watch::Oldest(Oldest {
        // Whole milliseconds, as they were read.
        enter_ms: enter as i64,
        exit_ms: exit as i64,
    }))
}
