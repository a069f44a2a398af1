//! Instants in templates: RFC 3339 in UTC as they are, and in the contract's zone by the filter `local`.

use std::fmt;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::instant::rfc3339;

/// What `local` writes: `Mon 2 Mar 2026 14:05 CET`.
const LOCAL: &str = "%a %-d %b %Y %H:%M %Z";

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// An instant and the zone it is told in.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    instant_ms: i64,
    zone: TimeZone,
}

/// The zone of that name; UTC for an empty or unknown one.
pub(super) fn zone(name: &str) -> TimeZone {
    ZONES.get(name).unwrap_or(TimeZone::UTC)
}

impl Moment {
    pub(super) fn value(instant_ms: i64, zone: &TimeZone) -> Value {
        Value::from_object(Self {
            instant_ms,
            zone: zone.clone(),
        })
    }

    pub(super) fn local(&self, format: &str) -> Result<String, Error> {
        let Ok(instant) = Timestamp::from_millisecond(self.instant_ms) else {
            return Ok(rfc3339(self.instant_ms));
        };
        let zoned = instant.to_zoned(self.zone.clone());
        jiff::fmt::strtime::format(format, &zoned).map_err(|error| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!(
                    "{format:?} is no way to write a time ({error}); write it like \"%d.%m. %H:%M\""
                ),
            )
        })
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("ms")).then(|| Value::from(self.instant_ms))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rfc3339(self.instant_ms))
    }
}

pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("local", |value: Value, format: Option<String>| {
        let moment = value.downcast_object_ref::<Moment>().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                "local is of an instant, such as at or due_at; test first whether fired_at is none",
            )
        })?;
        moment.local(format.as_deref().unwrap_or(LOCAL))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_told_in_its_zone() {
        // 2026-03-29 01:30 UTC: summer time began in Berlin half an hour before.
        let instant_ms = 1_774_747_800_000;
        for (name, expected) in [
            ("Europe/Berlin", "Sun 29 Mar 2026 03:30 CEST"),
            ("Asia/Manila", "Sun 29 Mar 2026 09:30 PST"),
            ("", "Sun 29 Mar 2026 01:30 UTC"),
            ("Mars/Olympus", "Sun 29 Mar 2026 01:30 UTC"),
        ] {
            let moment = Moment {
                instant_ms,
                zone: zone(name),
            };
            assert_eq!(moment.local(LOCAL).unwrap(), expected, "{name}");
        }
        let never = Moment {
            instant_ms: i64::MAX,
            zone: TimeZone::UTC,
        };
        assert_eq!(never.local(LOCAL).unwrap(), "9999-12-30T22:00:00.999Z");
    }
}
