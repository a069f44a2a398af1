//! What counts of an alert, and in which order alerts are shown.

use super::*;

fn told(key: &str, state: AlertState, at_ms: i64, revision: u64) -> AlertTransition {
    AlertTransition {
        key: key.to_owned(),
        incident: format!("{key}-1"),
        severity: "critical".to_owned(),
        state: state.into(),
        at_ms,
        fired_at_ms: Some(at_ms),
        revision,
        ..AlertTransition::default()
    }
}

fn keys(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.key.as_str()).collect()
}

#[test]
fn the_newest_transition_of_a_key_counts() {
    use AlertState::{Firing, Resolved};
    let mut book = AlertBook::new(10);
    // (state, version, revision) and whether it fires afterwards.
    for (state, version, revision, fires) in [
        (Firing, 7, 1, true),
        (Resolved, 6, 9, true),
        (Resolved, 7, 2, false),
        (Firing, 7, 1, false),
        (Firing, 1 << 40, 3, true),
    ] {
        book.put(told("k", state, 0, revision), version);
        assert_eq!(
            !book.firing().is_empty(),
            fires,
            "{state:?} {version} {revision}"
        );
    }
}

#[test]
fn who_sees_to_an_alert_is_told_until_it_gets_worse() {
    use AlertState::{Acknowledged, Firing};
    let mut book = AlertBook::new(10);
    // Read in any order.
    for (state, at_ms, version) in [(Acknowledged, 2_000, 2), (Firing, 1_000, 1)] {
        let mut transition = told("k", state, at_ms, version);
        if state == Acknowledged {
            transition.author = "ana".to_owned();
            transition.reason = "on it".to_owned();
        }
        book.put(transition, version);
    }
    let [alert] = &book.firing()[..] else {
        panic!("{book:?}")
    };
    let expected = super::Acknowledged {
        by: "ana".to_owned(),
        at_ms: 2_000,
        reason: "on it".to_owned(),
    };
    assert_eq!(alert.acknowledged, Some(expected));
    assert_eq!(alert.state, Phase::Acknowledged);
    let steps: Vec<_> = alert.history.iter().map(|step| step.at_ms).collect();
    assert_eq!(steps, [2_000, 1_000]);
    book.put(told("k", Firing, 3_000, 3), 3);
    assert_eq!(book.firing()[0].acknowledged, None);
    for revision in 4..40 {
        book.put(told("k", Firing, 0, revision), revision);
    }
    assert_eq!(book.firing()[0].history.len(), STEPS);
}

#[test]
fn what_fires_is_sorted_by_how_much_it_matters() {
    let mut book = AlertBook::new(10);
    for (key, severity, ticket, at_ms) in [
        ("old", "critical", "", 1),
        ("ticket", "critical", "T-1", 9),
        ("info", "info", "", 5),
        ("new", "critical", "", 2),
        ("other word", "sev2", "", 3),
        ("error", "error", "", 3),
    ] {
        let mut transition = told(key, AlertState::Firing, at_ms, 1);
        transition.severity = severity.to_owned();
        transition.ticket_id = ticket.to_owned();
        book.put(transition, 1);
    }
    let expected = ["new", "old", "error", "other word", "info", "ticket"];
    assert_eq!(keys(&book.firing()), expected);
}

#[test]
fn ended_alerts_are_shown_for_an_hour_and_withdrawn_ones_not_at_all() {
    let mut book = AlertBook::new(10);
    book.put(told("resolved", AlertState::Resolved, 1_000, 2), 1);
    book.put(told("retracted", AlertState::Retracted, 2_000, 2), 1);
    let mut withdrawn = told("withdrawn", AlertState::Resolved, 3_000, 2);
    withdrawn.incident.clear();
    book.put(withdrawn, 1);
    book.advance(5_000);
    assert_eq!(keys(&book.ended()), ["retracted", "resolved"]);
    book.advance(2_000 + SHOWN_AFTER_END_MS);
    assert_eq!(keys(&book.ended()), ["retracted"]);
}

#[test]
fn only_so_many_are_kept() {
    let mut book = AlertBook::new(1);
    book.put(told("one", AlertState::Firing, 0, 1), 1);
    book.put(told("two", AlertState::Firing, 0, 1), 1);
    book.put(told("one", AlertState::Pending, 0, 2), 2);
    assert_eq!(book.refused(), 1);
    assert_eq!(keys(&book.pending()), ["one"]);
}
