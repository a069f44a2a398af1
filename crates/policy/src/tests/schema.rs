//! The schema accepts and refuses what the checker does; where a schema cannot, it accepts, so that an editor never marks what
//! is right.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::validator::Validator;
use super::{SAMPLES, config, files};
use crate::{PolicySets, check};

const ALL_KEYS: &str = include_str!("../../testdata/all-keys.toml");
const CONTRACT: &str = include_str!("../../../../examples/policies/contract.toml");

fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> =
        LazyLock::new(|| Validator::new(PolicySets::json_schema()));
    &VALIDATOR
}

/// TOML as editors hand it to a schema: dates and times as their text.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, json(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(written) => written.to_string().into(),
    }
}

fn document(text: &str) -> Value {
    json(text.parse::<toml::Table>().unwrap().into())
}

fn checker_accepts(text: &str) -> bool {
    check(&files(&[("a.toml", text)])).diagnostics.errors() == 0
}

/// A file that is right but for what `lines` say of its calendar and its policy.
fn file(instant: &str, calendar: &str, policy: &str) -> String {
    format!(
        "effective_from = {instant}\n[[calendar]]\nname = \"desk\"\ntimezone = \"Asia/Manila\"\n{calendar}\n[[policy]]\nname = \"rest\"\n{policy}\n"
    )
}

/// Where a value stands, and the file with it.
#[derive(Clone, Copy, Debug)]
enum Place {
    File,
    Calendar,
    Policy,
}

impl Place {
    fn with(self, line: &str) -> String {
        const NOW: &str = "2026-01-01T00:00:00Z";
        match self {
            Self::File => file(line, "", ""),
            Self::Calendar => file(NOW, line, ""),
            Self::Policy => file(NOW, "", line),
        }
    }
}

/// Lines with `@` for a value, and the values: right ones, wrong ones, and those that only the checker knows to be wrong.
struct Values {
    place: Place,
    line: &'static str,
    right: &'static [&'static str],
    wrong: &'static [&'static str],
    beyond_a_schema: &'static [&'static str],
}

const DURATIONS: [&str; 10] = [
    r#""1h30m""#,
    r#""90s""#,
    r#""24h""#,
    r#""1h1m1s""#,
    r#""1h1s""#,
    r#""0h1m""#,
    r#""01h""#,
    r#""1000000h""#,
    r#""60000000m""#,
    r#""3600000000s""#,
];
const NO_DURATIONS: [&str; 17] = [
    r#""""#,
    r#""5""#,
    r#""3d""#,
    r#""1w""#,
    r#""1.5h""#,
    r#""-5m""#,
    r#""+5m""#,
    r#""500ms""#,
    r#""30s1m""#,
    r#""1h1h""#,
    r#""1 h""#,
    r#"" 1h""#,
    r#""1H""#,
    r#""h""#,
    r#""1000001h""#,
    "90",
    "true",
];
/// The sum is too long, but none of its parts.
const TOO_LONG: [&str; 3] = [r#""1000000h1s""#, r#""60000001m""#, r#""999999h61m""#];

const TABLE: [Values; 17] = [
    Values {
        place: Place::File,
        line: "@",
        right: &[
            "2026-01-01T00:00:00Z",
            "2026-01-01 00:00:00+08:00",
            r#""2026-01-01T00:00:00Z""#,
            r#""2026-01-01t00:00:00.123456789z""#,
            r#""2026-01-01 23:59:59-23:59""#,
            r#""0001-01-01T00:00:00Z""#,
            r#""9999-12-31T23:59:59Z""#,
        ],
        wrong: &[
            "2026-01-01",
            "2026-01-01T00:00:00",
            r#""2026-01-01""#,
            r#""2026-01-01T00:00:00""#,
            r#""2026-01-01T00:00Z""#,
            r#""2026-13-01T00:00:00Z""#,
            r#""2026-01-32T00:00:00Z""#,
            r#""2026-01-01T24:00:00Z""#,
            r#""2026-01-01T00:00:60Z""#,
            r#""2026-01-01T00:00:00.Z""#,
            r#""2026-01-01T00:00:00+24:00""#,
            r#""2026-01-01T00:00:00+0800""#,
            r#""0000-01-01T00:00:00Z""#,
            "1767225600000",
        ],
        beyond_a_schema: &[
            r#""2026-02-30T00:00:00Z""#,
            r#""0001-01-01T00:00:00+01:00""#,
            r#""9999-12-31T23:59:59-01:00""#,
        ],
    },
    Values {
        place: Place::Calendar,
        line: "holidays = [@]",
        right: &[
            "",
            "2026-12-25",
            r#""2026-12-25""#,
            r#""2028-02-29""#,
            r#""0001-01-01""#,
        ],
        wrong: &[
            r#""2026-2-3""#,
            r#""25.12.2026""#,
            r#""2026-02-30""#,
            r#""2026-13-01""#,
            r#""2027-02-29""#,
            r#""0000-01-01""#,
            "20261225",
            "2026-12-25T00:00:00Z",
        ],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Calendar,
        line: "special = { @ = [\"09:00-12:00\"] }",
        right: &["2026-12-24", r#""2026-12-24""#],
        wrong: &[
            r#""24.12.2026""#,
            "20261224",
            "christmas",
            r#""0000-01-01""#,
        ],
        beyond_a_schema: &[r#""2026-02-30""#],
    },
    Values {
        place: Place::Calendar,
        line: "hours = { mon = [@] }",
        right: &[
            "",
            r#""09:00-17:00""#,
            r#""00:00-24:00""#,
            r#""23:59-24:00""#,
            r#""00:00-00:01""#,
            r#""09:00-12:00", "12:00-13:00""#,
        ],
        wrong: &[
            r#""9-17""#,
            r#""9:00-17:00""#,
            r#""09:00 - 17:00""#,
            r#""09:00–17:00""#,
            r#""23:00-24:30""#,
            r#""24:00-24:00""#,
            r#""09:60-10:00""#,
            r#""13:00-13:00""#,
            r#""00:00-00:00""#,
            r#""18:00-00:00""#,
            "9",
        ],
        beyond_a_schema: &[r#""22:00-06:00""#, r#""09:00-13:00", "12:00-18:00""#],
    },
    Values {
        place: Place::Calendar,
        line: "hours = { @ = [\"09:00-17:00\"] }",
        right: &["mon", "mon-fri", "sat-mon", "sun-sun", r#""tue""#],
        wrong: &[
            "monday",
            "Mon",
            "mon-firday",
            "mon-tue-wed",
            r#""mon,tue""#,
            r#""""#,
        ],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "short_abandon = @",
        right: &DURATIONS,
        wrong: &NO_DURATIONS,
        beyond_a_schema: &TOO_LONG,
    },
    Values {
        place: Place::Policy,
        line: "short_abandon = @",
        right: &[r#""0s""#, r#""0h0m""#],
        wrong: &[],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "targets = { resolution = @ }",
        right: &DURATIONS,
        wrong: &NO_DURATIONS,
        beyond_a_schema: &TOO_LONG,
    },
    Values {
        place: Place::Policy,
        line: "targets = { resolution = @ }",
        right: &[
            "{}",
            r#"{ high = "1h", default = "4h" }"#,
            r#"{ "" = "1h" }"#,
        ],
        wrong: &[
            r#""0s""#,
            r#""0h0m""#,
            r#"{ high = "0s" }"#,
            "{ high = 90 }",
            "[]",
        ],
        beyond_a_schema: &[r#"{ defualt = "4h" }"#],
    },
    Values {
        place: Place::Policy,
        line: "targets = { @ = \"1h\" }",
        right: &[
            "first_reply",
            "next_reply",
            "periodic_update",
            "requester_wait",
            "agent_work",
            "resolution",
            "answer",
        ],
        wrong: &["awnser", "Answer", "on_reopen", r#""""#],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "warn_at = [@]",
        right: &["", "0.5", "+0.8", "0.999999999", r#""15m""#, r#"0.5, "1h""#],
        wrong: &[
            "0", "0.0", "1", "1.0", "80", "-0.5", "true", r#""0s""#, r#""80%""#, "inf", "nan",
        ],
        beyond_a_schema: &["0.1234567891", "5e-1"],
    },
    Values {
        place: Place::Policy,
        line: "pause_on = { resolution = [@] }",
        right: &[
            "",
            r#""new", "open", "pending", "on_hold", "solved", "closed""#,
        ],
        wrong: &[r#""onhold""#, r#""On_Hold""#, "3", r#""""#],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "on_reopen = @",
        right: &[r#""resume""#, r#""restart""#, r#""ignore""#],
        wrong: &[r#""restrat""#, r#""""#, "true"],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "match = { @ = [\"x*\", \"\"] }",
        right: &[
            "vendor",
            "requester_id",
            "labels.tier",
            r#""labels.tier""#,
            r#""labels.a.b""#,
        ],
        wrong: &["vendr", "labels", r#""labels.""#, r#"labels."""#, r#""""#],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "match = { queue = @ }",
        right: &["[]", r#"["refunds"]"#],
        wrong: &[r#""refunds""#, "[1]", "{}"],
        beyond_a_schema: &[],
    },
    Values {
        place: Place::Policy,
        line: "[[policy]]\nname = @",
        right: &[r#""a""#, r#"" a ""#],
        wrong: &[r#""""#, r#"" ""#, "7"],
        beyond_a_schema: &[r#""rest""#],
    },
    Values {
        place: Place::Policy,
        line: "@",
        right: &["attribute_to = \"longest\"", "calendar = \"desk\""],
        wrong: &[
            "shortabandon = \"5s\"",
            "resolution = \"1h\"",
            "name.x = 1\n[[policy]]",
        ],
        beyond_a_schema: &["calendar = \"dsek\""],
    },
];

#[test]
fn the_schema_accepts_and_refuses_what_the_checker_does() {
    let schema = validator();
    for Values {
        place,
        line,
        right,
        wrong,
        beyond_a_schema,
    } in TABLE
    {
        let outcomes = right
            .iter()
            .map(|value| (value, true, true))
            .chain(wrong.iter().map(|value| (value, false, false)))
            .chain(beyond_a_schema.iter().map(|value| (value, false, true)));
        for (value, by_checker, by_schema) in outcomes {
            let text = place.with(&line.replace('@', value));
            assert_eq!(
                checker_accepts(&text),
                by_checker,
                "the checker: {line} {value}"
            );
            // What is no TOML never gets to a schema.
            if let Ok(table) = text.parse::<toml::Table>() {
                let document = json(table.into());
                assert_eq!(
                    schema.is_valid(&document),
                    by_schema,
                    "the schema: {line} {value}"
                );
            } else {
                assert!(!by_checker, "{line} {value}");
            }
        }
    }
}

#[test]
fn what_is_right_is_valid() {
    let schema = validator();
    let all = SAMPLES
        .into_iter()
        .chain([("all-keys", ALL_KEYS), ("contract", CONTRACT)]);
    for (name, text) in all {
        assert!(schema.is_valid(&document(text)), "{name}");
    }
}

#[test]
fn the_schema_refuses_the_collection_of_mistakes() {
    let text = include_str!("../../testdata/mistakes.toml");
    assert!(!validator().is_valid(&document(text)));
}

#[test]
fn a_file_with_every_key_of_the_schema_reads_without_a_word() {
    let report = check(&files(&[("all-keys.toml", ALL_KEYS)]));
    assert_eq!(
        report.to_string(),
        "1 policy set, 2 policies: 0 errors, 0 warnings"
    );
    let table: toml::Table = ALL_KEYS.parse().unwrap();
    let schema = PolicySets::json_schema();
    for (header, schema) in [
        ("policy", &schema["properties"]["policy"]),
        ("calendar", &schema["properties"]["calendar"]),
    ] {
        let written = table[header][0].as_table().unwrap();
        let known = schema["items"]["properties"].as_object().unwrap();
        let names =
            |keys: &mut dyn Iterator<Item = &String>| keys.cloned().collect::<BTreeSet<_>>();
        assert_eq!(
            names(&mut known.keys()),
            names(&mut written.keys()),
            "{header}"
        );
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn an_editor_never_marks_what_the_checker_accepts(
        (place, line) in prop::sample::select(vec![
            (Place::File, "\"@\""),
            (Place::Calendar, "holidays = [\"@\"]"),
            (Place::Calendar, "special = { \"@\" = [] }"),
            (Place::Calendar, "hours = { mon = [\"@\"] }"),
            (Place::Calendar, "hours = { \"@\" = [] }"),
            (Place::Policy, "short_abandon = \"@\""),
            (Place::Policy, "targets = { answer = \"@\" }"),
            (Place::Policy, "targets = { answer = { \"@\" = \"1h\" } }"),
            (Place::Policy, "warn_at = [\"@\"]"),
            (Place::Policy, "warn_at = [0.@]"),
            (Place::Policy, "match = { \"@\" = [] }"),
        ]),
        value in prop_oneof![
            "[0-9]{1,3}[hms]([0-9]{1,8}[ms])?([0-9]{1,11}s)?",
            "[0-2][0-9]:[0-6][0-9]-[0-2][0-9]:[0-6][0-9]",
            "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]([Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.][0-9]{1,4})?([Zz]|[+-][0-2][0-9]:[0-6][0-9]))?",
            "(mon|tue|wed|thu|fri|sat|sun)(-(mon|sun|sat|fr))?",
            "labels[.][a-z.]{0,3}",
            "[0-9]{1,12}",
        ],
    ) {
        let text = place.with(&line.replace('@', &value));
        if checker_accepts(&text) {
            prop_assert!(validator().is_valid(&document(&text)), "{}", text);
        }
    }
}
