//! CloudEvents 1.0 on Kafka: what an envelope says that its data leaves open.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::encoding::media_type;
use crate::field::Field;
use crate::json::{bad_field, describe, kind_of, string, utf8};
use crate::{Encoding, EventType, Incoming, Reason, Rejection, Words};

/// The media type of an envelope in JSON with its data inside.
const STRUCTURED: &str = "application/cloudevents+json";
/// What all media types of CloudEvents begin with.
const ANY_STRUCTURED: &str = "application/cloudevents";
/// The header that says that the other `ce_` headers are an envelope.
const SPECVERSION: &str = "ce_specversion";
/// Data that is not there.
const NO_DATA: &[u8] = b"{}";

/// What of an envelope stands for fields that the data does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) event_type: Option<Cow<'a, str>>,
    pub(crate) time: Option<Cow<'a, str>>,
    pub(crate) subject: Option<Cow<'a, str>>,
    /// Where everything else is that it says.
    pub(crate) whole: Whole<'a>,
}

/// An envelope as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Whole<'a> {
    /// There is none.
    #[default]
    None,
    /// A JSON object, its data included.
    Structured(&'a str),
    /// Headers.
    Binary,
}

impl Envelope<'_> {
    /// Whether it stands for a field that is absent.
    pub(crate) fn has(&self, field: Field) -> bool {
        let text = match field {
            Field::EVENT_ID => &self.id,
            Field::TICKET_ID => &self.subject,
            Field::TYPE => &self.event_type,
            Field::OCCURRED_AT => &self.time,
            _ => &None,
        };
        text.as_ref().is_some_and(|text| !text.is_empty())
    }

    /// The type: that of the whole name, if the source's words have it, or else of its last part.
    pub(crate) fn event_type(&self, words: &Words) -> Option<EventType> {
        let name = self.event_type.as_deref()?;
        let last = name.rsplit('.').next().unwrap_or_default();
        words.own_type(name).or_else(|| words.event_type(last))
    }
}

/// A record's data, how it is written, and the envelope around it.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) data: Cow<'a, [u8]>,
    pub(crate) encoding: Encoding,
    pub(crate) envelope: Envelope<'a>,
}

/// Opens a record, CloudEvent or not.
///
/// # Errors
/// `bad_json` for an envelope that cannot be understood, `bad_field` for one of its attributes.
pub(crate) fn open<'a>(record: &Incoming<'a>, default: Encoding) -> Result<Opened<'a>, Rejection> {
    let content_type =
        (record.headers)("content-type").and_then(|name| std::str::from_utf8(name).ok());
    let is_structured = content_type.is_some_and(|name| {
        name.get(..ANY_STRUCTURED.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(ANY_STRUCTURED))
    });
    match content_type {
        Some(content_type) if is_structured => structured(record.value, content_type, default),
        _ => {
            let encoding = content_type.and_then(Encoding::from_content_type);
            let encoding = encoding.unwrap_or(default);
            let envelope = binary(record)?;
            let is_empty = record.value.is_empty() && envelope.whole == Whole::Binary;
            let data = if is_empty && encoding == Encoding::Json {
                NO_DATA
            } else {
                record.value
            };
            Ok(Opened {
                data: data.into(),
                encoding,
                envelope,
            })
        }
    }
}

fn binary<'a>(record: &Incoming<'a>) -> Result<Envelope<'a>, Rejection> {
    let Some(version) = (record.headers)(SPECVERSION) else {
        return Ok(Envelope::default());
    };
    let text = |name: &str| {
        (record.headers)(name)
            .map(|value| {
                std::str::from_utf8(value)
                    .map(Cow::Borrowed)
                    .map_err(|_| bad_field(&format!("the header {name}"), "no UTF-8", "a text"))
            })
            .transpose()
    };
    check_version(std::str::from_utf8(version).ok())?;
    Ok(Envelope {
        id: text("ce_id")?,
        event_type: text("ce_type")?,
        time: text("ce_time")?,
        subject: text("ce_subject")?,
        whole: Whole::Binary,
    })
}

fn structured<'a>(
    value: &'a [u8],
    content_type: &str,
    default: Encoding,
) -> Result<Opened<'a>, Rejection> {
    let media_type = media_type(content_type);
    if media_type.starts_with("application/cloudevents-batch") {
        return Err(bad(
            "a batch of CloudEvents; write each event into a record of its own",
        ));
    }
    if media_type != STRUCTURED {
        return Err(bad(format!(
            "CloudEvents as {media_type:?} are not understood; write them as {STRUCTURED}, or in binary mode, with ce_ headers"
        )));
    }
    let text = utf8(value)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let attributes = deserializer
        .deserialize_map(AttributesVisitor)
        .and_then(|attributes| deserializer.end().map(|()| attributes))
        .map_err(|error| bad(format!("the CloudEvent is {}", describe(&error))))?;
    let name = |raw: Option<&'a str>, name: &str| {
        let text = raw.map(|raw| {
            string(raw).ok_or_else(|| {
                bad_field(
                    &format!("{name} of the CloudEvent"),
                    kind_of(raw),
                    "a string",
                )
            })
        });
        text.transpose()
    };
    check_version(name(attributes.specversion, "specversion")?.as_deref())?;
    let envelope = Envelope {
        id: name(attributes.id, "id")?,
        event_type: name(attributes.event_type, "type")?,
        time: name(attributes.time, "time")?,
        subject: name(attributes.subject, "subject")?,
        whole: Whole::Structured(text),
    };
    let data_type = name(attributes.datacontenttype, "datacontenttype")?;
    let data_type = data_type.as_deref().and_then(Encoding::from_content_type);
    let (data, encoding) = match (attributes.data, attributes.data_base64) {
        (Some(_), Some(_)) => {
            return Err(bad("a CloudEvent with both data and data_base64"));
        }
        (None, None) => (NO_DATA.into(), Encoding::Json),
        (Some(raw), None) => (raw.as_bytes().into(), Encoding::Json),
        (None, Some(raw)) => {
            let bytes = string(raw).and_then(|text| STANDARD.decode(text.as_bytes()).ok());
            let bytes = bytes.ok_or_else(|| bad("data_base64 of the CloudEvent is no base64"))?;
            (bytes.into(), data_type.unwrap_or(default))
        }
    };
    Ok(Opened {
        data,
        encoding,
        envelope,
    })
}

fn check_version(version: Option<&str>) -> Result<(), Rejection> {
    match version {
        Some("1.0") => Ok(()),
        Some(_) | None => Err(bad(
            "a CloudEvent whose specversion is not 1.0, the one version that is understood",
        )),
    }
}

/// That the time of an envelope stands for `occurred_at` and cannot be read.
pub(crate) fn bad_time() -> Rejection {
    bad_field(
        "time of the CloudEvent",
        "a string that cannot be read so",
        "an RFC 3339 instant with offset, in the years 1 to 9999",
    )
}

fn bad(detail: impl Into<String>) -> Rejection {
    Rejection::new(Reason::BadJson, detail)
}

/// The JSON text of each attribute, the last copy of each; null is absent.
#[derive(Default)]
struct Attributes<'a> {
    specversion: Option<&'a str>,
    id: Option<&'a str>,
    event_type: Option<&'a str>,
    time: Option<&'a str>,
    subject: Option<&'a str>,
    datacontenttype: Option<&'a str>,
    data: Option<&'a str>,
    data_base64: Option<&'a str>,
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Attributes::default();
        while let Some(name) = map.next_key::<&RawValue>()? {
            let attribute = match &*string(name.get()).unwrap_or_default() {
                "specversion" => &mut attributes.specversion,
                "id" => &mut attributes.id,
                "type" => &mut attributes.event_type,
                "time" => &mut attributes.time,
                "subject" => &mut attributes.subject,
                "datacontenttype" => &mut attributes.datacontenttype,
                "data" => &mut attributes.data,
                "data_base64" => &mut attributes.data_base64,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let raw = map.next_value::<&RawValue>()?.get();
            *attribute = (raw != "null").then_some(raw);
        }
        Ok(attributes)
    }
}
