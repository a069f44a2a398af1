//! Burn rules of a rules file.

use slawatch_calendar::PeriodLength;
use slawatch_policy::reading::{Mistake, duration_ms};
use toml::de::DeValue;

use super::section::{Located, Section};
use super::{contract, level, threshold};
use crate::kinds::burn::{Burn, Window, default_factor, greatest_rate};
use crate::kinds::contract::Contract;
use crate::measure::Unit;
use crate::minute::PANE_MS;
use crate::watch::Watch;
use crate::wording;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &[
    contract::KEYS[0],
    contract::KEYS[1],
    contract::KEYS[2],
    contract::KEYS[3],
    "windows",
    "factors",
    "budget",
    "min_samples",
];

/// Of the period's error budget, what the longest window may use before there is trouble.
const DEFAULT_BUDGET: f64 = 0.1;
const DEFAULT_MIN_SAMPLES: i64 = 20;

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Watch> {
    let contract = contract::read(section);
    let lengths = windows(section);
    let min_samples = threshold::min_samples(section, DEFAULT_MIN_SAMPLES);
    let budget = budget(section);
    let (contract, lengths) = (contract?, lengths?);
    let factors = match section.get("factors") {
        Some(_) => factors(section, &contract, &lengths)?,
        None => {
            let longest_ms = lengths.iter().max().copied().unwrap_or(PANE_MS);
            let (allowed, period_ms) = (contract.allowed(), nominal_ms(&contract));
            let factor = default_factor(allowed, budget?, period_ms, longest_ms);
            vec![factor; lengths.len()]
        }
    };
    let mut windows: Vec<Window> = lengths
        .iter()
        .zip(factors)
        .map(|(length_ms, factor)| Window {
            panes: length_ms / PANE_MS,
            place: 0,
            factor,
        })
        .collect();
    windows.sort_by_key(|window| -window.panes);
    Some(Watch::Burn(Burn {
        contract,
        windows,
        min_samples: min_samples?,
    }))
}

/// Days of clock changes and short months apart.
fn nominal_ms(contract: &Contract) -> i64 {
    const DAY_MS: i64 = 24 * 3_600_000;
    match contract.periods.length() {
        PeriodLength::Day => DAY_MS,
        PeriodLength::Week => 7 * DAY_MS,
        PeriodLength::Month => 30 * DAY_MS,
    }
}

/// In milliseconds, as written.
fn windows(section: &mut Section<'_>) -> Option<Vec<i64>> {
    const EXAMPLE: &str = "[\"1h\", \"6h\"]";
    section.required_value("windows", EXAMPLE)?;
    let texts = section.texts("windows", EXAMPLE)?;
    let mut lengths = Vec::new();
    for text in &texts {
        let length_ms = match duration_ms(&text.value) {
            Ok(ms) => ms,
            Err(Mistake { message, help }) => {
                section.error(&text.span, message, help);
                continue;
            }
        };
        if let Some(length_ms) = threshold::whole_minutes(section, &text.span, length_ms) {
            if lengths.contains(&length_ms) {
                let message = format!("the window {} stands twice", wording::duration(length_ms));
                section.error(&text.span, message, "leave one of them out");
                continue;
            }
            lengths.push(length_ms);
        }
    }
    (!texts.is_empty() && lengths.len() == texts.len()).then_some(lengths)
}

/// The share of the period's budget; `None` only where an error was noted.
fn budget(section: &mut Section<'_>) -> Option<f64> {
    let Some(written) = section.get("budget").map(|value| value.span()) else {
        return Some(DEFAULT_BUDGET);
    };
    if section.get("factors").is_some() {
        section.error(
            &written,
            "factors are given, so nothing is derived from budget",
            "leave one of them out",
        );
        return None;
    }
    let budget = level::read(section, "budget", Unit::Rate)?;
    if budget.value <= 0.0 {
        let message = "with a budget of 0% every contact would be trouble";
        section.error(&budget.span, message, "write a share such as \"10%\"");
        return None;
    }
    Some(budget.value)
}

/// One for each window, in the same order.
fn factors(section: &mut Section<'_>, contract: &Contract, lengths: &[i64]) -> Option<Vec<f64>> {
    const EXAMPLE: &str = "numbers such as [3, 3]";
    let value = section.get("factors")?;
    let DeValue::Array(values) = value.get_ref() else {
        section.wrong_type("factors", value, "a list of numbers", EXAMPLE);
        return None;
    };
    let mut factors = Vec::new();
    for value in values {
        let number: Option<f64> = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        let Some(factor) = number else {
            section.wrong_type("factors", value, "a list of numbers", EXAMPLE);
            continue;
        };
        let factor = Located {
            value: factor,
            span: value.span(),
        };
        factors.extend(possible(section, contract, &factor));
    }
    if factors.len() < values.len() {
        return None;
    }
    if factors.len() != lengths.len() {
        let message = format!(
            "there are {} windows and {} factors",
            lengths.len(),
            factors.len()
        );
        section.error(&value.span(), message, "write one factor for each window");
        return None;
    }
    Some(factors)
}

/// The factor, if the burn rate can be above what is allowed there and can come so far.
fn possible(section: &mut Section<'_>, contract: &Contract, factor: &Located<f64>) -> Option<f64> {
    /// So that 5 is possible at 80 %, whose binary fraction is a hair more.
    const ROUNDING: f64 = 1e-9;
    let greatest = greatest_rate(contract.allowed());
    let target = wording::level(Unit::Rate, contract.target);
    if factor.value.is_nan() || factor.value <= 1.0 {
        section.error(
            &factor.span,
            format!("a burn rate of {} is within the contract", factor.value),
            "write a factor above 1: at 1 the budget lasts for exactly the period",
        );
        return None;
    }
    if factor.value > greatest + ROUNDING {
        let most = (greatest * 100.0 + ROUNDING).floor() / 100.0;
        section.error(
            &factor.span,
            format!(
                "a burn rate of {} can never be reached: with a target of {target} it is {most} when every {} is bad",
                factor.value,
                singular(&contract.measure.samples),
            ),
            format!("write a factor of at most {most}, or leave factors out"),
        );
        return None;
    }
    Some(factor.value)
}

/// "contact" of "contacts".
fn singular(samples: &str) -> &str {
    samples.strip_suffix('s').unwrap_or(samples)
}
