//! How numbers are put to people: percentages, durations, lists.

use slawatch_wire::v1::Action;

use crate::measure::Unit;

/// "61.2 %", "4m10s", "120".
pub(crate) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Rate => format!("{:.1} %", value * 100.0),
        Unit::Duration => duration(value.round() as i64),
        Unit::Count => plain(value),
    }
}

/// As [`value`], without a needless ".0": levels are mostly whole.
pub(crate) fn level(unit: Unit, level: f64) -> String {
    match unit {
        Unit::Rate => {
            // Levels are written with few digits; what the binary fraction adds behind them is not meant.
            let percent = (level * 1e8).round() / 1e6;
            format!("{} %", plain(percent))
        }
        Unit::Duration | Unit::Count => value(unit, level),
    }
}

fn plain(value: f64) -> String {
    format!("{value}")
}

/// "1h30m", "45s", "850ms": the units that are not zero.
pub(crate) fn duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".to_owned();
    }
    let sign = if ms < 0 { "-" } else { "" };
    let mut rest = ms.unsigned_abs();
    let mut text = sign.to_owned();
    for (unit, size_ms) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        // Beside minutes nobody reads milliseconds.
        if unit == "ms" && text.len() > sign.len() {
            break;
        }
        if rest >= size_ms {
            text.push_str(&format!("{}{unit}", rest / size_ms));
            rest %= size_ms;
        }
    }
    text
}

/// What an alert adds while sources are out: they are named in every one.
pub(crate) fn without(sources: &[u32]) -> String {
    let which = match sources {
        [] => return String::new(),
        [_] => "partition",
        _ => "partitions",
    };
    format!("; without {which} {}, behind or not seen", list(sources))
}

/// Why somebody acknowledged an alert, as they said, or who it was.
pub(crate) fn acknowledged(action: &Action) -> String {
    match (action.reason.trim(), action.author.as_str()) {
        ("", "") => "acknowledged".to_owned(),
        ("", author) => format!("acknowledged by {author}"),
        (reason, _) => reason.to_owned(),
    }
}

/// "3", "3 and 5", "1, 2, 3 and 9 more".
fn list(numbers: &[u32]) -> String {
    const SHOWN: usize = 3;
    let text = |shown: &[u32]| {
        let shown: Vec<String> = shown.iter().map(u32::to_string).collect();
        shown.join(", ")
    };
    match numbers {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] if numbers.len() <= SHOWN => format!("{} and {last}", text(first)),
        many => format!("{} and {} more", text(&many[..SHOWN]), many.len() - SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_levels() {
        for (unit, number, as_value, as_level) in [
            (Unit::Rate, 49.0 / 80.0, "61.3 %", "61.25 %"),
            (Unit::Rate, 0.8, "80.0 %", "80 %"),
            (Unit::Rate, 0.813, "81.3 %", "81.3 %"),
            (Unit::Duration, 360_000.0, "6m", "6m"),
            (Unit::Count, 120.0, "120", "120"),
        ] {
            assert_eq!(value(unit, number), as_value);
            assert_eq!(level(unit, number), as_level);
        }
    }

    #[test]
    fn durations() {
        for (ms, text) in [
            (0, "0s"),
            (850, "850ms"),
            (45_000, "45s"),
            (90_061, "1m30s"),
            (5_400_000, "1h30m"),
            (86_400_000, "24h"),
            (-60_000, "-1m"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn lists() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&[3]), "3");
        assert_eq!(list(&[3, 5]), "3 and 5");
        assert_eq!(list(&[1, 2, 3, 4, 5]), "1, 2, 3 and 2 more");
    }
}
