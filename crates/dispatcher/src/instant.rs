//! Instants as receivers want to read them.

use jiff::Timestamp;

/// RFC 3339 in UTC with milliseconds. What no calendar can hold is shown as the nearest instant that one can.
pub(crate) fn rfc3339(instant_ms: i64) -> String {
    let nearest = if instant_ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    format!(
        "{:.3}",
        Timestamp::from_millisecond(instant_ms).unwrap_or(nearest)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_there() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_767_225_600_120), "2026-01-01T00:00:00.120Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-30T22:00:00.999Z");
    }
}
