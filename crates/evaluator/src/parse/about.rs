//! What every kind of rule has: its name, whom and when it is about, how its alerts are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_policy::reading::{self, Mistake, NamedCalendar, nearest};

use slawatch_policy::Glob;

use super::File;
use super::kind::{Kind, Read};
use super::section::{Located, Section};
use crate::rule::{About, Hours, Scope};
use crate::summary::{Field, Summary};

const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// `None` where an error was noted. Of a kind that is not known the summary is left unread.
pub(super) fn about(
    section: &mut Section<'_>,
    file: &mut File,
    kind: Option<&Kind>,
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
    let summary = kind.and_then(|kind| summary(section, kind.placeholders));
    let scope = scope(section, kind);
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

fn scope(section: &mut Section<'_>, kind: Option<&Kind>) -> Scope {
    let mut scope = Scope::default();
    let example = "{ vendor = [\"acme*\"], queue = [\"refunds\"] }";
    let Some(mut matching) = section.table("match", "match", example) else {
        return scope;
    };
    let is_of_tickets = kind.is_none_or(|kind| matches!(kind.read, Read::Ticket));
    if !is_of_tickets {
        matching.refuse_unknown(&["vendor", "queue"], |word| {
            let message =
                format!("alerts about queues know no {word} of a ticket: match vendor and queue");
            reading::attribute_name(word).is_ok().then_some(message)
        });
    }
    scope.vendor = matching.globs("vendor");
    scope.queue = matching.globs("queue");
    if is_of_tickets {
        scope.attributes = attributes(&mut matching);
    }
    scope
}

/// What is written of attributes other than vendor and queue.
fn attributes(matching: &mut Section<'_>) -> Vec<(String, Vec<Glob>)> {
    let mut attributes = Vec::new();
    for key in matching.keys() {
        match key.value.as_str() {
            "vendor" | "queue" => {}
            "labels" => {
                let example = "{ tier = [\"gold\"] }";
                let Some(mut labels) = matching.table("labels", "match.labels", example) else {
                    continue;
                };
                for label in labels.keys() {
                    let name = format!("labels.{}", label.value);
                    attributes.push((name, labels.globs(&label.value)));
                }
            }
            name => match reading::attribute_name(name) {
                Ok(attribute) => attributes.push((attribute, matching.globs(name))),
                Err(Mistake { message, help }) => matching.error(&key.span, message, help),
            },
        }
    }
    attributes
}
