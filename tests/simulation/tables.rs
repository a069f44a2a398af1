//! The rows at the end against those of computations in one go: the tracker's over each source, the replay's over all, and
//! a loader that read the topics undisturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use slawatch::replay::{Replay, ReplayOptions};
use slawatch_event::DecodeOptions;
use slawatch_loader::model::{MemoryTables, ModelRow, Value};
use slawatch_loader::{LoaderWorker, Table};
use slawatch_stream::{Clock, Log, ManualClock, MemoryLog, Outgoing, TopicSpec};
use slawatch_wire::{Message, v1};

use crate::observer::Observer;
use crate::process::Site;
use crate::reference::recompute;

/// Loads all that a log holds, undisturbed.
fn load(site: &Site, log: &MemoryLog, clock: &Arc<ManualClock>, group: &str) -> MemoryTables {
    let tables = MemoryTables::new();
    let mut options = site.loader_options(0);
    group.clone_into(&mut options.group);
    let sink = Box::new(tables.clone());
    let mut loader =
        LoaderWorker::new(log, sink, Arc::clone(clock) as Arc<dyn Clock>, options).unwrap();
    let mut idle = 0;
    while idle < 4 {
        clock.advance(1_000);
        let records = loader.step(Duration::ZERO).unwrap();
        idle = if records == 0 && !loader.is_busy() {
            idle + 1
        } else {
            0
        };
    }
    tables
}

/// The tables that these signals give.
fn tables_of(site: &Site, signals: impl Iterator<Item = Vec<u8>>) -> MemoryTables {
    let clock = Arc::new(ManualClock::new(site.clock.wall_ms()));
    let log = MemoryLog::stepped(Arc::clone(&clock) as Arc<dyn Clock>);
    for topic in [
        "ticket-events",
        "slawatch.signals",
        "slawatch.alerts",
        "slawatch.notifications",
        "slawatch.dead-letters",
    ] {
        log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
    }
    for value in signals {
        let record = Outgoing::new("slawatch.signals".into(), 0, value);
        log.append(record).unwrap();
    }
    load(site, &log, &clock, "reference")
}

type Pane = (Value, Value, Value);

/// Panes summed over sources and parts, and outcomes, without what only a writer knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Figures {
    panes: BTreeMap<Pane, BTreeMap<String, i128>>,
    outcomes: BTreeMap<(Value, Value, Value), ModelRow>,
}

impl Figures {
    /// Those of sources that `counts`.
    fn of(tables: &MemoryTables, counts: impl Fn(&ModelRow) -> bool) -> Self {
        let mut panes: BTreeMap<Pane, BTreeMap<String, i128>> = BTreeMap::new();
        for row in tables.rows(Table::Panes).into_iter().filter(&counts) {
            let key = (
                row["pane"].clone(),
                row["vendor"].clone(),
                row["queue"].clone(),
            );
            let sums = panes.entry(key).or_default();
            for (name, value) in &row {
                add(sums, name, value);
            }
            sums.retain(|_, sum| *sum != 0);
        }
        panes.retain(|_, sums| !sums.is_empty());
        let outcomes = tables.rows(Table::Outcomes).into_iter().filter(counts);
        let outcomes = outcomes.map(|mut row| {
            for name in ["source", "version", "changed_at"] {
                row.remove(name);
            }
            let key = (
                row["ticket_id"].clone(),
                row["metric"].clone(),
                row["cycle"].clone(),
            );
            (key, row)
        });
        Self {
            panes,
            outcomes: outcomes.collect(),
        }
    }

    fn check(&self, expected: &Self, what: &str) {
        same(&self.panes, &expected.panes, what);
        same(&self.outcomes, &expected.outcomes, what);
    }
}

fn add(sums: &mut BTreeMap<String, i128>, name: &str, value: &Value) {
    match value {
        Value::Number(_) if ["pane", "source", "part", "version", "generation"].contains(&name) => {
        }
        Value::Number(number) => *sums.entry(name.to_owned()).or_default() += number,
        Value::Map(buckets) => {
            for (bucket, count) in buckets {
                *sums.entry(format!("{name} {bucket:?}")).or_default() +=
                    count.number().unwrap_or_default();
            }
        }
        Value::Null | Value::Float(_) | Value::Text(_) | Value::List(_) => {}
    }
}

fn same<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    held: &BTreeMap<K, V>,
    expected: &BTreeMap<K, V>,
    what: &str,
) {
    for key in held.keys().chain(expected.keys()) {
        let (held, expected) = (held.get(key), expected.get(key));
        assert!(
            held == expected,
            "ROWS: {what}: {key:?}:\n      held {held:?}\n  expected {expected:?}"
        );
    }
}

/// All rows are those of a batch computation, and every record is accounted for.
pub fn check(site: &Site, observer: &Observer) {
    let clock_ms = site.clock.wall_ms();
    let is_whole = |row: &ModelRow| {
        let source = row["source"]
            .number()
            .and_then(|source| u32::try_from(source).ok());
        source.is_none_or(|source| !observer.gapped.contains(&source))
    };
    let held = Figures::of(&site.tables, is_whole);
    let sources = (0..).zip(&observer.input);
    let batch = sources.flat_map(|(source, input)| {
        let out = recompute(site, source, input.values(), clock_ms);
        let signals = out.into_iter();
        signals.filter(|outgoing| &*outgoing.topic == "slawatch.signals")
    });
    let batch = tables_of(site, batch.map(|outgoing| outgoing.value));
    held.check(&Figures::of(&batch, is_whole), "a tracker in one go");
    if site.options.forget_after_ms.is_none() && observer.gapped.is_empty() {
        let replayed = tables_of(site, std::iter::once(replay(site, observer, clock_ms)));
        held.check(&Figures::of(&replayed, is_whole), "slawatch replay");
    }
    check_loader(site, observer);
    check_accounts(site, observer);
}

/// What `slawatch replay` says of the accepted records, as one signal.
fn replay(site: &Site, observer: &Observer, clock_ms: i64) -> Vec<u8> {
    let options = ReplayOptions {
        until_ms: Some(clock_ms),
        allowed_delay_ms: site.options.allowed_delay_ms,
        partitions: 3,
        decode: DecodeOptions::default(),
    };
    let mut replay = Replay::new(&site.sets, options);
    for judged in observer.input.iter().flat_map(BTreeMap::values) {
        if judged.rejected.is_none() {
            replay.line(&judged.seen.value);
        }
    }
    let result = replay.finish();
    let panes = result.panes.into_iter();
    let batch = v1::SignalBatch {
        epoch: 1,
        batch: 1,
        generation: 1,
        panes: panes
            .map(|((pane_ms, vendor, queue), measures)| v1::PaneRow {
                pane_ms,
                vendor,
                queue,
                part: 0,
                measures: Some(measures),
            })
            .collect(),
        outcomes: result.outcomes,
        ..v1::SignalBatch::default()
    };
    let kind = Some(v1::signal::Kind::Batch(batch));
    v1::Signal { kind }.encode_to_vec()
}

/// The tables are those of a loader that read the same topics in peace.
fn check_loader(site: &Site, observer: &Observer) {
    let quiet = load(site, &site.log, &site.clock, "in-peace");
    for table in Table::ALL {
        if table == Table::TicketEvents && !observer.gapped.is_empty() {
            continue;
        }
        let by_key = |tables: &MemoryTables| -> BTreeMap<Vec<Value>, ModelRow> {
            let rows = tables.rows(table).into_iter();
            let key = |row: &ModelRow| table.key().iter().map(|name| row[*name].clone()).collect();
            rows.map(|row| (key(&row), row)).collect()
        };
        same(&by_key(&site.tables), &by_key(&quiet), table.name());
    }
}

/// Every record of the input is an accepted event or a dead letter, and no record is both.
fn check_accounts(site: &Site, observer: &Observer) {
    let place = |row: &ModelRow| {
        let number = |name: &str| row[name].number().unwrap_or(-1);
        (number("partition"), number("offset"))
    };
    let events = site.tables.rows(Table::TicketEvents);
    let accepted: BTreeSet<_> = events.iter().map(place).collect();
    assert_eq!(
        accepted.len(),
        events.len(),
        "ACCOUNTS: an event is held twice"
    );
    let letters = site.tables.rows(Table::DeadLetters).into_iter();
    let letters: BTreeMap<_, _> = letters
        .map(|row| {
            (
                place(&row),
                row["reason"].text().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    for judged in observer.input.iter().flat_map(BTreeMap::values) {
        let (partition, offset) = (judged.seen.partition, judged.seen.offset);
        if observer.gapped.contains(&partition) {
            continue;
        }
        let place = (i128::from(partition), i128::from(offset));
        let reason = letters.get(&place).map(String::as_str);
        match judged.rejected {
            Some(rejected) => {
                assert_eq!(
                    reason,
                    Some(rejected.name()),
                    "ACCOUNTS: {partition}/{offset}"
                );
                assert!(!accepted.contains(&place), "ACCOUNTS: {partition}/{offset}");
            }
            None => {
                assert!(accepted.contains(&place), "ACCOUNTS: {partition}/{offset}");
                assert!(
                    matches!(reason, None | Some("ticket_forgotten" | "ticket_too_long")),
                    "ACCOUNTS: {partition}/{offset} is accepted and a dead letter: {reason:?}"
                );
            }
        }
    }
}
