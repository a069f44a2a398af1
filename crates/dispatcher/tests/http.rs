//! Real requests to receivers on loopback that answer, refuse, hang and break off as scripted.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::target::{Reply, Target};
use rig::{Rig, alert};
use slawatch_wire::v1::AlertState::{Firing, Resolved};
use tokio::runtime::Runtime;

const FAST: &str =
    "allow_private = true\nretry_min = \"5ms\"\nretry_max = \"20ms\"\ntimeout = \"300ms\"";

fn receiver(kind: &str, name: &str, url: &str, more: &str) -> String {
    format!("[[receiver]]\nname = \"{name}\"\ntype = \"{kind}\"\nurl = \"{url}\"\n{FAST}\n{more}\n")
}

fn hook(url: &str) -> String {
    receiver("webhook", "hook", url, "")
}

#[test]
fn a_webhook_gets_exactly_this() {
    let world = Runtime::new().unwrap();
    let target = Target::start(world.handle(), &[]);
    let more = "hmac_key = \"s3cret\"\nheaders = { Authorization = \"Bearer t0ken\" }";
    let url = format!("{}/in/slawatch?team=eu", target.url());
    let mut rig = Rig::start(&receiver("webhook", "hook", &url, more));
    let firing = alert("late", Firing, 1);
    rig.evaluator_says(vec![firing]);
    rig.until_recorded("SENT hook firing late-1: 200 OK");
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT hook resolved late-1: 200 OK");

    let seen = target.seen();
    assert_eq!(seen.len(), 2);
    let first = &seen[0];
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("POST", "/in/slawatch?team=eu")
    );
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["authorization"], "Bearer t0ken");
    assert_eq!(
        first.headers["user-agent"],
        concat!("slawatch/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(first.headers["idempotency-key"].len(), 32);
    assert_ne!(
        first.headers["idempotency-key"],
        seen[1].headers["idempotency-key"]
    );
    let signature = &first.headers["x-slawatch-signature"];
    let seconds: i64 = signature
        .strip_prefix("t=")
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!((rig.clock.wall_ms() / 1000 - seconds).abs() < 60);
    let key = slawatch_dispatcher::secret::Secret::new("s3cret");
    let expected = slawatch_dispatcher::kind::webhook::signature(&key, seconds * 1000, &first.body);
    assert_eq!(*signature, expected);
    let body = first.json();
    for (field, expected) in [
        ("state", "firing"),
        ("key", "late"),
        ("incident", "late-1"),
        ("rule", "answers too late"),
        ("vendor", "acme"),
        ("summary", "refunds answers 62.5 % in time"),
    ] {
        assert_eq!(body[field], expected, "{field}");
    }
    assert_eq!(body["labels"]["team.lead"], "maria");
    assert_eq!(seen[1].json()["state"], "resolved");
    assert_eq!(
        rig.notifications(),
        [
            "TAKEOVER",
            "INTENT hook firing late-1",
            "SENT hook firing late-1: 200 OK",
            "INTENT hook resolved late-1",
            "SENT hook resolved late-1: 200 OK"
        ]
    );
}

#[test]
fn an_alertmanager_gets_exactly_this() {
    let world = Runtime::new().unwrap();
    let target = Target::start(world.handle(), &[]);
    let more = "repost_interval = \"50ms\"";
    let url = format!("{}/am/", target.url());
    let mut rig = Rig::start(&receiver("alertmanager", "am", &url, more));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until("three posts", |_| target.seen().len() >= 3);
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT am resolved late-1: 200 OK");
    let seen = target.seen();
    for (number, request) in seen.iter().enumerate() {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/am/api/v2/alerts")
        );
        let body = request.json();
        let labels = serde_json::json!({
            "alertname": "answers too late", "severity": "critical", "vendor": "acme",
            "queue": "refunds", "slawatch_key": "late", "team_lead": "maria"
        });
        assert_eq!(body[0]["labels"], labels, "request {number}");
        assert_eq!(body.as_array().unwrap().len(), 1);
    }
    let ends = |index: usize| seen[index].json()[0]["endsAt"].as_str().unwrap().to_owned();
    assert!(
        ends(0) < ends(1) && ends(1) < ends(2),
        "each post promises anew"
    );
    // Repetitions are no news: one intent, one result.
    let intents = rig.notifications();
    assert_eq!(
        intents
            .iter()
            .filter(|line| line.contains("firing"))
            .count(),
        2,
        "{intents:?}"
    );
}

#[test]
fn trouble_is_tried_again_under_the_same_key_until_it_passes() {
    let world = Runtime::new().unwrap();
    let script = [
        Reply::Status(500, "out of order"),
        Reply::RetryAfter(429, "0"),
        Reply::Hang,
        Reply::Status(503, ""),
        Reply::Status(202, ""),
    ];
    let target = Target::start(world.handle(), &script);
    target.reset_connections(2);
    let mut rig = Rig::start(&hook(&target.url()));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until_recorded("SENT hook firing late-1: 202 Accepted");
    assert_eq!(target.resets_left(), 0);
    let seen = target.seen();
    assert_eq!(seen.len(), 5);
    for request in &seen {
        assert_eq!(
            request.headers["idempotency-key"],
            seen[0].headers["idempotency-key"]
        );
        assert_eq!(request.body, seen[0].body);
    }
    assert_eq!(
        rig.notifications(),
        [
            "TAKEOVER",
            "INTENT hook firing late-1",
            "SENT hook firing late-1: 202 Accepted"
        ]
    );
}

#[test]
fn a_receiver_that_comes_up_later_is_told_what_holds_then() {
    let world = Runtime::new().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut rig = Rig::start(&hook(&format!("http://{address}")));
    rig.evaluator_says(vec![alert("stays", Firing, 1), alert("passes", Firing, 1)]);
    rig.until("intents", |rig| rig.notifications().len() >= 3);
    rig.evaluator_says(vec![alert("passes", Resolved, 2)]);
    rig.until_recorded("SUPPRESSED hook resolved passes-1: it was over before it was sent");
    let target = Target::start_at(world.handle(), address, &[]);
    rig.until_recorded("SENT hook firing stays-1: 200 OK");
    let told: Vec<_> = target
        .seen()
        .iter()
        .map(|seen| seen.json()["key"].clone())
        .collect();
    assert_eq!(told, ["stays"]);
}

#[test]
fn logins_and_routes_that_do_not_work_are_tried_again() {
    let world = Runtime::new().unwrap();
    let mut script: Vec<Reply> = [401, 403, 404, 405, 407, 410, 421, 423, 425, 426]
        .map(|status| Reply::Status(status, "no way"))
        .into();
    script.push(Reply::Redirect);
    for kind in ["webhook", "alertmanager"] {
        let target = Target::start(world.handle(), &script);
        let mut rig = Rig::start(&receiver(kind, "hook", &target.url(), ""));
        rig.evaluator_says(vec![alert("late", Firing, 1)]);
        rig.until_recorded("SENT hook firing late-1: 200 OK");
        assert_eq!(target.seen().len(), script.len() + 1);
        assert_eq!(rig.notifications().len(), 3);
    }
}

#[test]
fn a_refusal_is_recorded_with_the_answer_and_not_tried_again() {
    let world = Runtime::new().unwrap();
    for (reply, answer) in [
        (
            Reply::Status(422, "no such field"),
            "422 Unprocessable Entity: no such field",
        ),
        (Reply::Status(400, ""), "400 Bad Request"),
        (Reply::Status(413, ""), "413 Payload Too Large"),
    ] {
        let target = Target::start(world.handle(), &[reply]);
        let mut rig = Rig::start(&hook(&target.url()));
        rig.evaluator_says(vec![alert("bad", Firing, 1)]);
        rig.until_recorded(&format!("REJECTED hook firing bad-1: {answer}"));
        // Its end is not told; the next alert is.
        rig.evaluator_says(vec![alert("bad", Resolved, 2), alert("good", Firing, 1)]);
        rig.until_recorded("SENT hook firing good-1: 200 OK");
        assert_eq!(target.seen().len(), 2);
    }
}

#[test]
fn a_receiver_that_hangs_delays_no_other() {
    let world = Runtime::new().unwrap();
    let dead = Target::start(world.handle(), &vec![Reply::Hang; 100]);
    let well = Target::start(world.handle(), &[]);
    let config = receiver("webhook", "dead", &dead.url(), "").replace("300ms", "10m")
        + &receiver("alertmanager", "also dead", &dead.url(), "").replace("300ms", "10m")
        + &hook(&well.url());
    let mut rig = Rig::start(&config);
    for number in 0..20 {
        rig.evaluator_says(vec![alert(&format!("k{number}"), Firing, 1)]);
        rig.until_recorded(&format!("SENT hook firing k{number}-1: 200 OK"));
    }
    assert!(
        !rig.notifications()
            .iter()
            .any(|line| line.starts_with("SENT dead"))
    );
    // Four at a time, and one batch: no more is asked of who does not answer.
    assert_eq!(dead.seen().len(), 5);
}

#[test]
fn after_a_crash_what_has_no_result_goes_out_again_under_the_same_key() {
    let world = Runtime::new().unwrap();
    let target = Target::start(world.handle(), &[Reply::Hang]);
    let mut rig = Rig::start(&hook(&target.url()).replace("300ms", "10m"));
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until("a request", |_| target.seen().len() == 1);
    rig.take_over();
    rig.until_recorded("SENT hook firing late-1: 200 OK");
    let seen = target.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        seen[0].headers["idempotency-key"],
        seen[1].headers["idempotency-key"]
    );
    assert_eq!(seen[0].body, seen[1].body);
    // What was sent stays sent, and its end finds its way.
    rig.take_over();
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT hook resolved late-1: 200 OK");
    assert_eq!(
        rig.notifications(),
        [
            "TAKEOVER",
            "INTENT hook firing late-1",
            "TAKEOVER",
            "SENT hook firing late-1: 200 OK",
            "TAKEOVER",
            "INTENT hook resolved late-1",
            "SENT hook resolved late-1: 200 OK"
        ]
    );
    assert_eq!(target.seen().len(), 3);
}

#[test]
fn a_page_that_comes_too_late_is_recorded_and_not_sent() {
    let world = Runtime::new().unwrap();
    let target = Target::start(world.handle(), &[]);
    let mut rig = Rig::start(&format!("stale_after = \"1m\"\n{}", hook(&target.url())));
    let mut old = alert("old", Firing, 1);
    (old.ticket_id, old.due_ms) = ("T1".into(), old.due_ms - 120_000);
    rig.evaluator_says(vec![old, alert("new", Firing, 1)]);
    rig.until_recorded("SENT hook firing new-1: 200 OK");
    let recorded = rig.notifications();
    let stale = recorded
        .iter()
        .find(|line| line.starts_with("SUPPRESSED hook firing old-1: stale: due at "));
    assert!(
        stale.is_some_and(|line| line.ends_with("more than the 60 s of stale_after")),
        "{recorded:?}"
    );
    assert_eq!(target.seen().len(), 1);
}
