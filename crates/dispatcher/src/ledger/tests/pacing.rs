//! Groups, repetitions and the limit of an hour.

use super::*;
use AlertState::Acknowledged;

const MINUTE_MS: i64 = 60_000;

fn hook(extra: &str) -> Story {
    story_of(&format!(
        "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://x\"\n{extra}\n"
    ))
}

fn refunds() -> AlertTransition {
    about("r", "acme/refunds", "error")
}

#[test]
fn a_group_is_told_at_once_when_its_first_has_waited() {
    let mut story = hook("group_wait = \"30s\"");
    story.fires(&refunds()).decided().says(&[]);
    story
        .after(10_000)
        .fires(&about("s", "acme/sales", "error"))
        .decided();
    story
        .after(1000)
        .fires(&about("o", "other/sales", "error"))
        .decided()
        .says(&[]);
    story
        .after(19_000)
        .decided()
        .says(&["Intent hook Firing r r1", "Intent hook Firing s r1"]);
    story.acknowledged();
    let groups: Vec<_> = story
        .deliveries
        .iter()
        .map(|(_, delivery)| delivery.group.clone())
        .collect();
    assert_eq!(groups, [Some("acme".into()), Some("acme".into())]);
    story.answered(DeliveryEnd::Sent).silently();
    story
        .after(11_000)
        .decided()
        .says(&["Intent hook Firing o r1"]);
    // The next one of the group begins a wait of its own.
    story
        .fires(&about("n", "acme/news", "error"))
        .decided()
        .says(&[]);
    story
        .after(30_000)
        .decided()
        .records(&["Intent hook Firing n r1"]);
}

#[test]
fn what_is_over_within_the_wait_is_told_to_nobody() {
    let mut story = hook("group_wait = \"30s\"");
    story.fires(&refunds()).decided().after(10_000);
    story
        .changes(&refunds(), Resolved, 2)
        .decided()
        .says(&["Suppressed hook Firing r r1"]);
    assert_eq!(story.last_detail(), "it was over before it was told");
    story.after(HOUR_MS).decided().says(&[]);
}

#[test]
fn groups_are_as_configured() {
    for (by, same) in [
        ("vendor", [true, false]),
        ("vendor,queue", [false, false]),
        ("rule", [true, true]),
        ("none", [false, false]),
    ] {
        let mut story = hook(&format!("group_wait = \"30s\"\ngroup_by = \"{by}\""));
        story.fires(&refunds()).decided().after(20_000);
        story
            .fires(&about("s", "acme/sales", "error"))
            .fires(&about("o", "other/refunds", "error"))
            .decided();
        story.after(10_000).decided();
        let told = |name: &str| {
            story
                .said
                .contains(&format!("Intent hook Firing {name} r1"))
        };
        assert_eq!(
            [told("r"), told("s"), told("o")],
            [true, same[0], same[1]],
            "{by}"
        );
    }
}

#[test]
fn a_greater_alert_in_its_wait_quiets_already() {
    let mut story = hook("group_wait = \"30s\"\ngroup_by = \"vendor,queue\"");
    let vendor = about("v", "acme", "critical");
    story
        .fires(&vendor)
        .decided()
        .fires(&refunds())
        .decided()
        .says(&["Suppressed hook Firing r r1"]);
    // It is over before it was told: so the lesser is, when it has waited.
    story
        .after(1000)
        .changes(&vendor, Resolved, 2)
        .decided()
        .says(&["Suppressed hook Firing v r1"]);
    story
        .after(30_000)
        .decided()
        .says(&["Intent hook Firing r r1"]);
}

#[test]
fn a_new_owner_waits_no_longer_than_the_old_one_would_have() {
    let mut story = hook("group_wait = \"30s\"");
    story
        .fires(&refunds())
        .decided()
        .after(29_000)
        .taken_over()
        .says(&[]);
    story
        .after(1000)
        .decided()
        .says(&["Intent hook Firing r r1"]);
}

#[test]
fn what_still_fires_is_told_again_until_somebody_acknowledges() {
    let mut story = hook("repeat_interval = \"4h\"");
    story.fires(&refunds()).settled().silently();
    story.after(4 * HOUR_MS - 1).settled().records(&[]);
    story.taken_over().settled().records(&[]);
    story
        .after(1)
        .settled()
        .records(&["Intent hook Firing r r1"]);
    assert_eq!(story.log.last().unwrap().repeat, 1);
    story
        .after(4 * HOUR_MS)
        .settled()
        .records(&["Intent hook Firing r r1"]);
    assert_eq!(story.log.last().unwrap().repeat, 2);
    story
        .changes(&refunds(), Acknowledged, 2)
        .settled()
        .silently();
    story.after(20 * HOUR_MS).settled().records(&[]);
    story
        .changes(&refunds(), Firing, 3)
        .settled()
        .records(&["Intent hook Firing r r3"]);
    story
        .after(4 * HOUR_MS)
        .settled()
        .records(&["Intent hook Firing r r3"]);
    story.changes(&refunds(), Resolved, 4).settled().silently();
    story.after(20 * HOUR_MS).settled().records(&[]);
}

#[test]
fn nothing_is_told_again_under_a_greater_alert() {
    let mut story = hook("repeat_interval = \"4h\"");
    let vendor = about("v", "acme", "critical");
    story
        .fires(&refunds())
        .settled()
        .after(HOUR_MS)
        .fires(&vendor)
        .settled()
        .silently();
    story.after(3 * HOUR_MS).settled().records(&[]);
    story.changes(&vendor, Resolved, 2).settled();
    story.records(&["Intent hook Resolved v r2", "Intent hook Firing r r1"]);
}

fn queues(count: usize) -> Vec<AlertTransition> {
    let name = |number| format!("a{number}");
    (0..count)
        .map(|number| {
            let severity = if number == 3 { "critical" } else { "error" };
            about(&name(number), &format!("acme/q{number}"), severity)
        })
        .collect()
}

#[test]
fn beyond_the_limit_one_page_stands_for_all() {
    let mut story = hook("max_per_hour = 2");
    let alerts = queues(5);
    for alert in &alerts[..3] {
        story.fires(alert).after(1000).decided();
    }
    story.records(&[
        "Intent hook Firing a0 r1",
        "Intent hook Firing a1 r1",
        "Suppressed hook Firing a2 r1",
        "Intent hook Firing slawatch|limit|hook|0|36003000 r1",
    ]);
    assert_eq!(story.last_detail(), "over the limit of 2 an hour");
    let said = |story: &Story| {
        let (_, delivery) = story.deliveries.last().unwrap();
        (
            delivery.transition.summary.clone(),
            delivery.transition.reason.clone(),
            delivery.transition.severity.clone(),
        )
    };
    story.acknowledged();
    assert_eq!(
        said(&story),
        (
            "1 alert fires that was not told, over the limit of 2 an hour".to_owned(),
            "the worst: error \"slow\" of acme/q2 since 1970-01-01T10:00:02.000Z".to_owned(),
            "error".to_owned()
        )
    );
    story.settled().silently();
    // The next one comes 10 minutes later, and a new owner knows that.
    story
        .fires(&alerts[3])
        .after(1000)
        .fires(&alerts[4])
        .decided();
    story.records(&[
        "Suppressed hook Firing a3 r1",
        "Suppressed hook Firing a4 r1",
    ]);
    story.taken_over().settled().records(&[]);
    story.after(10 * MINUTE_MS - 1001).settled().records(&[]);
    story
        .after(1)
        .decided()
        .records(&["Intent hook Firing slawatch|limit|hook|0|36003000 r2"]);
    story.acknowledged();
    let (summary, reason, severity) = said(&story);
    assert_eq!(
        (summary.as_str(), severity.as_str()),
        (
            "3 alerts fire that were not told, over the limit of 2 an hour",
            "critical"
        )
    );
    assert!(
        reason.starts_with("the worst: critical \"slow\" of acme/q3 since"),
        "{reason}"
    );
    story.settled().silently();
    // Room comes as the first pages grow old: the worst first. With nothing kept back any more, the summary is over.
    story
        .after(50 * MINUTE_MS - 2000)
        .decided()
        .records(&["Intent hook Firing a3 r1"]);
    story
        .changes(&alerts[4], Resolved, 2)
        .settled()
        .records(&[]);
    story.after(1000).decided();
    story.records(&[
        "Intent hook Firing a2 r1",
        "Intent hook Resolved slawatch|limit|hook|0|36003000 r3",
    ]);
}

#[test]
fn ends_and_repetitions_are_no_pages_and_are_told_beyond_the_limit() {
    let mut story = hook("max_per_hour = 1\nrepeat_interval = \"10m\"");
    let alerts = queues(2);
    story.fires(&alerts[0]).settled().silently();
    story
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent hook Firing a0 r1"]);
    story
        .changes(&alerts[0], Acknowledged, 2)
        .settled()
        .records(&["Intent hook Acknowledged a0 r2"]);
    story
        .changes(&alerts[0], Firing, 3)
        .settled()
        .records(&["Intent hook Firing a0 r3"]);
    story
        .changes(&alerts[0], Resolved, 4)
        .settled()
        .records(&["Intent hook Resolved a0 r4"]);
    story.fires(&alerts[1]).decided();
    assert!(
        story
            .said
            .contains(&"Suppressed hook Firing a1 r1".to_owned())
    );
    // A new owner counts the same.
    story.settled().taken_over().silently();
    story.after(50 * MINUTE_MS - 1).settled().records(&[]);
    story.after(1).settled();
    assert!(story.said.contains(&"Intent hook Firing a1 r1".to_owned()));
}

#[test]
fn what_only_the_limit_keeps_back_escalates() {
    let mut story = story_of(
        "[[receiver]]\nname = \"oncall\"\ntype = \"webhook\"\nurl = \"http://x\"\nmax_per_hour = 1\n[[receiver]]\nname = \"lead\"\ntype = \"webhook\"\nurl = \"http://x\"\n[[escalation]]\nname = \"e\"\nsteps = [{ after = \"0s\", receivers = [\"oncall\"] }, { after = \"10m\", receivers = [\"lead\"] }]\n",
    );
    let alerts = queues(2);
    story
        .fires(&alerts[0])
        .fires(&alerts[1])
        .settled()
        .silently();
    story
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing a0 r1", "Intent lead Firing a1 r1"]);
}

#[test]
fn a_snapshot_holds_what_paces_and_quiets() {
    let mut story = hook("max_per_hour = 1\nrepeat_interval = \"10m\"");
    let mut silence = Action {
        action_id: "S-1".into(),
        queue: "sales".into(),
        until_ms: Some(story.now_ms + HOUR_MS),
        ..Action::default()
    };
    silence.set_kind(slawatch_wire::v1::ActionKind::Silence);
    story.acts(silence);
    for alert in queues(2) {
        story.fires(&alert);
    }
    story
        .fires(&about("s", "acme/sales", "info"))
        .settled()
        .after(MINUTE_MS);
    story.changes(&queues(1)[0], Acknowledged, 2).settled();
    let mut bytes = Vec::new();
    story.ledger.write_image(&mut bytes);
    let mut restored =
        Ledger::from_image(LedgerId(2), 0, Arc::clone(&story.directory), &bytes).unwrap();
    let mut again = Vec::new();
    restored.write_image(&mut again);
    assert_eq!(bytes, again);
    // Without the log of notifications it goes on all the same.
    let outputs = restored.resume(story.now_ms, 99);
    assert_eq!(outputs.records, []);
    let outputs = restored.decide(story.now_ms + 59 * MINUTE_MS, 100);
    let told: Vec<_> = outputs
        .records
        .iter()
        .map(|one| (one.state(), one.key.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (NotificationState::Intent, "a1"),
            (NotificationState::Suppressed, "s"),
            (NotificationState::Intent, "slawatch|limit|hook|0"),
        ]
    );
}
