//! Greater alerts, silences and maintenance windows keep alerts from receivers, for as long as they last.

use slawatch_wire::v1::{Action, ActionKind};

use super::*;
use AlertState::Acknowledged;

const HOOK: &str = "[[receiver]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://hook\"\n";

fn silence(id: &str, queue: &str, at_ms: i64, until_ms: i64) -> Action {
    let mut action = Action {
        action_id: id.into(),
        at_ms,
        until_ms: Some(until_ms),
        author: "maria".into(),
        reason: "they move house".into(),
        queue: queue.into(),
        ..Action::default()
    };
    action.set_kind(ActionKind::Silence);
    action
}

fn expire(id: &str, at_ms: i64) -> Action {
    let mut action = Action {
        action_id: format!("{id}-ends"),
        silence_id: id.into(),
        at_ms,
        ..Action::default()
    };
    action.set_kind(ActionKind::ExpireSilence);
    action
}

#[test]
fn a_greater_alert_tells_of_the_lesser_ones_until_it_is_over() {
    let vendor = about("v", "acme", "critical");
    let queue = about("q", "acme/refunds", "error");
    let mut story = story_of(HOOK);
    story.fires(&vendor).settled().silently();
    story
        .fires(&queue)
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
    let record = story.log.last().unwrap();
    assert_eq!(
        record.detail,
        "inhibited by v: the critical alert \"slow\" of acme tells of it"
    );
    assert_eq!(
        (record.suppression(), record.cause.as_str()),
        (Suppression::Inhibited, "v")
    );
    // Newer evidence and a new owner change nothing.
    story.changes(&queue, Firing, 2).decided().says(&[]);
    story.taken_over().says(&["keep hook Firing v r1"]);
    story
        .changes(&vendor, Resolved, 2)
        .decided()
        .says(&["Intent hook Resolved v r2", "Intent hook Firing q r2"]);
}

#[test]
fn who_quiets_whom() {
    for (by, severity, place, lesser, quiet) in [
        ("acme", "critical", "acme/refunds", "critical", true),
        ("acme", "warning", "acme/refunds", "info", true),
        ("acme", "warning", "acme/refunds", "error", false),
        ("acme", "critical", "other/refunds", "info", false),
        ("acme/refunds", "error", "acme/refunds/T1", "error", true),
        (
            "acme/refunds",
            "error",
            "acme/refunds/T1",
            "critical",
            false,
        ),
        ("acme/refunds", "error", "acme/sales/T1", "info", false),
        ("acme/refunds", "error", "acme/refunds", "info", false),
        ("acme", "critical", "acme/refunds/T1", "info", false),
        (
            "acme/refunds/T1",
            "critical",
            "acme/refunds/T1",
            "info",
            false,
        ),
    ] {
        let (by, lesser) = (about("by", by, severity), about("lesser", place, lesser));
        let expected = if quiet {
            "Suppressed hook Firing lesser r1"
        } else {
            "Intent hook Firing lesser r1"
        };
        let mut told_before = story_of(HOOK);
        told_before.fires(&by).settled().silently();
        told_before.fires(&lesser).decided().says(&[expected]);
        // In one batch, the lesser first.
        let mut at_once = story_of(HOOK);
        at_once.fires(&lesser).fires(&by).decided();
        assert!(
            at_once.said.contains(&expected.to_owned()),
            "{by:?} {lesser:?}"
        );
        // What was told is not taken back.
        let mut too_late = story_of(HOOK);
        too_late
            .fires(&lesser)
            .settled()
            .fires(&by)
            .settled()
            .silently();
        too_late
            .changes(&lesser, Firing, 2)
            .decided()
            .says(&["refresh hook Firing lesser r1"]);
        let mut off = story_of(&format!("inhibit = false\n{HOOK}"));
        off.fires(&by).settled().silently();
        off.fires(&lesser)
            .decided()
            .says(&["Intent hook Firing lesser r1"]);
    }
}

#[test]
fn an_alert_that_the_receiver_does_not_hear_hides_nothing() {
    let (vendor, queue) = (
        about("v", "acme", "critical"),
        about("q", "acme/refunds", "info"),
    );
    let mut unwanted = story_of(&format!("{HOOK}match = {{ queue = [\"?*\", \"r*\"] }}"));
    unwanted
        .fires(&vendor)
        .fires(&queue)
        .decided()
        .says(&["Intent hook Firing q r1"]);
    let mut refused = story_of(HOOK);
    refused
        .fires(&vendor)
        .decided()
        .acknowledged()
        .answered(DeliveryEnd::Rejected);
    refused
        .fires(&queue)
        .silently()
        .decided()
        .says(&["Intent hook Firing q r1"]);
    // It quieted, and then the receiver refused it.
    let mut late = story_of(HOOK);
    late.fires(&vendor).fires(&queue).decided().acknowledged();
    late.answered(DeliveryEnd::Rejected).silently();
    late.decided().says(&["Intent hook Firing q r1"]);
    // Somebody sees to it: it still tells.
    let mut seen_to = story_of(HOOK);
    seen_to
        .fires(&vendor)
        .settled()
        .changes(&vendor, Acknowledged, 2)
        .settled()
        .silently();
    seen_to
        .fires(&queue)
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
}

#[test]
fn a_quieted_queue_alert_still_quiets_its_tickets() {
    let vendor = about("v", "acme", "critical");
    let queue = about("q", "acme/refunds", "critical");
    let ticket = about("t", "acme/refunds/T1", "critical");
    let mut story = story_of(HOOK);
    story
        .fires(&ticket)
        .fires(&queue)
        .fires(&vendor)
        .decided()
        .says(&[
            "Intent hook Firing v r1",
            "Suppressed hook Firing q r1",
            "Suppressed hook Firing t r1",
        ]);
    story.acknowledged().answered(DeliveryEnd::Sent).silently();
    story
        .changes(&vendor, Resolved, 2)
        .decided()
        .says(&["Intent hook Resolved v r2", "Intent hook Firing q r1"]);
    story.settled().silently();
    story
        .changes(&queue, Resolved, 2)
        .decided()
        .says(&["Intent hook Resolved q r2", "Intent hook Firing t r1"]);
}

#[test]
fn a_silence_is_recorded_and_over_in_time() {
    let refunds = about("q", "acme/refunds", "critical");
    let sales = about("s", "acme/sales", "critical");
    let mut story = story_of(HOOK);
    let until_ms = story.now_ms + HOUR_MS;
    let now_ms = story.now_ms;
    story.acts(silence("S-1", "re*", now_ms, until_ms));
    story
        .fires(&refunds)
        .fires(&sales)
        .decided()
        .says(&["Suppressed hook Firing q r1", "Intent hook Firing s r1"]);
    assert_eq!(
        story.last_detail(),
        "silenced by maria until 1970-01-01T11:00:00.000Z: they move house (silence S-1)"
    );
    story
        .settled()
        .silently()
        .after(HOUR_MS - 1)
        .decided()
        .says(&[]);
    story.taken_over().says(&["keep hook Firing s r1"]);
    assert!(!story.ledger.is_due(story.now_ms));
    story.after(1);
    assert!(story.ledger.is_due(story.now_ms));
    story.decided().says(&["Intent hook Firing q r1"]);
    story
        .settled()
        .silently()
        .changes(&refunds, Resolved, 2)
        .decided()
        .says(&["Intent hook Resolved q r2"]);
}

#[test]
fn a_silence_may_end_early_and_stays_ended() {
    let refunds = about("q", "acme/refunds", "critical");
    let mut story = story_of(HOOK);
    let (now_ms, until_ms) = (story.now_ms, story.now_ms + HOUR_MS);
    story.acts(silence("S-1", "", now_ms, until_ms));
    story.fires(&refunds).decided().silently().after(1000);
    let now_ms = story.now_ms;
    story.acts(expire("S-1", now_ms));
    story.acts(silence("S-1", "", now_ms, until_ms));
    story.decided().says(&["Intent hook Firing q r1"]);
    // Forgotten when it would have ended.
    assert_eq!(story.ledger.silences.0.len(), 1);
    story.after(HOUR_MS).decided();
    assert_eq!(story.ledger.silences.0.len(), 0);
}

#[test]
fn a_silence_takes_nothing_back_and_keeps_no_end() {
    let refunds = about("q", "acme/refunds", "critical");
    let mut story = story_of(HOOK);
    let now_ms = story.now_ms;
    story.fires(&refunds).settled().silently();
    story.acts(silence("S-1", "", now_ms, now_ms + HOUR_MS));
    story
        .changes(&refunds, Acknowledged, 2)
        .decided()
        .says(&["Intent hook Acknowledged q r2"]);
    story
        .settled()
        .silently()
        .changes(&refunds, Resolved, 3)
        .decided()
        .says(&["Intent hook Resolved q r3"]);
}

#[test]
fn a_silence_begins_when_it_says_and_what_has_no_end_is_none() {
    let mut story = story_of(HOOK);
    let now_ms = story.now_ms;
    let mut later = silence("S-1", "", now_ms, now_ms + HOUR_MS);
    later.starts_ms = Some(now_ms + 1000);
    story.acts(later);
    story
        .fires(&about("q", "acme/refunds", "info"))
        .decided()
        .says(&["Intent hook Firing q r1"]);
    let mut endless = silence("S-2", "", now_ms, 0);
    endless.until_ms = None;
    assert_eq!(story.acts(endless).unusable, 1);
    story
        .after(1000)
        .fires(&about("s", "acme/sales", "info"))
        .decided()
        .says(&["Suppressed hook Firing s r1"]);
}

#[test]
fn what_is_over_under_a_silence_is_told_to_nobody() {
    let refunds = about("q", "acme/refunds", "critical");
    let mut story = story_of(HOOK);
    let now_ms = story.now_ms;
    story.acts(silence("S-1", "", now_ms, now_ms + HOUR_MS));
    story
        .fires(&refunds)
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
    story.changes(&refunds, Resolved, 2).decided().says(&[]);
    story.after(2 * HOUR_MS).decided().says(&[]);
    assert!(story.ledger.lines.is_empty());
}

/// SEMANTICS 6 goes before the end of a silence: a verdict that old pages nobody.
#[test]
fn a_verdict_silenced_for_longer_than_stale_after_is_stale() {
    let mut story = story_of(HOOK);
    let now_ms = story.now_ms;
    story.acts(silence("S-1", "", now_ms, now_ms + 2 * HOUR_MS));
    story
        .fires(&about("t", "acme/refunds/T1", "critical"))
        .decided()
        .silently();
    story
        .after(2 * HOUR_MS)
        .decided()
        .says(&["Suppressed hook Firing t r1"]);
    assert!(
        story.last_detail().starts_with("stale: "),
        "{}",
        story.last_detail()
    );
}

#[test]
fn maintenance_is_a_silence_of_the_configuration() {
    let window = "[[maintenance]]\nmatch = { queue = [\"ref*\"] }\nfrom = \"1970-01-01T10:00:00Z\"\nuntil = \"1970-01-01T12:00:00Z\"\nauthor = \"ops\"\nreason = \"new telephone system\"\n";
    let mut story = story_of(&format!("{HOOK}{window}"));
    story
        .fires(&about("q", "acme/refunds", "info"))
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
    assert_eq!(
        story.last_detail(),
        "maintenance by ops until 1970-01-01T12:00:00.000Z: new telephone system"
    );
    story
        .after(2 * HOUR_MS)
        .decided()
        .says(&["Intent hook Firing q r1"]);
}

#[test]
fn one_reason_after_the_other_is_recorded_each() {
    let (vendor, queue) = (
        about("v", "acme", "critical"),
        about("q", "acme/refunds", "info"),
    );
    let mut story = story_of(HOOK);
    let now_ms = story.now_ms;
    story.fires(&vendor).settled();
    story.acts(silence("S-1", "refunds", now_ms, now_ms + HOUR_MS));
    story
        .silently()
        .fires(&queue)
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
    assert!(story.last_detail().starts_with("silenced by maria"));
    story
        .after(HOUR_MS)
        .decided()
        .says(&["Suppressed hook Firing q r1"]);
    assert!(story.last_detail().starts_with("inhibited by v"));
    story.taken_over().says(&["keep hook Firing v r1"]);
    story.changes(&vendor, Retracted, 2).decided();
    story.records(&["Intent hook Retracted v r2", "Intent hook Firing q r1"]);
}
