//! How fast an evaluator takes in signals: pane rows as a busy log brings them, under the example's rules.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use slawatch_evaluator::{Evaluator, Home, RuleSet};
use slawatch_wire::v1::{Measures, PaneRow, Signal, SignalBatch, signal};

const RULES: &str = include_str!("../../../examples/rules/operations.toml");
const HOME: Home = Home {
    partition: 0,
    partitions: 1,
};
const SOURCES: u32 = 12;

fn main() {
    divan::main();
}

/// Flushes of all sources every 500 ms of the log's time, each with a row of every vendor and queue.
fn signals(vendors: u32, queues: u32, flushes: u64) -> Vec<Signal> {
    let start_ms = 1_767_607_200_000;
    let mut signals = Vec::new();
    for flush in 0..flushes {
        for source in 0..SOURCES {
            let clock_ms = start_ms + i64::try_from(flush).unwrap() * 500;
            let rows =
                (0..vendors * queues).map(|group| row(group / queues, group % queues, clock_ms));
            let batch = SignalBatch {
                source,
                sources: SOURCES,
                epoch: 1,
                batch: flush + 1,
                clock_ms,
                panes: rows.collect(),
                ..SignalBatch::default()
            };
            signals.push(Signal {
                kind: Some(signal::Kind::Batch(batch)),
            });
        }
    }
    signals
}

fn row(vendor: u32, queue: u32, clock_ms: i64) -> PaneRow {
    let second = clock_ms / 1000 % 60;
    PaneRow {
        pane_ms: clock_ms / 60_000 * 60_000,
        vendor: format!("vendor-{vendor}"),
        queue: format!("queue-{queue}"),
        part: 0,
        measures: Some(Measures {
            created: second,
            entered: second,
            offered: second,
            answered: second,
            answered_in_target: second * 9 / 10,
            wait_ms: second * 8_000,
            handled: second,
            talk_ms: second * 200_000,
            hold_ms: second * 20_000,
            wrap_ms: second * 30_000,
            ..Measures::default()
        }),
    }
}

#[divan::bench(args = [(4, 5), (50, 20)])]
fn pane_rows(bencher: Bencher<'_, '_>, (vendors, queues): (u32, u32)) {
    let flushes = u64::from(200_000 / (vendors * queues * SOURCES));
    let signals = signals(vendors, queues, flushes);
    let rules = Arc::new(RuleSet::parse("operations.toml", RULES).unwrap());
    bencher
        .counter(ItemsCount::new(
            u64::from(vendors * queues * SOURCES) * flushes,
        ))
        .with_inputs(|| Evaluator::new(Arc::clone(&rules), HOME))
        .bench_local_values(|mut evaluator| {
            let mut told = Vec::new();
            for signal in &signals {
                evaluator.apply(signal, &mut told);
            }
            evaluator
        });
}

#[divan::bench]
fn snapshot(bencher: Bencher<'_, '_>) {
    let rules = Arc::new(RuleSet::parse("operations.toml", RULES).unwrap());
    let mut evaluator = Evaluator::new(rules, HOME);
    for signal in signals(50, 20, 240) {
        evaluator.apply(&signal, &mut Vec::new());
    }
    bencher.bench_local(|| {
        let mut bytes = Vec::new();
        evaluator.snapshot(&mut bytes);
        bytes
    });
}
