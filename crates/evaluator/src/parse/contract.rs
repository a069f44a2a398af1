//! What burn and projection rules of a rules file say of a contract.

use slawatch_calendar::{PeriodLength, Periods};
use slawatch_policy::Metric;

use super::section::Section;
use super::{level, threshold};
use crate::kinds::contract::Contract;
use crate::measure::{Measure, Unit};

pub(super) const KEYS: [&str; 4] = ["measure", "formula", "target", "period"];

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>) -> Option<Contract> {
    let measure = proportion(section);
    let target = target(section);
    let length = section.required_choice("period", &["day", "week", "month"]);
    let length = match length?.as_str() {
        "day" => PeriodLength::Day,
        "week" => PeriodLength::Week,
        _ => PeriodLength::Month,
    };
    Some(Contract {
        measure: measure?,
        target: target?,
        periods: Periods::new(length, "UTC").ok()?,
        place: 0,
    })
}

/// The measure, if a share of it can be good.
fn proportion(section: &mut Section<'_>) -> Option<Measure> {
    let measure = threshold::measure(section)?;
    if measure.unit == Unit::Rate {
        return Some(measure);
    }
    if let Some(span) = section.get("measure").map(|value| value.span()) {
        let message = format!(
            "{} is no proportion, so no share of it is good",
            measure.title
        );
        let proportions: Vec<String> = Measure::names()
            .into_iter()
            .filter(|name| {
                let known = Measure::named(name, Default::default());
                known.is_some_and(|measure| measure.unit == Unit::Rate)
            })
            .filter(|name| !name.starts_with("attainment."))
            .chain([format!("attainment.{}", Metric::FirstReply)])
            .collect();
        let help = format!("write a proportion, such as {}", proportions.join(", "));
        section.error(&span, message, help);
    }
    None
}

fn target(section: &mut Section<'_>) -> Option<f64> {
    let target = level::read(section, "target", Unit::Rate)?;
    if target.value <= 0.0 || target.value >= 1.0 {
        section.error(
            &target.span,
            "with a target of 0% or 100% there is no budget of errors that could be watched",
            "write a target between them, such as \"80%\"",
        );
        return None;
    }
    Some(target.value)
}
