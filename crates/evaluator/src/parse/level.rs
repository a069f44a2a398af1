//! The levels of a threshold rule: 0.8 or "80%" for a rate, "6m" for a time, 120 for a count.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::section::{Located, Section};
use crate::measure::Unit;

/// Reads a level; `None` where an error was noted.
pub(super) fn read(section: &mut Section<'_>, key: &str, unit: Unit) -> Option<Located<f64>> {
    section.required_value(key, example(unit))?;
    optional(section, key, unit)
}

/// As [`read`], but `None` also where nothing is written.
pub(super) fn optional(section: &mut Section<'_>, key: &str, unit: Unit) -> Option<Located<f64>> {
    let value = section.get(key)?;
    let span = value.span();
    let number = match (unit, value.get_ref()) {
        (Unit::Duration, _) => {
            let level = section.duration_ms(key)?;
            return Some(Located {
                value: level.value as f64,
                span,
            });
        }
        (Unit::Rate, DeValue::String(text)) => percent(text),
        (Unit::Rate, DeValue::Float(number)) => number.as_str().parse().ok(),
        (Unit::Rate | Unit::Count, DeValue::Integer(number)) => number.as_str().parse().ok(),
        (Unit::Rate | Unit::Count, _) => None,
    };
    let number = number.filter(|number: &f64| match unit {
        Unit::Rate => (0.0..=1.0).contains(number),
        Unit::Duration | Unit::Count => *number >= 0.0,
    });
    if number.is_none() {
        refuse(section, key, unit, value, &span);
    }
    number.map(|value| Located { value, span })
}

pub(super) fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Rate => "\"80%\"",
        Unit::Duration => "\"6m\"",
        Unit::Count => "100",
    }
}

fn refuse(
    section: &mut Section<'_>,
    key: &str,
    unit: Unit,
    value: &Spanned<DeValue<'_>>,
    span: &Range<usize>,
) {
    let written = match value.get_ref() {
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::String(text) => Some(text.trim().trim_end_matches('%').trim().to_owned()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    let meant = written.filter(|text| {
        text.parse::<f64>()
            .is_ok_and(|number| (0.0..=100.0).contains(&number))
    });
    match (unit, meant) {
        (Unit::Rate, Some(number)) => section.error(
            span,
            format!("{key} is a share of all, from 0 to 1 or from \"0%\" to \"100%\""),
            format!("write \"{number}%\""),
        ),
        (Unit::Rate, None) => {
            section.wrong_type(
                key,
                value,
                "a share from 0 to 1 or from \"0%\" to \"100%\"",
                "\"80%\"",
            );
        }
        (Unit::Duration | Unit::Count, _) => {
            section.wrong_type(
                key,
                value,
                "a whole number from 0 on",
                "a number such as 100",
            );
        }
    }
}

/// "80%", exactly: moving the decimal point by an exponent gives the same number as writing 0.8.
fn percent(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    (plain && !number.is_empty()).then(|| format!("{number}e-2").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_the_decimals_that_they_mean() {
        for (text, value) in [
            ("80%", Some(0.8)),
            ("81.3 %", Some(0.813)),
            ("100%", Some(1.0)),
            ("29%", Some(0.29)),
            ("%", None),
            ("80", None),
            ("-5%", None),
            ("1e9%", None),
        ] {
            assert_eq!(percent(text), value, "{text}");
        }
    }
}
