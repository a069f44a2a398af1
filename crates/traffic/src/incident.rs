//! Staged incidents: for some hours a queue, or a whole vendor, is in trouble of a known size.

use jiff::tz::TimeZoneDatabase;

use super::world::{HOUR_MS, LocalTime, SLOT_MS, VENDORS};

/// Trouble with a begin and an end.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Whose.
    pub vendor: String,
    /// Which queue of it; empty is all of them.
    pub queue: String,
    /// The first instant of the trouble, UTC milliseconds; a quarter of an hour begins there.
    pub start_ms: i64,
    /// How long it lasts. Waits return to normal some minutes after it.
    pub duration_ms: i64,
    /// Agents left, of those planned.
    pub staff_factor: f64,
    /// Tickets and contacts, of those expected.
    pub surge_factor: f64,
    /// How much longer written replies take.
    pub reply_factor: f64,
    /// How much longer contacts take.
    pub handling_factor: f64,
    /// Of the contacts, those that are cut off after a few seconds.
    pub cut_off_share: f64,
    /// Nothing reaches the log while it lasts; all of it does thereafter.
    pub is_silent: bool,
}

impl Incident {
    /// `acme-manila`'s refunds lose most of their agents from Wednesday 10:00 local time for four hours, while twice as many
    /// customers come. In a span without such a Wednesday it starts in the middle and takes at most a sixth of it.
    pub fn mid_week(start_ms: i64, duration_ms: i64) -> Self {
        let vendor = &VENDORS[0];
        let end_ms = start_ms + duration_ms;
        let local = LocalTime::new(&TimeZoneDatabase::bundled(), vendor, start_ms, end_ms);
        let usual_ms = 4 * HOUR_MS;
        let wednesday = local.next_wednesday(start_ms, 10);
        let fits = wednesday + usual_ms + HOUR_MS <= end_ms;
        let (start, duration) = if fits {
            (wednesday, usual_ms)
        } else {
            let middle = (start_ms + duration_ms / 2).div_euclid(SLOT_MS) * SLOT_MS;
            (
                middle.max(start_ms),
                (duration_ms / 6).clamp(SLOT_MS, usual_ms),
            )
        };
        Self {
            staff_factor: 0.3,
            surge_factor: 2.0,
            reply_factor: 8.0,
            ..Self::nothing(vendor.name, "refunds", start, duration)
        }
    }

    /// A span in which nothing is other than usual, for troubles to be put in.
    pub fn nothing(vendor: &str, queue: &str, start_ms: i64, duration_ms: i64) -> Self {
        Self {
            vendor: vendor.to_owned(),
            queue: queue.to_owned(),
            start_ms,
            duration_ms,
            staff_factor: 1.0,
            surge_factor: 1.0,
            reply_factor: 1.0,
            handling_factor: 1.0,
            cut_off_share: 0.0,
            is_silent: false,
        }
    }

    /// The first instant after the trouble.
    pub const fn end_ms(&self) -> i64 {
        self.start_ms + self.duration_ms
    }

    pub(super) const fn covers(&self, at_ms: i64) -> bool {
        self.start_ms <= at_ms && at_ms < self.end_ms()
    }
}
