//! Instants as they are written: RFC 3339 with the leniencies of SEMANTICS 1, and back.

/// First instant of the year 1, UTC ms.
pub const MIN_INSTANT_MS: i64 = -62_135_596_800_000;
/// Last millisecond of the year 9999, UTC ms.
pub const MAX_INSTANT_MS: i64 = 253_402_300_799_999;

const DAY_MS: i64 = 86_400_000;

/// Reads an RFC 3339 instant with offset as UTC ms; fractions are cut to milliseconds.
///
/// Lower-case `t` and `z` and a blank for `T` are accepted. `None` for anything else: no offset, second 60, or a year
/// outside 1 to 9999 as written or in UTC.
pub fn parse_instant(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 20 {
        return None;
    }
    let year = digits(bytes, 0, 4)?;
    let month = digits(bytes, 5, 2)?;
    let day = digits(bytes, 8, 2)?;
    let hour = digits(bytes, 11, 2)?;
    let minute = digits(bytes, 14, 2)?;
    let second = digits(bytes, 17, 2)?;
    let separated = bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':';
    let in_range = year >= 1
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !separated || !in_range {
        return None;
    }
    let (fraction_ms, offset_at) = fraction_ms(bytes, 19)?;
    let offset_minutes = offset_minutes(&bytes[offset_at..])?;
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    let instant = days_since_1970(year, month, day) * DAY_MS + seconds * 1000 + fraction_ms;
    in_years(instant).then_some(instant)
}

/// Whether an instant lies in the years 1 to 9999.
pub const fn in_years(instant_ms: i64) -> bool {
    MIN_INSTANT_MS <= instant_ms && instant_ms <= MAX_INSTANT_MS
}

/// Writes an instant as RFC 3339 UTC with milliseconds: `2026-01-01T00:00:00.000Z`.
pub fn format_instant(instant_ms: i64) -> String {
    let (year, month, day) = civil(instant_ms.div_euclid(DAY_MS));
    let ms = instant_ms.rem_euclid(DAY_MS);
    let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
    let (second, millis) = (ms / 1000 % 60, ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

fn digits(bytes: &[u8], from: usize, count: usize) -> Option<i64> {
    bytes[from..from + count].iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

/// The milliseconds of an optional fraction at `from`, and where it ends.
fn fraction_ms(bytes: &[u8], from: usize) -> Option<(i64, usize)> {
    if bytes[from] != b'.' {
        return Some((0, from));
    }
    let count = bytes[from + 1..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if count == 0 {
        return None;
    }
    let ms = (0..3).fold(0, |ms, place| {
        let digit = if place < count {
            bytes[from + 1 + place] - b'0'
        } else {
            0
        };
        ms * 10 + i64::from(digit)
    });
    Some((ms, from + 1 + count))
}

fn offset_minutes(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (digits(bytes, 1, 2)?, digits(bytes, 4, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            Some(if *sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a civil date of the proleptic Gregorian calendar, by eras of 400 years from March.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month <= 2 { year - 1 } else { year };
    let era = march_year.div_euclid(400);
    let year_of_era = march_year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_since_1970`]: (year, month, day).
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_specification_allows() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2016-02-29T01:16:00.000Z", Some(1_456_708_560_000)),
            ("2016-02-29t01:16:00z", Some(1_456_708_560_000)),
            ("2016-02-29 01:16:00.0009Z", Some(1_456_708_560_000)),
            ("2016-02-29T02:16:00.0199+01:00", Some(1_456_708_560_019)),
            ("2016-02-28T20:16:00-05:00", Some(1_456_708_560_000)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("0001-01-01T00:00:00Z", Some(MIN_INSTANT_MS)),
            ("9999-12-31T23:59:59.999999Z", Some(MAX_INSTANT_MS)),
            ("1970-01-01T00:00:00-00:00", Some(0)),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T00:00:00+0100", None),
            ("1970-01-01T00:00:00+01", None),
            ("1970-01-01T00:00:00+24:00", None),
            ("1970-01-01T00:00:00+01:60", None),
            ("1970-01-01T00:00:60Z", None),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01T00:00:00.Z", None),
            ("1970-01-01T00:00:00,5Z", None),
            ("1970-02-29T00:00:00Z", None),
            ("1900-02-29T00:00:00Z", None),
            ("1970-13-01T00:00:00Z", None),
            ("1970-00-01T00:00:00Z", None),
            ("0000-12-31T23:59:59Z", None),
            ("0001-01-01T00:00:00+00:01", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("+1970-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:00Z ", None),
            ("1970-1-01T00:00:00Z", None),
            ("１970-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse_instant(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(instant in MIN_INSTANT_MS..=MAX_INSTANT_MS) {
            prop_assert_eq!(parse_instant(&format_instant(instant)), Some(instant));
        }

        #[test]
        fn agrees_with_jiff(instant in MIN_INSTANT_MS..=MAX_INSTANT_MS) {
            let theirs = jiff::Timestamp::from_millisecond(instant).unwrap();
            prop_assert_eq!(format_instant(instant), format!("{theirs:.3}"));
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let read = parse_instant(&text);
            prop_assert!(read.is_none_or(in_years));
        }
    }
}
