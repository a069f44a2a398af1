//! Stories of measures that differ from what they were.

use slawatch_wire::v1::{Action, ActionKind, Bucket, Measures, Signal, signal};

use super::builders::{Flush, Story, at, evidence};
use super::burn::hours;

const CHANGING: &str = r#"[[rule]]
name = "sl-drops"
type = "change"
measure = "service_level"
window = "4h"
weeks = 2
at_least = "5%"
timezone = "Asia/Manila"
severity = "warning"
by = ["vendor", "queue"]
"#;

/// Two weeks of the same: 60 contacts an hour, 8 of 10 in target.
fn two_weeks(story: &mut Story) {
    hours(story, 10..10 + 14 * 24, 10, 8);
}

const THEN: i64 = 10 + 14 * 24;

#[test]
fn a_drop_against_the_same_hours_is_told_with_both_values() {
    let mut story = Story::under(CHANGING);
    two_weeks(&mut story);
    hours(&mut story, THEN..THEN + 5, 10, 8);
    assert_eq!(story.tellings(), Vec::<String>::new());
    hours(&mut story, THEN + 5..THEN + 9, 10, 6);
    let told = story.last();
    assert_eq!(
        told.summary,
        "acme / refunds: service level 65.0 % of 240 contacts over 4h, 80.0 % of 480 contacts in the same hours of the 2 \
         weeks before: 15 points worse, p < 0.0001"
    );
    assert_eq!(
        told.reason,
        "worse by 5 points or more than in the same hours of the 2 weeks before"
    );
    assert_eq!(told.kind, "change");
    assert_eq!(evidence(told, "before.denominator"), Some(480.0));
    assert_eq!(evidence(told, "error_of_a_look"), Some(0.01 / 24.0));
    assert_eq!(story.tellings(), ["354:00:30 firing sl-drops/acme/refunds"]);
    hours(&mut story, THEN + 9..THEN + 15, 10, 8);
    assert_eq!(
        story.last().reason,
        "80.0 % of 240 contacts against 80.0 % of 480 contacts in the same hours of the 2 weeks before, no longer 5 points \
         apart"
    );
    assert_eq!(
        story.tellings(),
        ["359:00:30 resolved sl-drops/acme/refunds"]
    );
}

/// A difference that does not matter is none, however sure it is.
#[test]
fn what_does_not_matter_or_may_be_chance_is_not_told() {
    for (answered, in_target) in [(1000, 770), (10, 7), (10, 10)] {
        let mut story = Story::under(CHANGING);
        two_weeks(&mut story);
        hours(&mut story, THEN..THEN + 2, answered, in_target);
        assert_eq!(
            story.tellings(),
            Vec::<String>::new(),
            "{in_target} of {answered}"
        );
    }
}

/// Weeks that differ among themselves anyway.
#[test]
fn what_weeks_do_anyway_is_no_change() {
    let mut steady = Story::under(CHANGING);
    two_weeks(&mut steady);
    hours(&mut steady, THEN..THEN + 6, 30, 21);
    assert_eq!(steady.tellings().len(), 1);
    let mut unsteady = Story::under(CHANGING);
    hours(&mut unsteady, 10..10 + 7 * 24, 10, 7);
    hours(&mut unsteady, 10 + 7 * 24..THEN, 10, 9);
    hours(&mut unsteady, THEN..THEN + 6, 30, 21);
    assert_eq!(unsteady.tellings(), Vec::<String>::new());
}

fn mark(story: &mut Story, time: &str, queue: &str) {
    let action = Action {
        action_id: format!("mark-{time}"),
        kind: ActionKind::MarkChange as i32,
        at_ms: at(time),
        author: "sop team".to_owned(),
        reason: "new refund form".to_owned(),
        vendor: "acme".to_owned(),
        queue: queue.to_owned(),
        ..Action::default()
    };
    let signal = Signal {
        kind: Some(signal::Kind::Action(action)),
    };
    story.evaluator.apply(&signal, &mut story.told);
}

/// Handling times of two minutes or three, as a pane's histogram has them.
fn handled(count: i64, seconds: i64, bucket: u32) -> Measures {
    Measures {
        handled: count,
        talk_ms: count * seconds * 1000,
        handle_histogram: vec![Bucket { bucket, count }],
        ..Measures::default()
    }
}

#[test]
fn after_a_marked_change_times_are_compared_with_those_before_it() {
    let text = CHANGING
        .replace("service_level", "aht")
        .replace(
            "window = \"4h\"",
            "against = \"marked_change\"\nwindow = \"48h\"",
        )
        .replace("\"5%\"", "\"20s\"");
    let mut story = Story::under(&text);
    let work = |story: &mut Story, hours: std::ops::Range<i64>, slow: bool| {
        for step in hours.start * 6..hours.end * 6 {
            let minute = format!("{:02}:{}0", step / 6, step % 6);
            // 120 s and 180 s: 2^((b-1)/16) <= ms < 2^(b/16).
            let measures = if slow {
                handled(5, 180, 280)
            } else {
                handled(5, 120, 270)
            };
            let flush = Flush::at(&format!("{minute}:30"));
            story.hear(flush.row("acme", "refunds", &minute, measures));
        }
    };
    work(&mut story, 10..THEN, false);
    mark(&mut story, &format!("{THEN}:00"), "chat");
    work(&mut story, THEN..THEN + 3, true);
    assert_eq!(story.tellings(), Vec::<String>::new());
    mark(&mut story, &format!("{}:20", THEN + 3), "refunds");
    story.restart();
    work(&mut story, THEN + 3..THEN + 9, true);
    assert_eq!(
        story.last().summary,
        "acme / refunds: average handling time 3m of 120 handled contacts since then, 2m of 240 handled contacts in the same \
         hours before the change of 2026-01-19 21:20 PST (new refund form): 1m more, p < 0.0001"
    );
    assert_eq!(story.tellings(), ["354:00:30 firing sl-drops/acme/refunds"]);
    work(&mut story, THEN + 9..THEN + 60, true);
    assert_eq!(
        story.last().reason,
        "the time for which the change is watched is over"
    );
    assert_eq!(
        story.tellings(),
        ["399:00:30 resolved sl-drops/acme/refunds"]
    );
}
