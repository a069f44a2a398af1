//! An explanation for people.

use slawatch_event::format_instant;
use slawatch_tracker::{
    Applied, CycleStory, DroppedEvent, EventEffect, EventStory, Explanation, TicketState,
};

use super::Explained;
use super::table::table;
use super::times::{calendar, length, utc};
use super::verdict::verdict;
use super::words;
use crate::replay::state_name;

/// The whole explanation. Cycles for which nobody ever set a target are told in a line each, unless `in_full`.
pub fn text(explained: &Explained, in_full: bool) -> String {
    let mut lines = head(explained);
    lines.extend(events(&explained.explanation.events));
    lines.extend(left_out(explained));
    let (told, unmeasured): (Vec<_>, Vec<_>) = explained
        .explanation
        .cycles
        .iter()
        .partition(|cycle| cycle.has_row || in_full);
    for cycle in told {
        lines.push(String::new());
        lines.extend(self::cycle(explained, cycle));
    }
    if !unmeasured.is_empty() {
        lines.push(String::new());
        lines.push("never with a target, so without a row (more with --metric):".to_owned());
        lines.extend(unmeasured.iter().map(|cycle| short(cycle)));
    }
    if explained.explanation.cycles.is_empty() {
        lines.push(String::new());
        lines.push("no clock has started".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn head(explained: &Explained) -> Vec<String> {
    let Explanation {
        ticket_id,
        now_ms,
        state,
        created_at_ms,
        ..
    } = &explained.explanation;
    let created = match created_at_ms {
        Some(created_ms) => format!("created {}", utc(*created_ms)),
        None => {
            "an orphan: no created event is known, so only its contacts are measured".to_owned()
        }
    };
    let state = match state {
        TicketState::NotCreated => "never created",
        TicketState::Open => "open",
        TicketState::Over => "over",
        TicketState::Ended => "ended",
    };
    vec![
        format!("ticket {ticket_id}: {state}; {created}"),
        format!("as of {}, from {}", utc(*now_ms), explained.source),
    ]
}

fn events(events: &[EventStory]) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "events, in the order in which they count".to_owned(),
    ];
    let type_width = events
        .iter()
        .map(|event| event.event_type.name().len())
        .max()
        .unwrap_or(0);
    let id_width = events
        .iter()
        .map(|event| event.id.chars().count().min(40))
        .max()
        .unwrap_or(0);
    let at_width = events
        .iter()
        .map(|event| utc(event.at_ms).len())
        .max()
        .unwrap_or(0);
    for event in events {
        let line = format!(
            "  {:at_width$}  {:type_width$}  {:id_width$}  {}",
            utc(event.at_ms),
            event.event_type.name(),
            event.id,
            details(event)
        );
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn details(event: &EventStory) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(contact) = &event.contact_id {
        parts.push(format!("contact {contact}"));
    }
    parts.extend(event.changes.iter().map(words::change));
    let effect = match event.effect {
        EventEffect::Counts => None,
        EventEffect::BeforeCreated => Some("before created: sets attributes only"),
        EventEffect::ActsAsUpdated => Some("a further created: acts as updated"),
        EventEffect::NothingWaits => Some("no such contact waits"),
        EventEffect::CountsAfterEnd => Some("after the end: counted, moves no clock"),
        EventEffect::AfterEnd => Some("IGNORED: after the end"),
    };
    let mut text = parts.join(", ");
    if let Some(effect) = effect {
        text += &format!(" [{effect}]");
    }
    text.trim_start().to_owned()
}

fn left_out(explained: &Explained) -> Vec<String> {
    let dropped = &explained.explanation.dropped;
    if dropped.is_empty() && explained.dead_letters.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "left out".to_owned()];
    lines.extend(dropped.iter().map(|event| {
        format!(
            "  {}  {}  {}: {}",
            utc(event.at_ms),
            event.event_type.name(),
            event.id,
            why_dropped(event)
        )
    }));
    lines.extend(explained.dead_letters.iter().map(|letter| {
        format!(
            "  line {}, in which this id stands: dead letter, {}: {}",
            letter.line, letter.reason, letter.detail
        )
    }));
    lines
}

fn why_dropped(event: &DroppedEvent) -> String {
    match event.applied {
        Applied::Duplicate => "a copy of an event that counts".to_owned(),
        Applied::Conflicting => {
            "CONFLICT: an event of this id that says something else came first and counts"
                .to_owned()
        }
        Applied::Rejected(reason) => format!("dead letter: {reason}"),
        Applied::Counted => String::new(),
    }
}

fn cycle(explained: &Explained, cycle: &CycleStory) -> Vec<String> {
    let Explained {
        explanation, sets, ..
    } = explained;
    let contact = cycle.row.contact_id.as_ref();
    let contact = contact.map_or_else(String::new, |contact| format!(", contact {contact}"));
    let mut said = verdict(explanation, cycle, sets).into_iter();
    let mut lines = vec![format!(
        "{} {}{contact} {}",
        cycle.metric,
        cycle.row.cycle,
        said.next().unwrap_or_default()
    )];
    lines.extend(said.map(|sentence| format!("  {sentence}")));
    lines.push(format!("  {}", rules(explained, cycle)));
    lines.push(String::new());
    let table = table(explanation, cycle, sets);
    lines.extend(
        table
            .iter()
            .map(|line| format!("  {line}").trim_end().to_owned()),
    );
    lines
}

/// Under what the cycle was measured.
fn rules(explained: &Explained, cycle: &CycleStory) -> String {
    let Some(file) = &cycle.policy_file else {
        return "no policy set was in force when it started: no targets, no pauses, always open"
            .to_owned();
    };
    let row = &cycle.row;
    let from = row.policy_set_ms.map(format_instant).unwrap_or_default();
    let zone = calendar(&explained.sets, row.policy_set_ms, row.policy.as_deref());
    let policy = match (&row.policy, zone) {
        (None, _) => "no policy matches".to_owned(),
        (Some(name), None) => format!("policy {name}, always open"),
        (Some(name), Some(zone)) => {
            format!("policy {name}, in {} time", zone.time_zone())
        }
    };
    format!("policy set {file}, in force from {from}; {policy}")
}

fn short(cycle: &CycleStory) -> String {
    let row = &cycle.row;
    let contact = row.contact_id.as_ref();
    let contact = contact.map_or_else(String::new, |contact| format!(" (contact {contact})"));
    let elapsed_ms = cycle.segments.last().map_or(0, |last| last.elapsed_ms);
    let until = match row.stopped_at_ms {
        Some(stopped_ms) => format!("to {}", utc(stopped_ms)),
        None => "to now".to_owned(),
    };
    format!(
        "  {} {}{contact}: {}, from {} {until}, elapsed {}",
        cycle.metric,
        row.cycle,
        state_name(row.state()),
        utc(row.started_at_ms),
        length(elapsed_ms)
    )
}
