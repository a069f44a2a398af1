//! The one function that says which records are accepted, used by every role that reads the input topic.

use std::borrow::Cow;
use std::fmt;

use crate::envelope::{Envelope, Opened, open};
use crate::mapping::Shape;
use crate::ticket_event::TicketEvent;
use crate::{Encoding, Mapping, Reason, Rejection, confluent, format_instant, json, protobuf};

/// A record as it was read from the log.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The record's timestamp, UTC ms.
    pub timestamp_ms: i64,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; empty where there is none.
    pub value: &'a [u8],
    /// The value of its last header of a name.
    pub headers: &'a dyn Fn(&str) -> Option<&'a [u8]>,
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("timestamp_ms", &self.timestamp_ms)
            .field("key", &self.key)
            .field("value_bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// What decoding depends on beside the record.
#[derive(Clone, Debug)]
pub struct DecodeOptions {
    /// How records without a content type are written.
    pub encoding: Encoding,
    /// How the source's records become events.
    pub mapping: Mapping,
    /// How far an event may lie after its record's timestamp.
    pub max_future_skew_ms: i64,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            mapping: Mapping::default(),
            max_future_skew_ms: 5 * 60_000,
        }
    }
}

/// Decodes a record: all stateless checks of SEMANTICS 1. What this accepts is *accepted* everywhere.
///
/// # Errors
/// The first reason that holds, `future_event` the last of them.
pub fn decode<'a>(
    record: &Incoming<'a>,
    options: &'a DecodeOptions,
) -> Result<TicketEvent<'a>, Rejection> {
    let Opened {
        data,
        encoding,
        envelope,
    } = open(record, options.encoding)?;
    let event = match data {
        Cow::Borrowed(data) => read(data, encoding, &envelope, record.key, options)?,
        Cow::Owned(data) => {
            read(&data, encoding, &envelope, record.key, options).map(TicketEvent::into_owned)?
        }
    };
    check_future(&event, record.timestamp_ms, options)?;
    Ok(event)
}

/// Decodes a value that came without a record around it, and so without regard to a timestamp.
///
/// # Errors
/// The first of the reasons `bad_json` to `unknown_status` that holds, or that the mapping gave no event.
pub fn parse<'a>(
    value: &'a [u8],
    encoding: Encoding,
    options: &'a DecodeOptions,
) -> Result<TicketEvent<'a>, Rejection> {
    read(value, encoding, &Envelope::default(), None, options)
}

fn read<'a>(
    value: &'a [u8],
    encoding: Encoding,
    envelope: &Envelope<'a>,
    key: Option<&[u8]>,
    options: &'a DecodeOptions,
) -> Result<TicketEvent<'a>, Rejection> {
    let value = confluent::unframe(value, encoding)?;
    let Mapping { shape, words } = &options.mapping;
    match (encoding, shape) {
        (Encoding::Protobuf, _) => protobuf::parse(value, words, envelope),
        (Encoding::Json, Shape::Own) => json::parse(value, None, words, envelope),
        (Encoding::Json, Shape::Table(table)) => json::parse(value, Some(table), words, envelope),
        (Encoding::Json, Shape::Program(program)) => {
            let made = program.run(value, envelope, key)?;
            let event = json::parse(made.as_bytes(), None, words, envelope);
            event.map(TicketEvent::into_owned)
        }
    }
}

/// Checks an event against its record's timestamp.
///
/// # Errors
/// `future_event` if it is later by more than `max_future_skew_ms`.
pub fn check_future(
    event: &TicketEvent<'_>,
    timestamp_ms: i64,
    options: &DecodeOptions,
) -> Result<(), Rejection> {
    let latest = timestamp_ms.saturating_add(options.max_future_skew_ms);
    if event.occurred_at_ms <= latest {
        return Ok(());
    }
    Err(Rejection::new(
        Reason::FutureEvent,
        format!(
            "occurred_at {} is later than the record's timestamp {} by more than {} ms",
            format_instant(event.occurred_at_ms),
            format_instant(timestamp_ms),
            options.max_future_skew_ms
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attribute, EventType, Status, Words};
    use proptest::prelude::*;
    use slawatch_wire::Message;

    fn parse_json(text: &str) -> Result<TicketEvent<'static>, Rejection> {
        let words = Words::new([], [("Working".to_owned(), Status::Open)]);
        let options = DecodeOptions {
            mapping: Mapping::words(words),
            ..DecodeOptions::default()
        };
        parse(text.as_bytes(), Encoding::Json, &options).map(TicketEvent::into_owned)
    }

    /// A good event with `fields` behind it, so that they replace what stands before.
    fn event_with(fields: &str) -> String {
        format!(
            r#"{{"event_id":"e","ticket_id":"t","type":"updated","occurred_at":"2025-01-01T00:00:00Z"{fields}}}"#
        )
    }

    fn rejection(text: &str) -> String {
        parse_json(text).map_or_else(
            |rejection| rejection.to_string(),
            |event| format!("accepted: {event:?}"),
        )
    }

    #[test]
    fn rejections_name_the_first_reason_and_the_field() {
        let cases = [
            (
                "",
                "bad_json: not JSON: EOF while parsing a value at line 1 column 0",
            ),
            ("[1]", "bad_json: not a JSON object (line 1, column 0)"),
            ("null", "bad_json: not a JSON object (line 1, column 4)"),
            (
                r#"{"event_id":"e"} {}"#,
                "bad_json: not JSON: trailing characters at line 1 column 18",
            ),
            (
                "{}",
                "missing_field: event_id is required: it is absent, null or empty",
            ),
            (
                r#"{"event_id":5,"ticket_id":"","type":"x","occurred_at":true}"#,
                "missing_field: ticket_id is required: it is absent, null or empty",
            ),
            (
                r#"{"event_id":"e","ticket_id":"t","type":"rated","occurred_at":1}"#,
                "missing_field: score is required by type rated: it is absent, null or empty",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(rejection(text), expected, "{text}");
        }
        let whole = "a whole number from 0 to 18446744073709551615";
        let instant = "an RFC 3339 instant with offset or whole milliseconds since 1970, in the years 1 to 9999";
        let number = "a number of another form or range";
        for (fields, expected) in [
            (r#","event_id":5"#, format!("bad_field: event_id is {number}; expected a string")),
            (r#","type":[]"#, "bad_field: type is an array; expected a string".into()),
            (r#","vendor":{}"#, "bad_field: vendor is an object; expected a string".into()),
            (r#","sequence":1.0"#, format!("bad_field: sequence is {number}; expected {whole}")),
            (r#","sequence":-1"#, format!("bad_field: sequence is {number}; expected {whole}")),
            (r#","talk_ms":true"#, format!("bad_field: talk_ms is a bool; expected {whole}")),
            (r#","talk_ms":18446744073709551616"#, format!("bad_field: talk_ms is {number}; expected {whole}")),
            (r#","occurred_at":1.5"#, format!("bad_field: occurred_at is {number}; expected {instant}")),
            (r#","occurred_at":"2025-01-01""#, format!("bad_field: occurred_at is a string that cannot be read so; expected {instant}")),
            (r#","occurred_at":253402300800000"#, format!("bad_field: occurred_at is {number}; expected {instant}")),
            (r#","score":"4""#, "bad_field: score is a string that cannot be read so; expected a number".into()),
            (r#","score_max":0"#, format!("bad_field: score_max is {number}; expected a number greater than 0")),
            (r#","passed":1"#, format!("bad_field: passed is {number}; expected true or false")),
            (r#","labels":[]"#, "bad_field: labels is an array; expected an object of strings".into()),
            (r#","labels":{"a":1}"#, format!("bad_field: labels.\"a\" is {number}; expected a string")),
            (r#","level":"\ud800""#, "bad_field: level is a string that cannot be read so; expected a string".into()),
            (r#","type":"opened","status":"x""#, "unknown_type: type \"opened\" is none of created, updated, customer_replied, agent_replied, contact_offered, contact_answered, contact_abandoned, handled, rated, escalated, audited, merged, cancelled".into()),
            (r#","status":"Waiting""#, "unknown_status: status \"Waiting\" is neither in the mapping's [statuses] nor one of new, open, pending, on_hold, solved, closed".into()),
        ] {
            assert_eq!(rejection(&event_with(fields)), expected, "{fields}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_named() {
        let options = DecodeOptions::default();
        let found = parse(b"{\"event_id\":\"\xff\"}", Encoding::Json, &options);
        assert_eq!(
            found.unwrap_err().to_string(),
            "bad_json: not UTF-8 from byte 13"
        );
    }

    #[test]
    fn what_counts_is_read() {
        let text = event_with(
            r#","sequence":"x","sequence":7,"vendor":null,"queue":"","status":"Working","unknown":[[[]]],
               "priority":"h\u0069gh","labels":{"a":"1","b":"2","a":null,"c":"3","b":"4"},"contact_id":"","type":"rated",
               "score":4.50,"passed":false,"talk_ms":-0"#,
        );
        let event = parse_json(&text).unwrap();
        assert_eq!((event.event_type, event.sequence), (EventType::Rated, 7));
        assert_eq!(event.attributes.status, Some(Status::Open));
        assert_eq!(event.attributes.get(&Attribute::Vendor), None);
        assert_eq!(event.attributes.get(&Attribute::Queue), Some(""));
        assert_eq!(event.attributes.get(&Attribute::Priority), Some("high"));
        assert_eq!(
            event.attributes.labels,
            [("b".into(), "4".into()), ("c".into(), "3".into())]
        );
        assert_eq!(event.contact_id, None);
        let rating = event.details.rating.unwrap();
        assert_eq!((&*rating.score, &*rating.score_max), ("4.50", "5"));
        assert_eq!(event.details.passed, Some(false));
    }

    #[test]
    fn an_event_later_than_its_record_is_rejected_only_beyond_the_skew() {
        let text = event_with("");
        let options = DecodeOptions::default();
        let decode_at = |timestamp_ms| {
            let record = Incoming {
                timestamp_ms,
                key: None,
                value: text.as_bytes(),
                headers: &|_| None,
            };
            decode(&record, &options)
        };
        assert!(decode_at(1_735_689_600_000 - 300_000).is_ok());
        assert_eq!(
            decode_at(1_735_689_600_000 - 300_001)
                .unwrap_err()
                .to_string(),
            "future_event: occurred_at 2025-01-01T00:00:00.000Z is later than the record's timestamp \
             2024-12-31T23:54:59.999Z by more than 300000 ms"
        );
    }

    #[test]
    fn a_key_that_is_no_text_is_unknown() {
        for fields in [
            r#","a\ud800":1"#,
            r#","vendor\ud800":5"#,
            r#","u":{"\ud800":1}"#,
            r#","vend\u006fr\udc00":5"#,
        ] {
            let event = parse_json(&event_with(fields)).unwrap();
            assert!(event.attributes.is_empty(), "{fields}");
        }
        let escaped = parse_json(&event_with(r#","vend\u006fr":"acme""#)).unwrap();
        assert_eq!(escaped.attributes.get(&Attribute::Vendor), Some("acme"));
        for fields in ["\"a\nb\":1", r#""a\x":1"#, "\"a:1", "a:1"] {
            let found = rejection(&event_with(&format!(",{fields}")));
            assert!(found.starts_with("bad_json: not JSON"), "{found}");
        }
    }

    #[test]
    fn deep_nesting_is_harmless() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse_json(&event_with(&format!(",\"unknown\":{deep}"))).is_ok());
        assert!(rejection(&event_with(&format!(",\"vendor\":{deep}"))).starts_with("bad_field"));
    }

    #[test]
    fn protobuf_is_judged_by_the_same_rules() {
        let message = slawatch_wire::v1::TicketEvent {
            event_id: "e".into(),
            ticket_id: "t".into(),
            r#type: "rated".into(),
            occurred_at: Some(1_735_689_600_000),
            queue: Some(String::new()),
            priority: Some("high".into()),
            status: Some("on_hold".into()),
            score: Some(0.1),
            labels: [("a".to_owned(), "1".to_owned())].into(),
            ..Default::default()
        };
        let options = DecodeOptions::default();
        let bytes = message.encode_to_vec();
        let from_protobuf = parse(&bytes, Encoding::Protobuf, &options).unwrap();
        let json = event_with(
            r#","type":"rated","queue":"","priority":"high","status":"on_hold","score":0.1,"labels":{"a":"1"}"#,
        );
        assert_eq!(from_protobuf, parse_json(&json).unwrap());

        let reject = |change: fn(&mut slawatch_wire::v1::TicketEvent)| {
            let mut changed = message.clone();
            change(&mut changed);
            let bytes = changed.encode_to_vec();
            parse(&bytes, Encoding::Protobuf, &options)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            reject(|m| m.occurred_at = None),
            "missing_field: occurred_at is required: it is absent or empty"
        );
        assert_eq!(
            reject(|m| m.score = Some(f64::NAN)),
            "bad_field: score is a number out of range; expected a finite number"
        );
        assert_eq!(
            reject(|m| m.occurred_at = Some(i64::MIN)),
            "bad_field: occurred_at is a number out of range; expected milliseconds since 1970, in the years 1 to 9999"
        );
        let garbage = parse(b"\xff\xff", Encoding::Protobuf, &options).unwrap_err();
        assert_eq!(garbage.reason, Reason::BadJson);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let options = DecodeOptions::default();
            for encoding in [Encoding::Json, Encoding::Protobuf] {
                if let Ok(event) = parse(&bytes, encoding, &options) {
                    prop_assert!(!event.event_id.is_empty());
                }
            }
        }

        #[test]
        fn mutated_events_never_panic(position in 0..90_usize, byte in any::<u8>()) {
            let mut bytes = event_with("").into_bytes();
            let position = position % bytes.len();
            bytes[position] = byte;
            let read = parse(&bytes, Encoding::Json, &DecodeOptions::default()).is_ok();
            let unchanged = bytes == event_with("").into_bytes();
            prop_assert!(read || !unchanged);
        }
    }
}
