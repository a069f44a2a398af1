//! Threshold rules of a rules file.

use std::ops::Range;

use super::level;
use super::section::{Section, meant};
use crate::formula::Formula;
use crate::kinds::threshold::Threshold;
use crate::measure::{Measure, Trouble, Unit};
use crate::minute::PANE_MS;
use crate::watch::Watch;
use crate::wording;

/// Beside those of every rule about groups.
pub(super) const KEYS: &[&str] = &[
    "measure",
    "formula",
    "window",
    "enter",
    "exit",
    "min_samples",
    "confidence",
];

/// Longer windows would need panes that the tracker has given up already.
const LONGEST_WINDOW_MS: i64 = 24 * 3_600_000;

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Watch> {
    let measure = measure(section);
    let window = window(section, measure.as_ref());
    let min_samples = quotient_samples(section, measure.as_ref());
    let confidence = confidence(section, measure.as_ref());
    let levels = measure
        .as_ref()
        .and_then(|measure| levels(section, measure.unit, measure.trouble, &measure.title));
    let (enter, exit) = levels?;
    Some(Watch::Threshold(Threshold {
        measure: measure?,
        window: window?,
        window_place: 0,
        enter,
        exit,
        min_samples: min_samples?,
        confidence,
    }))
}

pub(super) fn measure(section: &mut Section<'_>) -> Option<Measure> {
    let formula = formula(section);
    let name = section.required_text("measure", "service_level")?;
    let written = section.get("formula").map(|value| value.span());
    if let Some(span) = written.filter(|_| formula.is_some() && name.value != "service_level") {
        let message = format!("{} has no formula", name.value);
        section.error(
            &span,
            message,
            "leave formula out: it belongs to service_level",
        );
    }
    let measure = Measure::named(&name.value, formula.unwrap_or_default());
    if measure.is_none() {
        let known = Measure::names();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("there is no measure \"{}\"", name.value);
        section.error(&name.span, message, meant(&name.value, &known));
    }
    measure
}

fn formula(section: &mut Section<'_>) -> Option<Formula> {
    let names = Formula::ALL.map(Formula::name);
    let name = section.choice("formula", &names)?;
    Formula::ALL
        .into_iter()
        .find(|formula| formula.name() == name)
}

/// In panes.
fn window(section: &mut Section<'_>, measure: Option<&Measure>) -> Option<i64> {
    if measure.is_some_and(Measure::counts_open_tickets) {
        if let Some(span) = section.get("window").map(|value| value.span()) {
            section.error(
                &span,
                "backlog is what is open now and has no window",
                "leave window out",
            );
        }
        return Some(1);
    }
    section.required_value("window", "\"15m\"")?;
    let window = section.duration_ms("window")?;
    whole_minutes(section, &window.span, window.value).map(|ms| ms / PANE_MS)
}

/// Above one half, or the bound would lie on the wrong side of the value, and below one.
fn confidence(section: &mut Section<'_>, measure: Option<&Measure>) -> Option<f64> {
    let span = section.get("confidence")?.span();
    if let Some(measure) = measure.filter(|measure| !measure.is_quotient()) {
        let message = format!(
            "{} is a plain count, of which chance says nothing",
            measure.title
        );
        section.error(
            &span,
            message,
            "leave confidence out, or watch a rate or a mean",
        );
        return None;
    }
    let confidence = level::optional(section, "confidence", Unit::Rate)?;
    if confidence.value > 0.5 && confidence.value < 1.0 {
        return Some(confidence.value);
    }
    section.error(
        &span,
        "confidence lies above 0.5 and below 1",
        "write 0.95 for one false alarm by chance in twenty looks, or 0.99",
    );
    None
}

/// A window's length, if it can be one.
pub(super) fn whole_minutes(
    section: &mut Section<'_>,
    span: &Range<usize>,
    length_ms: i64,
) -> Option<i64> {
    if length_ms % PANE_MS == 0 && (PANE_MS..=LONGEST_WINDOW_MS).contains(&length_ms) {
        return Some(length_ms);
    }
    let minutes = (length_ms / PANE_MS).clamp(1, LONGEST_WINDOW_MS / PANE_MS);
    section.error(
        span,
        "a window has whole minutes, from \"1m\" to \"24h\"",
        format!("write \"{}\"", wording::duration(minutes * PANE_MS)),
    );
    None
}

fn quotient_samples(section: &mut Section<'_>, measure: Option<&Measure>) -> Option<i64> {
    let plain = measure.filter(|measure| !measure.is_quotient());
    if let (Some(measure), Some(value)) = (plain, section.get("min_samples")) {
        section.error(
            &value.span(),
            format!(
                "{} is a plain count, so there are no samples to wait for",
                measure.title
            ),
            "leave min_samples out",
        );
        return None;
    }
    min_samples(section, 1)
}

/// How many samples there must be, if nothing is written `default`; `None` only where an error was noted.
pub(super) fn min_samples(section: &mut Section<'_>, default: i64) -> Option<i64> {
    match section.get("min_samples") {
        Some(_) => section.count("min_samples", 1, "20"),
        None => Some(default),
    }
}

/// `enter` and `exit`; `None` only where an error was noted.
pub(super) fn levels(
    section: &mut Section<'_>,
    unit: Unit,
    trouble: Trouble,
    title: &str,
) -> Option<(f64, f64)> {
    let enter = level::read(section, "enter", unit);
    let exit = level::read(section, "exit", unit);
    let (enter, exit) = (enter?, exit?);
    if enter.value == exit.value {
        let side = match trouble {
            Trouble::Below => "above",
            Trouble::Above => "below",
            Trouble::Both => "above or below",
        };
        section.error(
            &exit.span,
            "enter and exit are equal, so an alert would come and go with every contact",
            format!("write an exit {side} {}", wording::level(unit, enter.value)),
        );
        return None;
    }
    let (needed, found) = match trouble {
        Trouble::Below => (enter.value < exit.value, "above"),
        Trouble::Above => (enter.value > exit.value, "below"),
        Trouble::Both => (true, ""),
    };
    if needed {
        return Some((enter.value, exit.value));
    }
    contradiction(
        section,
        unit,
        title,
        found,
        (enter.value, exit.value),
        &exit.span,
    );
    None
}

/// The levels would alert on good news.
fn contradiction(
    section: &mut Section<'_>,
    unit: Unit,
    title: &str,
    found: &str,
    (enter, exit): (f64, f64),
    span: &Range<usize>,
) {
    let (enter, exit) = (wording::level(unit, enter), wording::level(unit, exit));
    section.error(
        span,
        format!("this would alert when the {title} is {found} {enter}, which is good news"),
        format!("swap them: enter at {exit} and exit at {enter}"),
    );
}
