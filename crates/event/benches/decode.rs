//! What decoding a record costs: slawatch's own fields, the same events under other names, nested ones, a program, and
//! envelopes. `cargo bench -p slawatch-event`.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use slawatch_event::{
    DecodeOptions, Encoding, EventType, Field, FieldSource, Incoming, Mapping, Path, Program,
    Status, Table, Words, decode,
};

const RECORDS: usize = 1_000;

fn main() {
    divan::main();
}

/// Events of about 200 bytes, under the names and in the places that `write` gives their values.
fn records(write: impl Fn(usize, u64) -> String) -> Vec<String> {
    (0..RECORDS)
        .map(|number| write(number, 1_735_689_600_000 + number as u64 * 1_000))
        .collect()
}

fn own() -> Vec<String> {
    records(|number, at_ms| {
        format!(
            r#"{{"event_id":"{number:08}-3","ticket_id":"ticket-{number:08}","type":"updated","occurred_at":{at_ms},"vendor":"northwind","queue":"refunds","priority":"high","status":"open","agent_id":"agent-{:04}","channel":"mail"}}"#,
            number % 97
        )
    })
}

/// The same length, other names and words.
fn renamed() -> Vec<String> {
    records(|number, at_ms| {
        format!(
            r#"{{"delivery":"{number:08}-3","case_ref_":"ticket-{number:08}","what":"changed","happened_at":{at_ms},"vendor":"northwind","group":"refunds","severity":"high","state_":"Open","assignee":"agent-{:04}","channel":"mail"}}"#,
            number % 97
        )
    })
}

fn nested() -> Vec<String> {
    records(|number, at_ms| {
        format!(
            r#"{{"id":"{number:08}-3","what":"changed","at":{at_ms},"case":{{"id":"ticket-{number:08}","vendor":"northwind","group":"refunds","severity":"high","state":"Open","who":"agent-{:04}","channel":"mail"}}}}"#,
            number % 97
        )
    })
}

fn path(name: &str, at: &str) -> (Field, FieldSource) {
    let keys = at.split('.').map(str::to_owned).collect();
    (
        Field::from_name(name).unwrap(),
        FieldSource::Path(Path::new(keys).unwrap()),
    )
}

fn words() -> Words {
    Words::new(
        [("changed".to_owned(), EventType::Updated)],
        [("Open".to_owned(), Status::Open)],
    )
}

fn table(paths: &[(&str, &str)]) -> Mapping {
    let fields = paths.iter().map(|(name, at)| path(name, at));
    Mapping::table(Table::new(fields, []), words())
}

fn read(bencher: Bencher<'_, '_>, records: &[String], mapping: Mapping) {
    let headers: [(&str, &[u8]); 0] = [];
    read_with(bencher, records, mapping, &headers);
}

fn read_with(
    bencher: Bencher<'_, '_>,
    records: &[String],
    mapping: Mapping,
    headers: &[(&str, &[u8])],
) {
    let options = DecodeOptions {
        encoding: Encoding::Json,
        mapping,
        ..DecodeOptions::default()
    };
    let find = |name: &str| {
        let (_, value) = headers.iter().find(|(known, _)| *known == name)?;
        Some(*value)
    };
    let all = || {
        for record in records {
            let record = Incoming {
                timestamp_ms: 1_800_000_000_000,
                key: None,
                value: record.as_bytes(),
                headers: &find,
            };
            black_box(decode(&record, &options).unwrap());
        }
    };
    bencher
        .counter(ItemsCount::new(records.len()))
        .bench_local(all);
}

#[divan::bench]
fn own_fields(bencher: Bencher<'_, '_>) {
    read(bencher, &own(), Mapping::default());
}

#[divan::bench]
fn table_flat(bencher: Bencher<'_, '_>) {
    let mapping = table(&[
        ("event_id", "delivery"),
        ("ticket_id", "case_ref_"),
        ("type", "what"),
        ("occurred_at", "happened_at"),
        ("queue", "group"),
        ("priority", "severity"),
        ("status", "state_"),
        ("agent_id", "assignee"),
    ]);
    read(bencher, &renamed(), mapping);
}

#[divan::bench]
fn table_nested(bencher: Bencher<'_, '_>) {
    let mapping = table(&[
        ("event_id", "id"),
        ("ticket_id", "case.id"),
        ("type", "what"),
        ("occurred_at", "at"),
        ("vendor", "case.vendor"),
        ("queue", "case.group"),
        ("priority", "case.severity"),
        ("status", "case.state"),
        ("agent_id", "case.who"),
        ("channel", "case.channel"),
    ]);
    read(bencher, &nested(), mapping);
}

#[divan::bench]
fn program(bencher: Bencher<'_, '_>) {
    let code = r#"{
        event_id: .id, ticket_id: .case.id, type: .what, occurred_at: .at, vendor: .case.vendor, queue: .case.group,
        priority: .case.severity, status: .case.state, agent_id: .case.who, channel: .case.channel
    }"#;
    let program = Program::compile(code).unwrap();
    read(bencher, &nested(), Mapping::program(program, words()));
}

#[divan::bench]
fn cloud_event_binary(bencher: Bencher<'_, '_>) {
    let headers: [(&str, &[u8]); 5] = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e"),
        ("ce_type", b"com.example.updated"),
        ("ce_time", b"2025-01-01T00:00:00Z"),
    ];
    read_with(bencher, &own(), Mapping::default(), &headers);
}

#[divan::bench]
fn cloud_event_structured(bencher: Bencher<'_, '_>) {
    let records: Vec<String> = own()
        .iter()
        .map(|data| {
            format!(
                r#"{{"specversion":"1.0","id":"e","source":"/tickets","type":"com.example.updated","data":{data}}}"#
            )
        })
        .collect();
    let headers: [(&str, &[u8]); 1] = [("content-type", b"application/cloudevents+json")];
    read_with(bencher, &records, Mapping::default(), &headers);
}
