//! Reading one JSON object into the text of each field, by the fields' own names or by a mapping's table.
//!
//! Every field is first kept as its own JSON text, so that a later copy of a key replaces an earlier one before anything
//! is judged, and numbers are seen as they were written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::string;
use crate::field::Field;
use crate::mapping::{Entry, Node, Table};
use crate::{Reason, Rejection};

/// The JSON text of each field, the last copy of each; null is absent.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    texts: [Option<&'a str>; Field::COUNT],
    /// By the order of the table's labels.
    labels: Vec<Option<&'a str>>,
    table: Option<&'a Table>,
}

impl<'a> Fields<'a> {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// `bad_json` if it is none.
    pub(crate) fn read(text: &'a str, table: Option<&'a Table>) -> Result<Self, Rejection> {
        let mut fields = Self {
            texts: [None; Field::COUNT],
            labels: vec![None; table.map_or(0, |table| table.labels().len())],
            table,
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        match table {
            None => deserializer.deserialize_map(OwnNames(&mut fields)),
            Some(table) => deserializer.deserialize_map(Mapped {
                text,
                node: table.root(),
                fields: &mut fields,
            }),
        }
        .and_then(|()| deserializer.end())
        .map_err(|error| Rejection::new(Reason::BadJson, describe(&error)))?;
        if let Some(table) = table {
            for (field, json) in table.constants() {
                fields.texts[field.position()] = Some(json);
            }
        }
        Ok(fields)
    }

    /// The JSON text of a field.
    pub(crate) fn raw(&self, field: Field) -> Option<&'a str> {
        self.texts[field.position()]
    }

    /// Names and JSON texts of the labels that the table reads one by one.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.table.into_iter().flat_map(Table::labels);
        names
            .zip(&self.labels)
            .filter_map(|(name, raw)| raw.map(|raw| (name, raw)))
    }

    /// Whether the table says where a field stands.
    pub(crate) fn is_renamed(&self, field: Field) -> bool {
        self.table.is_some_and(|table| table.path(field).is_some())
    }

    /// A field as its source's owner knows it.
    pub(crate) fn name(&self, field: Field) -> Cow<'static, str> {
        match self.table.and_then(|table| table.path(field)) {
            None => field.name().into(),
            Some(path) => format!("{} (from {path})", field.name()).into(),
        }
    }

    fn set(&mut self, slot: usize, raw: Option<&'a str>) {
        let text = match slot.checked_sub(Field::COUNT) {
            None => self.texts.get_mut(slot),
            Some(label) => self.labels.get_mut(label),
        };
        if let Some(text) = text {
            *text = raw;
        }
    }

    fn take(&mut self, entry: &Entry, raw: &'a str) {
        let present = (raw != "null").then_some(raw);
        for slot in &entry.slots {
            self.set(*slot, present);
        }
    }
}

/// A parser's complaint without the record's own words.
pub(crate) fn describe(error: &serde_json::Error) -> String {
    if error.is_data() {
        format!(
            "not a JSON object (line {}, column {})",
            error.line(),
            error.column()
        )
    } else {
        format!("not JSON: {error}")
    }
}

struct OwnNames<'f, 'a>(&'f mut Fields<'a>);

impl<'de> Visitor<'de> for OwnNames<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<&RawValue>()? {
            // A key that is no text (a lone surrogate) is none that anybody looks for.
            match string(name.get()).and_then(|name| Field::from_name(&name)) {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(field) => {
                    let raw = map.next_value::<&RawValue>()?.get();
                    self.0.texts[field.position()] = (raw != "null").then_some(raw);
                }
            }
        }
        Ok(())
    }
}

/// Reads the object that a node of a table describes.
struct Mapped<'t, 'f, 'a> {
    /// The whole that keys and values are parts of.
    text: &'a str,
    node: &'t Node,
    fields: &'f mut Fields<'a>,
}

impl<'de> Mapped<'_, '_, 'de> {
    fn value<A: MapAccess<'de>>(
        &mut self,
        name: &'de str,
        entry: &Entry,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let Some(node) = &entry.child else {
            self.fields
                .take(entry, map.next_value::<&RawValue>()?.get());
            return Ok(());
        };
        // An earlier copy of this key counts no more, with all that it held.
        node.slots(&mut |slot| self.fields.set(slot, None));
        if !entry.slots.is_empty() {
            // Its object is read twice: as a whole, and for what it holds.
            let raw = map.next_value::<&RawValue>()?.get();
            self.fields.take(entry, raw);
            return if is_object(raw) {
                let inner = self.inner(raw, node);
                let read = serde_json::Deserializer::from_str(raw).deserialize_map(inner);
                read.map_err(serde::de::Error::custom)
            } else {
                Ok(())
            };
        }
        if is_object(after_key(self.text, name)) {
            map.next_value_seed(self.inner(self.text, node))
        } else {
            map.next_value::<IgnoredAny>().map(drop)
        }
    }

    fn inner<'s, 't>(&'s mut self, text: &'de str, node: &'t Node) -> Mapped<'t, 's, 'de> {
        Mapped {
            text,
            node,
            fields: self.fields,
        }
    }
}

/// What follows a key, a part of `text`, and its colon.
fn after_key<'a>(text: &'a str, key: &'a str) -> &'a str {
    let end = key.as_ptr() as usize - text.as_ptr() as usize + key.len();
    let rest = text.get(end..).unwrap_or_default().trim_ascii_start();
    rest.strip_prefix(':')
        .unwrap_or_default()
        .trim_ascii_start()
}

fn is_object(json: &str) -> bool {
    json.starts_with('{')
}

impl<'de> DeserializeSeed<'de> for Mapped<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Mapped<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<&RawValue>()? {
            let name = name.get();
            match string(name).and_then(|name| self.node.entry(&name)) {
                None => drop(map.next_value::<IgnoredAny>()?),
                Some(entry) => self.value(name, entry, &mut map)?,
            }
        }
        Ok(())
    }
}
