//! Through a snapshot, under the same rules and others.

use super::builders::{ALONE, Flush, Story, breached, rules, service_level};
use crate::snapshot::{RestoreError, SCHEMA};
use crate::{Evaluator, RuleSet};
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
    assert_eq!(story.last().severity, "info");
    assert_eq!(story.tellings(), ["10:00:50 resolved sl/acme/refunds"]);
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
    let restore = |bytes: &[u8]| Evaluator::restore(Arc::clone(&rules), ALONE, bytes).map(drop);
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
            .contains("has schema 77, this version reads 1"),
        "{other}"
    );
}
