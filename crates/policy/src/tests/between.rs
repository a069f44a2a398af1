//! What is said of names, references, policies that never apply, and of the file as a whole.

use super::said_of;

#[test]
fn policies_that_never_apply() {
    let policy =
        |name: &str, condition: &str| format!("[[policy]]\nname = \"{name}\"\n{condition}\n");
    let (all, acme) = (
        policy("all", ""),
        policy("acme", "match = { vendor = [\"acme*\"] }"),
    );
    let (a, b) = (
        policy("a", "match = { queue = [\"a\"] }"),
        policy("b", "match = { queue = [\"b\"] }"),
    );
    let cases = [
        (
            format!("{all}{acme}"),
            "\"acme\" | the policy \"acme\" never applies: \"all\" (line 3) comes first and matches everything | move it above that one, or narrow what that one matches",
        ),
        (
            format!(
                "{acme}{}",
                policy(
                    "manila",
                    "match = { vendor = [\"acme-manila\", \"acme-*\"], queue = [\"x\"] }"
                )
            ),
            "\"manila\" | the policy \"manila\" never applies: \"acme\" (line 3) comes first and matches all that this one does | move it above that one, or narrow what that one matches",
        ),
        (
            format!(
                "{a}{b}{}",
                policy("both", "match = { queue = [\"b\", \"a\"] }")
            ),
            "\"both\" | the policy \"both\" never applies: \"a\" (line 3) and \"b\" (line 6) come first and together match all that this one does | move it above them, or narrow what they match",
        ),
    ];
    for (policies, expected) in cases {
        assert_eq!(
            said_of(&format!(
                "effective_from = 2026-01-01T00:00:00Z\n{policies}"
            )),
            [format!("W {expected}")]
        );
    }
    assert!(
        said_of(&format!(
            "effective_from = 2026-01-01T00:00:00Z\n{acme}{a}{all}"
        ))
        .is_empty()
    );
}

#[test]
fn names_and_references() {
    let file = "effective_from = 2026-01-01T00:00:00Z\n";
    let desk =
        "[[calendar]]\nname = \"desk\"\ntimezone = \"UTC\"\nhours = { mon = [\"09:00-17:00\"] }\n";
    let cases = [
        (
            format!("{file}{desk}[[policy]]\nname = \"a\"\ncalendar = \"dsek\""),
            "E \"dsek\" | unknown calendar \"dsek\" | write \"desk\"",
        ),
        (
            format!("{file}[[policy]]\nname = \"a\"\ncalendar = \"desk\""),
            "E \"desk\" | unknown calendar \"desk\" | write a [[calendar]] with name = \"desk\"",
        ),
        (
            format!(
                "{file}{desk}[[policy]]\nname = \"a\"\nmatch = {{ queue = [\"a\"] }}\ncalendar = \"desk\"\n[[policy]]\nname = \"b\"\ncalendar = \"manila\""
            ),
            "E \"manila\" | unknown calendar \"manila\" | write a [[calendar]] with name = \"manila\", or one of desk",
        ),
        (
            format!("{file}{desk}{desk}[[policy]]\nname = \"a\"\ncalendar = \"desk\""),
            "E \"desk\" | another [[calendar]] is called \"desk\" already, on line 3 | write another name, or remove one of the two",
        ),
        (
            format!(
                "{file}[[policy]]\nname = \"a\"\nmatch = {{ queue = [\"a\"] }}\n[[policy]]\nname = \"a\""
            ),
            "E \"a\" | another [[policy]] is called \"a\" already, on line 3 | write another name, or remove one of the two",
        ),
        (
            format!("{file}[[policy]]\nname = \" \""),
            "E \" \" | the name is empty | write a name by which it can be told apart",
        ),
        (
            format!("{file}[[policy]]"),
            "E [[policy]] | [[policy]] has no name | write a name, such as name = \"rest\"",
        ),
        (
            format!("{file}policy = 3"),
            "E 3 | policy takes a table under its own header, and this is an integer | write [[policy]] on a line of its own, and its keys below",
        ),
        (
            format!("{file}[policy]\nname = \"a\""),
            "E [policy] | policy takes a table under its own header, and this is a table | write [[policy]] on a line of its own, and its keys below",
        ),
        (
            "effective_form = 2026-01-01T00:00:00Z\n[[policy]]\nname = \"a\"".to_owned(),
            "E effective_form | unknown key \"effective_form\" in the file | write effective_from",
        ),
        (
            "[[policy]]\nname = \"a\"".to_owned(),
            "E  | the file has no effective_from | write an instant with its offset, such as effective_from = \"2026-01-01T00:00:00Z\"",
        ),
        (
            file.to_owned(),
            "W  | the file has no policy, so that no clock has a target | write a [[policy]] with its name and [policy.targets]",
        ),
    ];
    for (text, expected) in cases {
        let found = said_of(&text);
        assert_eq!(found[0], expected, "{text}");
        assert!(
            found[1..].iter().all(|said| said.starts_with('W')),
            "{found:?}"
        );
    }
}

#[test]
fn an_instant_needs_its_offset() {
    for instant in [
        "\"2026-01-01\"",
        "\"2026-01-01T00:00:00\"",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "\"2026-13-01T00:00:00Z\"",
    ] {
        let found = said_of(&format!(
            "effective_from = {instant}\n[[policy]]\nname = \"a\""
        ));
        let plain = instant.trim_matches('"');
        assert_eq!(
            found,
            [format!(
                "E {instant} | \"{plain}\" is no instant with an offset from UTC | write date, time and offset, such as \"2026-01-01T00:00:00Z\" or \"2026-01-01T08:00:00+08:00\""
            )]
        );
    }
}
