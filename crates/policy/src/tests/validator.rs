//! A JSON Schema validator for the keywords that the schema of policy files uses; any other keyword is a failure of the test.
//! Patterns are read by the engine that validators for editors use. (Those validators themselves would change how every test of
//! the workspace reads numbers.)

use std::collections::BTreeMap;

use fancy_regex::Regex;
use serde_json::{Map, Value};

#[derive(Debug)]
pub(super) struct Validator {
    schema: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Validator {
    pub(super) fn new(schema: Value) -> Self {
        let mut patterns = BTreeMap::new();
        collect_patterns(&schema, &mut patterns);
        Self { schema, patterns }
    }

    pub(super) fn is_valid(&self, document: &Value) -> bool {
        self.accepts(&self.schema, document)
    }

    fn accepts(&self, schema: &Value, value: &Value) -> bool {
        let keywords = schema.as_object().unwrap();
        keywords
            .iter()
            .all(|(keyword, rule)| self.keeps(keywords, keyword, rule, value))
    }

    /// Whether a value keeps one rule; rules of other types of values hold for it.
    fn keeps(&self, all: &Map<String, Value>, keyword: &str, rule: &Value, value: &Value) -> bool {
        let number = |rule: &Value| rule.as_f64().unwrap();
        match keyword {
            "$schema" | "title" | "description" => true,
            "type" => type_of(value) == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => {
                let schemas = rule.as_array().unwrap().iter();
                schemas.filter(|schema| self.accepts(schema, value)).count() == 1
            }
            "exclusiveMinimum" => value.as_f64().is_none_or(|value| value > number(rule)),
            "exclusiveMaximum" => value.as_f64().is_none_or(|value| value < number(rule)),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 >= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| self.matches(rule, text)),
            "format" => {
                assert_eq!(rule, "date");
                let is_date = |text: &str| text.parse::<jiff::civil::Date>().is_ok();
                value.as_str().is_none_or(is_date)
            }
            "items" => value
                .as_array()
                .is_none_or(|values| values.iter().all(|value| self.accepts(rule, value))),
            "required" => value.as_object().is_none_or(|table| {
                let mut names = rule.as_array().unwrap().iter();
                names.all(|name| table.contains_key(name.as_str().unwrap()))
            }),
            "propertyNames" => value.as_object().is_none_or(|table| {
                let mut names = table.keys();
                names.all(|name| self.accepts(rule, &Value::from(name.as_str())))
            }),
            "properties" | "patternProperties" | "additionalProperties" => {
                let mut entries = value.as_object().into_iter().flatten();
                entries.all(|(name, value)| self.accepts_entry(all, keyword, name, value))
            }
            unknown => panic!("{unknown}"),
        }
    }

    /// Whether what one of the three keywords says of a key's value holds.
    fn accepts_entry(
        &self,
        all: &Map<String, Value>,
        keyword: &str,
        name: &str,
        value: &Value,
    ) -> bool {
        let property = all.get("properties").and_then(|known| known.get(name));
        let patterns = all.get("patternProperties").and_then(Value::as_object);
        let by_pattern: Vec<&Value> = patterns
            .into_iter()
            .flatten()
            .filter(|(pattern, _)| self.matches(&Value::from(pattern.as_str()), name))
            .map(|(_, schema)| schema)
            .collect();
        match keyword {
            "properties" => property.is_none_or(|schema| self.accepts(schema, value)),
            "patternProperties" => by_pattern.iter().all(|schema| self.accepts(schema, value)),
            _ if property.is_some() || !by_pattern.is_empty() => true,
            _ => match &all["additionalProperties"] {
                Value::Bool(allowed) => *allowed,
                schema => self.accepts(schema, value),
            },
        }
    }

    fn matches(&self, pattern: &Value, text: &str) -> bool {
        self.patterns[pattern.as_str().unwrap()]
            .is_match(text)
            .unwrap()
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn collect_patterns(schema: &Value, patterns: &mut BTreeMap<String, Regex>) {
    let mut add = |pattern: &str| {
        patterns.insert(pattern.to_owned(), Regex::new(pattern).unwrap());
    };
    if let Some(pattern) = schema["pattern"].as_str() {
        add(pattern);
    }
    if let Some(by_pattern) = schema["patternProperties"].as_object() {
        by_pattern.keys().for_each(|pattern| add(pattern));
    }
    match schema {
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_patterns(value, patterns)),
        Value::Object(entries) => entries
            .values()
            .for_each(|value| collect_patterns(value, patterns)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
