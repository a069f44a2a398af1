//! What a template can use: every field of the alert, its instants as such, and links.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use slawatch_wire::v1::{AlertState, AlertTransition};

use super::moment::{Moment, zone};
use super::{TEST_LABEL, Telling, words};
use crate::delivery::{is_over, state_word};

/// Whether it is a trial.
pub(crate) fn is_test(alert: &AlertTransition) -> bool {
    alert.labels.contains_key(TEST_LABEL)
}

/// What stands first: how bad it is while it fires, and otherwise what became of it.
fn label(alert: &AlertTransition, state: AlertState) -> String {
    match state {
        AlertState::Firing if !alert.severity.is_empty() => alert.severity.to_uppercase(),
        AlertState::Firing
        | AlertState::Pending
        | AlertState::Acknowledged
        | AlertState::Resolved
        | AlertState::Retracted
        | AlertState::Expired
        | AlertState::Unspecified => state_word(state).to_uppercase(),
    }
}

/// For a label's background.
fn color(alert: &AlertTransition, state: AlertState) -> &'static str {
    match state {
        AlertState::Firing | AlertState::Pending => match alert.severity.as_str() {
            "critical" => "#b3261e",
            "error" => "#c4501b",
            "warning" => "#8f6a00",
            _ => "#2f5f9e",
        },
        AlertState::Acknowledged => "#2f5f9e",
        AlertState::Resolved => "#2e7d32",
        AlertState::Retracted | AlertState::Expired | AlertState::Unspecified => "#5f6b7a",
    }
}

pub(super) fn of(telling: Telling<'_>) -> Value {
    let Telling { alert, intent, .. } = telling;
    let state = intent.state;
    let zone = zone(&alert.timezone);
    let moment = |instant_ms: i64| Moment::value(instant_ms, &zone);
    let lasted_ms = alert
        .fired_at_ms
        .filter(|_| is_over(state))
        .map(|fired_at_ms| alert.at_ms.saturating_sub(fired_at_ms));
    let labels: BTreeMap<String, String> = alert
        .labels
        .iter()
        .filter(|(name, _)| *name != TEST_LABEL)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    context! {
        state => state_word(state),
        label => label(alert, state),
        color => color(alert, state),
        is_over => is_over(state),
        test => is_test(alert),
        key => alert.key.as_str(),
        incident => intent.incident.as_str(),
        revision => intent.revision,
        rule => alert.rule.as_str(),
        kind => alert.kind.as_str(),
        severity => alert.severity.as_str(),
        vendor => alert.vendor.as_str(),
        queue => alert.queue.as_str(),
        ticket_id => alert.ticket_id.as_str(),
        at => moment(alert.at_ms),
        fired_at => alert.fired_at_ms.map(moment),
        due_at => moment(alert.due_ms),
        lasted_ms => lasted_ms,
        summary => alert.summary.as_str(),
        reason => alert.reason.as_str(),
        author => alert.author.as_str(),
        timezone => alert.timezone.as_str(),
        evidence => evidence(alert),
        evidence_words => words::evidence(alert),
        labels => Value::from(labels),
        worst_tickets => worst_tickets(telling, &moment),
        contributions => contributions(alert),
        runbook_url => alert.runbook_url.as_str(),
        links => links(telling),
    }
}

fn evidence(alert: &AlertTransition) -> Vec<Value> {
    let entries = alert.evidence.iter();
    entries
        .map(|entry| context! { name => entry.name.as_str(), value => entry.value })
        .collect()
}

fn worst_tickets(telling: Telling<'_>, moment: &impl Fn(i64) -> Value) -> Vec<Value> {
    let tickets = telling.alert.worst_tickets.iter();
    tickets
        .map(|ticket| {
            context! {
                ticket_id => ticket.ticket_id.as_str(),
                metric => ticket.metric.as_str(),
                due_at => ticket.due_ms.map(moment),
                elapsed_ms => ticket.elapsed_ms,
                target_ms => ticket.target_ms,
                url => telling.links.ticket(&ticket.ticket_id),
                words => words::ticket(ticket, telling.alert.at_ms),
            }
        })
        .collect()
}

fn contributions(alert: &AlertTransition) -> Vec<Value> {
    let parts = alert.contributions.iter();
    parts
        .map(|part| {
            context! { attribute => part.attribute.as_str(), value => part.value.as_str(), tickets => part.tickets }
        })
        .collect()
}

fn links(telling: Telling<'_>) -> Value {
    let Telling {
        alert,
        intent,
        links,
        now_ms,
    } = telling;
    let of = links.of(alert, &intent.incident, intent.state, now_ms);
    // A ticket's own link stands where its id does.
    let named = of.named().into_iter().filter(|(name, _)| *name != "Ticket");
    let named: Vec<Value> = named
        .map(|(name, url)| Value::from(vec![name.to_owned(), url.to_owned()]))
        .collect();
    context! {
        ticket => of.ticket,
        board => of.board,
        runbook => of.runbook,
        acknowledge => of.acknowledge,
        named => named,
    }
}
