//! One JSON object becomes one event, or the first reason of SEMANTICS 1 why it cannot.

mod fields;
mod labels;

use std::borrow::Cow;

use crate::envelope::{Envelope, bad_time};
use crate::field::Field;
use crate::mapping::Table;
use crate::ticket_event::{Attributes, Details, Label, TicketEvent};
use crate::words::unknown_type;
use crate::{EventType, Rating, Reason, Rejection, Words, in_years, parse_instant, score};

pub(crate) use fields::{Fields, describe};

/// Decodes one record's value; the check against the record's timestamp is the caller's.
pub(crate) fn parse<'a>(
    value: &'a [u8],
    table: Option<&'a Table>,
    words: &Words,
    envelope: &Envelope<'a>,
) -> Result<TicketEvent<'a>, Rejection> {
    let fields = Fields::read(utf8(value)?, table)?;
    let judge = Judge {
        fields,
        words,
        envelope,
    };
    judge.event()
}

/// The text of a value.
///
/// # Errors
/// `bad_json` if it is no UTF-8.
pub(crate) fn utf8(value: &[u8]) -> Result<&str, Rejection> {
    std::str::from_utf8(value).map_err(|error| {
        Rejection::new(
            Reason::BadJson,
            format!("not UTF-8 from byte {}", error.valid_up_to()),
        )
    })
}

/// A source's word as an error may repeat it: short, and escaped.
pub(crate) fn quoted(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    let cut = if short.len() < word.len() { "…" } else { "" };
    format!("{short:?}{cut}")
}

/// What the texts of the fields mean.
struct Judge<'a, 'w> {
    fields: Fields<'a>,
    words: &'w Words,
    envelope: &'w Envelope<'a>,
}

impl<'a> Judge<'a, '_> {
    fn event(&self) -> Result<TicketEvent<'a>, Rejection> {
        let event_type = self.event_type();
        self.check_present(matches!(event_type, Ok(Ok(EventType::Rated))))?;
        let event_type = event_type?;
        let event = TicketEvent {
            event_id: self.identity(Field::EVENT_ID, self.envelope.id.as_ref())?,
            ticket_id: self.identity(Field::TICKET_ID, self.envelope.subject.as_ref())?,
            event_type: EventType::Updated,
            occurred_at_ms: self.instant()?,
            sequence: self.unsigned(Field::SEQUENCE)?,
            attributes: self.attributes()?,
            contact_id: self.text(Field::CONTACT_ID)?.filter(|id| !id.is_empty()),
            details: self.details()?,
        };
        let status_name = self.text(Field::STATUS)?;
        let event_type = event_type.map_err(|word| unknown_type(&word))?;
        let status = status_name
            .map(|name| self.words.status(&name))
            .transpose()?;
        Ok(TicketEvent {
            event_type,
            attributes: Attributes {
                status,
                ..event.attributes
            },
            ..event
        })
    }

    /// The type, or the word that is none; the outer error is that of a field that is no text.
    fn event_type(&self) -> Result<Result<EventType, Cow<'a, str>>, Rejection> {
        let word = match (self.text(Field::TYPE)?, &self.envelope.event_type) {
            (None, Some(word)) => {
                let event_type = self.envelope.event_type(self.words);
                return Ok(event_type.ok_or_else(|| word.clone()));
            }
            (word, _) => word.unwrap_or_default(),
        };
        Ok(self.words.event_type(&word).ok_or(word))
    }

    fn check_present(&self, is_rated: bool) -> Result<(), Rejection> {
        let absent = |field: Field| match self.fields.raw(field) {
            None => !self.envelope.has(field),
            Some(raw) => raw == "\"\"",
        };
        [
            Field::EVENT_ID,
            Field::TICKET_ID,
            Field::TYPE,
            Field::OCCURRED_AT,
        ]
        .into_iter()
        .chain(is_rated.then_some(Field::SCORE))
        .find(|field| absent(*field))
        .map_or(Ok(()), |field| {
            let needed = if field == Field::SCORE {
                " by type rated"
            } else {
                ""
            };
            Err(Rejection::new(
                Reason::MissingField,
                format!(
                    "{} is required{needed}: it is absent, null or empty",
                    self.fields.name(field)
                ),
            ))
        })
    }

    fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, Rejection> {
        let Some(raw) = self.fields.raw(field) else {
            return Ok(None);
        };
        let text = string(raw).or_else(|| self.fields.is_renamed(field).then(|| plain(raw))?);
        text.map(Some)
            .ok_or_else(|| self.bad(field, raw, "a string"))
    }

    fn identity(
        &self,
        field: Field,
        of_envelope: Option<&Cow<'a, str>>,
    ) -> Result<Cow<'a, str>, Rejection> {
        let text = self.text(field)?;
        Ok(text.or_else(|| of_envelope.cloned()).unwrap_or_default())
    }

    fn unsigned(&self, field: Field) -> Result<u64, Rejection> {
        let Some(raw) = self.fields.raw(field) else {
            return Ok(0);
        };
        let digits = if raw == "-0" { "0" } else { raw };
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
            .ok_or_else(|| self.bad(field, raw, "a whole number from 0 to 18446744073709551615"))
    }

    fn instant(&self) -> Result<i64, Rejection> {
        let Some(raw) = self.fields.raw(Field::OCCURRED_AT) else {
            let time = self.envelope.time.as_deref();
            return time.and_then(parse_instant).ok_or_else(bad_time);
        };
        let instant = if raw.starts_with('"') {
            string(raw).and_then(|text| parse_instant(&text))
        } else {
            raw.parse().ok().filter(|instant| in_years(*instant))
        };
        instant.ok_or_else(|| {
            self.bad(
                Field::OCCURRED_AT,
                raw,
                "an RFC 3339 instant with offset or whole milliseconds since 1970, in the years 1 to 9999",
            )
        })
    }

    fn number(&self, field: Field) -> Result<Option<&'a str>, Rejection> {
        self.fields
            .raw(field)
            .map(|raw| {
                raw.starts_with(|first: char| first == '-' || first.is_ascii_digit())
                    .then_some(raw)
                    .ok_or_else(|| self.bad(field, raw, "a number"))
            })
            .transpose()
    }

    fn attributes(&self) -> Result<Attributes<'a>, Rejection> {
        let mut attributes = Attributes::default();
        for (position, slot) in attributes.text.iter_mut().enumerate() {
            *slot = self.text(Field::text_attribute(position))?;
        }
        if let Some(raw) = self.fields.raw(Field::LABELS) {
            attributes.labels = labels::labels(&self.fields.name(Field::LABELS), raw)?;
        }
        for (name, raw) in self.fields.labels() {
            let value = string(raw).or_else(|| plain(raw));
            let value = value.ok_or_else(|| labels::bad_label(name, raw))?;
            set_label(&mut attributes.labels, name, value);
        }
        Ok(attributes)
    }

    fn details(&self) -> Result<Details<'a>, Rejection> {
        let score = self.number(Field::SCORE)?;
        let score_max = self.number(Field::SCORE_MAX)?;
        if let Some(raw) = score_max.filter(|raw| !score::is_positive(raw)) {
            return Err(self.bad(Field::SCORE_MAX, raw, "a number greater than 0"));
        }
        let passed = match self.fields.raw(Field::PASSED) {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(raw) => return Err(self.bad(Field::PASSED, raw, "true or false")),
        };
        Ok(Details {
            talk_ms: self.unsigned(Field::TALK_MS)?,
            hold_ms: self.unsigned(Field::HOLD_MS)?,
            wrap_ms: self.unsigned(Field::WRAP_MS)?,
            rating: score.map(|score| Rating {
                score: score.into(),
                score_max: score_max.unwrap_or("5").into(),
            }),
            level: self.text(Field::LEVEL)?,
            reason: self.text(Field::REASON)?,
            passed,
            into: self.text(Field::INTO)?,
        })
    }

    fn bad(&self, field: Field, raw: &str, expected: &str) -> Rejection {
        bad_field(&self.fields.name(field), kind_of(raw), expected)
    }
}

fn set_label<'a>(labels: &mut Vec<Label<'a>>, name: &'a str, value: Cow<'a, str>) {
    match labels.binary_search_by(|(known, _)| (**known).cmp(name)) {
        Ok(position) => labels[position].1 = value,
        Err(position) => labels.insert(position, (name.into(), value)),
    }
}

pub(crate) fn bad_field(name: &str, found: &str, expected: &str) -> Rejection {
    Rejection::new(
        Reason::BadField,
        format!("{name} is {found}; expected {expected}"),
    )
}

/// What a JSON text is, without repeating it.
pub(crate) fn kind_of(raw: &str) -> &'static str {
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
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A number or a bool as its text, for a source whose ids are numbers.
fn plain(raw: &str) -> Option<Cow<'_, str>> {
    let first = raw.as_bytes().first()?;
    (first.is_ascii_digit() || matches!(first, b'-' | b't' | b'f')).then_some(Cow::Borrowed(raw))
}
