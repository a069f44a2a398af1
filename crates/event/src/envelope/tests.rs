//! CloudEvents as records have them, through the one function that decodes.

use slawatch_wire::Message;
use slawatch_wire::v1;

use crate::{
    DecodeOptions, Encoding, EventType, Incoming, Mapping, Program, TicketEvent, Words, decode,
};

type Headers = [(&'static str, &'static str)];

const STRUCTURED: &Headers = &[(
    "content-type",
    "application/cloudevents+json; charset=UTF-8",
)];
const BINARY: &Headers = &[
    ("ce_specversion", "1.0"),
    ("ce_id", "e"),
    ("ce_source", "/tickets"),
    ("ce_type", "com.example.ticket.created"),
    ("ce_subject", "t"),
    ("ce_time", "2025-01-01T00:00:00Z"),
    ("content-type", "application/json"),
];
const AT_MS: i64 = 1_735_689_600_000;

fn decoded(
    value: &[u8],
    headers: &Headers,
    options: &DecodeOptions,
) -> Result<TicketEvent<'static>, String> {
    let find = |name: &str| {
        let (_, value) = headers.iter().rev().find(|(known, _)| *known == name)?;
        Some(value.as_bytes())
    };
    let record = Incoming {
        timestamp_ms: AT_MS,
        key: Some(b"k"),
        value,
        headers: &find,
    };
    decode(&record, options)
        .map(TicketEvent::into_owned)
        .map_err(|rejection| rejection.to_string())
}

fn plain(value: &[u8], headers: &Headers) -> Result<TicketEvent<'static>, String> {
    decoded(value, headers, &DecodeOptions::default())
}

/// An envelope with `more` behind its attributes.
fn structured(more: &str) -> Vec<u8> {
    format!(
        r#"{{"specversion":"1.0","id":"e","source":"/tickets","type":"com.example.ticket.created",
            "subject":"t","time":"2025-01-01T00:00:00Z"{more}}}"#
    )
    .into_bytes()
}

fn identity(event: &TicketEvent<'_>) -> (String, String, EventType, i64) {
    (
        event.event_id.to_string(),
        event.ticket_id.to_string(),
        event.event_type,
        event.occurred_at_ms,
    )
}

fn of_envelope() -> (String, String, EventType, i64) {
    ("e".to_owned(), "t".to_owned(), EventType::Created, AT_MS)
}

#[test]
fn the_envelope_stands_for_what_the_data_leaves_out() {
    let data = r#"{"queue":"refunds","event_id":null}"#;
    let inside = format!(r#","data":{data}"#);
    for (value, headers) in [
        (structured(&inside), STRUCTURED),
        (
            structured(&format!(r#"{inside},"datacontenttype":"application/json""#)),
            STRUCTURED,
        ),
        (
            structured(
                r#","data_base64":"eyJxdWV1ZSI6InJlZnVuZHMifQ==","datacontenttype":"application/json""#,
            ),
            STRUCTURED,
        ),
        (data.as_bytes().to_vec(), BINARY),
    ] {
        let event = plain(&value, headers).unwrap();
        assert_eq!(identity(&event), of_envelope());
        assert_eq!(
            event.attributes.get(&crate::Attribute::Queue),
            Some("refunds")
        );
    }
    for (value, headers) in [(structured(""), STRUCTURED), (Vec::new(), BINARY)] {
        assert_eq!(identity(&plain(&value, headers).unwrap()), of_envelope());
    }
}

#[test]
fn what_the_data_says_goes_before_the_envelope() {
    let data = r#"{"event_id":"f","ticket_id":"u","type":"updated","occurred_at":5}"#;
    let expected = ("f".to_owned(), "u".to_owned(), EventType::Updated, 5);
    for (value, headers) in [
        (structured(&format!(r#","data":{data}"#)), STRUCTURED),
        (data.as_bytes().to_vec(), BINARY),
    ] {
        assert_eq!(identity(&plain(&value, headers).unwrap()), expected);
    }
    let empty = plain(br#"{"ticket_id":""}"#, BINARY).unwrap_err();
    assert_eq!(
        empty,
        "missing_field: ticket_id is required: it is absent, null or empty"
    );
}

#[test]
fn protobuf_travels_in_both_modes() {
    let message = v1::TicketEvent {
        queue: Some("refunds".to_owned()),
        ..v1::TicketEvent::default()
    };
    let bytes = message.encode_to_vec();
    let framed = [&[0, 0, 0, 0, 9, 0][..], &bytes].concat();
    let mut headers = BINARY.to_vec();
    headers.push(("content-type", "application/protobuf"));
    let inside =
        structured(r#","datacontenttype":"application/protobuf","data_base64":"GgAyB3JlZnVuZHM=""#);
    let encoded = {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
        String::from_utf8(inside)
            .unwrap()
            .replace("GgAyB3JlZnVuZHM=", &text)
    };
    for (value, headers) in [
        (&bytes[..], &headers[..]),
        (&framed, &headers),
        (encoded.as_bytes(), STRUCTURED),
    ] {
        let event = plain(value, headers).unwrap();
        assert_eq!(identity(&event), of_envelope());
        assert_eq!(
            event.attributes.get(&crate::Attribute::Queue),
            Some("refunds")
        );
    }
    let own = v1::TicketEvent {
        event_id: "f".to_owned(),
        ticket_id: "u".to_owned(),
        r#type: "updated".to_owned(),
        occurred_at: Some(5),
        ..v1::TicketEvent::default()
    };
    let event = plain(&own.encode_to_vec(), &headers).unwrap();
    assert_eq!(
        identity(&event),
        ("f".to_owned(), "u".to_owned(), EventType::Updated, 5)
    );
    headers.push(("ce_time", "yesterday"));
    assert_eq!(
        plain(&bytes, &headers).unwrap_err(),
        "bad_field: time of the CloudEvent is a string that cannot be read so; expected an RFC 3339 instant with offset, in the years 1 to 9999"
    );
    headers.push(("ce_type", "com.example.opened"));
    headers.push(("ce_time", "2025-01-01T00:00:00Z"));
    assert!(
        plain(&bytes, &headers)
            .unwrap_err()
            .starts_with("unknown_type: type \"com.example.opened\" is none of created,")
    );
    headers.push(("ce_type", "com.example.rated"));
    assert_eq!(
        plain(&bytes, &headers).unwrap_err(),
        "missing_field: score is required: it is absent or empty"
    );
}

#[test]
fn the_type_is_the_last_part_of_its_name_unless_the_mapping_has_it() {
    let words = Words::new(
        [
            ("com.example.ticket.created".to_owned(), EventType::Updated),
            ("opened".to_owned(), EventType::Created),
        ],
        [],
    );
    let options = DecodeOptions {
        mapping: Mapping::words(words),
        ..DecodeOptions::default()
    };
    let typed = |name: &'static str| {
        let mut headers = BINARY.to_vec();
        headers.push(("ce_type", name));
        decoded(b"{}", &headers, &options).map(|event| event.event_type)
    };
    assert_eq!(typed("com.example.ticket.created"), Ok(EventType::Updated));
    assert_eq!(typed("org.example.created"), Ok(EventType::Created));
    assert_eq!(typed("org.example.opened"), Ok(EventType::Created));
    assert_eq!(typed("merged"), Ok(EventType::Merged));
    assert!(
        typed("org.example.")
            .unwrap_err()
            .starts_with("unknown_type")
    );
}

#[test]
fn what_is_no_cloud_event_is_named() {
    let only_1_0 =
        "bad_json: a CloudEvent whose specversion is not 1.0, the one version that is understood";
    let time = "bad_field: time of the CloudEvent is a string that cannot be read so; expected an RFC 3339 instant with offset, in the years 1 to 9999";
    let cases: [(Vec<u8>, &str); 10] = [
        (
            b"[]".to_vec(),
            "bad_json: the CloudEvent is not a JSON object (line 1, column 0)",
        ),
        (
            b"{".to_vec(),
            "bad_json: the CloudEvent is not JSON: EOF while parsing an object at line 1 column 1",
        ),
        (b"\xff".to_vec(), "bad_json: not UTF-8 from byte 0"),
        (b"{}".to_vec(), only_1_0),
        (structured(r#","specversion":"0.3""#), only_1_0),
        (
            structured(r#","id":5"#),
            "bad_field: id of the CloudEvent is a number of another form or range; expected a string",
        ),
        (
            structured(r#","data":{},"data_base64":"e30=""#),
            "bad_json: a CloudEvent with both data and data_base64",
        ),
        (
            structured(r#","data_base64":"*""#),
            "bad_json: data_base64 of the CloudEvent is no base64",
        ),
        (
            structured(r#","data":"text""#),
            "bad_json: not a JSON object (line 1, column 6)",
        ),
        (structured(r#","time":"2025-01-01""#), time),
    ];
    for (value, expected) in cases {
        let text = String::from_utf8_lossy(&value).into_owned();
        assert_eq!(
            plain(&value, STRUCTURED),
            Err(expected.to_owned()),
            "{text}"
        );
    }
    for (content_type, expected) in [
        (
            "application/cloudevents-batch+json",
            "bad_json: a batch of CloudEvents; write each event into a record of its own",
        ),
        (
            "Application/CloudEvents+avro",
            "bad_json: CloudEvents as \"application/cloudevents+avro\" are not understood; write them as application/cloudevents+json, or in binary mode, with ce_ headers",
        ),
    ] {
        let found = plain(&structured(""), &[("content-type", content_type)]);
        assert_eq!(found, Err(expected.to_owned()));
    }
    for (header, expected) in [
        (("ce_specversion", "2.0"), only_1_0),
        (("ce_time", "now"), time),
    ] {
        let mut headers = BINARY.to_vec();
        headers.push(header);
        assert_eq!(plain(b"{}", &headers), Err(expected.to_owned()));
    }
    let no_text = |name: &str| {
        (name == "ce_specversion")
            .then_some(&b"1.0"[..])
            .or_else(|| (name == "ce_id").then_some(b"\xff"))
    };
    let record = Incoming {
        timestamp_ms: 0,
        key: None,
        value: b"{}",
        headers: &no_text,
    };
    assert_eq!(
        decode(&record, &DecodeOptions::default())
            .unwrap_err()
            .to_string(),
        "bad_field: the header ce_id is no UTF-8; expected a text"
    );
}

#[test]
fn an_event_without_an_envelope_stays_as_it_is() {
    let headers = &[("content-type", "application/json"), ("ce_id", "e")][..];
    assert_eq!(
        plain(b"{}", headers).unwrap_err(),
        "missing_field: event_id is required: it is absent, null or empty"
    );
    assert_eq!(
        plain(b"", headers).unwrap_err(),
        "bad_json: not JSON: EOF while parsing a value at line 1 column 0"
    );
    let options = DecodeOptions {
        encoding: Encoding::Protobuf,
        ..DecodeOptions::default()
    };
    let found = decoded(b"", &[("content-type", "text/plain")], &options);
    assert_eq!(
        found.unwrap_err(),
        "missing_field: event_id is required: it is absent or empty"
    );
}

#[test]
fn a_program_sees_the_envelope_and_the_key() {
    let code = r#"{queue: ([$envelope.type, $envelope.source, $key, ($envelope | has("data"))] | tojson)}"#;
    let options = DecodeOptions {
        mapping: Mapping::program(Program::compile(code).unwrap(), Words::default()),
        ..DecodeOptions::default()
    };
    for (value, headers, expected) in [
        (
            structured(r#","data":{}"#),
            STRUCTURED,
            r#"["com.example.ticket.created","/tickets","k",false]"#,
        ),
        (
            b"{}".to_vec(),
            BINARY,
            r#"["com.example.ticket.created",null,"k",false]"#,
        ),
    ] {
        let event = decoded(&value, headers, &options).unwrap();
        assert_eq!(identity(&event), of_envelope());
        assert_eq!(
            event.attributes.get(&crate::Attribute::Queue),
            Some(expected)
        );
    }
    let none = decoded(b"{}", &[], &options).unwrap_err();
    assert_eq!(
        none,
        "missing_field: event_id is required: it is absent, null or empty"
    );
}
