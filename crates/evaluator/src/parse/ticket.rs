//! Ticket rules of a rules file.

use slawatch_policy::reading::{Mistake, read_warn_level};
use slawatch_policy::{Metric, WarnLevel};
use toml::de::DeValue;

use super::section::{Located, Section};
use crate::crowd::CrowdLimits;
use crate::rule::{About, TicketRule};

/// Beside those of every rule.
pub(super) const KEYS: &[&str] = &["on", "metrics", "priority", "at", "group"];

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>, about: Option<About>) -> Option<TicketRule> {
    section.required_value("on", "[\"breached\", \"warning\"]");
    let on = section.words("on", &["breached", "warning"]);
    let metric_names = Metric::ALL.map(Metric::name);
    let metrics = section.words("metrics", &metric_names).unwrap_or_default();
    let priority = section.globs("priority");
    let worse_by_ms = worse_by(section);
    let has = |word: &str| on.iter().flatten().any(|known| known == word);
    let (on_breached, on_warning) = (has("breached"), has("warning"));
    let at = levels(section, on_warning || on.is_none());
    let crowd = crowd(section, on_breached || on.is_none());
    on?;
    Some(TicketRule {
        about: about?,
        on_breached,
        on_warning,
        metrics: metrics
            .iter()
            .filter_map(|name| Metric::from_name(name))
            .collect(),
        priority,
        worse_by_ms,
        at,
        crowd,
    })
}

fn worse_by(section: &mut Section<'_>) -> Option<i64> {
    let worse_by = section.duration_ms("worse_by")?;
    if worse_by.value == 0 {
        section.error(
            &worse_by.span,
            "worse_by is nothing, so an acknowledged alert would fire again at once",
            "write how much longer, such as \"2h\"",
        );
    }
    Some(worse_by.value)
}

/// The warning levels that are told.
fn levels(section: &mut Section<'_>, warns: bool) -> Vec<WarnLevel> {
    let Some(value) = section.get("at") else {
        return Vec::new();
    };
    if !warns {
        section.error(
            &value.span(),
            "at picks among warnings, and this rule tells of none",
            "write on = [\"breached\", \"warning\"], or leave at out",
        );
        return Vec::new();
    }
    let DeValue::Array(values) = value.get_ref() else {
        section.wrong_type("at", value, "a list of warning levels", "[0.8, \"15m\"]");
        return Vec::new();
    };
    let mut levels = Vec::new();
    for value in values {
        let written = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                section.wrong_type("at", value, "a list of warning levels", "[0.8, \"15m\"]");
                continue;
            }
        };
        match read_warn_level(&written) {
            Ok(level) => levels.push(level),
            Err(Mistake { message, help }) => section.error(&value.span(), message, help),
        }
    }
    levels
}

fn crowd(section: &mut Section<'_>, breaches: bool) -> Option<CrowdLimits> {
    let span = section.get("group")?.span();
    let mut group = section.table("group", "group", "{ over = 5, within = \"10m\" }")?;
    group.refuse_unknown(&["over", "within", "worse_by"], |_| None);
    group.required_value("over", "5");
    group.required_value("within", "\"10m\"");
    let over = group.count("over", 1, "5");
    let worse_by = group.count("worse_by", 1, "10");
    let within = group.duration_ms("within");
    let nothing = |within: &&Located<i64>| within.value == 0;
    if let Some(nothing) = within.as_ref().filter(nothing) {
        let span = nothing.span.clone();
        group.error(&span, "nothing breaches within no time", "write \"10m\"");
        return None;
    }
    if !breaches {
        section.error(
            &span,
            "group is about clocks that breach, and this rule tells of none",
            "write on = [\"breached\", \"warning\"], or leave group out",
        );
        return None;
    }
    Some(CrowdLimits {
        over: usize::try_from(over?).ok()?,
        within_ms: within?.value,
        worse_by,
    })
}
