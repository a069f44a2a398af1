//! What `slawatch replay --rules` tells: the same whatever the number of trackers and however the lines are put into files,
//! and the same outcomes and panes as without rules.

use std::path::Path;

use serde_json::Value;
use slawatch_devstack::traffic::{DAY_MS, Incident, Traffic, TrafficConfig};

use crate::run::{POLICIES, Run, folder, lines, slawatch};
use crate::samples::{INCIDENTS, RANDOM};

const RULES: &str = include_str!("../../../../examples/rules/operations.toml");
const CONTRACT: &str = include_str!("../../../../examples/policies/contract.toml");
/// 2026-03-02T14:00:00Z: a day from there has a morning of Manila in its middle.
const MONDAY_AFTERNOON: i64 = 1_772_460_000_000;

/// Levels at which the samples tell something of every kind.
const TOUCHY: &str = r#"
[[rule]]
name = "first-replies"
type = "threshold"
measure = "attainment.first_reply"
window = "4h"
enter = "90%"
exit = "95%"
min_samples = 1
for = "10m"
keep_firing_for = "30m"
severity = "error"
by = ["vendor", "queue"]

[[rule]]
name = "backlog"
type = "threshold"
measure = "backlog"
enter = 5
exit = 3
severity = "warning"
by = ["vendor"]

[[rule]]
name = "service-level"
type = "threshold"
measure = "service_level"
window = "24h"
enter = "80%"
exit = "85%"
min_samples = 2
severity = "critical"
by = ["vendor"]

[[rule]]
name = "clocks"
type = "ticket"
on = ["breached", "warning"]
severity = "error"
"#;

fn replay(folder: &Path, events: &[&str], policies: &[&str], until: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["replay", "--events"];
    arguments.extend(events);
    arguments.push("--policies");
    arguments.extend(policies);
    arguments.extend(["--until", until]);
    arguments.extend(more);
    let run = slawatch(folder, &arguments);
    assert!(run.succeeded, "{run:?}");
    run
}

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).expect("a result")
}

/// Tries the rules over one, four and sixteen trackers and over two files, and without rules.
fn depends_on_nothing_else(
    log: &str,
    policies: &[(&str, String)],
    until: &str,
    rules: &str,
) -> Vec<Value> {
    let half = log[..log.len() / 2].rfind('\n').map_or(0, |end| end + 1);
    let mut files = vec![
        ("log.jsonl", log),
        ("a.jsonl", &log[..half]),
        ("b.jsonl", &log[half..]),
        ("rules.toml", rules),
    ];
    files.extend(policies.iter().map(|(name, text)| (*name, text.as_str())));
    let folder = folder(&files);
    let folder = folder.path();
    let names: Vec<&str> = policies.iter().map(|(name, _)| *name).collect();
    replay(folder, &["log.jsonl"], &names, until, &["--out", "plain"]);
    let all = &["log.jsonl"][..];
    let halves = &["a.jsonl", "b.jsonl"][..];
    for (out, events, partitions) in [("one", all, "1"), ("four", all, "4"), ("two", halves, "16")]
    {
        let more = ["--rules", "rules.toml", "--partitions", partitions];
        replay(
            folder,
            events,
            &names,
            until,
            &[&more[..], &["--out", out]].concat(),
        );
        for file in ["outcomes.jsonl", "panes.jsonl", "dead_letters.jsonl"] {
            let plain = text(&folder.join("plain"), file);
            assert!(
                text(&folder.join(out), file) == plain,
                "{file} of {out} differs"
            );
        }
        for file in ["alerts.jsonl", "backtest.json"] {
            let one = text(&folder.join("one"), file);
            assert!(
                text(&folder.join(out), file) == one,
                "{file} of {out} differs"
            );
        }
    }
    assert!(text(&folder.join("plain"), "alerts.jsonl").is_empty());
    assert!(!folder.join("plain/backtest.json").exists());
    lines(&folder.join("one/alerts.jsonl"))
        .iter()
        .map(|line| serde_json::from_str(line).expect("an alert is JSON"))
        .collect()
}

/// Sorted by time, each episode's transitions in their order, every key there.
fn reads_well(alerts: &[Value]) {
    let keys = "at key incident rule severity vendor queue ticket_id state reason evidence";
    let mut before = "";
    for alert in alerts {
        let found: Vec<&str> = alert
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(found.join(" "), keys);
        let at = alert["at"].as_str().expect("an instant");
        assert!(before <= at, "{before} {at}");
        before = at;
        let has_incident = alert["incident"].is_string();
        match alert["state"].as_str().expect("a state") {
            "pending" => assert!(!has_incident, "{alert}"),
            // A pending one that never fired is resolved without.
            "resolved" => {}
            "firing" | "retracted" | "expired" => assert!(has_incident, "{alert}"),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn alerts_of_the_samples_depend_on_neither_trackers_nor_files() {
    for sample in [INCIDENTS, RANDOM] {
        let Some((folder, events)) = sample.folder().zip(sample.events()) else {
            continue;
        };
        let policies: Vec<(&str, String)> = sample
            .policies
            .iter()
            .map(|name| (*name, text(&folder, name)))
            .collect();
        let alerts = depends_on_nothing_else(&events, &policies, sample.until, TOUCHY);
        reads_well(&alerts);
        for state in ["pending", "firing", "resolved"] {
            let count = alerts
                .iter()
                .filter(|alert| alert["state"] == state)
                .count();
            assert!(count > 10, "{}: {count} {state}", sample.name);
        }
    }
}

#[test]
fn alerts_of_generated_traffic_depend_on_neither_trackers_nor_files() {
    let config = TrafficConfig {
        duration_ms: DAY_MS,
        incident: Some(Incident::mid_week(MONDAY_AFTERNOON, DAY_MS, 6_000.0)),
        ..TrafficConfig::week(11, MONDAY_AFTERNOON)
    };
    let incident = config.incident.clone().expect("staged");
    let log: Vec<u8> = Traffic::new(config)
        .flat_map(|record| [record.json, vec![b'\n']].concat())
        .collect();
    let log = String::from_utf8(log).expect("UTF-8");
    let policies = [("contract.toml", CONTRACT.to_owned())];
    let alerts = depends_on_nothing_else(&log, &policies, "2026-03-03T14:00:00Z", RULES);
    reads_well(&alerts);
    let drowned = alerts.iter().any(|alert| {
        alert["rule"] == "service-level"
            && alert["state"] == "firing"
            && alert["vendor"] == incident.vendor.as_str()
            && alert["queue"] == incident.queue.as_str()
    });
    assert!(drowned, "the staged incident is told");
}

const RULE: &str = r#"
[[rule]]
name = "clocks"
type = "ticket"
on = ["breached"]
severity = "error"
"#;

#[test]
fn a_breach_that_a_late_event_takes_back_is_false() {
    let event = |id: &str, kind: &str, ticket: &str, at: &str| {
        format!(
            r#"{{"event_id":"{id}","ticket_id":"{ticket}","type":"{kind}","occurred_at":"2025-06-02T{at}Z","vendor":"acme"}}"#
        )
    };
    let log = [
        event("1", "created", "T", "09:00:00"),
        event("2", "created", "U", "09:00:00"),
        event("3", "created", "V", "12:00:00"),
        event("4", "agent_replied", "T", "09:10:00"),
    ]
    .join("\n");
    let folder = folder(&[("log.jsonl", &log), ("p.toml", POLICIES), ("r.toml", RULE)]);
    let more = ["--rules", "r.toml", "--out", "out"];
    let until = "2025-06-02T12:30:00Z";
    let run = replay(folder.path(), &["log.jsonl"], &["p.toml"], until, &more);
    let told: Vec<String> = lines(&folder.path().join("out/alerts.jsonl"))
        .iter()
        .map(|line| {
            let alert: Value = serde_json::from_str(line).expect("JSON");
            let word = |field: &str| alert[field].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", word("at"), word("ticket_id"), word("state"))
        })
        .collect();
    // The clock goes on between records: both were due before 12:00, when nobody knew of the reply.
    assert_eq!(
        told,
        [
            "2025-06-02T10:00:00.000Z T firing",
            "2025-06-02T10:00:00.000Z U firing",
            "2025-06-02T12:00:59.999Z T retracted",
        ]
    );
    let report: Value =
        serde_json::from_str(&text(&folder.path().join("out"), "backtest.json")).expect("JSON");
    let rule = &report["rules"][0];
    for (field, expected) in [
        ("episodes", 2),
        ("false_episodes", 1),
        ("retracted", 1),
        ("firing_at_end", 1),
        ("longest_ms", 9_000_000),
    ] {
        assert_eq!(rule[field], expected, "{field}");
    }
    assert!(run.out.contains("3 transitions of alerts"), "{}", run.out);
}

#[test]
fn what_cannot_be_tried_is_named() {
    let folder = folder(&[
        ("log.jsonl", ""),
        ("p.toml", POLICIES),
        ("r.toml", RULE),
        ("none.toml", ""),
        ("wrong.toml", "[[rule]]\nname = \"a\"\n"),
    ]);
    for (more, expected) in [
        (
            &["--rules", "none.toml"][..],
            "slawatch: none.toml holds no rule to try",
        ),
        (&["--rules", "wrong.toml"], "wrong.toml"),
        (&["--rules", "gone.toml"], "slawatch: cannot read gone.toml"),
        (
            &["--rules", "r.toml", "none.toml"],
            "put the rules of none.toml into the first one",
        ),
        (
            &["--rules", "r.toml", "--contract-period", "year"],
            "invalid value 'year' for '--contract-period <PERIOD>': write day, week or month",
        ),
        (
            &["--rules", "r.toml", "--contract-timezone", "Berlin"],
            "invalid value 'Berlin' for '--contract-timezone <ZONE>': write an IANA time zone, such as Europe/Berlin",
        ),
        (&["--contract-period", "week"], "--rules <FILE>..."),
    ] {
        let mut arguments = vec!["replay", "--events", "log.jsonl", "--policies", "p.toml"];
        arguments.extend(["--out", "out"]);
        arguments.extend(more);
        let run = slawatch(folder.path(), &arguments);
        assert!(!run.succeeded, "{more:?}");
        assert!(run.error.contains(expected), "{more:?}: {}", run.error);
    }
    let more = ["--rules", "r.toml", "--out", "out"];
    let until = "2025-06-02T12:30:00Z";
    let run = replay(folder.path(), &["log.jsonl"], &["p.toml"], until, &more);
    assert!(
        run.out
            .contains("The history holds nothing that rules could look at."),
        "{}",
        run.out
    );
}
