//! Every vendor's protocol, against servers that examine the form of each request and answer, refuse, hang and break off.

#![allow(clippy::unwrap_used)]

#[path = "../rig/mod.rs"]
mod rig;
mod slack;
mod trial;

use rig::target::{Reply, Target};
use rig::vendor::Vendor;
use rig::{Rig, alert};
use slawatch_wire::v1::AlertState::{Firing, Resolved};
use slawatch_wire::v1::{AlertTransition, Contribution, WorstTicket};
use tokio::runtime::Runtime;

const FAST: &str = "retry_min = \"5ms\"\nretry_max = \"20ms\"\ntimeout = \"300ms\"\n";
const LINKS: &str = "board_url = \"https://board.example.com\"\nticket_url = \"https://desk.example.com/{ticket_id}\"\n\
                     link_secret = \"hunter2\"\n";

/// A receiver `them` of this kind, and links to everything.
fn config(vendor: Vendor, target: &Target) -> String {
    format!("{LINKS}{}{FAST}", vendor.settings("them", &target.url()))
}

/// With everything that a message can show, and what a reader would take for markup.
fn rich(key: &str) -> AlertTransition {
    AlertTransition {
        summary: "<refunds> & *orders* answer [too](late)".into(),
        timezone: "Asia/Manila".into(),
        worst_tickets: vec![WorstTicket {
            ticket_id: "T-1 & <2>".into(),
            metric: "first_reply".into(),
            elapsed_ms: Some(1_860_000),
            target_ms: Some(900_000),
            ..WorstTicket::default()
        }],
        contributions: vec![Contribution {
            attribute: "category".into(),
            value: "late | <refund>".into(),
            tickets: 7,
        }],
        ..alert(key, Firing, 1)
    }
}

/// As long as nothing that is written anywhere.
fn endless(key: &str) -> AlertTransition {
    AlertTransition {
        summary: "ü&<x> ".repeat(2_000),
        reason: "[grün](x) & so on\n".repeat(3_000),
        ..alert(key, Firing, 1)
    }
}

#[test]
fn trouble_passes_and_a_right_request_arrives() {
    let world = Runtime::new().unwrap();
    let script = [
        Reply::Status(500, "out of order"),
        Reply::Status(503, ""),
        Reply::Status(502, "<html>bad gateway</html>"),
        Reply::RetryAfter(429, "0"),
        Reply::Hang,
        Reply::Status(401, "who are you"),
        Reply::Redirect,
    ];
    for vendor in Vendor::ALL {
        let target = Target::of(world.handle(), vendor, &script);
        target.reset_connections(2);
        let mut rig = Rig::start(&config(vendor, &target));
        rig.evaluator_says(vec![rich("late")]);
        rig.until_recorded(&format!("SENT them firing late-1: {}", vendor.taken()));
        assert_eq!(target.resets_left(), 0, "{vendor:?}");
        assert_eq!(target.seen().len(), script.len() + 1, "{vendor:?}");
        assert_eq!(target.wrong(), [""; 0], "{vendor:?}");
        rig.evaluator_says(vec![AlertTransition {
            state: Resolved.into(),
            revision: 2,
            ..rich("late")
        }]);
        rig.until("its end", |rig| {
            rig.notifications()
                .iter()
                .any(|line| line.starts_with("SENT them resolved late-1: "))
        });
        assert_eq!(target.wrong(), [""; 0], "{vendor:?}");
        assert_eq!(rig.notifications().len(), 5, "{:?}", rig.notifications());
    }
}

#[test]
fn what_asks_for_a_pause_is_left_alone_so_long() {
    let world = Runtime::new().unwrap();
    for vendor in Vendor::ALL {
        let target = Target::of(world.handle(), vendor, &[Reply::RetryAfter(429, "1")]);
        let mut rig = Rig::start(&config(vendor, &target));
        rig.evaluator_says(vec![alert("late", Firing, 1)]);
        rig.until("the first request", |_| target.seen().len() == 1);
        let asked_ms = rig.clock.steady_ms();
        rig.until_recorded(&format!("SENT them firing late-1: {}", vendor.taken()));
        let waited_ms = rig.clock.steady_ms() - asked_ms;
        assert!(
            waited_ms >= 900,
            "{vendor:?} was asked again after {waited_ms} ms"
        );
        assert_eq!(target.seen().len(), 2);
    }
}

#[test]
fn what_is_refused_for_good_is_recorded_with_the_answer() {
    let world = Runtime::new().unwrap();
    for (vendor, reply, answer) in [
        (
            Vendor::Webhook,
            Reply::Status(422, "no"),
            "422 Unprocessable Entity: no",
        ),
        (
            Vendor::PagerDuty,
            Reply::Status(
                400,
                "{\"status\":\"invalid event\",\"errors\":[\"'routing_key' is invalid\"]}",
            ),
            "400 Bad Request: {\"status\":\"invalid event\",\"errors\":[\"'routing_key' is invalid\"]}",
        ),
        (
            Vendor::Slack,
            Reply::Status(200, "{\"ok\":false,\"error\":\"invalid_auth\"}"),
            "200 OK: invalid_auth; check token, it must be the bot token of an installed app",
        ),
        (
            Vendor::Slack,
            Reply::Status(200, "{\"ok\":false,\"error\":\"channel_not_found\"}"),
            "200 OK: channel_not_found; check channel, best its id, and invite the app into it",
        ),
        (
            Vendor::Slack,
            Reply::Status(200, "{\"ok\":false,\"error\":\"not_in_channel\"}"),
            "200 OK: not_in_channel; invite the app into the channel",
        ),
        (
            Vendor::Teams,
            Reply::Status(400, "card too odd"),
            "400 Bad Request: card too odd",
        ),
    ] {
        let target = Target::of(world.handle(), vendor, &[reply]);
        let mut rig = Rig::start(&config(vendor, &target));
        rig.evaluator_says(vec![alert("bad", Firing, 1)]);
        rig.until_recorded(&format!("REJECTED them firing bad-1: {answer}"));
        // The next one is not held up.
        rig.evaluator_says(vec![alert("good", Firing, 1)]);
        rig.until_recorded(&format!("SENT them firing good-1: {}", vendor.taken()));
        assert_eq!(target.seen().len(), 2, "{vendor:?}");
    }
}

#[test]
fn an_answer_that_is_not_theirs_wakes_nobody_and_is_not_believed() {
    let world = Runtime::new().unwrap();
    for (vendor, replies) in [
        (
            Vendor::PagerDuty,
            [
                Reply::Status(200, "<html>Welcome!</html>"),
                Reply::Status(202, "{\"status\":\"queued?\"}"),
            ],
        ),
        (
            Vendor::Slack,
            [
                Reply::Status(200, "<html>Welcome!</html>"),
                Reply::Status(200, "{\"ok\":true}"),
            ],
        ),
    ] {
        let target = Target::of(world.handle(), vendor, &replies);
        let mut rig = Rig::start(&config(vendor, &target));
        rig.evaluator_says(vec![alert("late", Firing, 1)]);
        rig.until_recorded(&format!("SENT them firing late-1: {}", vendor.taken()));
        assert_eq!(target.seen().len(), 3, "{vendor:?}");
    }
}

#[test]
fn nothing_is_longer_than_its_place() {
    let world = Runtime::new().unwrap();
    for vendor in Vendor::ALL {
        let target = Target::of(world.handle(), vendor, &[]);
        let mut rig = Rig::start(&config(vendor, &target));
        let key = "k".repeat(300);
        rig.evaluator_says(vec![endless(&key)]);
        rig.until_recorded(&format!("SENT them firing {key}-1: {}", vendor.taken()));
        assert_eq!(target.wrong(), [""; 0], "{vendor:?}");
    }
}

#[test]
fn pagerduty_opens_and_ends_one_alert() {
    let world = Runtime::new().unwrap();
    let target = Target::of(world.handle(), Vendor::PagerDuty, &[]);
    let mut rig = Rig::start(&config(Vendor::PagerDuty, &target));
    rig.evaluator_says(vec![rich("late")]);
    rig.until_recorded("SENT them firing late-1: 202 Accepted");
    let body = target.seen()[0].json();
    assert_eq!(body["payload"]["severity"], "critical");
    assert_eq!(body["payload"]["source"], "acme");
    assert_eq!(
        body["payload"]["summary"],
        "CRITICAL: <refunds> & *orders* answer [too](late)"
    );
    let links: Vec<_> = body["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["text"].clone())
        .collect();
    assert_eq!(links, ["Acknowledge", "Runbook", "Board"]);
    let acknowledge = body["links"][0]["href"].as_str().unwrap();
    assert!(
        acknowledge.starts_with("https://board.example.com/ack?key=late&incident=late-1&exp="),
        "{acknowledge}"
    );
    let text = body["payload"]["custom_details"]["text"].as_str().unwrap();
    assert!(
        text.contains(
            "T-1 & <2> (https://desk.example.com/T%2D1%20%26%20%3C2%3E) first reply 31 min of 15 min"
        ),
        "{text}"
    );
    assert_eq!(
        target.remembers(|memory| memory.alerts["late"].clone()),
        "trigger"
    );
    // A further owner, and a further episode of the same alert: ever the same alert there.
    rig.take_over();
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT them resolved late-1: 202 Accepted");
    assert_eq!(target.remembers(|memory| memory.alerts.clone()).len(), 1);
    assert_eq!(
        target.remembers(|memory| memory.alerts["late"].clone()),
        "resolve"
    );
}

#[test]
fn one_that_hangs_delays_no_other() {
    let world = Runtime::new().unwrap();
    let dead: Vec<_> = Vendor::ALL
        .map(|vendor| {
            (
                vendor,
                Target::of(world.handle(), vendor, &vec![Reply::Hang; 50]),
            )
        })
        .into();
    let well: Vec<_> = Vendor::ALL
        .map(|vendor| (vendor, Target::of(world.handle(), vendor, &[])))
        .into();
    let mut text = String::new();
    for (name, targets) in [("dead", &dead), ("well", &well)] {
        for (vendor, target) in targets {
            text.push_str(&vendor.settings(&format!("{name} {vendor:?}"), &target.url()));
            text.push_str("timeout = \"10m\"\n");
        }
    }
    let mut rig = Rig::start(&text);
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    for vendor in Vendor::ALL {
        rig.until_recorded(&format!(
            "SENT well {vendor:?} firing late-1: {}",
            vendor.taken()
        ));
    }
    rig.until("requests to the dead", |_| {
        dead.iter().all(|(_, target)| target.seen().len() == 1)
    });
}

#[test]
fn the_watchdog_goes_out_as_long_as_the_dispatcher_lives() {
    let world = Runtime::new().unwrap();
    let hook = Target::of(world.handle(), Vendor::Webhook, &[]);
    let manager = Target::start(world.handle(), &[]);
    let text = format!(
        "[watchdog]\nreceivers = [\"them\", \"am\"]\ninterval = \"1s\"\n{}[[receiver]]\nname = \"am\"\ntype = \
         \"alertmanager\"\nurl = \"{}\"\nrepost_interval = \"500ms\"\n",
        Vendor::Webhook.settings("them", &hook.url()),
        manager.url()
    );
    let mut rig = Rig::start(&text);
    rig.until("two messages", |_| {
        hook.seen().len() >= 2 && manager.seen().len() >= 3
    });
    let (first, second) = (hook.seen()[0].clone(), hook.seen()[1].clone());
    assert_eq!(first.json()["rule"], "SlawatchWatchdog");
    assert_ne!(
        first.headers["idempotency-key"],
        second.headers["idempotency-key"]
    );
    let posts: Vec<_> = manager
        .seen()
        .iter()
        .map(|seen| seen.json()[0]["labels"].clone())
        .collect();
    let labels = serde_json::json!({
        "alertname": "SlawatchWatchdog", "severity": "info", "slawatch_key": "SlawatchWatchdog"
    });
    assert!(posts.iter().all(|post| *post == labels), "{posts:?}");
    assert_eq!(hook.wrong(), [""; 0]);
    // It is no notification: nothing is recorded of it.
    assert_eq!(rig.notifications(), ["TAKEOVER"]);
    // Without an owner there is nobody to say that all is well.
    rig.give_up();
    let told = hook.seen().len() + 1;
    let given_up_ms = rig.clock.steady_ms();
    rig.until("some time without a word", |rig| {
        assert!(hook.seen().len() <= told, "it goes on without an owner");
        rig.clock.steady_ms() - given_up_ms > 2_500
    });
}
