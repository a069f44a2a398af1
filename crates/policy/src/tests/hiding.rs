//! One mistake hides no other: in another file, in another policy, or below a line that is not TOML.

use super::{files, said_of};
use crate::check;

const FROM: &str = "effective_from = 2026-01-01T00:00:00Z\n";

/// What is said, without the help.
fn told(text: &str) -> Vec<String> {
    let cut = |said: String| said.rsplit_once(" | ").unwrap().0.to_owned();
    said_of(text).into_iter().map(cut).collect()
}

#[test]
fn a_policy_behind_a_match_all_never_applies_whatever_else_is_wrong_with_it() {
    let text = format!(
        "{FROM}[[policy]]\nname = \"all\"\ntargets = 7\n\
         [[policy]]\nname = \"slip\"\nmatch = {{ vendr = [\"a\"] }}\n\
         [[policy]]\nname = \"type\"\nmatch = \"billing\"\n\
         [[policy]]\nmatch = {{ queue = [1] }}\n\
         [[policy]]\nname = 7\n\
         [[policy]]\nname = \"late\"\ncalendar = \"none\"\n"
    );
    let never: Vec<String> = told(&text)
        .into_iter()
        .filter(|said| said.contains("never applies"))
        .collect();
    let because = "\"all\" (line 3) comes first and matches everything";
    assert_eq!(
        never,
        [
            format!("W \"slip\" | the policy \"slip\" never applies: {because}"),
            format!("W \"type\" | the policy \"type\" never applies: {because}"),
            format!("W [[policy]] | this policy never applies: {because}"),
            format!("W [[policy]] | this policy never applies: {because}"),
            format!("W \"late\" | the policy \"late\" never applies: {because}"),
        ]
    );
}

#[test]
fn a_match_all_without_a_name_is_told_by_its_line() {
    let text = format!("{FROM}[[policy]]\n[[policy]]\nname = \"late\"\n");
    assert_eq!(
        told(&text),
        [
            "E [[policy]] | [[policy]] has no name",
            "W \"late\" | the policy \"late\" never applies: the one on line 2 comes first and matches everything",
        ]
    );
}

#[test]
fn a_condition_that_cannot_be_read_leaves_the_others_to_judge_by() {
    let policies = |first: &str, second: &str| {
        let text = format!(
            "{FROM}[[policy]]\nname = \"first\"\nmatch = {first}\n[[policy]]\nname = \"second\"\nmatch = {second}\n"
        );
        told(&text)
            .into_iter()
            .filter(|said| said.contains("never applies"))
            .count()
    };
    let cases = [
        (
            "{ vendor = [\"a*\"] }",
            "{ vendor = [\"ab\"], queu = [\"x\"] }",
            1,
        ),
        (
            "{ vendor = [\"a*\"] }",
            "{ vendor = [\"ab\"], queue = [1] }",
            1,
        ),
        ("{ vendor = [\"a*\"] }", "{ vendor = [\"ab\", 1] }", 0),
        // What the first one matches cannot be told.
        (
            "{ vendor = [\"a*\"], queu = [\"x\"] }",
            "{ vendor = [\"ab\"] }",
            0,
        ),
        ("{ queu = [\"x\"] }", "{ vendor = [\"ab\"] }", 0),
        ("{ vendor = [\"a*\", 1] }", "{ vendor = [\"ab\"] }", 0),
        ("\"a\"", "{ vendor = [\"ab\"] }", 0),
    ];
    for (first, second, expected) in cases {
        assert_eq!(policies(first, second), expected, "{first} {second}");
    }
}

#[test]
fn a_line_that_is_no_toml_hides_nothing_that_is_certain() {
    let slip = "on_reopen = restart";
    let text = format!(
        "{FROM}[[calendar]]\nname = \"manila\"\ntimezone = \"Asia/Manila\"\nhours = {{ mon = [\"09:00-17:00\"] }}\n\
         [[policy]]\nname = \"all\"\n\
         [[policy]]\nname = \"above\"\ncalendar = \"manlia\"\nmatch = {{ vendor = [\"a\"] }}\n\
         [[policy]]\nname = \"here\"\n{slip}\nattribute_to = \"longst\"\n\
         [[policy]]\nname = \"below\"\ncalendar = \"none\"\n\
         [[policy]]\n"
    );
    assert_eq!(
        told(&text),
        [
            "W \"above\" | the policy \"above\" never applies: \"all\" (line 7) comes first and matches everything",
            "E \"manlia\" | unknown calendar \"manlia\"",
            "W \"here\" | the policy \"here\" never applies: \"all\" (line 7) comes first and matches everything",
            "E restart | this is not TOML: string values must be quoted, expected literal string",
            "E \"longst\" | \"longst\" is none of due, start, longest",
            "W \"below\" | the policy \"below\" never applies: \"all\" (line 7) comes first and matches everything",
            "E \"none\" | unknown calendar \"none\"",
            "E [[policy]] | [[policy]] has no name",
            "W [[policy]] | this policy never applies: \"all\" (line 7) comes first and matches everything",
        ]
    );
}

#[test]
fn nothing_is_said_that_a_broken_line_may_have_made_right() {
    let policy = "[[policy]]\nname = \"rest\"\ncalendar = \"desk\"\n";
    let calendar =
        "[[calendar]]\nname = \"desk\"\ntimezone = \"UTC\"\nhours = { mon = [\"09:00-17:00\"] }\n";
    let cases = [
        // The calendar's name, its header, its hours, its use, the match of the policy before, the instant, the policies.
        format!("{FROM}{}{policy}", calendar.replace("\"desk\"", "desk")),
        format!(
            "{FROM}{policy}{}",
            calendar.replace("[[calendar]]", "[[calendar]")
        ),
        format!(
            "{FROM}{}{policy}",
            calendar.replace("[\"09:00-17:00\"]", "[09:00-17:00]")
        ),
        format!("{FROM}{calendar}{}", policy.replace("\"desk\"", "desk")),
        format!(
            "{FROM}{calendar}[[policy]]\nname = \"first\"\nmatch = {{ vendor = [a] }}\n{policy}"
        ),
        format!(
            "{}{calendar}{policy}",
            FROM.replace("2026-01-01T", "2026-01-01X")
        ),
        format!(
            "{FROM}{}",
            policy
                .replace("[[policy]]", "[[policy]")
                .replace("calendar = \"desk\"\n", "")
        ),
        format!("{FROM}[[policy]]\nname = rest\n"),
    ];
    for text in cases {
        let said = said_of(&text);
        assert!(!said.is_empty(), "{text}");
        assert!(
            said.iter().all(|said| said.contains("this is not TOML")),
            "{text}\n{said:#?}"
        );
    }
}

#[test]
fn a_broken_header_hides_only_what_stands_below_it() {
    let text = format!(
        "{FROM}[[policy]]\nname = \"a\"\nmatch = {{ queue = [\"a\"] }}\n[[policy]\nname = \"b\"\nfoo = 1\n[[policy]]\nname = \"c\"\nbar = 1\n"
    );
    assert_eq!(
        told(&text),
        [
            "E  | this is not TOML: unclosed array table, expected `]`",
            "E bar | unknown key \"bar\" in [[policy]]",
        ]
    );
    // The file's own key is missing, as the slip lies far below.
    let text = "[[policy]]\nname = \"a\"\non_reopen = x\n";
    assert_eq!(
        told(text),
        [
            "E  | the file has no effective_from",
            "E x | this is not TOML: string values must be quoted, expected literal string",
        ]
    );
}

#[test]
fn a_match_all_is_one_however_it_is_written() {
    let ways = [
        "match = {}",
        "match = { vendor = [\"*\"] }",
        "match = { vendor = [\"**\"], queue = [\"a\", \"***\"] }",
        "match = { status = [\"new\", \"open\", \"pending\", \"on_hold\", \"solved\", \"closed\"] }",
        "match = { status = [\"*e*\", \"on_hold\", \"p*\"], labels.tier = [\"*\"], queue = [\"**\"] }",
    ];
    for way in ways {
        let text = format!(
            "{FROM}[[policy]]\nname = \"all\"\n{way}\n[[policy]]\nname = \"late\"\nmatch = {{ queue = [\"a\"] }}\n"
        );
        let expected = "W \"late\" | the policy \"late\" never applies: \"all\" (line 3) comes first and matches everything";
        assert_eq!(told(&text), [expected], "{way}");
    }
    let text = format!(
        "{FROM}[[policy]]\nname = \"going\"\nmatch = {{ status = [\"new\", \"open\"] }}\n[[policy]]\nname = \"waiting\"\nmatch = {{ status = [\"pending\", \"on_hold\"] }}\n[[policy]]\nname = \"over\"\nmatch = {{ status = [\"*ed\"] }}\n[[policy]]\nname = \"rest\"\n"
    );
    assert_eq!(
        told(&text),
        [
            "W \"rest\" | the policy \"rest\" never applies: \"going\" (line 3) and \"waiting\" (line 6) and \"over\" (line 9) come first and together match all that this one does"
        ]
    );
}

#[test]
fn more_policies_than_can_be_numbered_are_refused() {
    let policy =
        |at: usize| format!("[[policy]]\nname = \"p{at}\"\nmatch = {{ queue = [\"q{at}\"] }}\n");
    let most = 1 << 16;
    let text: String = (0..=most).map(policy).collect();
    let report = check(&files(&[("a.toml", &format!("{FROM}{text}"))]));
    assert!(report.sets.is_none());
    let said: Vec<_> = report.diagnostics.iter().collect();
    assert_eq!(
        (said.len(), said[0].line, &*said[0].message, &*said[0].help),
        (
            1,
            2 + 3 * most,
            "the file has 65537 policies, and a policy set can have 65536",
            "write one policy for all that have the same targets, and list what they match in its patterns"
        )
    );
}
