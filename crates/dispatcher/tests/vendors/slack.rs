//! Slack's one message an incident, through trouble, removal and change of owner.

use slawatch_wire::v1::AlertState::{Firing, Resolved};
use slawatch_wire::v1::AlertTransition;
use tokio::runtime::Runtime;

use super::rig::target::{Reply, Target};
use super::rig::vendor::Vendor;
use super::rig::{Rig, alert};
use super::{config, rich};

#[test]
fn slacks_own_words_for_trouble_are_understood() {
    let world = Runtime::new().unwrap();
    let words = [
        "ratelimited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
    ];
    let script = [
        Reply::Status(200, "{\"ok\":false,\"error\":\"internal_error\"}"),
        Reply::Status(200, "{\"ok\":false,\"error\":\"fatal_error\"}"),
        Reply::Status(200, "{\"ok\":false,\"error\":\"service_unavailable\"}"),
        Reply::Status(200, "{\"ok\":false,\"error\":\"request_timeout\"}"),
        Reply::Status(200, "{\"ok\":false,\"error\":\"ratelimited\"}"),
    ];
    let target = Target::of(world.handle(), Vendor::Slack, &script);
    let mut rig = Rig::start(&config(Vendor::Slack, &target));
    let started_ms = rig.clock.steady_ms();
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT them firing late-1: 200 OK: posted");
    assert_eq!(target.seen().len(), words.len() + 1);
    assert!(
        rig.clock.steady_ms() - started_ms >= 1_000,
        "the last one asked for a pause"
    );
}

#[test]
fn slack_shows_one_message_an_incident_with_a_thread_whoever_owns_it() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::Slack, &[]);
    let mut rig = Rig::start(&config(Vendor::Slack, &target));
    rig.evaluator_says(vec![rich("late"), alert("other", Firing, 1)]);
    rig.until_recorded("SENT them firing late-1: 200 OK: posted");
    rig.until_recorded("SENT them firing other-1: 200 OK: posted");
    // The next owner knows from the log what the first one posted.
    rig.take_over();
    rig.evaluator_says(vec![AlertTransition {
        reason: "back at 85 %".into(),
        ..alert("late", Resolved, 2)
    }]);
    rig.until_recorded("SENT them resolved late-1: 200 OK: updated");
    let (messages, threads) =
        target.remembers(|memory| (memory.messages.clone(), memory.threads.clone()));
    assert_eq!(messages.len(), 2, "{messages:?}");
    let (ts, _) = messages
        .iter()
        .find(|(_, text)| text.contains("RESOLVED"))
        .unwrap();
    assert_eq!(
        threads,
        [(ts.clone(), "✅ Resolved: back at 85 %".to_owned())]
    );
    assert_eq!(target.wrong(), [""; 0]);
}

#[test]
fn slack_is_told_an_end_that_came_while_the_beginning_was_on_its_way() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::Slack, &[Reply::Hang]);
    let mut rig = Rig::start(&config(Vendor::Slack, &target).replace("300ms", "600ms"));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until("the first request", |_| target.seen().len() == 1);
    // Nobody knows whether the first one was posted, so its end is told, as a message of its own.
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT them resolved late-1: 200 OK: posted");
    assert_eq!(target.remembers(|memory| memory.messages.len()), 1);
}

#[test]
fn a_slack_message_that_was_removed_or_lost_is_posted_anew() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::Slack, &[]);
    let mut rig = Rig::start(&config(Vendor::Slack, &target));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT them firing late-1: 200 OK: posted");
    target.remembers(|memory| memory.messages.clear());
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT them resolved late-1: 200 OK: posted");
    // A crash between the request and its record: at least once, under a message of its own.
    target.answer_with(&[Reply::Hang]);
    rig.evaluator_says(vec![alert("next", Firing, 1)]);
    rig.until("the request", |_| target.seen().len() == 4);
    rig.take_over();
    rig.until_recorded("SENT them firing next-1: 200 OK: posted");
    rig.take_over();
    rig.evaluator_says(vec![alert("next", Resolved, 2)]);
    rig.until_recorded("SENT them resolved next-1: 200 OK: updated");
}

#[test]
fn a_thread_that_cannot_be_written_is_tried_again_with_its_message() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::Slack, &[]);
    let mut rig = Rig::start(&config(Vendor::Slack, &target));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT them firing late-1: 200 OK: posted");
    target.answer_with(&[Reply::Right, Reply::Status(500, "")]);
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT them resolved late-1: 200 OK: updated");
    assert_eq!(
        target.remembers(|memory| (memory.messages.len(), memory.threads.len())),
        (1, 1)
    );
    // Where Slack will have none of it, the message itself says enough.
    rig.evaluator_says(vec![alert("more", Firing, 1)]);
    rig.until_recorded("SENT them firing more-1: 200 OK: posted");
    target.answer_with(&[
        Reply::Right,
        Reply::Status(200, "{\"ok\":false,\"error\":\"thread_locked\"}"),
    ]);
    rig.evaluator_says(vec![alert("more", Resolved, 2)]);
    rig.until_recorded(
        "SENT them resolved more-1: 200 OK: updated, but not its thread: thread_locked",
    );
}
