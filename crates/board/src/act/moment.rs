//! Instants as people and programs write them.

use jiff::Timestamp;
use serde::Deserialize;

use super::Mistakes;

/// An instant: RFC 3339 with an offset, or milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "an instant stands for neither a text nor a whole number; write it like \"2026-01-05T10:00:00Z\""
)]
pub enum Moment {
    /// UTC milliseconds.
    Ms(i64),
    /// As written.
    Text(String),
}

/// The years 1 to 9999.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Moment {
    /// In milliseconds; what is none is told.
    pub(super) fn ms(&self, field: &'static str, mistakes: &mut Mistakes) -> Option<i64> {
        let ms = match self {
            Self::Ms(ms) => Some(*ms),
            Self::Text(text) => text
                .trim()
                .parse::<Timestamp>()
                .ok()
                .map(Timestamp::as_millisecond),
        };
        let ms = ms.filter(|ms| RANGE_MS.contains(ms));
        if ms.is_none() {
            mistakes.add(
                field,
                "this is no instant; write it with an offset, like \"2026-01-05T10:00:00Z\" or \"2026-01-05T18:00:00+08:00\", \
                 or as milliseconds since 1970",
            );
        }
        ms
    }
}
