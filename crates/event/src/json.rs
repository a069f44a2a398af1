//! One JSON object becomes one event, or the first reason of SEMANTICS 1 why it cannot.
//!
//! Every known field is first kept as its own JSON text, so that a later copy of a key replaces an earlier one before
//! anything is judged, and numbers are seen as they were written.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::ticket_event::{Attributes, Details, Label, TicketEvent};
use crate::{EventType, Rating, Reason, Rejection, StatusMap, in_years, parse_instant, score};

const FIELDS: [&str; 27] = [
    "vendor",
    "queue",
    "priority",
    "channel",
    "category",
    "agent_id",
    "requester_id",
    "root_cause",
    "sop",
    "event_id",
    "ticket_id",
    "type",
    "occurred_at",
    "sequence",
    "status",
    "labels",
    "contact_id",
    "talk_ms",
    "hold_ms",
    "wrap_ms",
    "score",
    "score_max",
    "level",
    "reason",
    "passed",
    "into",
    "",
];
const EVENT_ID: usize = 9;
const TICKET_ID: usize = 10;
const TYPE: usize = 11;
const OCCURRED_AT: usize = 12;
const SEQUENCE: usize = 13;
const STATUS: usize = 14;
const LABELS: usize = 15;
const CONTACT_ID: usize = 16;
const TALK_MS: usize = 17;
const HOLD_MS: usize = 18;
const WRAP_MS: usize = 19;
const SCORE: usize = 20;
const SCORE_MAX: usize = 21;
const LEVEL: usize = 22;
const REASON: usize = 23;
const PASSED: usize = 24;
const INTO: usize = 25;
const UNKNOWN: usize = 26;

/// Decodes one record's value; the check against the record's timestamp is the caller's.
pub(crate) fn parse<'a>(
    value: &'a [u8],
    statuses: &StatusMap,
) -> Result<TicketEvent<'a>, Rejection> {
    let text = std::str::from_utf8(value).map_err(|error| {
        Rejection::new(
            Reason::BadJson,
            format!("not UTF-8 from byte {}", error.valid_up_to()),
        )
    })?;
    let fields = Fields::read(text)?;
    fields.check_present()?;
    let event_type_name = fields.required_text(TYPE)?;
    let event = TicketEvent {
        event_id: fields.required_text(EVENT_ID)?,
        ticket_id: fields.required_text(TICKET_ID)?,
        event_type: EventType::Updated,
        occurred_at_ms: fields.instant()?,
        sequence: fields.unsigned(SEQUENCE)?,
        attributes: fields.attributes()?,
        contact_id: fields.text(CONTACT_ID)?.filter(|id| !id.is_empty()),
        details: fields.details()?,
    };
    let status_name = fields.text(STATUS)?;
    let event_type =
        EventType::from_name(&event_type_name).ok_or_else(|| unknown_type(&event_type_name))?;
    let status = status_name.map(|name| statuses.status(&name)).transpose()?;
    Ok(TicketEvent {
        event_type,
        attributes: Attributes {
            status,
            ..event.attributes
        },
        ..event
    })
}

pub(crate) fn unknown_type(name: &str) -> Rejection {
    let known = EventType::ALL.map(EventType::name).join(", ");
    Rejection::new(
        Reason::UnknownType,
        format!("type {} is none of {known}", quoted(name)),
    )
}

/// A source's word as an error may repeat it: short, and escaped.
pub(crate) fn quoted(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    let cut = if short.len() < word.len() { "…" } else { "" };
    format!("{short:?}{cut}")
}

/// The JSON text of each known field, the last copy of each; null is absent.
struct Fields<'a>([Option<&'a str>; FIELDS.len()]);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, Rejection> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = deserializer
            .deserialize_map(FieldsVisitor)
            .and_then(|fields| deserializer.end().map(|()| fields));
        read.map_err(|error| Rejection::new(Reason::BadJson, describe(&error)))
    }

    fn check_present(&self) -> Result<(), Rejection> {
        let absent = |field: usize| matches!(self.0[field], None | Some("\"\""));
        let is_rated = self.0[TYPE] == Some("\"rated\"")
            || self
                .text(TYPE)
                .is_ok_and(|name| name.as_deref() == Some("rated"));
        [EVENT_ID, TICKET_ID, TYPE, OCCURRED_AT]
            .into_iter()
            .chain(is_rated.then_some(SCORE))
            .find(|field| absent(*field))
            .map_or(Ok(()), |field| {
                let needed = if field == SCORE { " by type rated" } else { "" };
                Err(Rejection::new(
                    Reason::MissingField,
                    format!(
                        "{} is required{needed}: it is absent, null or empty",
                        FIELDS[field]
                    ),
                ))
            })
    }

    fn text(&self, field: usize) -> Result<Option<Cow<'a, str>>, Rejection> {
        self.0[field]
            .map(|raw| string(raw).ok_or_else(|| bad(field, raw, "a string")))
            .transpose()
    }

    fn required_text(&self, field: usize) -> Result<Cow<'a, str>, Rejection> {
        Ok(self.text(field)?.unwrap_or_default())
    }

    fn unsigned(&self, field: usize) -> Result<u64, Rejection> {
        let Some(raw) = self.0[field] else {
            return Ok(0);
        };
        let digits = if raw == "-0" { "0" } else { raw };
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
            .ok_or_else(|| bad(field, raw, "a whole number from 0 to 18446744073709551615"))
    }

    fn instant(&self) -> Result<i64, Rejection> {
        let raw = self.0[OCCURRED_AT].unwrap_or_default();
        let instant = if raw.starts_with('"') {
            string(raw).and_then(|text| parse_instant(&text))
        } else {
            raw.parse().ok().filter(|instant| in_years(*instant))
        };
        instant.ok_or_else(|| {
            bad(
                OCCURRED_AT,
                raw,
                "an RFC 3339 instant with offset or whole milliseconds since 1970, in the years 1 to 9999",
            )
        })
    }

    fn number(&self, field: usize) -> Result<Option<&'a str>, Rejection> {
        self.0[field]
            .map(|raw| {
                raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
                    .then_some(raw)
                    .ok_or_else(|| bad(field, raw, "a number"))
            })
            .transpose()
    }

    fn attributes(&self) -> Result<Attributes<'a>, Rejection> {
        let mut attributes = Attributes::default();
        for (field, slot) in attributes.text.iter_mut().enumerate() {
            *slot = self.text(field)?;
        }
        if let Some(raw) = self.0[LABELS] {
            attributes.labels = labels(raw)?;
        }
        Ok(attributes)
    }

    fn details(&self) -> Result<Details<'a>, Rejection> {
        let score = self.number(SCORE)?;
        let score_max = self.number(SCORE_MAX)?;
        if let Some(raw) = score_max.filter(|raw| !score::is_positive(raw)) {
            return Err(bad(SCORE_MAX, raw, "a number greater than 0"));
        }
        let passed = match self.0[PASSED] {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(raw) => return Err(bad(PASSED, raw, "true or false")),
        };
        Ok(Details {
            talk_ms: self.unsigned(TALK_MS)?,
            hold_ms: self.unsigned(HOLD_MS)?,
            wrap_ms: self.unsigned(WRAP_MS)?,
            rating: score.map(|score| Rating {
                score: score.into(),
                score_max: score_max.unwrap_or("5").into(),
            }),
            level: self.text(LEVEL)?,
            reason: self.text(REASON)?,
            passed,
            into: self.text(INTO)?,
        })
    }
}

fn bad(field: usize, raw: &str, expected: &str) -> Rejection {
    bad_field(FIELDS[field], kind_of(raw), expected)
}

pub(crate) fn bad_field(name: &str, found: &str, expected: &str) -> Rejection {
    Rejection::new(
        Reason::BadField,
        format!("{name} is {found}; expected {expected}"),
    )
}

/// What a JSON text is, without repeating it.
fn kind_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a string that cannot be read so",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a bool",
        Some(b'n') => "null",
        _ => "a number of another form or range",
    }
}

/// The string of a JSON text; `None` for any other value, and for escapes that are no character (lone surrogates).
fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn labels(raw: &str) -> Result<Vec<Label<'_>>, Rejection> {
    let expected = "an object of strings";
    if !raw.starts_with('{') {
        return Err(bad(LABELS, raw, expected));
    }
    let entries = serde_json::Deserializer::from_str(raw)
        .deserialize_map(LabelsVisitor)
        .map_err(|_| bad_field("labels", "an object with a name that is no text", expected))?;
    // Of a key given twice the last counts, also where it is null: sorted stably, the last of each name stands last.
    let mut entries = entries;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let mut labels = Vec::with_capacity(entries.len());
    for (position, (name, raw)) in entries.iter().enumerate() {
        let is_last = entries.get(position + 1).is_none_or(|next| next.0 != *name);
        if is_last && *raw != "null" {
            let value = string(raw).ok_or_else(|| {
                bad_field(
                    &format!("labels.{}", quoted(name)),
                    kind_of(raw),
                    "a string",
                )
            })?;
            labels.push((name.clone(), value));
        }
    }
    Ok(labels)
}

/// A parser's complaint without the record's own words.
fn describe(error: &serde_json::Error) -> String {
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

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields([None; FIELDS.len()]);
        while let Some(FieldName(field)) = map.next_key()? {
            if field == UNKNOWN {
                map.next_value::<IgnoredAny>()?;
            } else {
                let raw = map.next_value::<&RawValue>()?.get();
                fields.0[field] = (raw != "null").then_some(raw);
            }
        }
        Ok(fields)
    }
}

struct FieldName(usize);

impl<'de> serde::Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FieldNameVisitor)
    }
}

struct FieldNameVisitor;

impl Visitor<'_> for FieldNameVisitor {
    type Value = FieldName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<FieldName, E> {
        Ok(FieldName(match name {
            "vendor" => 0,
            "queue" => 1,
            "priority" => 2,
            "channel" => 3,
            "category" => 4,
            "agent_id" => 5,
            "requester_id" => 6,
            "root_cause" => 7,
            "sop" => 8,
            "event_id" => EVENT_ID,
            "ticket_id" => TICKET_ID,
            "type" => TYPE,
            "occurred_at" => OCCURRED_AT,
            "sequence" => SEQUENCE,
            "status" => STATUS,
            "labels" => LABELS,
            "contact_id" => CONTACT_ID,
            "talk_ms" => TALK_MS,
            "hold_ms" => HOLD_MS,
            "wrap_ms" => WRAP_MS,
            "score" => SCORE,
            "score_max" => SCORE_MAX,
            "level" => LEVEL,
            "reason" => REASON,
            "passed" => PASSED,
            "into" => INTO,
            _ => UNKNOWN,
        }))
    }
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
