//! Figures as people read them from three metres away. What cannot be said is "–".

/// What cannot be said.
pub(crate) const UNKNOWN: &str = "–";

/// One decimal; never rounded up to 100 nor down to 0, which would say something else.
pub(crate) fn percent(ratio: Option<f64>) -> String {
    let Some(ratio) = ratio else {
        return UNKNOWN.to_owned();
    };
    let rounded = (ratio * 1_000.0).round() / 10.0;
    let shown = if ratio < 1.0 && rounded >= 100.0 {
        99.9
    } else if ratio > 0.0 && rounded <= 0.0 {
        0.1
    } else {
        rounded
    };
    format!("{shown:.1} %")
}

/// Minutes and seconds, as call centres write times: `4:05`; from an hour on `1:04:05`.
pub(crate) fn clock_time(ms: Option<f64>) -> String {
    match ms {
        Some(ms) if ms.is_finite() => {
            let seconds = (ms / 1_000.0).round() as i64;
            let sign = if seconds < 0 { "-" } else { "" };
            let seconds = seconds.abs();
            let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
            if hours > 0 {
                format!("{sign}{hours}:{minutes:02}:{seconds:02}")
            } else {
                format!("{sign}{minutes}:{seconds:02}")
            }
        }
        _ => UNKNOWN.to_owned(),
    }
}

/// The two largest units: `2d 4h`, `3h 12m`, `12m`, `45s`, `0.4s`.
pub(crate) fn duration(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    let (seconds, minutes, hours, days) =
        (ms / 1_000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    let two = |large: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{sign}{large}{unit}"),
        small => format!("{sign}{large}{unit} {small}{small_unit}"),
    };
    if days > 0 {
        two(days, "d", hours % 24, "h")
    } else if hours > 0 {
        two(hours, "h", minutes % 60, "m")
    } else if minutes > 9 {
        format!("{sign}{minutes}m")
    } else if minutes > 0 {
        two(minutes, "m", seconds % 60, "s")
    } else if seconds > 9 || ms == 0 {
        format!("{sign}{seconds}s")
    } else {
        format!("{sign}{}.{}s", ms / 1_000, ms % 1_000 / 100)
    }
}

/// With commas between thousands.
pub(crate) fn count(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if count < 0 { format!("-{text}") } else { text }
}

/// `1 ticket`, `2 tickets`.
pub(crate) fn plural(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

/// A number behind an alert; its name says whether it is a duration.
pub(crate) fn fact(name: &str, value: f64) -> (String, String) {
    if let Some(name) = name.strip_suffix("_ms") {
        return (name.replace('_', " "), duration(value as i64));
    }
    let value = if value.fract() == 0.0 && value.abs() < 1e15 {
        count(value as i64)
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').to_owned()
    };
    (name.replace('_', " "), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_a_decimal_and_never_lie_at_the_ends() {
        for (ratio, expected) in [
            (None, "–"),
            (Some(0.0), "0.0 %"),
            (Some(0.000_1), "0.1 %"),
            (Some(0.830_2), "83.0 %"),
            (Some(0.799_6), "80.0 %"),
            (Some(0.999_9), "99.9 %"),
            (Some(1.0), "100.0 %"),
        ] {
            assert_eq!(percent(ratio), expected, "{ratio:?}");
        }
    }

    #[test]
    fn times_are_written_as_on_a_clock() {
        for (ms, expected) in [
            (None, "–"),
            (Some(0.0), "0:00"),
            (Some(12_499.0), "0:12"),
            (Some(245_000.0), "4:05"),
            (Some(3_845_000.0), "1:04:05"),
            (Some(-5_000.0), "-0:05"),
        ] {
            assert_eq!(clock_time(ms), expected, "{ms:?}");
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (ms, expected) in [
            (0, "0s"),
            (420, "0.4s"),
            (45_000, "45s"),
            (125_000, "2m 5s"),
            (120_000, "2m"),
            (754_000, "12m"),
            (11_520_000, "3h 12m"),
            (187_200_000, "2d 4h"),
            (-3_000, "-3.0s"),
        ] {
            assert_eq!(duration(ms), expected, "{ms}");
        }
    }

    #[test]
    fn counts_and_facts_read_well() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-100), "-100");
        assert_eq!(plural(1, "ticket"), "1 ticket");
        assert_eq!(plural(3, "ticket"), "3 tickets");
        let of = |name: &str, value: f64| {
            let (name, value) = fact(name, value);
            format!("{name} {value}")
        };
        assert_eq!(of("window_ms", 900_000.0), "window 15m");
        assert_eq!(
            of("answered_in_target", 1_412.0),
            "answered in target 1,412"
        );
        assert_eq!(of("value", 0.4), "value 0.4");
    }
}
