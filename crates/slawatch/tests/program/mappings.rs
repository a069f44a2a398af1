//! The example mappings on records as their sources send them, and mappings through the program.

use std::path::{Path, PathBuf};

use serde_json::Value;
use slawatch_event::{
    DecodeOptions, Encoding, TEXT_ATTRIBUTES, TicketEvent, format_instant, parse,
};

use crate::run::{POLICIES, folder, lines, slawatch};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mappings")
}

/// What slawatch makes of each record of an example, in a line.
fn events(name: &str) -> Vec<String> {
    let folder = examples();
    let file = folder.join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&file).expect("the mapping");
    let report = slawatch::mapping::check_mapping(name, &text, |name| {
        let path = folder.join(name);
        (name.to_owned(), std::fs::read_to_string(path))
    });
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    let options = DecodeOptions {
        mapping: report.mapping.expect("a mapping without mistakes"),
        ..DecodeOptions::default()
    };
    lines(&folder.join(format!("records/{name}.jsonl")))
        .iter()
        .map(
            |record| match parse(record.as_bytes(), Encoding::Json, &options) {
                Ok(event) => shown(&event),
                Err(rejection) => rejection.to_string(),
            },
        )
        .collect()
}

fn shown(event: &TicketEvent<'_>) -> String {
    let attributes = TEXT_ATTRIBUTES.iter().filter_map(|attribute| {
        Some(format!(
            " {attribute}={:?}",
            event.attributes.get(attribute)?
        ))
    });
    let labels = event.attributes.labels.iter();
    let labels = labels.map(|(name, value)| format!(" {name}:{value:?}"));
    let status = event
        .attributes
        .status
        .map_or("-", slawatch_event::Status::name);
    format!(
        "{} {} {} #{} {status}{}{}{}",
        event.ticket_id,
        event.event_type.name(),
        format_instant(event.occurred_at_ms),
        event.sequence,
        attributes.collect::<String>(),
        labels.collect::<String>(),
        event
            .details
            .into
            .as_ref()
            .map_or(String::new(), |into| format!(" into={into}")),
    )
}

#[test]
fn zendesk() {
    let at = |queue: &str, agent: &str| {
        format!(
            r#"{queue} priority="high" channel="web_service" category="question" agent_id="{agent}" requester_id="8658726154110" brand:"8447346621310" organization:"8447346622462""#
        )
    };
    let refunds = |agent: &str| at(r#"vendor="northwind" queue="refunds""#, agent);
    let baggage = at(r#"vendor="contoso" queue="baggage""#, "");
    let agent = "8447388090494";
    assert_eq!(
        events("zendesk"),
        [
            format!("5158 created 2025-06-02T09:00:00.672Z #1 new {}", refunds("")),
            format!("5158 customer_replied 2025-06-02T09:00:00.672Z #2 new {}", refunds("")),
            format!("5158 updated 2025-06-02T09:10:00.100Z #1 open {}", refunds(agent)),
            "mapping_skipped: the program gives no event for this record".to_owned(),
            format!("5158 updated 2025-06-02T09:20:00.250Z #1 open {}", refunds(agent)),
            format!("5158 agent_replied 2025-06-02T09:45:00.500Z #1 pending {}", refunds(agent)),
            format!("5158 updated 2025-06-02T09:45:00.500Z #2 pending {}", refunds(agent)),
            format!("5158 customer_replied 2025-06-02T11:00:00.000Z #1 open {}", refunds(agent)),
            format!("5158 updated 2025-06-02T11:05:00.000Z #1 open {baggage}"),
            r#"5158 updated 2025-06-02T12:30:00.000Z #1 solved vendor="contoso" queue="baggage" priority="normal" channel="web_service" category="" agent_id="8447388090494" requester_id="8658726154110" brand:"8447346621310" organization:"8447346622462""#.to_owned(),
            format!("5159 merged 2025-06-02T12:31:00.000Z #1 - {} into=5158", refunds(agent)),
        ]
    );
}

#[test]
fn servicenow() {
    let with = |priority: &str, agent: &str| {
        format!(
            r#"vendor="Contoso" queue="Network" priority="{priority}" channel="email" category="network" agent_id="{agent}" requester_id="5137153cc611227c000bbd1bd8cd2005""#
        )
    };
    let high = with("high", "46d44a23a9fe19810012d100cca80666");
    let urgent = with("urgent", "46d44a23a9fe19810012d100cca80666");
    let unassigned = with("high", "");
    assert_eq!(
        events("servicenow"),
        [
            format!("INC0010112 created 2025-06-02T08:00:00.000Z #0 new {unassigned}"),
            format!("INC0010112 updated 2025-06-02T08:05:00.000Z #1 open {high}"),
            format!("INC0010112 updated 2025-06-02T08:20:00.000Z #2 open {high}"),
            format!("INC0010112 agent_replied 2025-06-02T08:40:00.000Z #3 open {high}"),
            format!("INC0010112 updated 2025-06-02T08:41:00.000Z #4 pending {high}"),
            format!("INC0010112 customer_replied 2025-06-02T10:00:00.000Z #5 open {high}"),
            format!("INC0010112 updated 2025-06-02T10:10:00.000Z #6 on_hold {high}"),
            format!("INC0010112 updated 2025-06-02T12:00:00.000Z #7 open {urgent}"),
            format!("INC0010112 updated 2025-06-02T12:45:00.000Z #8 solved {urgent}"),
            "mapping_skipped: the program gives no event for this record".to_owned(),
            format!("INC0010113 created 2025-06-02T13:00:00.000Z #0 new {unassigned}"),
            format!("INC0010113 cancelled 2025-06-02T13:05:00.000Z #1 - {high}"),
        ]
    );
}

#[test]
fn freshdesk() {
    let with = |priority: &str, agent: &str| {
        format!(
            r#"vendor="northwind" queue="Billing" priority="{priority}" channel="Email" category="Problem" agent_id="{agent}" requester_id="jo@example.com" product:"Shop""#
        )
    };
    let urgent = with("Urgent", "maria@vendor.example");
    let found = events("freshdesk");
    let (last, events) = found.split_last().expect("records");
    assert_eq!(
        events,
        [
            format!(
                "4711 created 2025-06-02T07:00:00.120Z #0 open {}",
                with("Urgent", "")
            ),
            format!("4711 updated 2025-06-02T07:02:00.000Z #0 open {urgent}"),
            format!("4711 agent_replied 2025-06-02T07:30:00.000Z #0 pending {urgent}"),
            format!("4711 customer_replied 2025-06-02T09:00:00.000Z #0 open {urgent}"),
            format!("4711 updated 2025-06-02T09:20:00.000Z #0 on_hold {urgent}"),
            format!("4711 agent_replied 2025-06-02T10:00:00.000Z #0 solved {urgent}"),
            format!(
                "4711 updated 2025-06-02T10:30:00.000Z #0 closed {}",
                with("High", "maria@vendor.example")
            ),
        ]
    );
    assert!(
        last.starts_with("unknown_type: type \"ticket archived\" is none of created,"),
        "{last}"
    );
}

#[test]
fn every_example_is_tested_and_checked() {
    let mut names: Vec<String> = std::fs::read_dir(examples())
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .filter(|name| name.ends_with(".toml"))
        .collect();
    names.sort();
    assert_eq!(names, ["freshdesk.toml", "servicenow.toml", "zendesk.toml"]);
    let mut arguments = vec!["check", "--mapping"];
    arguments.extend(names.iter().map(String::as_str));
    let run = slawatch(&examples(), &arguments);
    assert!(run.succeeded, "{run:?}");
    assert_eq!(
        run.out,
        "freshdesk.toml: 0 errors, 0 warnings\nservicenow.toml: 0 errors, 0 warnings\nzendesk.toml: 0 errors, 0 warnings\n"
    );
}

#[test]
fn a_replay_reads_records_by_their_mapping() {
    let folder = folder(&[("p.toml", POLICIES)]);
    let (records, mapping) = (
        examples().join("records/zendesk.jsonl"),
        examples().join("zendesk.toml"),
    );
    let run = slawatch(
        folder.path(),
        &[
            "replay",
            "--events",
            records.to_str().expect("a path"),
            "--policies",
            "p.toml",
            "--mapping",
            mapping.to_str().expect("a path"),
            "--out",
            "out",
        ],
    );
    assert!(run.succeeded, "{run:?}");
    let out = folder.path().join("out");
    assert_eq!(
        lines(&out.join("dead_letters.jsonl")),
        [r#"{"line":4,"reason":"mapping_skipped"}"#]
    );
    let outcomes = lines(&out.join("outcomes.jsonl"));
    let rows: Vec<Value> = outcomes
        .iter()
        .map(|row| serde_json::from_str(row).expect("JSON"))
        .collect();
    let [row] = &rows[..] else {
        panic!("one cycle has a target: {outcomes:?}");
    };
    for (field, expected) in [
        ("ticket_id", "5158"),
        ("metric", "first_reply"),
        ("state", "met"),
        ("queue", "refunds"),
        ("vendor", "northwind"),
        ("stopped_at", "2025-06-02T09:45:00.500Z"),
    ] {
        assert_eq!(row[field], expected, "{field}");
    }
}

#[test]
fn mistakes_in_a_mapping_are_told_by_check_and_replay() {
    let folder = folder(&[
        ("p.toml", POLICIES),
        ("log.jsonl", ""),
        ("m.toml", "jq_file = \"m.jq\"\n[statuses]\nW = \"pendng\"\n"),
        ("m.jq", "{event_id: .id,\n at: now}"),
    ]);
    let check = slawatch(folder.path(), &["check", "--mapping", "m.toml"]);
    assert!(!check.succeeded);
    assert_eq!(
        check.out,
        "error: \"pendng\" is no status\n --> m.toml:3:5\n  |\n3 | W = \"pendng\"\n  |     ^^^^^^^^\n  = help: write \"pending\"\n\n\
         error: now reads the clock: a mapping reads nothing but its record\n --> m.jq:2:6\n  |\n2 |  at: now}\n  |      ^^^\n  \
         = help: take what you need from the record, from $envelope or from $key\n\nm.toml: 2 errors, 0 warnings\n"
    );
    let json = slawatch(folder.path(), &["check", "--json", "--mapping", "m.toml"]);
    let report: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(report[0]["errors"], 2);
    assert_eq!(report[0]["diagnostics"][1]["file"], "m.jq");
    let arguments = [
        "replay",
        "--events",
        "log.jsonl",
        "--policies",
        "p.toml",
        "--out",
        "out",
        "--mapping",
    ];
    for (file, expected) in [
        ("m.toml", "error: \"pendng\" is no status"),
        (
            "none.toml",
            "slawatch: cannot read none.toml: No such file or directory",
        ),
    ] {
        let run = slawatch(folder.path(), &[&arguments[..], &[file]].concat());
        assert!(!run.succeeded);
        assert!(run.error.contains(expected), "{}", run.error);
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn a_configuration_names_its_mapping() {
    let folder = folder(&[
        ("p.toml", POLICIES),
        ("m.toml", "[field]\n"),
        (
            "slawatch.toml",
            "policies = [\"p.toml\"]\n[tracker]\nmapping = \"m.toml\"\n",
        ),
    ]);
    for command in ["check", "run"] {
        let run = slawatch(folder.path(), &[command, "--config", "slawatch.toml"]);
        assert!(!run.succeeded, "{command}");
        let told = format!("{}{}", run.out, run.error);
        assert!(
            told.contains("unknown key \"field\" in the file"),
            "{command}: {told}"
        );
    }
}
