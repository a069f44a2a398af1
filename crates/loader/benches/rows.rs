//! What a row costs the loader itself: from a record's bytes to a compressed batch, the server taken as instant.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use slawatch_loader::{Answer, BatchOptions, IntakeOptions, LoaderCore, Topics};
use slawatch_stream::{Record, TopicPartition};
use slawatch_wire::{Message, v1};

fn main() {
    divan::main();
}

const EVENTS: &str = "ticket-events";
const SIGNALS: &str = "slawatch.signals";

fn core(topic: &str) -> LoaderCore {
    let mut core = LoaderCore::new(
        Topics::default(),
        IntakeOptions::default(),
        BatchOptions::default(),
    );
    let partition = TopicPartition::new(topic, 0);
    core.assign(&partition, 0, "").expect("no metadata");
    core
}

/// Reads everything, and acknowledges batches as they come.
fn load(topic: &str, values: &[Vec<u8>]) -> usize {
    let mut core = core(topic);
    let mut compressed = 0;
    for (offset, value) in (0_i64..).zip(values) {
        core.apply(
            &Record::plain(topic, 0, offset, 1_767_607_200_000, value),
            0,
        );
        if offset % 1000 == 0 {
            compressed += acknowledge(&mut core);
        }
    }
    core.hurry();
    compressed + acknowledge(&mut core)
}

fn acknowledge(core: &mut LoaderCore) -> usize {
    let mut compressed = 0;
    for batch in core.due(0) {
        compressed += batch.compressed_bytes();
        core.answer(batch.id(), &Answer::Acknowledged, 0);
    }
    compressed
}

#[divan::bench]
fn ticket_events(bencher: Bencher<'_, '_>) {
    let values: Vec<Vec<u8>> = (0..200_000_u64)
        .map(|number| {
            let types = ["created", "agent_replied", "contact_answered", "updated"];
            format!(
                r#"{{"event_id":"evt-{number:010}","ticket_id":"TCK-{:07}","type":"{}","occurred_at":"2026-01-05T09:{:02}:{:02}.{:03}Z","vendor":"vendor-{}","queue":"refunds","priority":"high","agent_id":"agent-{}"}}"#,
                number / 5,
                types[number as usize % 4],
                number / 60 % 60,
                number % 60,
                number % 1000,
                number % 4,
                number % 300,
            )
            .into_bytes()
        })
        .collect();
    let bytes: usize = values.iter().map(Vec::len).sum();
    bencher
        .counter(ItemsCount::new(values.len()))
        .counter(BytesCount::new(bytes))
        .bench(|| load(EVENTS, &values));
}

#[divan::bench]
fn panes_and_outcomes(bencher: Bencher<'_, '_>) {
    let values: Vec<Vec<u8>> = (0..2000_u64).map(signal).collect();
    bencher
        .counter(ItemsCount::new(2000_usize * 20))
        .bench(|| load(SIGNALS, &values));
}

/// Ten panes and ten outcomes.
fn signal(number: u64) -> Vec<u8> {
    let rows = number * 10..number * 10 + 10;
    let panes = rows.clone().map(|row| v1::PaneRow {
        pane_ms: 1_767_607_200_000 + (row / 20) as i64 * 60_000,
        vendor: format!("vendor-{}", row % 4),
        queue: format!("queue-{}", row % 5),
        part: 0,
        measures: Some(v1::Measures {
            offered: 20,
            answered: 18,
            abandoned: 2,
            wait_ms: 300_000,
            wait_histogram: (200..212)
                .map(|bucket| v1::Bucket { bucket, count: 2 })
                .collect(),
            ..Default::default()
        }),
    });
    let outcomes = rows.map(|row| v1::OutcomeRow {
        ticket_id: format!("TCK-{row:07}"),
        metric: v1::Metric::FirstReply.into(),
        cycle: 1,
        vendor: "vendor-1".to_owned(),
        queue: "refunds".to_owned(),
        priority: "high".to_owned(),
        target_ms: Some(3_600_000),
        started_at_ms: 1_767_607_200_000 + row as i64,
        state: v1::CycleState::Running.into(),
        ..Default::default()
    });
    let batch = v1::SignalBatch {
        epoch: 1,
        batch: number + 1,
        panes: panes.collect(),
        outcomes: outcomes.collect(),
        ..Default::default()
    };
    let kind = Some(v1::signal::Kind::Batch(batch));
    v1::Signal { kind }.encode_to_vec()
}
