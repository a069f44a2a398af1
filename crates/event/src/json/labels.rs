//! The object of labels: names and values, each name once, sorted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{bad_field, kind_of, quoted, string};
use crate::Rejection;
use crate::ticket_event::Label;

const EXPECTED: &str = "an object of strings";

/// The labels of a JSON text; of a name given twice the last counts, also where it is null.
///
/// # Errors
/// `bad_field` if it is no object of strings.
pub(super) fn labels<'a>(name: &str, raw: &'a str) -> Result<Vec<Label<'a>>, Rejection> {
    if !raw.starts_with('{') {
        return Err(bad_field(name, kind_of(raw), EXPECTED));
    }
    let mut entries = serde_json::Deserializer::from_str(raw)
        .deserialize_map(LabelsVisitor)
        .map_err(|_| bad_field(name, "an object with a name that is no text", EXPECTED))?;
    // Sorted stably, the last of each name stands last.
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let mut labels = Vec::with_capacity(entries.len());
    for (position, (label, raw)) in entries.iter().enumerate() {
        let is_last = entries
            .get(position + 1)
            .is_none_or(|next| next.0 != *label);
        if is_last && *raw != "null" {
            let value = string(raw).ok_or_else(|| bad_label(label, raw))?;
            labels.push((label.clone(), value));
        }
    }
    Ok(labels)
}

pub(super) fn bad_label(label: &str, raw: &str) -> Rejection {
    bad_field(
        &format!("labels.{}", quoted(label)),
        kind_of(raw),
        "a string",
    )
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(LabelName(name)) = map.next_key()? {
            entries.push((name, map.next_value::<&RawValue>()?.get()));
        }
        Ok(entries)
    }
}

/// serde's own `Cow` is always owned; this one borrows where the name has no escapes.
struct LabelName<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for LabelName<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(LabelNameVisitor)
    }
}

struct LabelNameVisitor;

impl<'de> Visitor<'de> for LabelNameVisitor {
    type Value = LabelName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<LabelName<'de>, E> {
        Ok(LabelName(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<LabelName<'de>, E> {
        Ok(LabelName(Cow::Owned(name.to_owned())))
    }
}
