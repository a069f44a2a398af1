//! Alerts that templates are tried out with: one with everything, one of a ticket, and one with nothing that may be missing.

use slawatch_wire::v1::{AlertState, AlertTransition, Contribution, Evidence, WorstTicket};

use crate::config::DispatcherConfig;
use crate::delivery::IntentKey;
use crate::links::Links;

/// 2026-03-02 13:05 UTC.
const AT_MS: i64 = 1_772_456_700_000;

/// A queue that answers too late.
pub(crate) fn queue() -> AlertTransition {
    let evidence = [
        ("value", 0.625),
        ("numerator", 25.0),
        ("denominator", 40.0),
        ("min_samples", 30.0),
        ("bound", 0.757),
        ("enter", 0.7),
        ("exit", 0.8),
        ("window_ms", 1_800_000.0),
    ];
    let ticket = |id: &str, elapsed_ms| WorstTicket {
        ticket_id: id.to_owned(),
        metric: "answer".to_owned(),
        due_ms: Some(AT_MS - elapsed_ms + 20_000),
        elapsed_ms: Some(elapsed_ms),
        target_ms: Some(20_000),
    };
    let part = |value: &str, tickets| Contribution {
        attribute: "category".to_owned(),
        value: value.to_owned(),
        tickets,
    };
    AlertTransition {
        key: "service-level/acme/refunds".to_owned(),
        incident: "0123456789abcdef".to_owned(),
        rule: "service-level".to_owned(),
        kind: "threshold".to_owned(),
        severity: "critical".to_owned(),
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        at_ms: AT_MS,
        fired_at_ms: Some(AT_MS - 180_000),
        due_ms: AT_MS - 180_000,
        summary: "acme, queue refunds: service level 62.5 % over 30 min (target to leave: 80 %), 25 of 40 contacts in target"
            .to_owned(),
        reason: "below 70 % for 3 min".to_owned(),
        evidence: evidence
            .map(|(name, value)| Evidence { name: name.to_owned(), value })
            .to_vec(),
        labels: [("team".to_owned(), "vendor-operations".to_owned())].into(),
        runbook_url: "https://runbooks.example.com/service-level".to_owned(),
        revision: 3,
        worst_tickets: vec![ticket("C-1042", 310_000), ticket("C-1038", 245_000)],
        contributions: vec![part("refund <late>", 12), part("", 3)],
        timezone: "Europe/Berlin".to_owned(),
        ..AlertTransition::default()
    }
}

/// A ticket whose reply is late.
pub(crate) fn ticket() -> AlertTransition {
    AlertTransition {
        key: "urgent-breach/T-1001/first_reply/1".to_owned(),
        rule: "urgent-breach".to_owned(),
        kind: "ticket".to_owned(),
        ticket_id: "T-1001".to_owned(),
        due_ms: AT_MS,
        fired_at_ms: Some(AT_MS),
        summary: "T-1001 (acme, refunds): first reply not given within 15 min".to_owned(),
        reason: "first reply was due and has not been given".to_owned(),
        evidence: vec![Evidence {
            name: "target_ms".to_owned(),
            value: 900_000.0,
        }],
        worst_tickets: Vec::new(),
        contributions: Vec::new(),
        ..queue()
    }
}

/// What has nothing that an alert can be without.
pub(crate) fn bare() -> AlertTransition {
    AlertTransition {
        key: "quiet".to_owned(),
        rule: "quiet".to_owned(),
        severity: "warning".to_owned(),
        at_ms: AT_MS,
        summary: "nothing was heard".to_owned(),
        ..AlertTransition::default()
    }
}

/// Links to everything.
pub(crate) fn links() -> Links {
    let config = DispatcherConfig {
        board_url: Some("https://slawatch.example.com".to_owned()),
        ticket_url: Some("https://desk.example.com/tickets/{ticket_id}".to_owned()),
        link_secret: Some(crate::secret::SecretSource::Plain("sample".to_owned())),
        ..DispatcherConfig::default()
    };
    // Its one secret stands there.
    Links::new(&config).unwrap_or_default()
}

/// Each with what is told of it.
pub(crate) fn all() -> Vec<(AlertTransition, IntentKey, Links)> {
    let told = |alert: AlertTransition, state, links: Links| {
        let intent = IntentKey {
            incident: alert.incident.clone(),
            state,
            revision: alert.revision,
            ..IntentKey::default()
        };
        (alert, intent, links)
    };
    let author = "Maria Keller <maria@example.com>".to_owned();
    vec![
        told(queue(), AlertState::Firing, links()),
        told(ticket(), AlertState::Firing, links()),
        told(
            AlertTransition { author, ..queue() },
            AlertState::Acknowledged,
            links(),
        ),
        told(queue(), AlertState::Resolved, links()),
        told(bare(), AlertState::Retracted, Links::default()),
    ]
}
