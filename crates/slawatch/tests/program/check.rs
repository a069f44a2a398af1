//! What `slawatch check` finds in policy files.

use crate::run::{POLICIES, folder, slawatch};

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
