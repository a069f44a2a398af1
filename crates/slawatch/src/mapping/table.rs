//! The tables of a mapping file: where each field stands, or what it always is.

use std::collections::BTreeMap;
use std::ops::Range;

use slawatch_event::{EventType, Field, FieldSource, Path, Status, Table, Words};
use slawatch_policy::reading::nearest;
use toml::Spanned;
use toml::de::DeValue;

use super::section::Section;

type Value<'a> = Spanned<DeValue<'a>>;

const PATH_EXAMPLE: &str = "ticket_id = \"ticket.id\"";
const LABEL_EXAMPLE: &str = "region = \"ticket.region\"";
const CONSTANT_EXAMPLE: &str = "vendor = \"acme\"";

/// Reads `[fields]`, `[labels]` and `[constants]`; `None` only where an error was noted.
pub(super) fn read(file: &mut Section<'_>, words: &Words) -> Option<Table> {
    let mut fields = BTreeMap::new();
    let mut labels = Vec::new();
    let mut is_good = true;
    for (name, span, value) in file.entries("fields", PATH_EXAMPLE) {
        let source = match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(FieldSource::Unread),
            DeValue::Table(_) if name == "labels" => {
                file.error(
                    &span,
                    "labels stand below [labels]",
                    format!("write {LABEL_EXAMPLE} there"),
                );
                None
            }
            _ => path(file, name, value).map(FieldSource::Path),
        };
        match field(file, name, &span).zip(source) {
            Some((field, source)) => drop(fields.insert(field, source)),
            None => is_good = false,
        }
    }
    for (name, _, value) in file.entries("labels", LABEL_EXAMPLE) {
        match path(file, name, value) {
            Some(path) => labels.push((name.to_owned(), path)),
            None => is_good = false,
        }
    }
    for (name, span, value) in file.entries("constants", CONSTANT_EXAMPLE) {
        let Some(field) = field(file, name, &span) else {
            is_good = false;
            continue;
        };
        if fields.contains_key(&field) {
            file.error(
                &span,
                format!("{name} is given by [fields] and by [constants]"),
                "keep one of the two",
            );
        }
        match constant(file, field, value, words) {
            Some(json) => drop(fields.insert(field, FieldSource::Constant(json))),
            None => is_good = false,
        }
    }
    is_good.then(|| Table::new(fields, labels))
}

fn field(file: &mut Section<'_>, name: &str, span: &Range<usize>) -> Option<Field> {
    let found = Field::from_name(name);
    if found.is_none() {
        let help = match name.strip_prefix("labels.") {
            Some(label) => format!("write {label} = … below [labels]"),
            None => match nearest(name, Field::all().map(Field::name)) {
                Some(meant) => format!("write {meant}"),
                None => {
                    let known: Vec<_> = Field::all().map(Field::name).collect();
                    format!(
                        "slawatch's field stands on the left, and the source's on the right; the fields are {}; anything else goes below [labels]",
                        known.join(", ")
                    )
                }
            },
        };
        file.error(span, format!("\"{name}\" is no field of an event"), help);
    }
    found
}

/// Keys with dots between, or a list of keys.
fn path(file: &mut Section<'_>, name: &str, value: &Value<'_>) -> Option<Path> {
    let keys: Option<Vec<String>> = match value.get_ref() {
        DeValue::String(text) => Some(text.split('.').map(str::to_owned).collect()),
        DeValue::Array(keys) => keys
            .iter()
            .map(|key| key.get_ref().as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let Some(keys) = keys else {
        let help = format!(
            "write {name} = \"ticket.{name}\", or [\"a.b\", \"c\"] where a key itself has dots"
        );
        file.wrong_type(
            name,
            value.span(),
            "a place in the record",
            value.get_ref(),
            help,
        );
        return None;
    };
    let path = Path::new(keys);
    if path.is_none() {
        file.error(
            &value.span(),
            format!(
                "this is no place in a record: it takes 1 to {} keys, none of them empty",
                Path::MAX_KEYS
            ),
            "write keys with single dots between, from the outermost inwards, as in \"ticket.id\"",
        );
    }
    path
}

/// The JSON text of a value that the field can have.
fn constant(
    file: &mut Section<'_>,
    field: Field,
    value: &Value<'_>,
    words: &Words,
) -> Option<String> {
    let (takes, example, is_good): (_, _, fn(&DeValue<'_>) -> bool) = match field.name() {
        "event_id" | "ticket_id" | "occurred_at" => {
            file.error(
                &value.span(),
                format!("{} cannot be the same in every event", field.name()),
                "say below [fields] where it stands",
            );
            return None;
        }
        "labels" => {
            file.error(
                &value.span(),
                "labels cannot be constant",
                "set them with a program: labels: {region: \"emea\"}",
            );
            return None;
        }
        "sequence" | "talk_ms" | "hold_ms" | "wrap_ms" => ("a whole number from 0", "0", |value| {
            matches!(value, DeValue::Integer(_))
        }),
        "score" | "score_max" => ("a number", "5", |value| {
            matches!(value, DeValue::Integer(_) | DeValue::Float(_))
        }),
        "passed" => ("true or false", "true", |value| value.is_bool()),
        _ => ("a text", "\"…\"", |value| value.is_str()),
    };
    let json = is_good(value.get_ref())
        .then(|| json(value.get_ref()))
        .flatten();
    let Some(json) = json else {
        let help = format!("write {} = {example}", field.name());
        file.wrong_type(field.name(), value.span(), takes, value.get_ref(), help);
        return None;
    };
    let word = value.get_ref().as_str().unwrap_or_default();
    let no_word = match field.name() {
        "type" if words.event_type(word).is_none() => (
            "no type of event",
            EventType::ALL.map(EventType::name).to_vec(),
        ),
        "status" if words.status(word).is_err() => {
            ("no status", Status::ALL.map(Status::name).to_vec())
        }
        _ => return Some(json),
    };
    file.no_word(word, value.span(), &no_word);
    None
}

fn json(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => serde_json::to_string(text).ok(),
        DeValue::Boolean(value) => Some(value.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str();
            let is_plain = number.radix() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| digits.to_owned())
        }
        DeValue::Float(number) => {
            // Of TOML's decimals those that JSON has as well.
            let text = number.as_str();
            serde_json::from_str::<f64>(text)
                .ok()
                .map(|_| text.to_owned())
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
