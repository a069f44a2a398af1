//! Ticket rules of a rules file.

use std::collections::BTreeMap;

use slawatch_policy::Metric;

use super::about;
use super::section::Section;
use crate::rule::TicketRule;
use crate::summary::OF_TICKETS;

pub(super) const KEYS: [&str; 10] = [
    "name",
    "type",
    "on",
    "metrics",
    "priority",
    "severity",
    "match",
    "labels",
    "runbook_url",
    "summary",
];

/// `None` only where an error was noted.
pub(super) fn read(
    section: &mut Section<'_>,
    names: &mut BTreeMap<String, usize>,
) -> Option<TicketRule> {
    section.refuse_unknown(&KEYS, |word| {
        super::threshold::KEYS
            .contains(&word)
            .then(|| format!("{word} belongs to rules of type = \"threshold\""))
    });
    let about = about(section, names, OF_TICKETS);
    section.required_value("on", "[\"breached\", \"warning\"]");
    let on = section.words("on", &["breached", "warning"]);
    let metric_names = Metric::ALL.map(Metric::name);
    let metrics = section.words("metrics", &metric_names).unwrap_or_default();
    let priority = section.globs("priority");
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
    })
}
