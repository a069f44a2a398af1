//! A JSON Schema of policy files for editors, made from the same table of keys as the checker.

use serde_json::{Value, json};
use slawatch_event::Attribute;

use crate::PolicySets;
use crate::keys::{FILE, Kind, Leaf, Names, Table, metrics};

const DURATION: &str = "^(?=.)(0*(1000000|[0-9]{1,6})h)?(0*[0-9]{1,8}m)?(0*[0-9]{1,10}s)?$";
/// A duration in which something is not zero.
const TARGET: &str = "^(?=.*[1-9])(0*(1000000|[0-9]{1,6})h)?(0*[0-9]{1,8}m)?(0*[0-9]{1,10}s)?$";
/// Neither empty nor up to the midnight at which the day begins.
const SPAN: &str =
    "^(?!(.{5})-\\1$)([01][0-9]|2[0-3]):[0-5][0-9]-((?!00:00)([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
const DATE: &str = "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
const INSTANT: &str = "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
const DAY: &str = "(mon|tue|wed|thu|fri|sat|sun)";

impl PolicySets {
    /// The schema of one policy file, for editors that check and complete TOML.
    pub fn json_schema() -> Value {
        let mut schema = table(&FILE);
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["title"] = json!("slawatch policy set");
        schema
    }
}

fn table(table: &Table) -> Value {
    let properties = table.keys.iter().map(|key| {
        let mut schema = kind(&key.kind);
        schema["description"] = json!(key.about);
        (key.name.to_owned(), schema)
    });
    let required: Vec<&str> = table
        .keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    json!({
        "type": "object",
        "properties": properties.collect::<serde_json::Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}

fn kind(of: &Kind) -> Value {
    match of {
        Kind::Leaf(of) => leaf(*of),
        Kind::List(of) => json!({ "type": "array", "items": kind(of) }),
        Kind::Tables(of) => json!({ "type": "array", "items": table(of) }),
        Kind::Map(names, of) => map(*names, &kind(of)),
        Kind::Either(plain, table) => json!({ "oneOf": [kind(plain), kind(table)] }),
    }
}

fn map(names: Names, of: &Value) -> Value {
    let with = |names: &[&str]| {
        names
            .iter()
            .map(|name| ((*name).to_owned(), of.clone()))
            .collect::<serde_json::Map<_, _>>()
    };
    let matching = |pattern: String| json!({ "type": "object", "patternProperties": { pattern: of }, "additionalProperties": false });
    match names {
        Names::Weekdays => matching(format!("^{DAY}(-{DAY})?$")),
        Names::Dates => matching(DATE.to_owned()),
        Names::Metrics => {
            json!({ "type": "object", "properties": with(&metrics()), "additionalProperties": false })
        }
        Names::Attributes => {
            let mut properties = with(&Attribute::NAMED.map(|attribute| attribute.name()));
            properties.insert(
                "labels".to_owned(),
                json!({ "type": "object", "propertyNames": { "minLength": 1 }, "additionalProperties": of }),
            );
            json!({
                "type": "object",
                "properties": properties,
                "patternProperties": { "^labels\\..+$": of },
                "additionalProperties": false,
            })
        }
        Names::Priorities => {
            json!({ "type": "object", "properties": with(&["default"]), "additionalProperties": of })
        }
    }
}

fn leaf(of: Leaf) -> Value {
    let matching = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    match of {
        Leaf::Instant => matching(INSTANT),
        Leaf::Name => matching("\\S"),
        Leaf::CalendarName | Leaf::TimeZone | Leaf::Glob => json!({ "type": "string" }),
        Leaf::Duration => matching(DURATION),
        Leaf::Target => matching(TARGET),
        Leaf::Date => json!({ "type": "string", "format": "date", "pattern": DATE }),
        Leaf::Span => matching(SPAN),
        Leaf::OneOf(names) => json!({ "type": "string", "enum": names() }),
        Leaf::WarnLevel => {
            json!({ "oneOf": [{ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }, matching(TARGET)] })
        }
    }
}
