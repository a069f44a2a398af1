//! What people say of alerts.

use super::builders::{Flush, Story, at, breached, service_level};
use slawatch_wire::v1::{Action, ActionKind, AlertState, OutcomeRow, Signal, signal};

const KEY: &str = "sl/acme/refunds";

fn acknowledge(action_id: &str, key: &str) -> Action {
    Action {
        action_id: action_id.to_owned(),
        kind: ActionKind::Acknowledge as i32,
        author: "kim".to_owned(),
        reason: "on it".to_owned(),
        alert_key: key.to_owned(),
        vendor: "acme".to_owned(),
        ..Action::default()
    }
}

impl Story {
    fn act(&mut self, action: Action) -> &mut Self {
        let kind = Some(signal::Kind::Action(action));
        self.evaluator.apply(&Signal { kind }, &mut self.told);
        self
    }
}

fn drowning(rule: &str) -> Story {
    let mut story = Story::under(rule);
    story.hear(Flush::at("10:00:30").contacts("10:00", 100, 60));
    assert_eq!(story.tellings(), ["10:00:30 firing sl/acme/refunds"]);
    story
}

#[test]
fn who_sees_to_a_firing_alert_is_told_once() {
    let mut story = drowning(&service_level(""));
    story.act(acknowledge("a1", KEY));
    let told = story.last().clone();
    assert_eq!(told.state(), AlertState::Acknowledged);
    assert_eq!(
        (told.author.as_str(), told.reason.as_str()),
        ("kim", "on it")
    );
    assert_eq!((told.revision, told.fired_at_ms), (2, Some(at("10:00:30"))));
    assert_eq!(story.tellings(), ["10:00:30 acknowledged sl/acme/refunds"]);
    // The same words again, as after a retry; through a snapshot, too.
    story.act(acknowledge("a1", KEY));
    story.restart();
    story.act(acknowledge("a1", KEY));
    assert_eq!(story.tellings(), Vec::<String>::new());
    assert_eq!(story.evaluator.stats().ignored_acknowledgements, 0);
    // Somebody else takes it over.
    story.act(Action {
        author: "lee".to_owned(),
        reason: String::new(),
        ..acknowledge("a2", KEY)
    });
    assert_eq!(story.last().reason, "acknowledged by lee");
    story.hear(Flush::at("10:00:50").contacts("10:00", 100, 99));
    assert_eq!(story.last().incident, told.incident);
    assert_eq!(
        story.tellings(),
        [
            "10:00:30 acknowledged sl/acme/refunds",
            "10:00:50 resolved sl/acme/refunds"
        ]
    );
}

#[test]
fn what_does_not_fire_is_not_acknowledged() {
    let mut story = Story::under(&service_level("for = \"2m\""));
    story.act(acknowledge("a0", KEY));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
    assert_eq!(story.tellings(), ["10:00:30 pending sl/acme/refunds"]);
    story.act(acknowledge("a1", KEY));
    story.act(acknowledge("a2", "sl/acme/other"));
    assert_eq!(story.evaluator.stats().ignored_acknowledgements, 3);
    // One for all partitions is no mistake where its alert is not.
    story.act(Action {
        vendor: String::new(),
        ..acknowledge("a3", "sl/globex/chat")
    });
    assert_eq!(story.evaluator.stats().ignored_acknowledgements, 3);
    assert_eq!(story.tellings(), Vec::<String>::new());
}

#[test]
fn an_earlier_episode_is_not_meant() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
    let first = story.last().incident.clone();
    story.hear(Flush::at("10:10"));
    story.hear(Flush::at("10:11").contacts("10:11", 20, 0));
    let second = story.last().incident.clone();
    story.tellings();
    let of = |action_id: &str, incident: String| Action {
        incident,
        ..acknowledge(action_id, KEY)
    };
    story.act(of("a1", first));
    assert_eq!(story.tellings(), Vec::<String>::new());
    assert_eq!(story.evaluator.stats().ignored_acknowledgements, 1);
    story.act(of("a2", second));
    assert_eq!(story.tellings(), ["10:11 acknowledged sl/acme/refunds"]);
}

#[test]
fn it_fires_again_when_it_gets_worse_by_what_the_rule_says() {
    let mut story = drowning(&service_level("worse_by = \"10%\""));
    // Not acknowledged: nothing is said of a fall.
    story.hear(Flush::at("10:00:40").contacts("10:00", 100, 55));
    story.act(acknowledge("a1", KEY));
    assert_eq!(story.tellings(), ["10:00:40 acknowledged sl/acme/refunds"]);
    story.hear(Flush::at("10:00:50").contacts("10:00", 100, 46));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.restart();
    // Exactly ten points, whatever binary fractions make of that.
    story.hear(Flush::at("10:00:55").contacts("10:00", 100, 45));
    let told = story.last().clone();
    assert_eq!(
        told.reason,
        "got worse: 55.0 % when it was acknowledged, 45.0 % now"
    );
    assert_eq!(
        (told.fired_at_ms, told.due_ms),
        (Some(at("10:00:30")), at("10:00:55"))
    );
    assert_eq!(story.tellings(), ["10:00:55 firing sl/acme/refunds"]);
    // Told once, until somebody sees to it again; an old acknowledgement does not count anew.
    story.hear(Flush::at("10:00:59").contacts("10:00", 100, 20));
    story.act(acknowledge("a1", KEY));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.act(acknowledge("a2", KEY));
    story.hear(Flush::at("10:00:59.500").contacts("10:00", 100, 10));
    assert_eq!(
        story.tellings(),
        [
            "10:00:59 acknowledged sl/acme/refunds",
            "10:00:59.500 firing sl/acme/refunds"
        ]
    );
}

const TICKETS: &str = r#"[[rule]]
name = "urgent"
type = "ticket"
on = ["breached"]
severity = "error"
worse_by = "2h"
"#;

#[test]
fn a_clock_that_nobody_ends_after_all_fires_again() {
    let mut story = Story::under(TICKETS);
    story.hear(Flush::at("10:00:30").outcome(breached("10:00:10")));
    story.act(acknowledge("a1", "urgent/acme/T1/first_reply/1/breached"));
    assert_eq!(
        story.tellings(),
        [
            "10:00:10 firing urgent/acme/refunds/T1",
            "10:00:30 acknowledged urgent/acme/refunds/T1"
        ]
    );
    story.restart();
    story.hear(Flush::at("12:00:29"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("12:00:30"));
    assert_eq!(
        story.last().reason,
        "got worse: nothing has ended it within 2h of being acknowledged"
    );
    assert_eq!(story.tellings(), ["12:00:30 firing urgent/acme/refunds/T1"]);
    // Once is enough.
    story.hear(Flush::at("18:00"));
    assert_eq!(story.tellings(), Vec::<String>::new());
}

#[test]
fn a_clock_that_ended_does_not_get_worse() {
    let mut story = Story::under(TICKETS);
    story.hear(Flush::at("10:00:30").outcome(breached("10:00:10")));
    story.act(acknowledge("a1", "urgent/acme/T1/first_reply/1/breached"));
    let reply = OutcomeRow {
        stopped_at_ms: Some(at("10:05")),
        ..breached("10:00:10")
    };
    story.hear(Flush::at("10:05").outcome(reply));
    story.tellings();
    story.hear(Flush::at("14:00"));
    assert_eq!(story.tellings(), Vec::<String>::new());
}

/// What fires with the next hours is another incident, and nobody has seen to it yet.
#[test]
fn an_acknowledgement_does_not_outlast_the_hours_of_its_rule() {
    let mut story = Story::under(&format!(
        r#"{TICKETS}calendar = "desk"
[[calendar]]
name = "desk"
timezone = "Africa/Abidjan"
hours = {{ mon-fri = ["08:00-10:30", "12:00-20:00"] }}
"#
    ));
    let key = "urgent/acme/T1/first_reply/1/breached";
    story.hear(Flush::at("10:00:30").outcome(breached("10:00:10")));
    story.act(acknowledge("a1", key));
    story.hear(Flush::at("10:30"));
    story.hear(Flush::at("12:00"));
    assert_eq!(
        story.tellings(),
        [
            "10:00:10 firing urgent/acme/refunds/T1",
            "10:00:30 acknowledged urgent/acme/refunds/T1",
            "10:30 expired urgent/acme/refunds/T1",
            "12:00 firing urgent/acme/refunds/T1"
        ]
    );
    story.restart();
    story.hear(Flush::at("12:30"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.act(acknowledge("a2", key));
    story.hear(Flush::at("14:30"));
    assert_eq!(
        story.tellings(),
        [
            "12:30 acknowledged urgent/acme/refunds/T1",
            "14:30 firing urgent/acme/refunds/T1"
        ]
    );
}
