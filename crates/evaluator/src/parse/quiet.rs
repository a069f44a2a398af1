//! `quiet` rules of a rules file.

use super::section::Section;
use crate::kinds::quiet::{FORGOTTEN_MS, Quiet};
use crate::minute::PANE_MS;
use crate::watch::Watch;
use crate::wording;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &["after"];

/// Nobody is missed before the sources can have told of him.
const SHORTEST_MS: i64 = PANE_MS;

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Watch> {
    section.required_value("after", "\"15m\"")?;
    let after = section.duration_ms("after")?;
    if !(SHORTEST_MS..FORGOTTEN_MS).contains(&after.value) {
        let meant = after.value.clamp(SHORTEST_MS, FORGOTTEN_MS - 3_600_000);
        section.error(
            &after.span,
            "after is from \"1m\" to less than 7 days, when a vendor is given up",
            format!("write \"{}\"", wording::duration(meant)),
        );
        return None;
    }
    Some(Watch::Quiet(Quiet {
        after_ms: after.value,
    }))
}
