//! Change rules of a rules file.

use slawatch_calendar::{PeriodLength, Periods};
use toml::de::DeValue;

use super::section::Section;
use super::{level, threshold};
use crate::history::HOUR_MS;
use crate::kinds::change::{Against, Change, Direction};
use crate::measure::{Measure, Trouble, Unit};
use crate::watch::Watch;
use crate::wording;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &[
    "measure",
    "formula",
    "against",
    "window",
    "weeks",
    "error_rate",
    "direction",
    "at_least",
    "min_samples",
];

const DEFAULT_ERROR_RATE: f64 = 0.01;
const DEFAULT_MIN_SAMPLES: i64 = 100;
const DEFAULT_WEEKS: u32 = 4;
const MOST_WEEKS: u32 = 8;

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Watch> {
    let measure = measure(section);
    let against = against(section);
    let window_hours = against.and_then(|against| window(section, against));
    let weeks = weeks(section);
    let error_rate = error_rate(section);
    let min_samples = threshold::min_samples(section, DEFAULT_MIN_SAMPLES);
    let measure = measure?;
    let at_least = at_least(section, measure.unit);
    let direction = direction(section, &measure);
    Some(Watch::Change(Change {
        measure,
        against: against?,
        window_hours: window_hours?,
        weeks: weeks?,
        error_rate: error_rate?,
        direction: direction?,
        at_least: at_least?,
        min_samples: min_samples?,
        // Of the rule's own zone once that is known.
        periods: Periods::new(PeriodLength::Week, "UTC").ok()?,
    }))
}

/// A measure of which a test can say how far chance goes.
fn measure(section: &mut Section<'_>) -> Option<Measure> {
    let measure = threshold::measure(section)?;
    if measure.is_quotient() {
        return Some(measure);
    }
    if let Some(span) = section.get("measure").map(|value| value.span()) {
        section.error(
            &span,
            format!(
                "{} is a plain count, and change compares proportions and means",
                measure.title
            ),
            "write a measure such as service_level, csat or aht",
        );
    }
    None
}

fn against(section: &mut Section<'_>) -> Option<Against> {
    if section.get("against").is_none() {
        return Some(Against::WeeksBefore);
    }
    let word = section.choice("against", &["weeks_before", "marked_change"])?;
    Some(match word.as_str() {
        "marked_change" => Against::MarkedChange,
        _ => Against::WeeksBefore,
    })
}

/// In hours.
fn window(section: &mut Section<'_>, against: Against) -> Option<i64> {
    section.required_value("window", "\"4h\"")?;
    let window = section.duration_ms("window")?;
    let longest = match against {
        Against::WeeksBefore => 24,
        Against::MarkedChange => 7 * 24,
    };
    if window.value % HOUR_MS == 0 && (1..=longest).contains(&(window.value / HOUR_MS)) {
        return Some(window.value / HOUR_MS);
    }
    let hours = (window.value / HOUR_MS).clamp(1, longest);
    section.error(
        &window.span,
        format!("whole hours are compared, from \"1h\" to \"{longest}h\""),
        format!("write \"{}\"", wording::duration(hours * HOUR_MS)),
    );
    None
}

fn weeks(section: &mut Section<'_>) -> Option<u32> {
    let Some(value) = section.get("weeks") else {
        return Some(DEFAULT_WEEKS);
    };
    let number = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().parse::<u32>().ok(),
        _ => None,
    };
    let number = number.filter(|number| (1..=MOST_WEEKS).contains(number));
    if number.is_none() {
        let what = format!("a whole number from 1 to {MOST_WEEKS}");
        section.wrong_type("weeks", value, &what, "a number such as 4");
    }
    number
}

fn error_rate(section: &mut Section<'_>) -> Option<f64> {
    if section.get("error_rate").is_none() {
        return Some(DEFAULT_ERROR_RATE);
    }
    let rate = level::read(section, "error_rate", Unit::Rate)?;
    if rate.value > 0.0 && rate.value <= 0.5 {
        return Some(rate.value);
    }
    section.error(
        &rate.span,
        "an error rate lies above 0% and at most at 50%",
        "write how often chance alone may fire the rule, such as \"1%\"",
    );
    None
}

fn at_least(section: &mut Section<'_>, unit: Unit) -> Option<f64> {
    let at_least = level::read(section, "at_least", unit)?;
    if at_least.value > 0.0 {
        return Some(at_least.value);
    }
    section.error(
        &at_least.span,
        "with many contacts the smallest difference is no chance, so one that matters must be named",
        format!("write the least that matters, such as {}", example(unit)),
    );
    None
}

fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Rate => "\"5%\", which means 5 points",
        Unit::Duration => "\"30s\"",
        Unit::Count => "10",
    }
}

fn direction(section: &mut Section<'_>, measure: &Measure) -> Option<Direction> {
    let is_plain = measure.trouble != Trouble::Both;
    let Some(span) = section.get("direction").map(|value| value.span()) else {
        return Some(if is_plain {
            Direction::Worse
        } else {
            Direction::Either
        });
    };
    let word = section.choice("direction", &["worse", "better", "either"])?;
    let direction = match word.as_str() {
        "better" => Direction::Better,
        "either" => Direction::Either,
        _ => Direction::Worse,
    };
    if direction == Direction::Either || is_plain {
        return Some(direction);
    }
    section.error(
        &span,
        format!("neither more nor less {} is worse in itself", measure.title),
        "write \"either\", or leave direction out",
    );
    None
}
