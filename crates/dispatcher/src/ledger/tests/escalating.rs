//! Who is told when nobody sees to an alert.

use slawatch_wire::v1::{Action, ActionKind};

use super::*;
use AlertState::Acknowledged;

const MINUTE_MS: i64 = 60_000;
const STEPS: &str = r#"
    [[receiver]]
    name = "oncall"
    type = "webhook"
    url = "http://x"
    [[receiver]]
    name = "lead"
    type = "webhook"
    url = "http://x"
    [[receiver]]
    name = "am"
    type = "alertmanager"
    url = "http://x"
    [[escalation]]
    name = "people"
    steps = [{ after = "0s", receivers = ["oncall"] }, { after = "10m", receivers = ["lead"] }]
"#;

fn alert() -> AlertTransition {
    about("q", "acme/refunds", "critical")
}

#[test]
fn steps_are_taken_until_somebody_acknowledges() {
    let mut story = story_of(STEPS);
    story
        .fires(&alert())
        .settled()
        .records(&["Intent oncall Firing q r1", "Intent am Firing q r1"]);
    story.after(10 * MINUTE_MS - 1).settled().records(&[]);
    story
        .after(1)
        .settled()
        .records(&["Intent lead Firing q r1"]);
    let steps: Vec<u32> = story
        .log
        .iter()
        .filter(|one| one.state() == NotificationState::Sent)
        .map(|one| one.step)
        .collect();
    assert_eq!(steps, [1, 0, 2]);
    // Whoever was told hears who sees to it, where that can be shown, and the end.
    story
        .changes(&alert(), Acknowledged, 2)
        .settled()
        .records(&[
            "Intent oncall Acknowledged q r2",
            "Intent lead Acknowledged q r2",
        ]);
    story.changes(&alert(), Resolved, 3).settled().records(&[
        "Intent oncall Resolved q r3",
        "Intent lead Resolved q r3",
        "Intent am Resolved q r3",
    ]);
}

#[test]
fn an_acknowledgement_stops_the_steps_and_getting_worse_begins_them_anew() {
    let mut story = story_of(STEPS);
    story
        .fires(&alert())
        .settled()
        .after(5 * MINUTE_MS)
        .silently();
    story
        .changes(&alert(), Acknowledged, 2)
        .settled()
        .records(&["Intent oncall Acknowledged q r2"]);
    story.after(60 * MINUTE_MS).settled().records(&[]);
    story
        .changes(&alert(), Firing, 3)
        .settled()
        .records(&["Intent oncall Firing q r3"]);
    story.after(10 * MINUTE_MS - 1).settled().records(&[]);
    story.taken_over().settled().records(&[]);
    story
        .after(1)
        .settled()
        .records(&["Intent lead Firing q r3"]);
    // And once more.
    story
        .changes(&alert(), Acknowledged, 4)
        .settled()
        .records(&[
            "Intent oncall Acknowledged q r4",
            "Intent lead Acknowledged q r4",
        ]);
    story
        .changes(&alert(), Firing, 5)
        .settled()
        .records(&["Intent oncall Firing q r5"]);
    story
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing q r5"]);
}

#[test]
fn getting_worse_is_a_page_also_where_acknowledgements_cannot_be_shown() {
    let mut story = story_of(
        "[[receiver]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"http://x\"\n[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://x\"\n",
    );
    story.fires(&alert()).settled().silently();
    // Both between two decisions.
    story
        .changes(&alert(), Acknowledged, 2)
        .changes(&alert(), Firing, 3)
        .decided();
    story.says(&["Intent hook Firing q r3", "refresh am Firing q r1"]);
}

#[test]
fn after_an_outage_steps_count_from_when_somebody_was_told() {
    let mut story = story_of(STEPS);
    story
        .fires(&alert())
        .after(3 * HOUR_MS)
        .taken_over()
        .settled();
    story.records(&["Intent oncall Firing q r1", "Intent am Firing q r1"]);
    story
        .after(10 * MINUTE_MS - 1)
        .taken_over()
        .settled()
        .records(&[]);
    story
        .after(1)
        .taken_over()
        .settled()
        .records(&["Intent lead Firing q r1"]);
}

#[test]
fn a_receiver_that_is_down_stops_no_step() {
    let mut story = story_of(STEPS);
    story.fires(&alert()).decided().acknowledged().silently();
    story.deliveries.clear();
    story
        .after(10 * MINUTE_MS)
        .decided()
        .records(&["Intent lead Firing q r1"]);
    let mut refused = story_of(STEPS);
    refused
        .fires(&alert())
        .decided()
        .acknowledged()
        .answered(DeliveryEnd::Rejected);
    refused
        .silently()
        .after(10 * MINUTE_MS)
        .decided()
        .records(&["Intent lead Firing q r1"]);
}

#[test]
fn what_is_quieted_or_stale_does_not_escalate() {
    let mut story = story_of(STEPS);
    let mut silence = Action {
        action_id: "S-1".into(),
        at_ms: story.now_ms,
        until_ms: Some(story.now_ms + HOUR_MS),
        ..Action::default()
    };
    silence.set_kind(ActionKind::Silence);
    story.acts(silence);
    story
        .fires(&alert())
        .settled()
        .records(&["Suppressed oncall Firing q r1", "Suppressed am Firing q r1"]);
    story
        .after(30 * MINUTE_MS)
        .taken_over()
        .settled()
        .records(&[]);
    story
        .after(30 * MINUTE_MS)
        .settled()
        .records(&["Intent oncall Firing q r1", "Intent am Firing q r1"]);
    story
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing q r1"]);

    let mut stale = story_of(STEPS);
    let ticket = about("t", "acme/refunds/T1", "critical");
    stale.fires(&ticket).after(2 * HOUR_MS).settled();
    stale.records(&["Suppressed oncall Firing t r1", "Suppressed am Firing t r1"]);
    stale.after(HOUR_MS).settled().records(&[]);
    stale
        .changes(&ticket, Resolved, 2)
        .settled()
        .records(&["Suppressed lead Firing t r1"]);
    assert_eq!(
        stale.last_detail(),
        "it was over before step 2 of the escalation \"people\" was due"
    );
}

#[test]
fn a_verdict_told_in_time_escalates_however_late_its_step() {
    let late = STEPS.replace("10m", "90m");
    let mut story = story_of(&late);
    story
        .fires(&about("t", "acme/refunds/T1", "critical"))
        .settled()
        .silently();
    story
        .after(90 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing t r1"]);
}

#[test]
fn only_matching_alerts_go_by_steps_and_only_receivers_that_want_them() {
    let some = STEPS.replace(
        "name = \"people\"",
        "name = \"people\"\nmatch = { severity = [\"critical\"] }",
    );
    let mut direct = story_of(&some);
    direct.fires(&about("q", "acme/refunds", "info")).decided();
    direct.records(&[
        "Intent oncall Firing q r1",
        "Intent lead Firing q r1",
        "Intent am Firing q r1",
    ]);
    // Nobody hears of it by the step before, so the later one has its own time.
    let choosy = STEPS.replacen(
        "url = \"http://x\"",
        "url = \"http://x\"\nmatch = { queue = [\"sales\"] }",
        1,
    );
    let mut later = story_of(&choosy);
    later
        .fires(&alert())
        .settled()
        .records(&["Intent am Firing q r1"]);
    later
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing q r1"]);
}

#[test]
fn steps_begin_anew_where_that_is_wanted() {
    let rounds = STEPS.replace("name = \"people\"", "name = \"people\"\nrepeat = \"20m\"");
    let mut story = story_of(&rounds);
    story
        .fires(&alert())
        .settled()
        .after(10 * MINUTE_MS)
        .settled()
        .silently();
    story.after(20 * MINUTE_MS - 1).settled().records(&[]);
    story
        .after(1)
        .settled()
        .records(&["Intent oncall Firing q r1"]);
    assert_eq!(
        (
            story.log.last().unwrap().repeat,
            story.log.last().unwrap().step
        ),
        (1, 1)
    );
    story.taken_over().settled().records(&[]);
    story
        .after(10 * MINUTE_MS)
        .settled()
        .records(&["Intent lead Firing q r1"]);
    // After an outage once, not for each round.
    story.after(95 * MINUTE_MS).taken_over().settled();
    story.records(&["Intent oncall Firing q r1", "Intent lead Firing q r1"]);
    story.settled().records(&[]);
    story
        .changes(&alert(), Acknowledged, 2)
        .settled()
        .silently();
    story.after(HOUR_MS).settled().records(&[]);
}

#[test]
fn a_receiver_in_several_steps_is_told_at_each() {
    let twice = STEPS.replace(
        "[\"lead\"] }]",
        "[\"lead\"] }, { after = \"15m\", receivers = [\"oncall\"] }]",
    );
    let mut story = story_of(&twice);
    story
        .fires(&alert())
        .settled()
        .after(10 * MINUTE_MS)
        .settled()
        .silently();
    story
        .after(5 * MINUTE_MS)
        .settled()
        .records(&["Intent oncall Firing q r1"]);
    assert_eq!(story.log.last().unwrap().step, 3);
    story.after(HOUR_MS).settled().records(&[]);
}

#[test]
fn what_was_acknowledged_before_its_step_is_told_by_none() {
    let mut story = story_of(STEPS);
    story
        .fires(&alert())
        .changes(&alert(), Acknowledged, 2)
        .settled();
    story.records(&["Intent am Firing q r2"]);
    story.after(HOUR_MS).settled().records(&[]);
    // To a receiver without steps it is told as what it is.
    let mut plain =
        story_of("[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://x\"\n");
    plain
        .fires(&alert())
        .changes(&alert(), Acknowledged, 2)
        .settled();
    plain.records(&["Intent hook Acknowledged q r2"]);
}
