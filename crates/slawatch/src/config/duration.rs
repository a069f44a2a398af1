//! Durations as people write them.

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
