//! Through a snapshot, under the same rules and others.

use super::builders::{ALONE, Flush, Story, at, breached, rules, service_level};
use crate::snapshot::{RestoreError, SCHEMA};
use crate::{Evaluator, RuleSet};
use slawatch_wire::v1::{AlertState, OutcomeRow};
use std::sync::Arc;

const TICKETS: &str = r#"[[rule]]
name = "urgent"
type = "ticket"
on = ["breached"]
severity = "error"
"#;

fn drowning(rules: &str) -> Story {
    let mut story = Story::under(rules);
    story.hear(
        Flush::at("10:00:30")
            .contacts("10:00", 20, 0)
            .outcome(breached("10:00:10")),
    );
    story.tellings();
    story
}

/// Case 26 of SEMANTICS 7.
#[test]
fn a_restart_between_alert_and_resolve_is_not_seen() {
    let text = service_level("");
    let mut story = drowning(&text);
    story.restart_under(&text);
    story.hear(Flush::at("10:00:40").contacts("10:00", 30, 10));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:00:50").contacts("10:00", 20, 18));
    assert_eq!(story.last().revision, 2);
    assert_eq!(story.tellings(), ["10:00:50 resolved sl/acme/refunds"]);
}

#[test]
fn changed_levels_take_over_the_alert() {
    let mut story = drowning(&service_level(""));
    story.restart_under(
        &service_level("")
            .replace("85%", "99%")
            .replace("critical", "info"),
    );
    story.hear(Flush::at("10:00:40").contacts("10:00", 100, 90));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:00:50").contacts("10:00", 100, 99));
    assert_eq!(story.tellings(), ["10:00:50 resolved sl/acme/refunds"]);
}

/// To an Alertmanager other labels are another alert: what ends must be what fired.
#[test]
fn an_end_carries_what_the_alert_fired_with() {
    let with = |severity: &str, team: &str| {
        let threshold = service_level(&format!("labels = {{ team = \"{team}\" }}"));
        let tickets = format!("{TICKETS}labels = {{ team = \"{team}\" }}\n");
        format!("{threshold}{tickets}")
            .replace("\"critical\"", &format!("\"{severity}\""))
            .replace("\"error\"", &format!("\"{severity}\""))
    };
    let mut story = drowning(&with("critical", "ops"));
    story.restart_under(&with("info", "day"));
    // Once more, so that it went through a snapshot too.
    story.restart_under(&with("warning", "night"));
    let reply = OutcomeRow {
        stopped_at_ms: Some(at("10:00:45")),
        ..breached("10:00:10")
    };
    story.hear(
        Flush::at("10:00:50")
            .contacts("10:00", 100, 99)
            .outcome(reply),
    );
    story.hear(
        Flush::at("10:01")
            .contacts("10:00", 200, 99)
            .outcome(OutcomeRow {
                ticket_id: "T2".to_owned(),
                ..breached("10:00:55")
            }),
    );
    let told: Vec<(AlertState, &str, &str)> = story
        .told
        .iter()
        .map(|told| {
            (
                told.state(),
                told.severity.as_str(),
                told.labels["team"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (AlertState::Resolved, "critical", "ops"),
            (AlertState::Resolved, "critical", "ops"),
            (AlertState::Firing, "warning", "night"),
            (AlertState::Firing, "warning", "night"),
        ]
    );
}

/// The process ends without a snapshot of what it told last, and comes back under other rules.
#[test]
fn what_fired_after_the_snapshot_ends_although_its_rule_is_gone() {
    let before = service_level("");
    let mut story = Story::under(&before);
    story.hear(Flush::at("10:00:10"));
    let snapshot = story.snapshot();
    let drowns = Flush::at("10:00:30").contacts("10:00", 20, 0);
    story.hear(drowns.clone());
    assert_eq!(story.tellings(), ["10:00:30 firing sl/acme/refunds"]);
    story.restore(&snapshot);
    story.hear(drowns);
    story.take_rules(TICKETS, 2);
    assert_eq!(
        story.tellings(),
        [
            "10:00:30 firing sl/acme/refunds",
            "10:00:30 expired sl/acme/refunds"
        ]
    );
}

#[test]
fn rules_of_an_owner_that_was_replaced_change_nothing() {
    let mut story = drowning(&service_level(""));
    story.take_rules(&service_level("runbook_url = \"https://r\""), 5);
    story.restart();
    story.take_rules(TICKETS, 4);
    assert_eq!(story.tellings(), Vec::<String>::new());
    assert_eq!(story.evaluator.rules().len(), 1);
    story.take_rules("what is this", 6);
    assert_eq!(story.evaluator.stats().unreadable_rules, 1);
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.take_rules(TICKETS, 6);
    assert_eq!(story.tellings(), ["10:00:30 expired sl/acme/refunds"]);
}

#[test]
fn alerts_of_a_rule_that_is_gone_expire() {
    let before = format!("{}{TICKETS}", service_level("labels = { team = \"ops\" }"));
    for (case, after) in [
        (
            "another name",
            service_level("").replace("\"sl\"", "\"level\""),
        ),
        (
            "another measure",
            service_level("formula = \"answered_only\""),
        ),
        (
            "another grouping",
            service_level("").replace(", \"queue\"]", "]"),
        ),
        (
            "another vendor",
            service_level("match = { vendor = [\"globex\"] }"),
        ),
    ] {
        let mut story = drowning(&before);
        story.restart_under(&after);
        story.restart_under(&after);
        story.hear(Flush::at("10:00:30"));
        let told = &story.told[0];
        assert_eq!(
            (told.severity.as_str(), told.labels["team"].as_str()),
            ("critical", "ops")
        );
        assert_eq!(told.reason, "the rule was removed or changed");
        let tellings = story.tellings();
        assert_eq!(
            tellings[..2],
            [
                "10:00:30 expired sl/acme/refunds",
                "10:00:30 expired urgent/acme/refunds/T1"
            ],
            "{case}"
        );
        story.hear(Flush::at("10:00:40"));
        let again = story.tellings();
        assert!(
            again.iter().all(|telling| !telling.contains("expired")),
            "{case}: {again:?}"
        );
    }
}

#[test]
fn a_longer_window_waits_until_it_is_full() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 20));
    story.hear(Flush::at("10:10:30"));
    story.restart_under(&service_level("").replace("\"5m\"", "\"10m\""));
    // Panes from 10:06 on were kept: ten of them are there from 10:15 on.
    story.hear(Flush::at("10:12:30").contacts("10:12", 20, 0));
    story.hear(Flush::at("10:14:59"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:15"));
    assert_eq!(story.tellings(), ["10:15 firing sl/acme/refunds"]);
}

#[test]
fn bytes_that_are_no_state_are_refused() {
    let story = drowning(&service_level(""));
    let mut bytes = Vec::new();
    story.evaluator.snapshot(&mut bytes);
    let rules: Arc<RuleSet> = rules(&service_level(""));
    let restore = |bytes: &[u8]| Evaluator::restore(&rules, ALONE, bytes).map(drop);
    assert_eq!(restore(&bytes), Ok(()));
    let cut = restore(&bytes[..bytes.len() - 1]).expect_err("a cut state");
    assert!(matches!(cut, RestoreError::Damaged(_)), "{cut}");
    assert!(
        cut.to_string().ends_with("use an earlier snapshot"),
        "{cut}"
    );
    // The schema is the first field.
    assert_eq!(bytes[..2], [8, SCHEMA as u8]);
    bytes[1] = 77;
    let other = restore(&bytes).expect_err("another schema");
    assert_eq!(other, RestoreError::Schema { found: 77 });
    assert!(
        other
            .to_string()
            .contains("has schema 77, this version reads 2"),
        "{other}"
    );
}
