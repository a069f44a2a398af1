//! Durations as people write them.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

/// A span of plain time, written like `500ms`, `2s` or `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(i64);

impl Duration {
    /// So many milliseconds.
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// In milliseconds, not negative.
    pub const fn as_ms(self) -> i64 {
        self.0
    }
}

/// As it is written, in the largest unit that leaves no rest.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
        let fits = units.into_iter().find(|(_, ms)| self.0 % ms == 0);
        let (unit, ms) = fits.unwrap_or(("ms", 1));
        write!(f, "{}{unit}", self.0 / ms)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|duration| i64::try_from(duration.as_millis()).ok())
            .filter(|ms| *ms >= 0)
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "{text:?} is no duration; write it like \"500ms\", \"2s\" or \"1h30m\""
                ))
            })
    }
}
