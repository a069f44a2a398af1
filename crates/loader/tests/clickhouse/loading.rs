//! Messages of every topic into real tables, compared with what the tables in memory make of the same batches.

use std::collections::BTreeMap;
use std::time::Duration;

use slawatch_loader::model::{MemoryTables, Value};
use slawatch_loader::{
    Batch, BatchOptions, ClickHouseSink, IntakeOptions, LoaderCore, Sink, Table, Topics,
};
use slawatch_stream::{Record, TopicPartition};
use slawatch_wire::{Message, v1};

use crate::{Database, runtime};

/// A core with every topic's partition 0 assigned.
pub(crate) fn core() -> LoaderCore {
    let mut core = LoaderCore::new(
        Topics::default(),
        IntakeOptions::default(),
        BatchOptions::default(),
    );
    let topics = Topics::default();
    for topic in [
        topics.ticket_events,
        topics.signals,
        topics.alerts,
        topics.notifications,
        topics.dead_letters,
    ] {
        let partition = TopicPartition::new(topic, 0);
        core.assign(&partition, 0, "").expect("no metadata");
    }
    core
}

/// Sends what the core holds and waits until all is answered.
pub(crate) fn drain(core: &mut LoaderCore, sink: &mut dyn Sink, mut seen: impl FnMut(&Batch)) {
    core.hurry();
    let mut now_ms = 0;
    while core.is_busy() {
        assert!(now_ms < 100 * 100_000, "no answer: {core:?}");
        now_ms += 100_000;
        for batch in core.due(now_ms) {
            seen(&batch);
            sink.start(batch);
        }
        for (id, answer) in sink.answers(Duration::from_secs(10)) {
            core.answer(id, &answer, now_ms);
        }
    }
}

const EVENTS: [&str; 4] = [
    r#"{"event_id":"e1","ticket_id":"T-1","type":"created","occurred_at":"2026-01-05T10:00:00.123Z","sequence":18446744073709551615,
        "vendor":"acme","queue":"","priority":null,"status":"open","channel":"c","category":"k","agent_id":"a\u0000b","requester_id":"ü",
        "root_cause":"r","sop":"s","labels":{"x":"1","y":""}}"#,
    r#"{"event_id":"e2","ticket_id":"T-1","type":"rated","occurred_at":-62135596800000,"score":4.50,"score_max":5,"contact_id":"c1"}"#,
    r#"{"event_id":"e3","ticket_id":"T-2","type":"audited","occurred_at":1000,"passed":false,"level":"L2","reason":"tab\tquote'\\","into":"T-9"}"#,
    r#"{"event_id":"e4","ticket_id":"T-2","type":"handled","occurred_at":1000,"talk_ms":1,"hold_ms":2,"wrap_ms":18446744073709551615}"#,
];

fn measures() -> v1::Measures {
    v1::Measures {
        created: 1,
        entered: 2,
        left: 3,
        solved: 4,
        reopened: 5,
        escalated: 6,
        offered: 7,
        answered: 8,
        abandoned: 9,
        flowed_out: 10,
        answered_in_target: 11,
        abandoned_in_target: 12,
        short_abandoned: 13,
        wait_ms: 14,
        handled: 15,
        talk_ms: 16,
        hold_ms: 17,
        wrap_ms: 18,
        ratings: 19,
        satisfied: 20,
        audits: 21,
        audits_passed: -22,
        verdicts: (1..8)
            .map(|metric| v1::VerdictCount {
                metric,
                met: i64::from(metric) * 100,
                breached: i64::from(metric) * -100,
            })
            .collect(),
        wait_histogram: vec![
            v1::Bucket {
                bucket: 0,
                count: 3,
            },
            v1::Bucket {
                bucket: 400,
                count: -1,
            },
        ],
        handle_histogram: vec![v1::Bucket {
            bucket: 1009,
            count: 1,
        }],
    }
}

fn signals() -> Vec<v1::Signal> {
    let outcome = v1::OutcomeRow {
        ticket_id: "T-1".to_owned(),
        metric: v1::Metric::Resolution.into(),
        cycle: 3,
        contact_id: Some(String::new()),
        policy_set_ms: Some(1_767_225_600_000),
        policy: Some("refunds".to_owned()),
        target_ms: Some(86_400_000),
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        priority: "high".to_owned(),
        started_at_ms: -1,
        due_at_ms: Some(253_402_300_799_999),
        state: v1::CycleState::Breached.into(),
        decided_at_ms: Some(5),
        breached_at_ms: Some(6),
        stopped_at_ms: Some(7),
        elapsed_ms: Some(8),
        shares: vec![v1::Share {
            vendor: "acme".to_owned(),
            queue: "q".to_owned(),
            ms: 9,
        }],
        has_shares: true,
        deleted: false,
        // For the evaluator alone.
        attributes: BTreeMap::from([("category".to_owned(), "refund".to_owned())]),
    };
    let gauge = v1::GaugeRow {
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        open_tickets: 12,
        oldest_created_at_ms: Some(1_767_225_600_000),
        running: vec![v1::RunningClocks {
            metric: v1::Metric::Answer.into(),
            clocks: 4,
        }],
        ..v1::GaugeRow::default()
    };
    let batch = v1::SignalBatch {
        source: 3,
        epoch: 2,
        batch: 7,
        clock_ms: 1_767_607_261_001,
        log_clock_ms: 1_767_607_200_000,
        sources: 4,
        generation: 0,
        panes: vec![v1::PaneRow {
            pane_ms: 1_767_607_200_000,
            vendor: "acme".to_owned(),
            queue: "refunds".to_owned(),
            part: 18,
            measures: Some(measures()),
        }],
        outcomes: vec![
            outcome.clone(),
            v1::OutcomeRow {
                cycle: 4,
                deleted: true,
                ..outcome
            },
        ],
        gauges: vec![gauge],
        warnings: Vec::new(),
        more: false,
    };
    let action = v1::Action {
        action_id: "A-1".to_owned(),
        kind: v1::ActionKind::Silence.into(),
        at_ms: 1_767_607_200_000,
        author: "ann".to_owned(),
        reason: "planned".to_owned(),
        vendor: "ac*".to_owned(),
        until_ms: Some(1_767_610_800_000),
        starts_ms: Some(1_767_607_300_000),
        incident: "i-1".to_owned(),
        silence_id: "A-0".to_owned(),
        ticket_id: "T-*".to_owned(),
        ..Default::default()
    };
    let wrap = |kind| v1::Signal { kind: Some(kind) };
    vec![
        wrap(v1::signal::Kind::Batch(batch)),
        wrap(v1::signal::Kind::Action(action)),
    ]
}

fn alerts() -> v1::AlertBatch {
    let alert = v1::AlertTransition {
        key: "low/acme".to_owned(),
        incident: "i-1".to_owned(),
        rule: "low".to_owned(),
        severity: "page".to_owned(),
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        ticket_id: "T-1".to_owned(),
        state: v1::AlertState::Firing.into(),
        at_ms: 1_767_607_200_000,
        fired_at_ms: Some(1_767_607_200_000),
        summary: "too low".to_owned(),
        reason: "below 0.8".to_owned(),
        evidence: vec![v1::Evidence {
            name: "answered".to_owned(),
            value: 0.5,
        }],
        labels: BTreeMap::from([("team".to_owned(), "ops".to_owned())]),
        runbook_url: "https://runbook".to_owned(),
        due_ms: 1_767_607_199_000,
        revision: 2,
        kind: "threshold".to_owned(),
        worst_tickets: vec![
            v1::WorstTicket {
                ticket_id: "T-1".to_owned(),
                metric: "first_reply".to_owned(),
                due_ms: Some(1_767_607_100_000),
                elapsed_ms: Some(-1),
                target_ms: None,
            },
            v1::WorstTicket::default(),
        ],
        contributions: vec![v1::Contribution {
            attribute: "category".to_owned(),
            value: "refund".to_owned(),
            tickets: 7,
        }],
        author: "ann".to_owned(),
        timezone: "Asia/Manila".to_owned(),
    };
    v1::AlertBatch {
        source: 1,
        epoch: 1,
        batch: 1,
        clock_ms: 0,
        alerts: vec![alert],
        ..v1::AlertBatch::default()
    }
}

fn notifications() -> v1::NotificationBatch {
    let sent = v1::Notification {
        key: "low/acme".to_owned(),
        incident: "i-1".to_owned(),
        receiver: "am".to_owned(),
        alert_state: v1::AlertState::Firing.into(),
        revision: 2,
        state: v1::NotificationState::Sent.into(),
        at_ms: 1_767_607_200_000,
        attempts: 3,
        detail: "200".to_owned(),
        vendor: "acme".to_owned(),
        queue: "refunds".to_owned(),
        reference: "C1/17".to_owned(),
        step: 2,
        ..v1::Notification::default()
    };
    let takeover = v1::Notification {
        state: v1::NotificationState::Takeover.into(),
        ..Default::default()
    };
    v1::NotificationBatch {
        source: 0,
        epoch: 1,
        batch: 1,
        notifications: vec![takeover, sent],
    }
}

fn dead_letters() -> v1::DeadLetterBatch {
    let letter = v1::DeadLetter {
        topic: "ticket-events".to_owned(),
        partition: 2,
        offset: 9,
        timestamp_ms: 1_767_607_200_000,
        reason: "bad_json".to_owned(),
        detail: "not JSON".to_owned(),
        payload: b"{\"a\":".to_vec(),
        payload_bytes: 5,
        payload_hash: u64::MAX,
        generation: 0,
    };
    v1::DeadLetterBatch {
        dead_letters: vec![letter],
        ..Default::default()
    }
}

fn read_everything(core: &mut LoaderCore) {
    let mut apply = |topic: &str, offset: i64, value: &[u8]| {
        core.apply(
            &Record::plain(topic, 0, offset, 1_767_607_200_000, value),
            0,
        );
    };
    for (offset, event) in (0_i64..).zip(EVENTS) {
        apply("ticket-events", offset, event.as_bytes());
    }
    apply(
        "ticket-events",
        4,
        br#"{"event_id":"late","ticket_id":"t","type":"updated","occurred_at":1767697200000}"#,
    );
    for (offset, signal) in (0_i64..).zip(signals()) {
        apply("slawatch.signals", offset, &signal.encode_to_vec());
    }
    apply("slawatch.alerts", 0, &alerts().encode_to_vec());
    apply(
        "slawatch.notifications",
        0,
        &notifications().encode_to_vec(),
    );
    apply("slawatch.dead-letters", 0, &dead_letters().encode_to_vec());
}

/// A value of the model as ClickHouse writes it in `TSVRaw` after `toString`, instants as milliseconds.
fn shown(value: &Value) -> String {
    let list = |values: &[Value], open: &str, close: &str| {
        let values: Vec<String> = values.iter().map(quoted).collect();
        format!("{open}{}{close}", values.join(","))
    };
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Float(bits) => f64::from_bits(*bits).to_string(),
        Value::Text(text) => text.clone(),
        Value::List(values) if values.iter().any(|value| matches!(value, Value::List(_))) => {
            list(values, "[", "]")
        }
        Value::List(values) if values.is_empty() => "[]".to_owned(),
        Value::List(values) => list(values, "(", ")"),
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), quoted(value)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Null | Value::Number(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            shown(value)
        }
    }
}

/// Every column as text, in the shape of [`shown`].
fn select_as_text(table: Table) -> String {
    let columns: Vec<String> = table
        .columns()
        .iter()
        .map(|(name, kind)| {
            let value = match *kind {
                "DateTime64(3, 'UTC')" | "Nullable(DateTime64(3, 'UTC'))" => {
                    format!("toUnixTimestamp64Milli({name})")
                }
                "Bool" | "Nullable(Bool)" => format!("toUInt8({name})"),
                _ if *name == "worst_tickets" => format!(
                    "arrayMap(t -> (t.ticket_id, t.metric, toUnixTimestamp64Milli(t.due_at), t.elapsed_ms, t.target_ms), {name})"
                ),
                _ => (*name).to_owned(),
            };
            format!("ifNull(toString({value}), 'NULL')")
        })
        .collect();
    let order = table.key().join(", ");
    let valid = if table == Table::Outcomes {
        "WHERE is_deleted IN (0, 1)"
    } else {
        ""
    };
    format!(
        "SELECT concatWithSeparator('|', {}) FROM @{table} FINAL {valid} ORDER BY {order} FORMAT TSVRaw",
        columns.join(", ")
    )
}

#[test]
fn every_column_of_every_table_arrives_as_it_was_said() {
    let database = Database::migrated("loading");
    let runtime = runtime();
    let mut sink =
        ClickHouseSink::new(&database.clickhouse(), runtime.handle().clone()).expect("a sink");
    let mut core = core();
    let mut model = MemoryTables::new();
    // Twice: the second time nothing may change.
    for _ in 0..2 {
        read_everything(&mut core);
        drain(&mut core, &mut sink, |batch| model.start(batch.clone()));
        assert_eq!(core.stopped(), []);
    }
    for table in Table::ALL {
        let expected: Vec<String> = model
            .rows(table)
            .iter()
            .map(|row| {
                let columns = table.columns().iter().map(|(name, _)| shown(&row[*name]));
                columns.collect::<Vec<_>>().join("|")
            })
            .collect();
        let mut expected = expected
            .join("\n")
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let mut found = database.run(&select_as_text(table));
        expected.sort();
        found.sort();
        assert!(!found.is_empty(), "{table}");
        assert_eq!(found, expected, "{table}");
    }
    assert_eq!(
        database.run("SELECT count() FROM @ticket_events FINAL"),
        ["4"],
        "the one from the future is none"
    );
    assert_eq!(
        database.run("SELECT toString(vendor), toString(queue), toString(priority), occurred_at FROM @ticket_events WHERE event_id = 'e1' LIMIT 1"),
        ["acme\t\t\\N\t2026-01-05 10:00:00.123"]
    );
    assert_eq!(
        database.run("SELECT score, satisfied FROM @ticket_events WHERE event_id = 'e2' LIMIT 1"),
        ["4.50\ttrue"]
    );
}

#[test]
fn a_source_with_a_broken_clock_stops_nothing() {
    let database = Database::migrated("centuries");
    let runtime = runtime();
    let mut sink =
        ClickHouseSink::new(&database.clickhouse(), runtime.handle().clone()).expect("a sink");
    let mut core = core();
    let panes = (0..400).map(|number| v1::PaneRow {
        // Spread over some 9,000 years.
        pane_ms: -62_135_596_800_000 + number * 710_000_000_000,
        measures: Some(measures()),
        ..Default::default()
    });
    let batch = v1::SignalBatch {
        epoch: 1,
        batch: 1,
        panes: panes.collect(),
        ..Default::default()
    };
    let kind = Some(v1::signal::Kind::Batch(batch));
    let value = v1::Signal { kind }.encode_to_vec();
    core.apply(&Record::plain("slawatch.signals", 0, 0, 0, &value), 0);
    drain(&mut core, &mut sink, |_| {});
    assert_eq!(core.stopped(), []);
    assert_eq!(
        database
            .run("SELECT count(), min(toUnixTimestamp64Milli(pane)), sum(answered) FROM @measures"),
        ["400\t-62135596800000\t3200"]
    );
}

#[test]
fn a_table_that_is_not_what_the_loader_knows_stops_alone_with_the_servers_words() {
    let database = Database::migrated("wrong");
    database.run("DROP TABLE @panes");
    database.run("ALTER TABLE @gauges MODIFY COLUMN open_tickets String CODEC(ZSTD(1))");
    let runtime = runtime();
    let mut sink =
        ClickHouseSink::new(&database.clickhouse(), runtime.handle().clone()).expect("a sink");
    let mut core = core();
    read_everything(&mut core);
    drain(&mut core, &mut sink, |_| {});
    let stopped = core.stopped();
    let tables: Vec<Table> = stopped.iter().map(|(table, _)| *table).collect();
    assert_eq!(tables, [Table::Panes, Table::Gauges], "{stopped:?}");
    assert!(stopped[0].1.contains("Code: 60."), "{}", stopped[0].1);
    assert!(stopped[1].1.contains("open_tickets"), "{}", stopped[1].1);
    assert_eq!(database.run("SELECT count() FROM @outcomes FINAL"), ["1"]);
    let held: Vec<i64> = core
        .commits()
        .expect("commits")
        .into_iter()
        .filter(|commit| &*commit.partition.topic == "slawatch.signals")
        .map(|commit| commit.offset)
        .collect();
    assert_eq!(held, [0]);
}
