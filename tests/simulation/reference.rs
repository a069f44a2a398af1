//! What should be: the same input and the same signals worked through by fresh processors that nothing ever disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use slawatch::roles::evaluator::EvaluatorProcessor;
use slawatch::roles::tracker::TrackerProcessor;
use slawatch_event::{DecodeOptions, Incoming, Reason, decode};
use slawatch_loader::model::Value;
use slawatch_stream::{Outgoing, Processor, ProcessorFactory, Source, Stamp};
use slawatch_wire::{Message, v1};

use crate::input::SOURCES;
use crate::observer::Seen;
use crate::process::{PARTITIONS, Site};

/// A record of the input, and why it cannot count if that can be said of it alone.
#[derive(Clone, Debug)]
pub struct Judged {
    pub seen: Seen,
    pub rejected: Option<Reason>,
    ticket_id: String,
    occurred_at_ms: i64,
}

impl Judged {
    pub fn new(seen: Seen) -> Self {
        let incoming = Incoming {
            timestamp_ms: seen.timestamp_ms,
            key: None,
            value: &seen.value,
            headers: &|_| None,
        };
        let options = DecodeOptions::default();
        let (rejected, ticket_id, occurred_at_ms) = match decode(&incoming, &options) {
            Ok(event) => (None, event.ticket_id.to_string(), event.occurred_at_ms),
            Err(rejection) => (Some(rejection.reason), String::new(), 0),
        };
        Self {
            seen,
            rejected,
            ticket_id,
            occurred_at_ms,
        }
    }

    /// The key of its row in `ticket_events`.
    pub fn row_key(&self) -> Vec<Value> {
        vec![
            Value::Text(self.ticket_id.clone()),
            Value::Number(self.occurred_at_ms.into()),
            Value::Number(1),
            Value::Number(self.seen.partition.into()),
            Value::Number(self.seen.offset.into()),
        ]
    }
}

fn stamp(source: u32, sources: u32, batch: u64) -> Stamp {
    Stamp {
        source,
        sources,
        epoch: 1,
        batch,
        clock_ms: 0,
        log_clock_ms: 0,
        position: 0,
        progress: false,
    }
}

/// The batches that a flush of a tracker says.
fn flush(processor: &mut TrackerProcessor, source: u32, number: u64) -> Vec<Outgoing> {
    let mut out = Vec::new();
    processor.flush(&stamp(source, SOURCES, number), &mut out);
    out
}

fn batches(out: Vec<Outgoing>) -> impl Iterator<Item = v1::SignalBatch> {
    let signals = out
        .into_iter()
        .filter(|outgoing| &*outgoing.topic == "slawatch.signals");
    signals.filter_map(
        |outgoing| match v1::Signal::decode(&*outgoing.value).unwrap().kind {
            Some(v1::signal::Kind::Batch(batch)) => Some(batch),
            Some(v1::signal::Kind::Action(_) | v1::signal::Kind::Rules(_)) | None => None,
        },
    )
}

fn tracker(site: &Site, source: u32) -> TrackerProcessor {
    site.tracker_factory().create(&Source {
        topic: "ticket-events".into(),
        partition: source,
        partitions: SOURCES,
    })
}

/// What a source's records come to in one go, its clock ending at `clock_ms`.
pub fn recompute<'a>(
    site: &Site,
    source: u32,
    records: impl Iterator<Item = &'a Judged>,
    clock_ms: i64,
) -> Vec<Outgoing> {
    let mut processor = tracker(site, source);
    for judged in records {
        processor.apply(&judged.seen.record("ticket-events"));
        processor.advance_clock(judged.seen.timestamp_ms);
    }
    processor.advance_clock(clock_ms);
    flush(&mut processor, source, 1)
}

type PaneKey = (i64, String, String);

/// How the panes of one source grew record by record, verdicts left out: those depend on the clock too.
pub struct PaneHistory {
    source: u32,
    processor: TrackerProcessor,
    /// Values, each with the first offset after which it holds.
    values: BTreeMap<PaneKey, Vec<(i64, v1::Measures)>>,
    said: BTreeMap<PaneKey, (u64, v1::Measures)>,
}

impl std::fmt::Debug for PaneHistory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaneHistory({})", self.source)
    }
}

fn of_records(row: &v1::PaneRow) -> v1::Measures {
    v1::Measures {
        verdicts: Vec::new(),
        ..row.measures.clone().unwrap_or_default()
    }
}

fn pane_key(row: &v1::PaneRow) -> PaneKey {
    (row.pane_ms, row.vendor.clone(), row.queue.clone())
}

impl PaneHistory {
    pub fn new(site: &Site, source: u32) -> Self {
        Self {
            source,
            processor: tracker(site, source),
            values: BTreeMap::new(),
            said: BTreeMap::new(),
        }
    }

    pub fn apply(&mut self, seen: &Seen) {
        self.processor.apply(&seen.record("ticket-events"));
        for batch in batches(flush(&mut self.processor, self.source, 1)) {
            for row in batch.panes.iter().filter(|row| row.part == 0) {
                let values = self.values.entry(pane_key(row)).or_default();
                let value = of_records(row);
                if values.last().is_none_or(|(_, last)| *last != value) {
                    values.push((seen.offset, value));
                }
            }
        }
    }

    /// A row that counts was said.
    pub fn published(&mut self, row: &v1::PaneRow, version: u64) {
        if row.part != 0 {
            return;
        }
        let said = self.said.entry(pane_key(row)).or_default();
        assert!(
            version >= said.0,
            "the log's order and the versions' order differ for {row:?}"
        );
        *said = (version, of_records(row));
    }

    /// All that lies below `offset` is in what was said of every pane.
    pub fn check_committed(&self, offset: i64) {
        for (key, values) in &self.values {
            let Some(holds) = values.iter().rposition(|(at, _)| *at < offset) else {
                continue;
            };
            let said = self.said.get(key);
            let is_new = said
                .is_some_and(|(_, said)| values[holds..].iter().any(|(_, value)| value == said));
            assert!(
                is_new,
                "COMMIT: {}/{offset} is committed, and {key:?} lacks records before it: said {said:?} of {values:?}",
                self.source
            );
        }
    }
}

/// An evaluator that reads what counts of one signals partition, and what the real ones say of it.
pub struct Alerting {
    partition: u32,
    processor: EvaluatorProcessor,
    flushes: u64,
    /// Transitions by key and revision, with the signal that brought them.
    due: BTreeMap<(String, u64), (i64, v1::AlertTransition)>,
    newest: BTreeMap<String, u64>,
    said: BTreeSet<(String, u64)>,
    /// In the order of the log, those not yet found to be said.
    unsaid: Vec<(i64, (String, u64))>,
}

impl std::fmt::Debug for Alerting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Alerting({})", self.partition)
    }
}

impl Alerting {
    pub fn new(site: &Site, partition: u32) -> Self {
        let source = Source {
            topic: Arc::from("slawatch.signals"),
            partition,
            partitions: PARTITIONS,
        };
        Self {
            partition,
            processor: site.evaluator_factory().create(&source),
            flushes: 0,
            due: BTreeMap::new(),
            newest: BTreeMap::new(),
            said: BTreeSet::new(),
            unsaid: Vec::new(),
        }
    }

    /// Takes in a signal that counts.
    pub fn apply(&mut self, seen: &Seen) {
        self.processor.apply(&seen.record("slawatch.signals"));
        let mut out = Vec::new();
        self.flushes += 1;
        self.processor
            .flush(&stamp(self.partition, PARTITIONS, self.flushes), &mut out);
        for outgoing in out {
            for alert in v1::AlertBatch::decode(&*outgoing.value).unwrap().alerts {
                let name = (alert.key.clone(), alert.revision);
                self.newest.insert(alert.key.clone(), alert.revision);
                self.unsaid.push((seen.offset, name.clone()));
                self.due.insert(name, (seen.offset, alert));
            }
        }
    }

    /// A real one said this.
    pub fn published(&mut self, alert: &v1::AlertTransition, counts: bool) {
        let name = (alert.key.clone(), alert.revision);
        let due = self.due.get(&name).map(|(_, due)| due);
        assert!(
            due == Some(alert),
            "ALERTS: what is said does not follow from the signals of partition {}:\n  said {alert:?}\n   due {due:?}",
            self.partition
        );
        if counts {
            self.said.insert(name);
        }
    }

    /// All that the signals below `offset` bring is said.
    pub fn check_committed(&mut self, offset: i64) {
        let said = &self.said;
        self.unsaid.retain(|(_, name)| !said.contains(name));
        let missing = self.unsaid.iter().find(|(cause, _)| *cause < offset);
        assert!(
            missing.is_none(),
            "COMMIT: {}/{offset} of the signals is committed, and this is not said: {missing:?}",
            self.partition
        );
    }

    /// Every transition, in the order of their keys.
    pub fn all(&self) -> impl Iterator<Item = &v1::AlertTransition> {
        self.due.values().map(|(_, alert)| alert)
    }

    /// The newest transition of every key.
    pub fn states(&self) -> impl Iterator<Item = &v1::AlertTransition> {
        let newest = self.newest.iter();
        newest.filter_map(|(key, revision)| Some(&self.due.get(&(key.clone(), *revision))?.1))
    }

    /// What is not said though it is due.
    pub fn missing(&self) -> Vec<&(String, u64)> {
        let all = self.due.keys();
        all.filter(|name| !self.said.contains(*name)).collect()
    }
}
