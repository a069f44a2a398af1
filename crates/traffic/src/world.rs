//! Who is in the traffic: four outsourcers in their own time zones, the queues they work on, when people write and call, and
//! when agents work.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

pub(super) const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// Rates and staff change on these boundaries.
pub(super) const SLOT_MS: i64 = 15 * MINUTE_MS;

pub(super) struct Vendor {
    pub(super) name: &'static str,
    pub(super) zone: &'static str,
    /// Of all tickets.
    share: f64,
    /// Traffic on Saturdays and Sundays, of a weekday's.
    weekend: f64,
    /// Hours by which its day lies later than the usual one.
    later_h: usize,
    /// Queues and their shares of its tickets.
    queues: &'static [(&'static str, f64)],
    /// Ratings go up to this.
    pub(super) score_max: u32,
}

pub(super) const VENDORS: [Vendor; 4] = [
    Vendor {
        name: "acme-manila",
        zone: "Asia/Manila",
        share: 0.35,
        weekend: 0.45,
        later_h: 0,
        queues: &[
            ("refunds", 0.42),
            ("billing", 0.26),
            ("orders", 0.20),
            ("tech.l1", 0.12),
        ],
        score_max: 5,
    },
    Vendor {
        name: "globex",
        zone: "America/New_York",
        share: 0.25,
        weekend: 0.35,
        later_h: 0,
        queues: &[("billing", 0.42), ("orders", 0.36), ("refunds", 0.22)],
        score_max: 5,
    },
    Vendor {
        name: "initech",
        zone: "Europe/Berlin",
        share: 0.20,
        weekend: 0.20,
        later_h: 0,
        queues: &[("tech.l1", 0.55), ("tech.l2", 0.30), ("orders", 0.15)],
        score_max: 10,
    },
    Vendor {
        name: "umbrella",
        zone: "Asia/Kolkata",
        share: 0.20,
        weekend: 0.30,
        later_h: 2,
        queues: &[
            ("tech.l1", 0.32),
            ("billing", 0.30),
            ("orders", 0.24),
            ("tech.l2", 0.14),
        ],
        score_max: 5,
    },
];

/// Contacts and tickets over a local weekday, by hour.
const DAY_SHAPE: [f64; 24] = [
    0.15, 0.10, 0.08, 0.07, 0.08, 0.12, 0.25, 0.50, 0.90, 1.60, 2.00, 2.05, 1.80, 1.70, 1.90, 1.95,
    1.80, 1.60, 1.20, 1.00, 0.85, 0.65, 0.45, 0.30,
];

/// Categories by queue; the last part of a ticket's subject.
pub(super) fn categories(queue: &str) -> [&'static str; 4] {
    match queue {
        "refunds" => ["refund_late", "refund_amount", "chargeback", "return_label"],
        "billing" => ["invoice", "double_charge", "payment_failed", "plan_change"],
        "orders" => [
            "delivery_late",
            "wrong_item",
            "cancel_order",
            "address_change",
        ],
        "tech.l2" => ["outage", "data_loss", "integration", "performance"],
        _ => ["login", "setup", "app_crash", "how_to"],
    }
}

/// How long a contact takes in a queue, of the usual length.
fn handling_factor(queue: &str) -> f64 {
    match queue {
        "tech.l2" => 1.8,
        "tech.l1" => 1.2,
        "billing" => 0.9,
        "orders" => 0.7,
        _ => 1.0,
    }
}

/// One vendor's part of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) vendor: usize,
    pub(super) queue: &'static str,
    /// Of all tickets.
    pub(super) share: f64,
    pub(super) handling_factor: f64,
}

pub(super) fn owners() -> Vec<Owner> {
    let mut owners = Vec::new();
    for (vendor, profile) in VENDORS.iter().enumerate() {
        for (queue, share) in profile.queues {
            owners.push(Owner {
                vendor,
                queue,
                share: profile.share * share,
                handling_factor: handling_factor(queue),
            });
        }
    }
    owners
}

/// A vendor's local time.
#[derive(Debug)]
pub(super) struct LocalTime {
    zone: TimeZone,
    /// When agents work on written tickets, as UTC spans in order.
    open: Vec<(i64, i64)>,
    later_h: usize,
    weekend: f64,
}

impl LocalTime {
    /// Local time of a vendor, with working hours for the given span and the week after it.
    pub(super) fn new(
        database: &TimeZoneDatabase,
        vendor: &Vendor,
        start_ms: i64,
        end_ms: i64,
    ) -> Self {
        // Every zone named above is in the bundled database, as a test shows; UTC would do no harm.
        let zone = database.get(vendor.zone).unwrap_or(TimeZone::UTC);
        let mut local = Self {
            zone,
            open: Vec::new(),
            later_h: vendor.later_h,
            weekend: vendor.weekend,
        };
        let mut day = (start_ms - DAY_MS).div_euclid(DAY_MS);
        while day * DAY_MS < end_ms + 7 * DAY_MS {
            // The offset at the local noon: no vendor's zone changes its clocks during working hours.
            let noon = day * DAY_MS + DAY_MS / 2;
            let midnight = day * DAY_MS - local.offset_ms(noon);
            let hours = match weekday(day) {
                5 => Some((10, 14)),
                6 => None,
                _ => Some((9, 18)),
            };
            if let Some((from, to)) = hours {
                local
                    .open
                    .push((midnight + from * HOUR_MS, midnight + to * HOUR_MS));
            }
            day += 1;
        }
        local
    }

    fn offset_ms(&self, at_ms: i64) -> i64 {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(self.zone.to_offset(at).seconds()) * 1000
    }

    /// Day since 1970 and hour of the day, both local.
    fn day_and_hour(&self, at_ms: i64) -> (i64, usize) {
        let local = at_ms + self.offset_ms(at_ms);
        (
            local.div_euclid(DAY_MS),
            (local.rem_euclid(DAY_MS) / HOUR_MS) as usize,
        )
    }

    /// Traffic at an instant, 1 being a weekday's average.
    pub(super) fn intensity(&self, at_ms: i64) -> f64 {
        let (day, hour) = self.day_and_hour(at_ms);
        let average = DAY_SHAPE.iter().sum::<f64>() / 24.0;
        let shape = DAY_SHAPE[(hour + 24 - self.later_h) % 24] / average;
        if weekday(day) < 5 {
            shape
        } else {
            shape * self.weekend
        }
    }

    /// The instant at which this much working time has passed since `from_ms`.
    pub(super) fn add_working_time(&self, from_ms: i64, mut work_ms: i64) -> i64 {
        let mut index = self.open.partition_point(|span| span.1 <= from_ms);
        let mut at = from_ms;
        while let Some((open, close)) = self.open.get(index) {
            at = at.max(*open);
            if at + work_ms <= *close {
                return at + work_ms;
            }
            work_ms -= close - at;
            index += 1;
        }
        // Beyond what is ever emitted.
        at + work_ms
    }

    /// The first instant from `from_ms` on at which it is this hour on a Wednesday.
    pub(super) fn next_wednesday(&self, from_ms: i64, hour: usize) -> i64 {
        self.next(from_ms, hour, |weekday| weekday == 2)
    }

    /// The first instant from `from_ms` on at which it is this hour.
    pub(super) fn next_day(&self, from_ms: i64, hour: usize) -> i64 {
        self.next(from_ms, hour, |_| true)
    }

    fn next(&self, from_ms: i64, hour: usize, suits: impl Fn(i64) -> bool) -> i64 {
        let mut at = from_ms.div_euclid(SLOT_MS) * SLOT_MS;
        loop {
            let (day, local_hour) = self.day_and_hour(at);
            if at >= from_ms && local_hour == hour && suits(weekday(day)) {
                return at;
            }
            at += SLOT_MS;
        }
    }
}

/// 0 is Monday; the day is counted from Thursday, 1970-01-01.
fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02T00:00:00Z, a Monday.
    const MONDAY: i64 = 1_772_409_600_000;

    #[test]
    fn every_zone_is_known_and_shares_add_up() {
        let database = TimeZoneDatabase::bundled();
        for vendor in &VENDORS {
            assert!(database.get(vendor.zone).is_ok(), "{}", vendor.zone);
            assert!(
                (vendor.queues.iter().map(|queue| queue.1).sum::<f64>() - 1.0).abs() < 1e-9,
                "{}",
                vendor.name
            );
        }
        assert!((owners().iter().map(|owner| owner.share).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn days_are_local() {
        let manila = LocalTime::new(
            &TimeZoneDatabase::bundled(),
            &VENDORS[0],
            MONDAY,
            MONDAY + 7 * DAY_MS,
        );
        // 10:00 in Manila is 02:00 UTC.
        assert!(manila.intensity(MONDAY + 2 * HOUR_MS) > 2.0);
        assert!(manila.intensity(MONDAY + 20 * HOUR_MS) < 0.2);
        assert!(
            manila.intensity(MONDAY + 5 * DAY_MS + 2 * HOUR_MS) < 1.2,
            "Saturdays are quiet"
        );
        assert_eq!(
            manila.next_wednesday(MONDAY, 10),
            MONDAY + 2 * DAY_MS + 2 * HOUR_MS
        );
        // Friday 17:30 local and 1 h of work: Saturday 10:30 local.
        let friday = MONDAY + 4 * DAY_MS + 9 * HOUR_MS + 30 * MINUTE_MS;
        assert_eq!(
            manila.add_working_time(friday, HOUR_MS),
            MONDAY + 5 * DAY_MS + 2 * HOUR_MS + 30 * MINUTE_MS
        );
        assert_eq!(
            manila.add_working_time(MONDAY + 2 * HOUR_MS, HOUR_MS),
            MONDAY + 3 * HOUR_MS
        );
    }
}
