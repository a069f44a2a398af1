//! The schema names every key that the checker knows, and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SAMPLES;
use crate::PolicySets;

/// The schema of what stands at `path` under `schema`.
fn at<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let patterns = schema["patternProperties"].as_object();
    let by_pattern = || {
        patterns?
            .iter()
            .find(|(pattern, _)| plausible(pattern, key))
            .map(|(_, schema)| schema)
    };
    let others = || {
        schema["additionalProperties"]
            .is_object()
            .then(|| &schema["additionalProperties"])
    };
    schema["properties"]
        .get(key)
        .or_else(by_pattern)
        .or_else(others)
}

/// The patterns of keys are few: dates, labels and weekdays.
fn plausible(pattern: &str, key: &str) -> bool {
    if pattern.contains("mon|tue") {
        key.split('-')
            .all(|day| pattern.contains(day) && day.len() == 3)
    } else if pattern.contains("labels") {
        key.starts_with("labels.")
    } else {
        key.len() == 10 && key.starts_with("20")
    }
}

fn assert_covered(schema: &Value, value: &toml::Value, path: &str) {
    if let Some(either) = schema["oneOf"].as_array() {
        let kind = if value.is_table() { "object" } else { "string" };
        let chosen = either.iter().find(|schema| {
            schema["type"] == kind || (value.is_float() && schema["type"] == "number")
        });
        return assert_covered(
            chosen.unwrap_or_else(|| panic!("{path}: {either:?}")),
            value,
            path,
        );
    }
    match value {
        toml::Value::Table(table) => {
            assert_eq!(schema["type"], "object", "{path}");
            for (key, value) in table {
                let below =
                    at(schema, key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
                assert_covered(below, value, &format!("{path}.{key}"));
            }
            let required = schema["required"].as_array().into_iter().flatten();
            assert!(
                required
                    .clone()
                    .all(|key| table.contains_key(key.as_str().unwrap())),
                "{path}"
            );
        }
        toml::Value::Array(values) => {
            assert_eq!(schema["type"], "array", "{path}");
            for value in values {
                assert_covered(&schema["items"], value, &format!("{path}[]"));
            }
        }
        toml::Value::String(text) => {
            assert_eq!(schema["type"], "string", "{path}");
            let words = schema["enum"].as_array();
            assert!(
                words.is_none_or(|words| words.iter().any(|word| word == text)),
                "{path}: {text}"
            );
        }
        // Editors see a TOML date as its text.
        toml::Value::Datetime(_) => assert_eq!(schema["type"], "string", "{path}"),
        other => assert_eq!(schema["type"], "number", "{path}: {other}"),
    }
}

#[test]
fn every_key_of_the_samples_is_in_the_schema() {
    let schema = PolicySets::json_schema();
    let all_keys = include_str!("../../testdata/all-keys.toml");
    for (file, text) in SAMPLES.into_iter().chain([("all-keys.toml", all_keys)]) {
        assert_covered(&schema, &text.parse::<toml::Table>().unwrap().into(), file);
    }
}

#[test]
fn a_file_with_every_key_of_the_schema_reads_without_a_word() {
    let report = crate::check(&super::files(&[(
        "all-keys.toml",
        include_str!("../../testdata/all-keys.toml"),
    )]));
    assert_eq!(
        report.to_string(),
        "1 policy set, 2 policies: 0 errors, 0 warnings"
    );
    let table: toml::Table = include_str!("../../testdata/all-keys.toml")
        .parse()
        .unwrap();
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
