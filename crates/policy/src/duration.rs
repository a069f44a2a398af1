//! Durations as policies and the command line write them: `1h30m`, `90s`, `24h` (SEMANTICS 4). Days are refused.

/// The longest duration that can be written, far beyond any due that counts.
const MAX_MS: i64 = 1_000_000 * 3_600_000;

/// Units in the order in which they must stand.
const UNITS: [(char, i64); 3] = [('h', 3_600_000), ('m', 60_000), ('s', 1_000)];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Days or weeks.
    #[error(
        "a duration cannot be in {0}: a business day has no fixed length, so say how many hours it shall be"
    )]
    Calendrical(&'static str),
    /// A number without a unit.
    #[error("a duration needs units: h, m or s")]
    NoUnit,
    /// A sign.
    #[error("a duration cannot be negative")]
    Negative,
    /// A decimal point or comma.
    #[error("a duration is in whole numbers; write the fraction in the next smaller unit")]
    Fraction,
    /// A unit finer than a second.
    #[error("a second is the smallest unit of a duration")]
    Milliseconds,
    /// Units repeated or not from the largest to the smallest.
    #[error("the units of a duration come once each, h before m before s")]
    Order,
    /// More than a million hours.
    #[error("a duration is at most 1000000h")]
    TooLong,
    /// Anything else.
    #[error("this is no duration: only digits and the units h, m and s may stand in it")]
    Malformed,
}

/// The milliseconds of a text such as `1h30m`; `0s` is allowed.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration_ms(text: &str) -> Result<i64, DurationError> {
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut total_ms = 0_i64;
    let mut allowed = UNITS.as_slice();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit_length = after
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        let unit_ms = unit_ms(number, unit, after, allowed)?;
        let place = allowed
            .iter()
            .position(|(_, ms)| *ms == unit_ms)
            .ok_or(DurationError::Order)?;
        allowed = &allowed[place + 1..];
        // Only digits are left, so that the one way to fail is to be too large.
        let amount: i64 = number.parse().map_err(|_| DurationError::TooLong)?;
        total_ms = amount
            .checked_mul(unit_ms)
            .and_then(|ms| total_ms.checked_add(ms))
            .filter(|ms| *ms <= MAX_MS)
            .ok_or(DurationError::TooLong)?;
        rest = after;
    }
    if text.is_empty() {
        Err(DurationError::Malformed)
    } else {
        Ok(total_ms)
    }
}

fn unit_ms(
    number: &str,
    unit: &str,
    after: &str,
    allowed: &[(char, i64)],
) -> Result<i64, DurationError> {
    if number.is_empty() {
        return Err(DurationError::Malformed);
    }
    match unit {
        "h" => Ok(UNITS[0].1),
        "m" => Ok(UNITS[1].1),
        "s" => Ok(UNITS[2].1),
        "d" | "day" | "days" | "D" => Err(DurationError::Calendrical("days")),
        "w" | "week" | "weeks" | "W" => Err(DurationError::Calendrical("weeks")),
        "ms" => Err(DurationError::Milliseconds),
        "" if after.starts_with(['.', ',']) => Err(DurationError::Fraction),
        "" if after.is_empty() && allowed.len() == UNITS.len() => Err(DurationError::NoUnit),
        _ => Err(DurationError::Malformed),
    }
}

/// A duration of whole seconds as people write it: `1h30m`.
pub(crate) fn plain_duration(ms: i64) -> String {
    let mut rest_ms = ms;
    let mut text = String::new();
    for (unit, unit_ms) in UNITS {
        if rest_ms >= unit_ms {
            text += &format!("{}{unit}", rest_ms / unit_ms);
            rest_ms %= unit_ms;
        }
    }
    text
}

/// What somebody may have meant who wrote `text`, where that can be told.
pub(crate) fn suggestion(text: &str) -> Option<String> {
    let compact: String = text
        .trim()
        .trim_start_matches(['+', '-'])
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let compact = compact.to_lowercase();
    if let Ok(ms) = parse_duration_ms(&compact) {
        return (ms > 0).then_some(compact);
    }
    let number_end = compact
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(compact.len());
    let (number, unit) = compact.split_at(number_end);
    let unit_ms = match unit {
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "d" | "day" | "days" => 24 * 3_600_000,
        "w" | "week" | "weeks" => 7 * 24 * 3_600_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Ten digits of hours fit; more decimals than three are nothing anybody means.
    if whole.len() > 6 || fraction.len() > 3 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let thousandths: i64 = format!("{fraction:0<3}").parse().ok()?;
    let seconds = (whole * 1_000 + thousandths) * unit_ms / 1_000 / 1_000;
    let parts = [
        (seconds / 3_600, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let text: String = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_minutes_and_seconds() {
        let cases = [
            ("1h30m", 5_400_000),
            ("90s", 90_000),
            ("24h", 86_400_000),
            ("1h30m15s", 5_415_000),
            ("1h15s", 3_615_000),
            ("0s", 0),
            ("0h0m0s", 0),
            ("007m", 420_000),
            ("1000000h", MAX_MS),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_duration_ms(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason_and_where_possible_a_suggestion() {
        use DurationError as E;
        let cases = [
            ("1d", E::Calendrical("days"), Some("24h")),
            ("2 days", E::Malformed, Some("48h")),
            ("1w", E::Calendrical("weeks"), Some("168h")),
            ("1d12h", E::Calendrical("days"), None),
            ("90", E::NoUnit, None),
            ("1h30", E::Malformed, None),
            ("-5m", E::Negative, Some("5m")),
            ("1.5h", E::Fraction, Some("1h30m")),
            ("500ms", E::Milliseconds, None),
            ("30m1h", E::Order, None),
            ("1h1h", E::Order, None),
            ("1000001h", E::TooLong, None),
            ("99999999999999999999s", E::TooLong, None),
            ("2562047788016h", E::TooLong, None),
            ("1H", E::Malformed, Some("1h")),
            ("1h 30m", E::Malformed, Some("1h30m")),
            ("15min", E::Malformed, Some("15m")),
            ("h", E::Malformed, None),
            ("", E::Malformed, None),
            ("PT1H", E::Malformed, None),
            ("１h", E::Malformed, None),
        ];
        for (text, error, suggested) in cases {
            assert_eq!(parse_duration_ms(text), Err(error), "{text}");
            assert_eq!(suggestion(text).as_deref(), suggested, "{text}");
        }
    }
}
