//! Staged incidents: for some hours a queue, or a whole vendor, is in trouble of a known size.

use jiff::tz::TimeZoneDatabase;

use super::world::{HOUR_MS, LocalTime, SLOT_MS, VENDORS};

/// When the trouble starts, local time.
const HOUR_OF_DAY: usize = 10;
/// Of so many, twice the ordinary customers are enough in half an hour to be sure of a service level.
const MEASURABLE_TICKETS_PER_DAY: f64 = 4_000.0;

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
    /// `acme-manila`'s refunds lose most of their agents from 10:00 local time for four hours, on a Wednesday if the span has
    /// one and else on its first day that has room, while twice as many customers come. A span with no room at all is in
    /// trouble from its middle for at most a sixth of it. Of little traffic more come, so that there is something to measure.
    pub fn mid_week(start_ms: i64, duration_ms: i64, tickets_per_day: f64) -> Self {
        let vendor = &VENDORS[0];
        let end_ms = start_ms + duration_ms;
        let local = LocalTime::new(&TimeZoneDatabase::bundled(), vendor, start_ms, end_ms);
        let usual_ms = 4 * HOUR_MS;
        let fits = |start_ms: &i64| start_ms + usual_ms + HOUR_MS <= end_ms;
        let usual = Some(local.next_wednesday(start_ms, HOUR_OF_DAY)).filter(fits);
        let usual = usual.or_else(|| Some(local.next_day(start_ms, HOUR_OF_DAY)).filter(fits));
        let (start, duration) = match usual {
            Some(start) => (start, usual_ms),
            None => {
                let middle = (start_ms + duration_ms / 2).div_euclid(SLOT_MS) * SLOT_MS;
                (
                    middle.max(start_ms),
                    (duration_ms / 6).clamp(SLOT_MS, usual_ms),
                )
            }
        };
        Self {
            staff_factor: 0.3,
            surge_factor: 2.0 * (MEASURABLE_TICKETS_PER_DAY / tickets_per_day).max(1.0),
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
