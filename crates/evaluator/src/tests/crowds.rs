//! Tickets by their attributes, warning levels and hours, and many that breach together.

use super::builders::{Flush, Story, at, breached, evidence, outcome};
use slawatch_wire::v1::{Action, ActionKind, CycleState, OutcomeRow, Signal, signal};

const QUIET: [&str; 0] = [];

fn rule(further: &str) -> String {
    format!(
        "[[rule]]\nname = \"r\"\ntype = \"ticket\"\non = [\"breached\", \"warning\"]\nseverity = \"error\"\n{further}\n"
    )
}

fn ticket(name: &str, due: &str) -> OutcomeRow {
    OutcomeRow {
        ticket_id: name.to_owned(),
        ..breached(due)
    }
}

fn answered(name: &str, due: &str, stopped: &str) -> OutcomeRow {
    OutcomeRow {
        stopped_at_ms: Some(at(stopped)),
        ..ticket(name, due)
    }
}

fn with(mut row: OutcomeRow, attributes: &[(&str, &str)]) -> OutcomeRow {
    let named = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    row.attributes = attributes.iter().map(named).collect();
    row
}

#[test]
fn a_rule_may_look_at_any_attribute() {
    let text = rule(
        "match = { category = [\"fraud*\"], labels.tier = [\"gold\", \"\"], priority = [\"urgent\"] }",
    );
    for (attributes, fires) in [
        (
            &[("category", "fraud_card"), ("labels.tier", "gold")][..],
            true,
        ),
        // An attribute that is not set is empty, as in policies.
        (&[("category", "fraud")][..], true),
        (
            &[("category", "fraud"), ("labels.tier", "basic")][..],
            false,
        ),
        (&[("category", "refund")][..], false),
        // Nothing at all is known of its attributes.
        (&[][..], false),
    ] {
        let mut story = Story::under(&text);
        story.hear(Flush::at("10:15").outcome(with(ticket("T1", "10:14"), attributes)));
        assert_eq!(!story.tellings().is_empty(), fires, "{attributes:?}");
    }
}

#[test]
fn only_the_warning_levels_that_a_rule_names() {
    let mut story = Story::under(&rule("at = [\"0.80\", \"15m\"]"));
    for (level, time) in [
        ("0.5", "10:05"),
        ("0.8", "10:08"),
        ("15m", "10:09"),
        ("20m", "10:10"),
    ] {
        story.hear(Flush::at(time).warning(level, time));
    }
    let keys: Vec<&str> = story.told.iter().map(|told| told.key.as_str()).collect();
    assert_eq!(
        keys,
        ["r/acme/T1/first_reply/1/0.8", "r/acme/T1/first_reply/1/15m"]
    );
}

const GROUPED: &str = "group = { over = 3, within = \"10m\" }";
const CROWD: &str = "r/acme/refunds";

/// Three are told one by one, two more are not.
fn crowd(group: &str) -> Story {
    let mut story = Story::under(&rule(group));
    for minute in 1..=3 {
        let time = format!("10:0{minute}");
        story.hear(Flush::at(&time).outcome(ticket(&format!("T{minute}"), &time)));
    }
    assert_eq!(
        story.tellings(),
        [
            "10:01 firing r/acme/refunds/T1",
            "10:02 firing r/acme/refunds/T2",
            "10:03 firing r/acme/refunds/T3"
        ]
    );
    story.hear(
        Flush::at("10:04")
            .outcome(ticket("T4", "10:03:58"))
            .outcome(ticket("T5", "10:03:59")),
    );
    story
}

#[test]
fn many_that_breach_together_are_told_by_one_alert() {
    let mut story = crowd(GROUPED);
    let told = story.last().clone();
    assert_eq!((told.key.as_str(), told.kind.as_str()), (CROWD, "ticket"));
    assert_eq!(told.reason, "more than 3 breached within 10m");
    assert_eq!(
        told.summary,
        "acme / refunds: 5 clocks breached together (more than 3 within 10m), 2 of them open and not told one by one, \
         longest overdue T4 (first_reply)"
    );
    assert_eq!(
        (evidence(&told, "breached"), evidence(&told, "held")),
        (Some(5.0), Some(2.0))
    );
    let worst: Vec<&str> = told
        .worst_tickets
        .iter()
        .map(|worst| worst.ticket_id.as_str())
        .collect();
    assert_eq!(worst, ["T4", "T5"]);
    assert_eq!(story.tellings(), ["10:03:59.999 firing r/acme/refunds"]);
    // Another one says nothing; those already told end by themselves, those held back without a word.
    story.restart();
    story.hear(Flush::at("10:05").outcome(ticket("T6", "10:05")));
    story.hear(Flush::at("10:06").outcome(answered("T1", "10:01", "10:06")));
    story.hear(Flush::at("10:07").outcome(answered("T4", "10:03:58", "10:07")));
    assert_eq!(story.tellings(), ["10:06 resolved r/acme/refunds/T1"]);
    // Two of three more than it takes lie further back than ten minutes from 10:14 on: it is calm, but T5 and T6 are open.
    story.hear(Flush::at("10:14:30").outcome(ticket("T7", "10:14:30")));
    assert_eq!(story.tellings(), ["10:14:30 firing r/acme/refunds/T7"]);
    story.hear(Flush::at("10:20").outcome(answered("T5", "10:03:59", "10:20")));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("10:21").outcome(answered("T6", "10:05", "10:21")));
    assert_eq!(
        story.last().reason,
        "no more than 1 breached within the last 10m, and none of those told together is open"
    );
    assert_eq!(
        (story.last().incident.clone(), story.last().revision),
        (told.incident, 2)
    );
    assert_eq!(story.tellings(), ["10:20:59.999 resolved r/acme/refunds"]);
}

#[test]
fn a_crowd_that_never_was_is_taken_back() {
    let mut story = crowd(GROUPED);
    story.tellings();
    let paused = ["T3", "T4", "T5"].map(|name| OutcomeRow {
        ticket_id: name.to_owned(),
        ..outcome(CycleState::Paused)
    });
    let flush = paused.into_iter().fold(Flush::at("10:05"), Flush::outcome);
    story.hear(flush);
    assert_eq!(
        story.last().reason,
        "late events show that no more than 3 breached within 10m"
    );
    assert_eq!(
        story.tellings(),
        [
            "10:05 retracted r/acme/refunds/T3",
            "10:04:59.999 retracted r/acme/refunds"
        ]
    );
}

fn acknowledge(action_id: &str, incident: String) -> Signal {
    let action = Action {
        action_id: action_id.to_owned(),
        kind: ActionKind::Acknowledge as i32,
        author: "kim".to_owned(),
        alert_key: CROWD.to_owned(),
        vendor: "acme".to_owned(),
        incident,
        ..Action::default()
    };
    Signal {
        kind: Some(signal::Kind::Action(action)),
    }
}

#[test]
fn what_people_say_of_a_crowd_is_told_once() {
    let mut story = crowd(GROUPED);
    let said = acknowledge("a1", story.last().incident.clone());
    story.tellings();
    story.evaluator.apply(&said, &mut story.told);
    assert_eq!(story.last().reason, "acknowledged by kim");
    story.restart();
    story.evaluator.apply(&said, &mut story.told);
    assert_eq!(story.tellings(), ["10:04 acknowledged r/acme/refunds"]);
    assert_eq!(story.evaluator.stats().ignored_acknowledgements, 0);
}

#[test]
fn a_crowd_that_grows_after_all_fires_again() {
    let mut story = crowd("group = { over = 3, within = \"10m\", worse_by = 2 }");
    let said = acknowledge("a1", String::new());
    story.evaluator.apply(&said, &mut story.told);
    story.tellings();
    story.hear(Flush::at("10:04:10").outcome(ticket("T6", "10:04:08")));
    story.restart();
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("10:04:20").outcome(ticket("T7", "10:04:18")));
    assert_eq!(
        story.last().reason,
        "got worse: 5 breached when it was acknowledged, 7 now"
    );
    assert_eq!(story.tellings(), ["10:04:20 firing r/acme/refunds"]);
    story.hear(Flush::at("10:04:30").outcome(ticket("T8", "10:04:28")));
    assert_eq!(story.tellings(), QUIET);
}

#[test]
fn a_rule_that_groups_no_more_tells_one_by_one() {
    let mut story = crowd(GROUPED);
    story.tellings();
    story.restart_under(&rule(""));
    story.hear(Flush::at("10:05"));
    assert_eq!(
        story.tellings(),
        [
            "10:04 expired r/acme/refunds",
            "10:04:59.999 firing r/acme/refunds/T4",
            "10:04:59.999 firing r/acme/refunds/T5",
        ]
    );
}

#[test]
fn outside_of_its_hours_a_rule_waits() {
    let desk = "[[calendar]]\nname = \"desk\"\ntimezone = \"UTC\"\nhours = { mon-fri = [\"08:00-10:30\", \"12:00-20:00\"] }\n";
    let mut story = Story::under(&format!("{desk}{}", rule("calendar = \"desk\"")));
    story.hear(Flush::at("10:20").outcome(ticket("T1", "10:20")));
    let first = story.last().incident.clone();
    story.hear(Flush::at("10:30"));
    assert_eq!(
        story.last().reason,
        "the hours of the calendar desk are over"
    );
    assert_eq!(
        story.tellings(),
        [
            "10:20 firing r/acme/refunds/T1",
            "10:30 expired r/acme/refunds/T1"
        ]
    );
    story.hear(
        Flush::at("10:40")
            .outcome(ticket("T2", "10:40"))
            .outcome(ticket("T3", "10:39")),
    );
    story.restart();
    story.hear(Flush::at("11:59").outcome(answered("T3", "10:39", "11:58")));
    assert_eq!(story.tellings(), QUIET);
    story.hear(Flush::at("12:00"));
    assert_ne!(story.told[0].incident, first);
    assert_eq!(story.told[1].due_ms, at("12:00"), "it is news only now");
    assert_eq!(
        story.tellings(),
        [
            "12:00 firing r/acme/refunds/T1",
            "12:00 firing r/acme/refunds/T2"
        ]
    );
}

#[test]
fn what_comes_back_is_another_episode() {
    let mut story = Story::under(&rule(""));
    story.hear(Flush::at("10:15").outcome(ticket("T1", "10:14")));
    let paused = outcome(CycleState::Paused);
    story.hear(Flush::at("10:16").outcome(paused));
    story.hear(Flush::at("10:17").outcome(ticket("T1", "10:14")));
    let incidents: Vec<&str> = story
        .told
        .iter()
        .map(|told| told.incident.as_str())
        .collect();
    assert_eq!(incidents[0], incidents[1]);
    assert_ne!(incidents[0], incidents[2]);
}
