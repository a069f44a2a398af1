//! All mistakes of all files come in one run, as text and as data.

use super::files;
use crate::{PolicySets, check};

#[test]
fn two_files_in_force_from_the_same_instant() {
    let texts = [
        (
            "a.toml",
            "effective_from = \"2026-01-01T00:00:00Z\"\n[[policy]]\nname = \"a\"",
        ),
        (
            "b.toml",
            "effective_from = \"2026-01-01T08:00:00+08:00\"\n[[policy]]\nname = \"a\"",
        ),
    ];
    let error = PolicySets::parse(&files(&texts)).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    error: a.toml is in force from 2026-01-01T00:00:00.000Z on already
     --> b.toml:1:18
      |
    1 | effective_from = "2026-01-01T08:00:00+08:00"
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: write another instant, or leave one of the two files out
    "#);
    assert!(PolicySets::parse(&files(&[texts[0], texts[0]])).is_err());
}

#[test]
fn what_is_not_toml_is_told_line_by_line_beside_the_rest() {
    let text = "effective_from = 2026-01-01T00:00:00Z\n[[calendar]]\nname = desk\ntimezone = \"Asia/Manilla\"\n[[policy]]\nname = \"a\nname = \"b\"\non_reopen = \"restrat\"\n[[policy]\nfoo = 1\n";
    let report = check(&files(&[("a.toml", text)]));
    insta::assert_snapshot!(report, @r#"
    error: this is not TOML: string values must be quoted, expected literal string
     --> a.toml:3:8
      |
    3 | name = desk
      |        ^^^^
      = help: write "desk"

    error: unknown time zone "Asia/Manilla"
     --> a.toml:4:12
      |
    4 | timezone = "Asia/Manilla"
      |            ^^^^^^^^^^^^^^
      = help: write "Asia/Manila"

    error: this is not TOML: invalid basic string, expected `"`
     --> a.toml:6:10
      |
    6 | name = "a
      |          ^
      = help: close the text with the quote that it starts with, on the same line

    error: this is not TOML: duplicate key
     --> a.toml:7:1
      |
    7 | name = "b"
      | ^^^^
      = help: write each key once in a table

    error: "restrat" is none of resume, restart, ignore
     --> a.toml:8:13
      |
    8 | on_reopen = "restrat"
      |             ^^^^^^^^^
      = help: write "restart"

    error: this is not TOML: unclosed array table, expected `]`
     --> a.toml:9:10
      |
    9 | [[policy]
      |          ^
      = help: write KEY = VALUE, text in quotes, lists in brackets, headers as [[policy]] on lines of their own

    6 errors, 0 warnings
    "#);
}

#[test]
fn all_mistakes_of_all_files_come_in_one_run() {
    let text = include_str!("../../testdata/mistakes.toml");
    let report = check(&files(&[
        ("first.toml", text),
        ("second.toml", "effective_from = 1"),
        ("third.toml", "x ="),
    ]));
    assert!(report.sets.is_none());
    let places: Vec<(&str, usize)> = report
        .diagnostics
        .iter()
        .map(|found| (&*found.file, found.line))
        .collect();
    assert!(places.is_sorted());
    let lines_with_mistakes = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("# !"))
        .map(|(at, _)| ("first.toml", at + 1));
    for place in lines_with_mistakes.chain([("second.toml", 1), ("third.toml", 1)]) {
        assert!(places.contains(&place), "{place:?}");
    }
    for place in &places {
        let line = text.lines().nth(place.1 - 1);
        assert!(
            place.0 != "first.toml" || line.is_some_and(|line| line.contains("# !")),
            "{place:?}"
        );
    }
}

#[test]
fn a_report_is_text_for_people_and_data_for_programs() {
    let text = "effective_from = 2026-01-01T00:00:00Z\n[[policy]]\nname = \"a\"\non_reopen\t= \"restrat\" # ü\n[policy.targets]\nanswer = {}\n";
    let report = check(&files(&[("policies/a.toml", text)]));
    insta::assert_snapshot!(report, @r#"
    error: "restrat" is none of resume, restart, ignore
     --> policies/a.toml:4:13
      |
    4 | on_reopen = "restrat" # ü
      |             ^^^^^^^^^
      = help: write "restart"

    warning: answer has a target for no priority
     --> policies/a.toml:6:1
      |
    6 | answer = {}
      | ^^^^^^
      = help: write one duration, such as "4h", or one per priority; or remove it

    1 error, 1 warning
    "#);
    let expected = serde_json::json!({
      "diagnostics": [
        {
          "column": 13,
          "file": "policies/a.toml",
          "help": "write \"restart\"",
          "line": 4,
          "message": "\"restrat\" is none of resume, restart, ignore",
          "severity": "error",
          "words": "\"restrat\""
        },
        {
          "column": 1,
          "file": "policies/a.toml",
          "help": "write one duration, such as \"4h\", or one per priority; or remove it",
          "line": 6,
          "message": "answer has a target for no priority",
          "severity": "warning",
          "words": "answer"
        }
      ],
      "errors": 1,
      "warnings": 1
    });
    assert_eq!(report.to_json(), expected);
    let good = check(&files(&[(
        "a.toml",
        "effective_from = 2026-01-01T00:00:00Z\n[[policy]]\nname = \"a\"",
    )]));
    assert_eq!(
        good.to_string(),
        "1 policy set, 1 policy: 0 errors, 0 warnings"
    );
}
