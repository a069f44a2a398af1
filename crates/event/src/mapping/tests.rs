//! Mappings by table and by program: what each makes of records, and that both make the same.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Attribute, DecodeOptions, Encoding, EventType, Field, FieldSource, Mapping, Path, Program,
    Reason, Status, Table, TicketEvent, Words, parse,
};

fn path(text: &str) -> Path {
    Path::new(text.split('.').map(str::to_owned).collect()).unwrap()
}

fn from(name: &str, at: &str) -> (Field, FieldSource) {
    (Field::from_name(name).unwrap(), FieldSource::Path(path(at)))
}

fn options(mapping: Mapping) -> DecodeOptions {
    DecodeOptions {
        mapping,
        ..DecodeOptions::default()
    }
}

fn by_program(code: &str) -> DecodeOptions {
    let program = Program::compile(code).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    options(Mapping::program(program, words()))
}

fn words() -> Words {
    Words::new(
        [
            ("ticket.opened".to_owned(), EventType::Created),
            ("csat".to_owned(), EventType::Rated),
        ],
        [("Waiting".to_owned(), Status::Pending)],
    )
}

/// A source that nests, numbers its ids and has words of its own.
fn table() -> DecodeOptions {
    let constant = (
        Field::from_name("vendor").unwrap(),
        FieldSource::Constant("\"acme\"".to_owned()),
    );
    let unread = (Field::from_name("reason").unwrap(), FieldSource::Unread);
    let table = Table::new(
        [
            from("event_id", "id"),
            from("ticket_id", "ticket.id"),
            from("type", "event"),
            from("occurred_at", "at"),
            from("status", "ticket.state.name"),
            from("queue", "ticket.group"),
            from("category", "ticket.group"),
            from("score", "ticket.rating"),
            constant,
            unread,
        ],
        [
            ("region".to_owned(), path("ticket.region")),
            ("vip".to_owned(), path("vip")),
        ],
    );
    options(Mapping::table(table, words()))
}

/// The same as [`table`] by a program.
const SAME: &str = r#"
def text: if type == "number" or type == "boolean" then tostring end;
. as $in | (.ticket | if type == "object" then . else {} end) as $t
| ($t.state | if type == "object" then .name else null end) as $status
| $in + {
    event_id: ($in.id | text), ticket_id: ($t.id | text), type: ($in.event | text), occurred_at: $in.at,
    status: ($status | text), queue: ($t.group | text), category: ($t.group | text), score: $t.rating,
    vendor: "acme", reason: null,
    labels: (($in.labels // {}) + ({region: ($t.region | text), vip: ($in.vip | text)} | with_entries(select(.value != null)))),
  }
"#;

fn told(text: &str, options: &DecodeOptions) -> Result<TicketEvent<'static>, String> {
    parse(text.as_bytes(), Encoding::Json, options)
        .map(TicketEvent::into_owned)
        .map_err(|rejection| rejection.to_string())
}

const RECORD: &str = r#"{"id":7,"at":"2025-01-01T00:00:00Z","event":"ticket.opened","vip":true,"priority":"high","reason":{},
    "labels":{"region":"x","site":"y"},"vendor":5,"ticket_id":"no","status":"no",
    "ticket":{"id":12.50,"group":"refunds","region":"emea","state":{"name":"Waiting","id":3}}}"#;

#[test]
fn a_table_reads_fields_where_they_stand() {
    let event = told(RECORD, &table()).unwrap();
    assert_eq!((&*event.event_id, &*event.ticket_id), ("7", "12.50"));
    assert_eq!(event.event_type, EventType::Created);
    let attribute = |name: &str| event.attributes.get(&Attribute::from_name(name).unwrap());
    for (name, expected) in [
        ("vendor", Some("acme")),
        ("queue", Some("refunds")),
        ("category", Some("refunds")),
        ("priority", Some("high")),
        ("status", Some("pending")),
        ("labels.region", Some("emea")),
        ("labels.site", Some("y")),
        ("labels.vip", Some("true")),
        ("channel", None),
    ] {
        assert_eq!(attribute(name), expected, "{name}");
    }
    assert_eq!(event.details.reason, None);
    assert_eq!(told(RECORD, &by_program(SAME)), Ok(event));
}

#[test]
fn of_an_object_given_twice_the_last_counts_as_a_whole() {
    let text = r#"{"id":"e","at":1,"event":"updated","ticket":{"id":"t","group":"g"},"ticket":{"id":"u"}}"#;
    let event = told(text, &table()).unwrap();
    assert_eq!(event.ticket_id, "u");
    assert_eq!(event.attributes.get(&Attribute::Queue), None);
    let gone = text.replace(r#""ticket":{"id":"u"}"#, r#""ticket":null"#);
    assert_eq!(
        told(&gone, &table()).unwrap_err(),
        "missing_field: ticket_id (from ticket.id) is required: it is absent, null or empty"
    );
}

#[test]
fn what_a_table_cannot_read_is_named_with_its_place() {
    let number = "a number of another form or range";
    for (text, expected) in [
        ("[]", "bad_json: not a JSON object (line 1, column 0)".to_owned()),
        ("{}", "missing_field: event_id (from id) is required: it is absent, null or empty".to_owned()),
        (
            r#"{"id":1,"ticket":"t","event":"updated","at":1}"#,
            "missing_field: ticket_id (from ticket.id) is required: it is absent, null or empty".to_owned(),
        ),
        (
            r#"{"id":1,"ticket":{"id":[]},"event":"updated","at":1}"#,
            "bad_field: ticket_id (from ticket.id) is an array; expected a string".to_owned(),
        ),
        (
            r#"{"id":1,"ticket":{"id":1},"event":"updated","at":1.5}"#,
            format!("bad_field: occurred_at (from at) is {number}; expected an RFC 3339 instant with offset or whole milliseconds since 1970, in the years 1 to 9999"),
        ),
        (
            r#"{"id":1,"ticket":{"id":1},"event":"updated","at":1,"queue":1,"channel":1}"#,
            format!("bad_field: channel is {number}; expected a string"),
        ),
        (
            r#"{"id":1,"ticket":{"id":1,"region":[]},"event":"updated","at":1}"#,
            "bad_field: labels.\"region\" is an array; expected a string".to_owned(),
        ),
        (
            r#"{"id":1,"ticket":{"id":1},"event":"csat","at":1}"#,
            "missing_field: score (from ticket.rating) is required by type rated: it is absent, null or empty".to_owned(),
        ),
        (
            r#"{"id":1,"ticket":{"id":1},"event":"closed","at":1}"#,
            "unknown_type: type \"closed\" is none of created, updated, customer_replied, agent_replied, contact_offered, contact_answered, contact_abandoned, handled, rated, escalated, audited, merged, cancelled".to_owned(),
        ),
        (
            r#"{"id":1,"ticket":{"id":1,"state":{"name":"waiting"}},"event":"updated","at":1}"#,
            "unknown_status: status \"waiting\" is neither in the mapping's [statuses] nor one of new, open, pending, on_hold, solved, closed".to_owned(),
        ),
    ] {
        assert_eq!(told(text, &table()), Err(expected), "{text}");
    }
}

#[test]
fn a_program_makes_one_event_or_says_why_not() {
    let long = format!(r#"error("{}")"#, "x".repeat(300));
    let cases = [
        (".", "[1]", "bad_json: not a JSON object (line 1, column 0)".to_owned()),
        (".", "{", "bad_json: not JSON: EOF while parsing an object at line 1 column 1".to_owned()),
        ("empty", "{}", "mapping_skipped: the program gives no event for this record".to_owned()),
        (
            r#"select(.kind == "ticket")"#,
            r#"{"kind":"user"}"#,
            "mapping_skipped: the program gives no event for this record".to_owned(),
        ),
        (
            "., .",
            "{}",
            "mapping_failed: the program gives several outputs; a record becomes one event".to_owned(),
        ),
        (
            ".a",
            "{}",
            "mapping_failed: the program gives null; expected one object with slawatch's fields".to_owned(),
        ),
        (
            "[.a]",
            "{}",
            "mapping_failed: the program gives an array; expected one object with slawatch's fields".to_owned(),
        ),
        (
            ".a.b",
            r#"{"a":5}"#,
            "mapping_failed: the program failed: cannot index 5 with \"b\"".to_owned(),
        ),
        (
            r#"error("no ticket here")"#,
            "{}",
            "mapping_failed: the program failed: \"no ticket here\"".to_owned(),
        ),
        (
            "., .a.b",
            r#"{"a":5}"#,
            "mapping_failed: the program failed: cannot index 5 with \"b\"".to_owned(),
        ),
        (
            &long,
            "{}",
            format!("mapping_failed: the program failed: \"{}…", "x".repeat(199)),
        ),
        (
            "{score: (0 / 0)}",
            "{}",
            "mapping_failed: the program gives an object that JSON does not have: not JSON: expected value at line 1 column 10".to_owned(),
        ),
        (
            "{}",
            "{}",
            "missing_field: event_id is required: it is absent, null or empty".to_owned(),
        ),
        (
            r#""2025" | strptime("%Q")"#,
            "{}",
            "mapping_failed: the program failed: \"strptime takes no time zone name (%Q)\"".to_owned(),
        ),
    ];
    for (code, text, expected) in cases {
        assert_eq!(told(text, &by_program(code)), Err(expected), "{code}");
    }
}

#[test]
fn what_a_program_cannot_be_given_is_named() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for (text, expected) in [
        (
            &*deep,
            "mapping_failed: the record is nested more than 128 deep",
        ),
        (
            r#"{"a":"\ud800"}"#,
            "mapping_failed: the record cannot be given to the program: byte offset",
        ),
    ] {
        let found = told(text, &by_program(".")).unwrap_err();
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn dates_are_read_without_the_machine() {
    let code = r#"{event_id: "e", ticket_id: "t", type: "updated",
        occurred_at: (.at | strptime("%d %b %Y %H:%M:%S") | mktime * 1000)}"#;
    let event = told(r#"{"at":"02 Jun 2025 09:00:01"}"#, &by_program(code)).unwrap();
    assert_eq!(event.occurred_at_ms, 1_748_854_801_000);
}

#[test]
fn numbers_pass_through_a_program_as_they_were_written() {
    let text = r#"{"event_id":"e","ticket_id":"t","type":"rated","occurred_at":1,"score":4.50000000000000000001,"score_max":1E2}"#;
    let rating = told(text, &by_program("."))
        .unwrap()
        .details
        .rating
        .unwrap();
    assert_eq!(
        (&*rating.score, &*rating.score_max),
        ("4.50000000000000000001", "1E2")
    );
}

#[test]
fn mistakes_in_a_program_are_found_at_once_with_their_places() {
    for (code, expected) in [
        (
            "",
            &[
                "0..0 this is not jq: the program ends where term is expected | write it as jq's manual has it",
            ][..],
        ),
        (
            ".a | {b:",
            &[
                "8..8 this is not jq: the program ends where closing brace is expected | write it as jq's manual has it",
            ],
        ),
        (
            "if .a then 1",
            &[
                "12..12 this is not jq: the program ends where else or end is expected | write it as jq's manual has it",
            ],
        ),
        (
            ". & .",
            &[
                "2..3 this is not jq: \"&\" stands where token is expected | write it as jq's manual has it",
            ],
        ),
        (
            "now, env.HOME",
            &[
                "0..3 now reads the clock: a mapping reads nothing but its record | take what you need from the record, from $envelope or from $key",
                "5..8 env reads the environment: a mapping reads nothing but its record | take what you need from the record, from $envelope or from $key",
            ],
        ),
        (
            ".a | tostrin | $x | nth(1;2;3)",
            &[
                "5..12 there is no filter tostrin/0 (a name and its number of arguments) | write a builtin of jq, or define it with def",
                "15..17 there is no variable $x | bind it with \"as $x |\"; bound from the start are $envelope and $key",
                "20..23 there is no filter nth/3 (a name and its number of arguments) | write a builtin of jq, or define it with def",
            ],
        ),
        (
            "$ENV.HOME",
            &[
                "0..4 $ENV reads the environment: a mapping reads nothing but its record | take what you need from the record, from $envelope or from $key",
            ],
        ),
        (
            "import \"a\" as a; a::b",
            &[
                "8..9 \"a\" cannot be loaded: a mapping is one program | write the definitions into this program",
            ],
        ),
        (
            "import \"a\" as $a; $a",
            &[
                "8..9 \"a\" cannot be loaded: a mapping is one program | write the definitions into this program",
            ],
        ),
    ] {
        let mistakes = Program::compile(code).unwrap_err();
        let mut told: Vec<String> = mistakes
            .iter()
            .map(|mistake| format!("{:?} {} | {}", mistake.span, mistake.message, mistake.help))
            .collect();
        told.sort_by_key(|mistake| {
            mistake
                .split("..")
                .next()
                .unwrap()
                .parse::<usize>()
                .unwrap()
        });
        assert_eq!(told, expected, "{code}");
    }
    for name in [
        "now",
        "localtime",
        "strflocaltime(1)",
        "input",
        "inputs",
        "input_filename",
        "input_line_number",
        "debug",
        "debug(1)",
        "stderr",
        "halt",
        "halt(1)",
        "halt_error",
        "halt_error(1)",
        "$__prog_args",
        "stderr_empty",
        "debug_empty",
    ] {
        let mistakes = Program::compile(name).unwrap_err();
        assert!(
            mistakes[0]
                .message
                .ends_with("a mapping reads nothing but its record"),
            "{name}: {mistakes:?}"
        );
    }
}

#[test]
fn programs_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<DecodeOptions>();
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..200_u64).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "a",
            "Waiting",
            "open",
            "ticket.opened",
            "updated",
            "csat",
            "ü\"\\",
            "2025-01-01T00:00:00Z",
        ])
        .prop_map(Value::from),
        Just(json!([1])),
    ]
}

/// Objects whose keys are mostly those that the table looks at.
fn object(
    keys: &'static [&'static str],
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(keys), value), 0..8).prop_map(|pairs| {
        Value::Object(
            pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    })
}

fn record() -> impl Strategy<Value = Value> {
    let state = prop_oneof![leaf(), object(&["name", "id"], leaf())];
    let ticket = prop_oneof![
        1 => leaf(),
        6 => (object(&["id", "group", "region", "rating", "x"], leaf()), state)
            .prop_map(|(mut ticket, state)| { ticket["state"] = state; ticket }),
    ];
    let labels = prop_oneof![
        Just(Value::Null),
        object(
            &["region", "vip", "b"],
            prop_oneof![Just(json!("l")), Just(Value::Null)]
        )
    ];
    let rest = object(
        &[
            "id", "at", "event", "vip", "priority", "vendor", "status", "reason", "queue",
        ],
        leaf(),
    );
    (rest, ticket, labels, any::<bool>()).prop_map(|(mut record, ticket, labels, is_whole)| {
        if is_whole {
            for (key, value) in [
                ("id", json!("e")),
                ("at", json!(5)),
                ("event", json!("updated")),
            ] {
                record[key] = value;
            }
        }
        record["ticket"] = ticket;
        record["labels"] = labels;
        record
    })
}

/// Places are named after the table's paths, which a program does not have.
fn reason(told: &Result<TicketEvent<'static>, String>) -> Result<TicketEvent<'static>, String> {
    told.clone()
        .map_err(|detail| detail.split(':').next().unwrap_or_default().to_owned())
}

proptest! {
    #[test]
    fn a_table_and_the_equivalent_program_agree(record in record()) {
        let text = record.to_string();
        let (by_table, by_program) = (told(&text, &table()), told(&text, &by_program(SAME)));
        prop_assert_eq!(reason(&by_table), reason(&by_program), "{} {:?} {:?}", text, by_table, by_program);
    }

    #[test]
    fn no_bytes_make_a_mapping_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), position in 0..400_usize) {
        let mut mutated = RECORD.as_bytes().to_vec();
        let position = position % mutated.len();
        mutated.splice(position..=position, bytes.iter().take(3).copied());
        for options in [table(), by_program(SAME), by_program("., tojson, (.. | tostring)")] {
            for value in [&bytes, &mutated] {
                for encoding in [Encoding::Json, Encoding::Protobuf] {
                    let read = parse(value, encoding, &options);
                    prop_assert!(read.is_ok_and(|event| !event.event_id.is_empty())
                        || parse(value, encoding, &options).is_err_and(|found| found.reason != Reason::FutureEvent));
                }
            }
        }
    }
}
