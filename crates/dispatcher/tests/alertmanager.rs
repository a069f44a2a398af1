//! Against a real Alertmanager, a process of its own.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, alert};
use serde_json::Value;
use slawatch_devstack::alertmanager::{Alertmanager, AlertmanagerOptions};
use slawatch_wire::v1::AlertState::{Firing, Resolved};

fn start() -> Alertmanager {
    Alertmanager::start(AlertmanagerOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn rig(alertmanager: &Alertmanager, interval: &str) -> Rig {
    rig_with("", alertmanager, interval)
}

/// `settings` of the dispatcher itself.
fn rig_with(settings: &str, alertmanager: &Alertmanager, interval: &str) -> Rig {
    Rig::start(&format!(
        "{settings}\n[[receiver]]\nname = \"am\"\ntype = \"alertmanager\"\nurl = \"{}\"\nrepost_interval = \"{interval}\"\n\
         retry_min = \"10ms\"\nretry_max = \"100ms\"\n",
        alertmanager.url()
    ))
}

fn active(alertmanager: &Alertmanager) -> Vec<Value> {
    let body = alertmanager
        .get("/api/v2/alerts?active=true")
        .unwrap_or_else(|_| "[]".to_owned());
    serde_json::from_str(&body).unwrap()
}

fn ends_at(alert: &Value) -> String {
    alert["endsAt"].as_str().unwrap().to_owned()
}

#[test]
fn an_alert_appears_stays_and_goes() {
    let alertmanager = start();
    let mut rig = rig(&alertmanager, "300ms");
    let mut other = alert("other", Firing, 1);
    other.queue = "orders".into();
    rig.evaluator_says(vec![alert("late", Firing, 1), other]);
    rig.until("two alerts", |_| active(&alertmanager).len() == 2);
    let late = |alerts: Vec<Value>| {
        alerts
            .into_iter()
            .find(|alert| alert["labels"]["slawatch_key"] == "late")
            .unwrap()
    };
    let first = late(active(&alertmanager));
    assert_eq!(
        first["labels"],
        serde_json::json!({
            "alertname": "answers too late", "severity": "critical", "vendor": "acme",
            "queue": "refunds", "slawatch_key": "late", "team_lead": "maria"
        })
    );
    assert_eq!(
        first["annotations"],
        serde_json::json!({
            "summary": "refunds answers 62.5 % in time",
            "description": "62.5 % of 8 contacts, the contract says 80 %",
            "runbook_url": "https://runbooks/late", "evidence": "answered=5", "incident": "late-1"
        })
    );
    // It stays for longer than the first post promised: its end moves on with every further one.
    let promised = ends_at(&first);
    rig.until("a later start than the first promise", |rig| {
        slawatch_now(rig) > promised && ends_at(&late(active(&alertmanager))) > promised
    });
    assert_eq!(late(active(&alertmanager))["startsAt"], first["startsAt"]);
    rig.evaluator_says(vec![alert("late", Resolved, 2)]);
    rig.until_recorded("SENT am resolved late-1: 200 OK");
    rig.until("one alert", |_| active(&alertmanager).len() == 1);
    assert_eq!(active(&alertmanager)[0]["labels"]["slawatch_key"], "other");
}

/// The wall clock as the API writes instants.
fn slawatch_now(rig: &Rig) -> String {
    let now = jiff::Timestamp::from_millisecond(rig.clock.wall_ms()).unwrap();
    format!("{now:.3}")
}

#[test]
fn an_alertmanager_that_loses_its_memory_is_told_again() {
    let mut alertmanager = start();
    let mut rig = rig(&alertmanager, "300ms");
    rig.evaluator_says(vec![alert("late", Firing, 1)]);
    rig.until("the alert", |_| active(&alertmanager).len() == 1);
    alertmanager
        .restart()
        .unwrap_or_else(|error| panic!("{error}"));
    rig.until("the alert again", |_| active(&alertmanager).len() == 1);
    // And so is one that is only told by a new owner.
    alertmanager.kill();
    rig.take_over();
    alertmanager
        .restart()
        .unwrap_or_else(|error| panic!("{error}"));
    rig.until("the alert once more", |_| active(&alertmanager).len() == 1);
    let firing = rig
        .notifications()
        .iter()
        .filter(|line| line.starts_with("INTENT"))
        .count();
    assert_eq!(firing, 1, "nobody is paged by a repetition");
}

/// The configuration that is shipped: who is quiet because of whom.
#[test]
fn a_vendor_that_is_down_keeps_its_queues_quiet_and_nobody_else() {
    let shipped = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/alertmanager/alertmanager.yml"
    );
    let alertmanager = Alertmanager::start(AlertmanagerOptions {
        configuration: Some(std::fs::read_to_string(shipped).unwrap()),
        ..AlertmanagerOptions::default()
    })
    .unwrap_or_else(|error| panic!("{error}"));
    // The Alertmanager is to do it by itself here.
    let mut rig = rig_with("inhibit = false", &alertmanager, "60s");
    let of = |key: &str, severity: &str, vendor: &str, queue: &str, ticket: &str| {
        let mut alert = alert(key, Firing, 1);
        (alert.severity, alert.vendor) = (severity.into(), vendor.into());
        (alert.queue, alert.ticket_id) = (queue.into(), ticket.into());
        alert
    };
    rig.evaluator_says(vec![
        of("acme", "error", "acme", "", ""),
        of("acme refunds", "warning", "acme", "refunds", ""),
        of("acme orders", "critical", "acme", "orders", ""),
        of("acme ticket", "warning", "acme", "refunds", "T1"),
        of("globex refunds", "warning", "globex", "refunds", ""),
        // About slawatch itself: by Prometheus, and without a vendor.
        of("own critical", "critical", "", "", ""),
        of("own warning", "warning", "", "", ""),
    ]);
    rig.until("all alerts", |_| active(&alertmanager).len() == 7);
    let quiet = || {
        let alerts = active(&alertmanager);
        let quiet = alerts
            .iter()
            .filter(|alert| alert["status"]["inhibitedBy"] != serde_json::json!([]));
        let keys: std::collections::BTreeSet<String> = quiet
            .map(|alert| alert["labels"]["slawatch_key"].as_str().unwrap().to_owned())
            .collect();
        keys
    };
    rig.until("a quiet queue", |_| !quiet().is_empty());
    assert_eq!(quiet(), ["acme refunds".to_owned()].into());
}

#[test]
fn odd_labels_are_accepted() {
    let alertmanager = start();
    let mut rig = rig(&alertmanager, "60s");
    let mut odd = alert("odd \"key\"\n|ü", Firing, 1);
    odd.labels = [
        ("1.größe", "x"),
        ("__name__", "y"),
        ("", "z"),
        ("empty", ""),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    odd.rule = String::new();
    rig.evaluator_says(vec![odd]);
    rig.until("the alert", |_| active(&alertmanager).len() == 1);
    let labels = &active(&alertmanager)[0]["labels"];
    assert_eq!(labels["slawatch_key"], "odd \"key\"\n|ü");
    assert_eq!(
        (&labels["label_1_gr__e"], &labels["label_"]),
        (&"x".into(), &"z".into())
    );
}
