//! What `slawatch explain` prints, and what it says when it has nothing to explain.

use std::path::Path;

use crate::run::{POLICIES, folder, slawatch};

const EVENT: &str =
    r#"{"event_id":"1","ticket_id":"T","type":"created","occurred_at":"2025-06-02T09:00:00Z"}"#;

/// Of files, with arguments in front of them.
fn explain(folder: &Path, arguments: &[&str]) -> crate::run::Run {
    let mut all = vec!["explain"];
    all.extend(arguments);
    slawatch(folder, &all)
}

#[test]
fn what_cannot_be_explained_is_said_with_the_way_out() {
    let wrong =
        r#"{"event_id":"2","ticket_id":"W","type":"opened","occurred_at":"2025-06-02T09:00:00Z"}"#;
    let folder = folder(&[
        ("log.jsonl", &format!("{EVENT}\n{wrong}\n")),
        ("empty.jsonl", ""),
        ("wrong.jsonl", wrong),
        ("p.toml", POLICIES),
        ("broken.toml", "effective_from = 1"),
        (
            "away.toml",
            "policies = ['p.toml']\n[clickhouse]\nurl = 'http://127.0.0.1:1'\n",
        ),
    ]);
    let files = ["--events", "log.jsonl", "--policies", "p.toml"];
    for (arguments, expected) in [
        (
            &["U", "--events", "log.jsonl", "--policies", "p.toml"][..],
            "slawatch: no event of ticket U is among the 1 event read from log.jsonl; the first of them is of ticket T\n",
        ),
        (
            &["W", "--events", "log.jsonl", "--policies", "p.toml"],
            "slawatch: no event of ticket W is among the 1 event read from log.jsonl; line 2, in which that id stands, is a dead letter: unknown_type: ",
        ),
        (
            &["U", "--events", "wrong.jsonl", "--policies", "p.toml"],
            "slawatch: no event of ticket U is among the 0 events read from wrong.jsonl; 1 line cannot count at all, which `slawatch replay` lists\n",
        ),
        (
            &["U", "--events", "empty.jsonl", "--policies", "p.toml"],
            "slawatch: no event of ticket U is among the 0 events read from empty.jsonl; the files hold no event\n",
        ),
        (
            &["T", "--events", "none.jsonl", "--policies", "p.toml"],
            "slawatch: cannot read none.jsonl: No such file or directory",
        ),
        (
            &["T", "--events", ".", "--policies", "p.toml"],
            "slawatch: . is a folder; files of JSON lines are expected",
        ),
        (
            &["T", "--events", "log.jsonl", "--policies", "none.toml"],
            "slawatch: cannot read none.toml: No such file or directory",
        ),
        (
            &["T", "--events", "log.jsonl", "--policies", "broken.toml"],
            "broken.toml",
        ),
        (
            &["T", "--events", "log.jsonl"],
            "slawatch: say under which policies: --policies FILE…, or --config FILE for those of an installation",
        ),
        (
            &["T", "--policies", "p.toml"],
            "slawatch: say where the events are: --events FILE…, or --config FILE for those in ClickHouse",
        ),
        (
            &["T", "--config", "none.toml"],
            "slawatch: cannot read the configuration none.toml: No such file or directory",
        ),
        (
            &["T", "--config", "away.toml"],
            "slawatch: cannot read slawatch.ticket_events from ClickHouse at http://127.0.0.1:1: ",
        ),
    ] {
        let run = explain(folder.path(), arguments);
        assert!(!run.succeeded, "{arguments:?}");
        assert!(run.error.contains(expected), "{arguments:?}: {}", run.error);
        assert_eq!(run.out, "", "{arguments:?}");
    }
    for (more, expected) in [
        (
            ["--metric", "resolutions"],
            "there is no such clock; write one of first_reply, next_reply, periodic_update, requester_wait, agent_work, resolution, answer",
        ),
        (
            ["--metric", "answer"],
            "ticket T has no cycle of answer; it has first_reply 1",
        ),
        (
            ["--cycle", "2"],
            "ticket T has no cycle 2 of any clock; it has first_reply 1",
        ),
        (["--until", "noon"], "expected an RFC 3339 instant"),
        (
            ["--allowed-delay", "1d"],
            "a business day has no fixed length",
        ),
    ] {
        let mut arguments = vec!["T"];
        arguments.extend(files);
        arguments.extend(more);
        let run = explain(folder.path(), &arguments);
        assert!(!run.succeeded, "{more:?}");
        assert!(run.error.contains(expected), "{more:?}: {}", run.error);
    }
}

#[test]
fn the_clock_means_what_it_means_to_a_replay() {
    let later = EVENT.replace("\"1\"", "\"2\"").replace("\"T\"", "\"U\"");
    let later = later.replace("09:00:00Z", "10:00:00.001Z");
    let folder = folder(&[
        ("log.jsonl", &format!("{EVENT}\n{later}\n")),
        ("p.toml", POLICIES),
    ]);
    for (more, expected) in [
        (&[][..], "first_reply 1 breached Mon 2025-06-02 10:00:00Z"),
        (
            &["--allowed-delay", "1s"],
            "first_reply 1 running: 59m59.001s of 1h used",
        ),
        (
            &["--until", "2025-06-02T10:00:00Z"],
            "first_reply 1 running: 1h of 1h used",
        ),
        (&["--until", "1748858400002"], "first_reply 1 breached"),
    ] {
        let mut arguments = vec!["T", "--events", "log.jsonl", "--policies", "p.toml"];
        arguments.extend(more);
        let run = explain(folder.path(), &arguments);
        assert!(run.succeeded, "{more:?}: {}", run.error);
        assert!(run.out.contains(expected), "{more:?}: {}", run.out);
    }
}

/// What the README shows.
#[test]
fn the_example_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments = [
        "T-1001",
        "--events",
        "examples/events.jsonl",
        "--policies",
        "examples/policies/contract.toml",
    ];
    let text = explain(&root, &arguments);
    assert!(text.succeeded, "{}", text.error);
    insta::assert_snapshot!(text.out);
    let mut arguments = arguments.to_vec();
    arguments.extend(["--json", "--metric", "first_reply"]);
    let json = explain(&root, &arguments);
    assert!(json.succeeded, "{}", json.error);
    insta::assert_snapshot!("the_example_as_json", json.out);
}

#[test]
fn records_of_the_source_are_read_by_its_mapping() {
    let record = r#"{"id":"1","ticket":"T","what":"created","at":"2025-06-02T09:00:00Z"}"#;
    let mapping =
        "[fields]\nevent_id = 'id'\nticket_id = 'ticket'\ntype = 'what'\noccurred_at = 'at'\n";
    let config = "policies = ['p.toml']\n[tracker]\nmapping = 'm.toml'\n";
    let folder = folder(&[
        ("log.jsonl", record),
        ("p.toml", POLICIES),
        ("m.toml", mapping),
        ("wrong.toml", "[fields]\nevent = 'id'\n"),
        ("slawatch.toml", config),
    ]);
    for more in [
        &["--policies", "p.toml", "--mapping", "m.toml"][..],
        &["--config", "slawatch.toml"],
    ] {
        let mut arguments = vec!["T", "--events", "log.jsonl"];
        arguments.extend(more);
        let run = explain(folder.path(), &arguments);
        assert!(run.succeeded, "{more:?}: {}", run.error);
        assert!(run.out.contains("created  1\n"), "{more:?}: {}", run.out);
    }
    let wrong = [
        "T",
        "--events",
        "log.jsonl",
        "--policies",
        "p.toml",
        "--mapping",
        "wrong.toml",
    ];
    let run = explain(folder.path(), &wrong);
    assert!(!run.succeeded);
    assert!(run.error.contains("wrong.toml"), "{}", run.error);
    assert_eq!(run.out, "");
}
