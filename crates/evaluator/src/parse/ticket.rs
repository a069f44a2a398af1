//! Ticket rules of a rules file.

use slawatch_policy::Metric;

use super::section::Section;
use crate::rule::{About, TicketRule};

/// Beside those of every rule.
pub(super) const KEYS: &[&str] = &["on", "metrics", "priority"];

/// `None` only where an error was noted.
pub(super) fn read(section: &mut Section<'_>, about: Option<About>) -> Option<TicketRule> {
    section.required_value("on", "[\"breached\", \"warning\"]");
    let on = section.words("on", &["breached", "warning"]);
    let metric_names = Metric::ALL.map(Metric::name);
    let metrics = section.words("metrics", &metric_names).unwrap_or_default();
    let priority = section.globs("priority");
    let worse_by = section.duration_ms("worse_by");
    if let Some(nothing) = worse_by.as_ref().filter(|time| time.value == 0) {
        section.error(
            &nothing.span,
            "worse_by is nothing, so an acknowledged alert would fire again at once",
            "write how much longer, such as \"2h\"",
        );
    }
    let on = on?;
    Some(TicketRule {
        about: about?,
        on_breached: on.iter().any(|word| word == "breached"),
        on_warning: on.iter().any(|word| word == "warning"),
        metrics: metrics
            .iter()
            .filter_map(|name| Metric::from_name(name))
            .collect(),
        priority,
        worse_by_ms: worse_by.map(|time| time.value),
    })
}
