//! The tracker role: records in, signals and dead letters out. It decodes, routes and stamps; what an event means is
//! the tracker crate's business.

mod records;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_event::{DecodeOptions, Incoming, Reason, Rejection, decode};
use slawatch_policy::PolicySets;
use slawatch_stream::{
    Outgoing, Processor, ProcessorFactory, Record, RestoreError, SnapshotView, Source, Stamp,
};
use slawatch_tracker::{Applied, Options, SNAPSHOT_SCHEMA, SnapshotError, Tracker};
use slawatch_wire::{Message, v1, vendor_partition};
use xxhash_rust::xxh3::xxh3_64;

use crate::metrics;
use records::{split, split_dead_letters};

/// As much of a record as a dead letter keeps.
const DEAD_LETTER_BYTES: usize = 64 * 1024;

/// Where a tracker writes, and how it reads.
#[derive(Clone, Debug)]
pub struct TrackerSettings {
    /// How records are read and checked.
    pub decode: DecodeOptions,
    /// Delays and horizons.
    pub options: Options,
    /// The generation of all rows written.
    pub generation: u32,
    /// Where signals go.
    pub signals_topic: Arc<str>,
    /// How many partitions that topic has.
    pub signals_partitions: u32,
    /// Where dead letters go.
    pub dead_letters_topic: Arc<str>,
    /// How many partitions that topic has.
    pub dead_letters_partitions: u32,
}

/// Makes the trackers of a process.
#[derive(Debug)]
pub struct TrackerFactory {
    sets: PolicySets,
    settings: Arc<TrackerSettings>,
}

impl TrackerFactory {
    /// Trackers under these policies.
    pub fn new(sets: PolicySets, settings: TrackerSettings) -> Self {
        Self {
            sets,
            settings: Arc::new(settings),
        }
    }

    fn processor(&self, tracker: Tracker) -> TrackerProcessor {
        TrackerProcessor {
            tracker,
            settings: Arc::clone(&self.settings),
            log_clock_ms: i64::MIN,
            dead_letters: Vec::new(),
        }
    }
}

impl ProcessorFactory for TrackerFactory {
    type Processor = TrackerProcessor;

    fn create(&self, _source: &Source) -> TrackerProcessor {
        let tracker = Tracker::new(self.sets.clone(), self.settings.options.clone());
        self.processor(tracker)
    }

    fn restore(
        &self,
        _source: &Source,
        snapshot: &SnapshotView<'_>,
    ) -> Result<TrackerProcessor, RestoreError> {
        Tracker::restore(
            self.sets.clone(),
            self.settings.options.clone(),
            snapshot.state,
        )
        .map(|tracker| self.processor(tracker))
        .map_err(|error| match error {
            SnapshotError::Unusable(why) => RestoreError::Unusable(why),
            SnapshotError::Contradicted(why) => RestoreError::Incompatible(why),
        })
    }

    fn follows_wall_clock(&self) -> bool {
        true
    }
}

/// One source partition's tracker.
#[derive(Debug)]
pub struct TrackerProcessor {
    tracker: Tracker,
    settings: Arc<TrackerSettings>,
    /// The largest record timestamp applied. The tracker is told only when its clock has moved, so that what a record
    /// makes fall due still finds its pane.
    log_clock_ms: i64,
    dead_letters: Vec<v1::DeadLetter>,
}

impl TrackerProcessor {
    fn take(&mut self, record: &Record<'_>, value: &[u8]) -> Result<(), Rejection> {
        let incoming = Incoming {
            timestamp_ms: record.timestamp_ms,
            key: record.key,
            value,
            headers: &|name| record.headers.get(name),
        };
        let event = decode(&incoming, &self.settings.decode)?;
        let offset = record.offset.unsigned_abs();
        match self.tracker.apply(&event, record.timestamp_ms, offset) {
            Applied::Counted => metrics::EVENTS_COUNTED.increment(1),
            Applied::Duplicate => metrics::EVENTS_DUPLICATE.increment(1),
            Applied::Conflicting => metrics::EVENTS_CONFLICTING.increment(1),
            Applied::Rejected(reason) => {
                let detail = match reason {
                    Reason::TicketTooLong => "its ticket has 10000 events already",
                    Reason::TicketForgotten
                    | Reason::BadJson
                    | Reason::MissingField
                    | Reason::BadField
                    | Reason::UnknownType
                    | Reason::UnknownStatus
                    | Reason::FutureEvent
                    | Reason::MappingFailed
                    | Reason::MappingSkipped => {
                        "its ticket is not known, and it is older than forget_after"
                    }
                };
                return Err(Rejection {
                    reason,
                    detail: detail.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn catch_up_log_clock(&mut self) {
        self.tracker.advance_log_clock(self.log_clock_ms);
    }

    /// What was concluded, by signals partition.
    fn by_partition(&mut self) -> BTreeMap<u32, v1::SignalBatch> {
        let partitions = self.settings.signals_partitions;
        let conclusions = self.tracker.conclude();
        let mut batches: BTreeMap<u32, v1::SignalBatch> = BTreeMap::new();
        for row in conclusions.panes {
            let partition = vendor_partition(&row.vendor, partitions);
            batches.entry(partition).or_default().panes.push(row);
        }
        for row in conclusions.gauges {
            let partition = vendor_partition(&row.vendor, partitions);
            batches.entry(partition).or_default().gauges.push(row);
        }
        for warning in conclusions.warnings {
            let partition = vendor_partition(&warning.vendor, partitions);
            batches.entry(partition).or_default().warnings.push(warning);
        }
        for outcome in conclusions.outcomes {
            let partition = vendor_partition(&outcome.row.vendor, partitions);
            let former = outcome
                .former_vendor
                .map(|vendor| vendor_partition(&vendor, partitions))
                .filter(|former| *former != partition);
            if let Some(former) = former {
                let copy = outcome.row.clone();
                batches.entry(former).or_default().outcomes.push(copy);
            }
            let batch = batches.entry(partition).or_default();
            batch.outcomes.push(outcome.row);
        }
        batches
    }
}

impl Processor for TrackerProcessor {
    fn apply(&mut self, record: &Record<'_>) {
        self.catch_up_log_clock();
        let value = record.value.unwrap_or_default();
        if let Err(rejection) = self.take(record, value) {
            metrics::dead_letter(rejection.reason);
            self.dead_letters.push(v1::DeadLetter {
                topic: record.topic.to_owned(),
                partition: record.partition,
                offset: record.offset,
                timestamp_ms: record.timestamp_ms,
                reason: rejection.reason.name().to_owned(),
                detail: rejection.detail,
                payload: value[..value.len().min(DEAD_LETTER_BYTES)].to_vec(),
                payload_bytes: value.len() as u64,
                payload_hash: xxh3_64(value),
                generation: self.settings.generation,
            });
        }
        self.log_clock_ms = self.log_clock_ms.max(record.timestamp_ms);
    }

    fn advance_clock(&mut self, clock_ms: i64) {
        self.tracker.advance_clock(clock_ms);
    }

    fn fires_before(&self, clock_ms: i64) -> bool {
        self.tracker.fires_before(clock_ms)
    }

    fn took_over(&mut self, _epoch: u64) {
        // Until here everything was as the former owner had it.
        let allowed_delay_ms = self.settings.options.allowed_delay_ms;
        self.tracker.allow_delay(allowed_delay_ms);
        self.tracker.announce_gauges();
    }

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        self.catch_up_log_clock();
        let mut batches = self.by_partition();
        if stamp.progress {
            for partition in 0..self.settings.signals_partitions {
                batches.entry(partition).or_default();
            }
        }
        for (partition, mut batch) in batches {
            batch.source = stamp.source;
            batch.epoch = stamp.epoch;
            batch.batch = stamp.batch;
            batch.clock_ms = stamp.clock_ms;
            batch.log_clock_ms = stamp.log_clock_ms;
            batch.sources = stamp.sources;
            batch.generation = self.settings.generation;
            for part in split(batch) {
                let signal = v1::Signal {
                    kind: Some(v1::signal::Kind::Batch(part)),
                };
                let topic = Arc::clone(&self.settings.signals_topic);
                out.push(Outgoing::new(topic, partition, signal.encode_to_vec()));
            }
        }
        let partition = stamp.source % self.settings.dead_letters_partitions;
        for part in split_dead_letters(std::mem::take(&mut self.dead_letters)) {
            let batch = v1::DeadLetterBatch {
                source: stamp.source,
                epoch: stamp.epoch,
                batch: stamp.batch,
                dead_letters: part,
            };
            let topic = Arc::clone(&self.settings.dead_letters_topic);
            out.push(Outgoing::new(topic, partition, batch.encode_to_vec()));
        }
    }

    fn snapshot(&self, out: &mut Vec<u8>) {
        self.tracker.snapshot(out);
    }

    fn fingerprint(&self) -> u64 {
        SNAPSHOT_SCHEMA.into()
    }
}
