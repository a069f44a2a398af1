//! What `slawatch replay` writes of small logs, and what it says of arguments that it cannot use.

use std::path::Path;

use crate::run::{POLICIES, Run, folder, lines, slawatch};

const EVENT: &str =
    r#"{"event_id":"1","ticket_id":"T","type":"created","occurred_at":"2025-06-02T09:00:00Z"}"#;

fn replay(folder: &Path, more: &[&str]) -> Run {
    let mut arguments = vec![
        "replay",
        "--events",
        "log.jsonl",
        "--policies",
        "p.toml",
        "--out",
        "out",
    ];
    arguments.extend(more);
    slawatch(folder, &arguments)
}

#[test]
fn arguments_that_cannot_be_used_are_named() {
    let folder = folder(&[
        ("log.jsonl", EVENT),
        ("p.toml", POLICIES),
        ("empty.toml", ""),
    ]);
    std::fs::create_dir(folder.path().join("folder")).expect("a folder");
    for (arguments, expected) in [
        (
            &[
                "--events",
                "none.jsonl",
                "--policies",
                "p.toml",
                "--out",
                "out",
            ][..],
            "slawatch: cannot read none.jsonl: No such file or directory",
        ),
        (
            &["--events", "folder", "--policies", "p.toml", "--out", "out"],
            "slawatch: folder is a folder; files of JSON lines are expected",
        ),
        (
            &[
                "--events",
                "log.jsonl",
                "--policies",
                "none.toml",
                "--out",
                "out",
            ],
            "slawatch: cannot read none.toml: No such file or directory",
        ),
        (
            &[
                "--events",
                "log.jsonl",
                "--policies",
                "folder",
                "--out",
                "out",
            ],
            "slawatch: cannot read folder: Is a directory",
        ),
        (
            &[
                "--events",
                "log.jsonl",
                "--policies",
                "p.toml",
                "--out",
                "log.jsonl",
            ],
            "slawatch: cannot make the folder log.jsonl: File exists",
        ),
        (
            &[
                "--events",
                "log.jsonl",
                "--policies",
                "empty.toml",
                "--out",
                "out",
            ],
            "effective_from",
        ),
        (
            &[
                "--events",
                "log.jsonl",
                "--policies",
                "p.toml",
                "p.toml",
                "--out",
                "out",
            ],
            "p.toml is in force from 2025-01-01T00:00:00.000Z on already",
        ),
        (
            &["--policies", "p.toml", "--out", "out"],
            "--events <FILE>...",
        ),
        (
            &["--events", "log.jsonl", "--out", "out"],
            "--policies <FILE>...",
        ),
        (
            &["--events", "log.jsonl", "--policies", "p.toml"],
            "--out <DIR>",
        ),
    ] {
        let mut all = vec!["replay"];
        all.extend(arguments);
        let run = slawatch(folder.path(), &all);
        assert!(!run.succeeded, "{arguments:?}");
        assert!(run.error.contains(expected), "{arguments:?}: {}", run.error);
    }
    for (more, expected) in [
        (
            ["--until", "yesterday"],
            "invalid value 'yesterday' for '--until <INSTANT>': expected an RFC 3339 instant with offset, such as 2026-01-31T12:00:00Z, or milliseconds since 1970",
        ),
        (
            ["--until", "2025-06-02T09:00:00"],
            "invalid value '2025-06-02T09:00:00' for '--until <INSTANT>'",
        ),
        (
            ["--allowed-delay", "2"],
            "invalid value '2' for '--allowed-delay <D>': a duration needs units: h, m or s",
        ),
        (
            ["--allowed-delay", "1d"],
            "a business day has no fixed length, so say how many hours it shall be",
        ),
        (
            ["--partitions", "0"],
            "invalid value '0' for '--partitions <N>': 0 is not in 1..=1024",
        ),
        (
            ["--partitions", "many"],
            "invalid value 'many' for '--partitions <N>'",
        ),
    ] {
        let run = replay(folder.path(), &more);
        assert!(!run.succeeded, "{more:?}");
        assert!(run.error.contains(expected), "{more:?}: {}", run.error);
    }
    assert!(!folder.path().join("out").exists());
}

fn outcome_field(out: &Path, field: &str) -> Vec<String> {
    lines(&out.join("outcomes.jsonl"))
        .iter()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row is JSON");
            row[field].to_string()
        })
        .collect()
}

#[test]
fn the_clock_ends_at_until_or_with_the_last_record() {
    let later = EVENT.replace("\"1\"", "\"2\"").replace("\"T\"", "\"U\"");
    let later = later.replace("09:00:00Z", "10:00:00.001Z");
    let log = format!("{EVENT}\n{later}\n");
    let folder = folder(&[("log.jsonl", &log), ("p.toml", POLICIES)]);
    let running = "\"running\"".to_owned();
    let breached = "\"breached\"".to_owned();
    for (more, states) in [
        (&[][..], [&breached, &running]),
        (&["--allowed-delay", "1s"], [&running, &running]),
        (&["--until", "2025-06-02T10:00:00Z"], [&running, &running]),
        (
            &["--until", "2025-06-02 10:00:00.001z"],
            [&breached, &running],
        ),
        (&["--until", "1748858400002"], [&breached, &running]),
        (
            &["--until", "2025-06-02T13:00:00+02:00"],
            [&breached, &running],
        ),
        (
            &["--until", "2025-06-02T13:00:01+02:00"],
            [&breached, &breached],
        ),
        (
            &[
                "--until",
                "2025-06-02T13:00:01+02:00",
                "--allowed-delay",
                "1s",
            ],
            [&breached, &running],
        ),
        (
            &["--until", "2025-06-02T09:55:00.001Z"],
            [&running, &running],
        ),
    ] {
        let run = replay(folder.path(), more);
        assert!(run.succeeded, "{more:?}: {}", run.error);
        let found = outcome_field(&folder.path().join("out"), "state");
        assert_eq!(found.iter().collect::<Vec<_>>(), states, "{more:?}");
    }
}

#[test]
fn what_cannot_count_is_named_by_line_over_all_files() {
    let first = "\n  \t\r\n[]\n{\"event_id\":\"1\"}\r\n";
    let future = EVENT.replace("09:00:00Z", "09:05:00.001Z");
    let second = format!(
        "{EVENT}\r\n{future}\n{}",
        EVENT.replace("created", "opened")
    );
    let folder = folder(&[
        ("a.jsonl", first),
        ("b.jsonl", &second),
        ("p.toml", POLICIES),
    ]);
    let run = slawatch(
        folder.path(),
        &[
            "replay",
            "--events",
            "a.jsonl",
            "b.jsonl",
            "--policies",
            "p.toml",
            "--out",
            "out",
            "--until",
            "2025-06-02T09:00:00Z",
        ],
    );
    assert!(run.succeeded, "{}", run.error);
    assert_eq!(
        lines(&folder.path().join("out/dead_letters.jsonl")),
        [
            r#"{"line":3,"reason":"bad_json"}"#,
            r#"{"line":4,"reason":"missing_field"}"#,
            r#"{"line":6,"reason":"future_event"}"#,
            r#"{"line":7,"reason":"unknown_type"}"#,
        ]
    );
    assert!(
        run.out
            .contains("5 lines: 1 events, 0 copies (0 of them conflicting), 4 dead letters"),
        "{}",
        run.out
    );
}

#[test]
fn a_history_of_ten_thousand_events_takes_no_more() {
    let mut log = String::new();
    for number in 0..10_002 {
        let id = format!("\"{number}\"");
        log += &EVENT.replace("\"1\"", &id).replace("created", "escalated");
        log.push('\n');
    }
    log += &EVENT
        .replace("\"1\"", "\"7\"")
        .replace("created", "escalated");
    let folder = folder(&[("log.jsonl", &log), ("p.toml", POLICIES)]);
    let run = replay(folder.path(), &[]);
    assert!(run.succeeded, "{}", run.error);
    assert_eq!(
        lines(&folder.path().join("out/dead_letters.jsonl")),
        [
            r#"{"line":10001,"reason":"ticket_too_long"}"#,
            r#"{"line":10002,"reason":"ticket_too_long"}"#,
        ]
    );
    assert_eq!(
        lines(&folder.path().join("out/panes.jsonl")),
        [r#"{"pane":"2025-06-02T09:00:00.000Z","vendor":"","queue":"","escalated":10000}"#]
    );
}

#[test]
fn an_empty_log_gives_empty_files() {
    let folder = folder(&[("log.jsonl", ""), ("p.toml", POLICIES)]);
    let run = replay(folder.path(), &[]);
    assert!(run.succeeded, "{}", run.error);
    for file in ["outcomes.jsonl", "panes.jsonl", "dead_letters.jsonl"] {
        assert!(
            lines(&folder.path().join("out").join(file)).is_empty(),
            "{file}"
        );
    }
}
