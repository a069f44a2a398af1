//! What `slawatch check` finds in policy files.

use crate::run::{POLICIES, folder, slawatch, slawatch_under};

const MISTAKEN: &str = r#"effective_from = "2025-01-01"
[[calendar]]
name = "manila"
timezone = "Asia/Manilla"
hours = { mon-fri = ["09:00-13:00", "12:00-18:00"] }
[[policy]]
name = "only"
calendar = "manlia"
on_reopen = "restrat"
[policy.targets]
first_replay = "1h"
resolution = "3d"
"#;

#[test]
fn every_mistake_is_told_with_file_and_line() {
    let folder = folder(&[("bad.toml", MISTAKEN), ("good.toml", POLICIES)]);
    let run = slawatch(
        folder.path(),
        &["check", "--policies", "good.toml", "bad.toml"],
    );
    assert!(!run.succeeded);
    for (line, words) in [
        (1, "2025-01-01"),
        (4, "Asia/Manila"),
        (5, "12:00"),
        (8, "manila"),
        (9, "restart"),
        (11, "first_reply"),
        (12, "hours"),
    ] {
        let place = format!("bad.toml:{line}:");
        let told = run.out.split(&place).nth(1);
        let told = told.unwrap_or_else(|| panic!("nothing is said of {place} in\n{}", run.out));
        let told = told.split("bad.toml:").next().unwrap_or_default();
        assert!(told.contains(words), "{place} {told}");
    }
    assert!(!run.out.contains("good.toml:"), "{}", run.out);
}

#[test]
fn a_replay_under_mistaken_policies_tells_them_and_writes_nothing() {
    let folder = folder(&[("bad.toml", MISTAKEN), ("log.jsonl", "")]);
    let run = slawatch(
        folder.path(),
        &[
            "replay",
            "--events",
            "log.jsonl",
            "--policies",
            "bad.toml",
            "--out",
            "out",
        ],
    );
    assert!(!run.succeeded);
    assert!(run.error.contains("bad.toml:9:"), "{}", run.error);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn good_policies_are_counted() {
    let folder = folder(&[("good.toml", POLICIES)]);
    let run = slawatch(folder.path(), &["check", "--policies", "good.toml"]);
    assert!(run.succeeded, "{run:?}");
    assert_eq!(run.out, "1 policy set, 1 policy: 0 errors, 0 warnings\n");
    let run = slawatch(
        folder.path(),
        &["check", "--json", "--policies", "good.toml"],
    );
    let report: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(report[0]["errors"], 0);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = folder(&[]);
    let run = slawatch(folder.path(), &["check", "--policies", "none.toml"]);
    assert!(!run.succeeded);
    assert!(
        run.error
            .starts_with("slawatch: cannot read none.toml: No such file or directory"),
        "{}",
        run.error
    );
}

const CONFIGURATION: &str = r#"policies = ["bad.toml", "none.toml", "good.toml"]
rules = ["no-rules.toml"]
[tracker]
worker = 2
allowed_delay = "soon"
[clickhouse]
password = 31415926
"#;

#[test]
fn a_configuration_and_all_that_it_names_are_checked_in_one_run() {
    let folder = folder(&[
        ("slawatch.toml", CONFIGURATION),
        ("bad.toml", MISTAKEN),
        ("good.toml", POLICIES),
    ]);
    let arguments = ["check", "--config", "slawatch.toml"];
    let run = slawatch(folder.path(), &arguments);
    assert!(!run.succeeded);
    for told in [
        "slawatch.toml:4: tracker.worker: there is no such setting; write workers\n",
        "slawatch.toml:5: tracker.allowed_delay: \"soon\" is no duration; ",
        "slawatch.toml:7: clickhouse.password: a number stands here; write a text in quotes, ",
        "slawatch.toml: 3 errors\n",
        "bad.toml:12:",
    ] {
        assert!(run.out.contains(told), "{told} is not in {}", run.out);
    }
    for unread in ["none.toml", "no-rules.toml"] {
        let told = format!("slawatch: cannot read {unread}: No such file");
        assert!(run.error.contains(&told), "{}", run.error);
    }
    assert!(!format!("{run:?}").contains("31415926"), "{run:?}");
    let run = slawatch(folder.path(), &[&arguments[..], &["--json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
    assert_eq!(report[0]["errors"], 3);
    assert_eq!(report[0]["diagnostics"][0]["line"], 4);
    assert_eq!(report[0]["diagnostics"][0]["words"], "tracker.worker");
    // And nothing runs under it, for the same reasons.
    let run = slawatch(folder.path(), &["run", "--config", "slawatch.toml"]);
    assert!(!run.succeeded);
    assert!(
        run.error.contains("\n  slawatch.toml:4: tracker.worker: "),
        "{}",
        run.error
    );
    assert!(!run.error.contains("31415926"), "{}", run.error);
}

#[test]
fn secrets_of_the_environment_are_in_no_output() {
    let folder = folder(&[
        ("slawatch.toml", "policies = [\"good.toml\"]\n"),
        ("good.toml", POLICIES),
    ]);
    let variables = [
        ("SLAWATCH_CLICKHOUSE__PASSWORD", "31415926"),
        (
            "SLAWATCH_BOARD__ACCESS__TOKENS",
            "[{ name = \"ana\", role = \"act\", token = \"31415926-0123456789\" }]",
        ),
        ("SLAWATCH_DISPATCHER__BOARD_URL", "https://b.example.com"),
        ("SLAWATCH_DISPATCHER__LINK_SECRET", "31415926-9876543210"),
        ("SLAWATCH_CLICKHOUSE__URL", "http://127.0.0.1:1"),
        ("SLAWATCH_KAFKA__BROKERS", "127.0.0.1:1"),
        ("SLAWATCH_LOGS__LEVEL", "trace"),
        // A slip of the pen, so that nothing is waited for.
        ("SLAWATCH_KAFKA__PROPERTIES__SASL_PASWORD", "31415926"),
    ];
    for (command, expected) in [
        ("check", None),
        ("migrate", Some("ClickHouse at http://127.0.0.1:1 failed")),
        ("run", Some("property sasl.pasword cannot be used: ")),
    ] {
        let arguments = [command, "--config", "slawatch.toml"];
        let run = slawatch_under(folder.path(), &arguments, &variables);
        assert_eq!(run.succeeded, expected.is_none(), "{run:?}");
        assert!(run.error.contains(expected.unwrap_or_default()), "{run:?}");
        assert!(!format!("{run:?}").contains("31415926"), "{run:?}");
    }
}

#[test]
fn rules_that_no_tracker_or_policy_serves_are_told() {
    let rules = "[[rule]]\nname = \"phone\"\ntype = \"ticket\"\non = [\"warning\"]\nseverity = \"error\"\nat = [0.7]\nmatch = { channel = [\"phone\"] }\n";
    let told = "the rule \"phone\" matches on channel, which trackers do not tell, so that no ticket ever has it";
    let level = "no policy announces 0.7, so that the rule \"phone\" never tells of it";
    for (tracker, is_told) in [
        ("", true),
        ("[tracker]\nalert_attributes = [\"channel\"]\n", false),
    ] {
        let config = format!("policies = [\"good.toml\"]\nrules = [\"rules.toml\"]\n{tracker}");
        let folder = folder(&[
            ("slawatch.toml", &config),
            ("good.toml", POLICIES),
            ("rules.toml", rules),
        ]);
        let run = slawatch(folder.path(), &["check", "--config", "slawatch.toml"]);
        assert_eq!(run.succeeded, !is_told, "{run:?}");
        assert_eq!(run.out.contains(told), is_told, "{run:?}");
        assert!(run.out.contains(level), "{run:?}");
        let place = "rules.toml: ".to_owned()
            + if is_told {
                "1 errors, 1 warnings"
            } else {
                "0 errors, 1 warnings"
            };
        assert!(run.out.contains(&place), "{run:?}");
        // Of the file alone nothing is known to be amiss.
        let run = slawatch(folder.path(), &["check", "--rules", "rules.toml"]);
        assert!(run.succeeded, "{run:?}");
    }
}
