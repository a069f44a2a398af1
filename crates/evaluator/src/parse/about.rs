//! What every kind of rule has: its name, whom and when it is about, how its alerts are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_policy::reading::{self, Mistake, NamedCalendar, nearest};

use super::File;
use super::section::{Located, Section};
use crate::rule::{About, Hours, Scope};
use crate::summary::{Field, Summary};

const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// `None` where an error was noted. An empty `placeholders` leaves the summary unread.
pub(super) fn about(
    section: &mut Section<'_>,
    file: &mut File,
    placeholders: &[Field],
) -> Option<About> {
    let name = section.required_text("name", "service-level-drops");
    let name = name.and_then(|name| unique(section, &mut file.names, name));
    let severity = section.required_choice("severity", &SEVERITIES);
    let labels = section.texts_by_name("labels");
    let runbook_url = section.text("runbook_url").and_then(|url| {
        let is_url = ["https://", "http://"]
            .iter()
            .any(|scheme| url.value.starts_with(scheme));
        if !is_url {
            let message = format!("\"{}\" is no web address", url.value);
            section.error(
                &url.span,
                message,
                "write it in full, such as \"https://wiki.example.com/runbook\"",
            );
        }
        is_url.then_some(url.value)
    });
    let summary = match placeholders {
        [] => None,
        allowed => summary(section, allowed),
    };
    let scope = scope(section);
    let hours = hours(section, file);
    let zone = timezone(section);
    let zone = match &hours {
        Some(hours) => Some(hours.calendar.time_zone().to_owned()),
        None => zone,
    };
    Some(About {
        name: name?,
        severity: severity?,
        labels,
        runbook_url: runbook_url.unwrap_or_default(),
        summary,
        scope,
        hours,
        timezone: zone.unwrap_or_else(|| file.timezone.clone()),
    })
}

/// The key of that name, of a rule or of the file.
pub(super) fn timezone(section: &mut Section<'_>) -> Option<String> {
    let name = section.text("timezone")?;
    match reading::time_zone(&name.value) {
        Ok(()) => Some(name.value),
        Err(Mistake { message, help }) => {
            section.error(&name.span, message, help);
            None
        }
    }
}

fn hours(section: &mut Section<'_>, file: &mut File) -> Option<Hours> {
    let name = section.text("calendar")?;
    let known = |calendar: &&NamedCalendar| calendar.name == name.value;
    if let Some(calendar) = file.calendars.iter().find(known) {
        file.used.insert(name.value.clone());
        return Some(Hours {
            name: name.value,
            calendar: Arc::clone(&calendar.calendar),
        });
    }
    let names: Vec<&str> = file
        .calendars
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    let help = match nearest(&name.value, names.iter().copied()) {
        Some(meant) => {
            // A slip for a calendar's name uses that calendar.
            file.used.insert(meant.to_owned());
            format!("write \"{meant}\"")
        }
        None => format!("write a [[calendar]] with name = {:?}", name.value),
    };
    section.error(
        &name.span,
        format!("unknown calendar \"{}\"", name.value),
        help,
    );
    None
}

fn unique(
    section: &mut Section<'_>,
    names: &mut BTreeMap<String, usize>,
    name: Located<String>,
) -> Option<String> {
    const LONGEST: usize = 64;
    if name.value.trim().is_empty() || name.value.chars().count() > LONGEST {
        section.error(
            &name.span,
            format!("a rule's name has 1 to {LONGEST} characters"),
            "write a short name; it is part of every alert's key",
        );
        return None;
    }
    let line = section.line(&name.span);
    if let Some(first) = names.get(&name.value) {
        section.error(
            &name.span,
            format!(
                "the name \"{}\" is taken by the rule in line {first}",
                name.value
            ),
            "write another name: alerts are told apart by it",
        );
        return None;
    }
    names.insert(name.value.clone(), line);
    Some(name.value)
}

fn summary(section: &mut Section<'_>, allowed: &[Field]) -> Option<Summary> {
    let text = section.text("summary")?;
    match Summary::parse(&text.value, allowed) {
        Ok(summary) => Some(summary),
        Err(words) => {
            let known: Vec<String> = allowed
                .iter()
                .map(|field| format!("{{{}}}", field.name()))
                .collect();
            section.error(
                &text.span,
                format!("{words} stands for nothing in a summary of this kind of rule"),
                format!("write one of {}", known.join(", ")),
            );
            None
        }
    }
}

fn scope(section: &mut Section<'_>) -> Scope {
    let mut scope = Scope::default();
    let Some(mut matching) =
        section.table("match", "{ vendor = [\"acme*\"], queue = [\"refunds\"] }")
    else {
        return scope;
    };
    matching.refuse_unknown(&["vendor", "queue"], |word| {
        (word == "priority")
            .then(|| "priority is a key of ticket rules: write it outside match".to_owned())
    });
    scope.vendor = matching.globs("vendor");
    scope.queue = matching.globs("queue");
    scope
}
