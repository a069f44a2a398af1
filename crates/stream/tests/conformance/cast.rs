//! A role small enough to be judged at a glance, and workers that run it.

use std::sync::Arc;
use std::time::Duration;

use slawatch_stream::{
    MemoryStore, Outgoing, PartitionState, Processor, ProcessorFactory, Record, RestoreError,
    SnapshotView, Source, Stamp, StartAt, TopicPartition, Worker, WorkerConfig, WorkerParts,
};

use crate::place::{PATIENCE, Place, Process};
use crate::seen::Seen;

/// Bytes that no compression makes smaller, the same every time.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

/// Says each record it was given, once: `SOURCE EPOCH BATCH CLOCK:value,value`. What reads `noise` it says as so much of
/// that that no topic of these tests takes it.
#[derive(Debug)]
pub(crate) struct Echo {
    out: Arc<str>,
    heard: Vec<String>,
}

impl Processor for Echo {
    fn apply(&mut self, record: &Record<'_>) {
        let value = record.value.unwrap_or_default();
        self.heard.push(String::from_utf8_lossy(value).into_owned());
    }

    fn took_over(&mut self, _epoch: u64) {
        // Acknowledged before the group's offset was committed.
        self.heard.clear();
    }

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        let heard = std::mem::take(&mut self.heard);
        let noisy = heard.iter().any(|value| value == "noise");
        let (source, epoch, batch) = (stamp.source, stamp.epoch, stamp.batch);
        let text = format!(
            "{source} {epoch} {batch} {}:{}",
            stamp.clock_ms,
            heard.join(",")
        );
        let value = if noisy {
            noise(5_000)
        } else {
            text.into_bytes()
        };
        out.push(Outgoing::new(Arc::clone(&self.out), 0, value));
    }

    fn snapshot(&self, _out: &mut Vec<u8>) {}

    fn fingerprint(&self) -> u64 {
        1
    }
}

pub(crate) struct Echoes {
    out: Arc<str>,
}

impl ProcessorFactory for Echoes {
    type Processor = Echo;

    fn create(&self, _source: &Source) -> Echo {
        Echo {
            out: Arc::clone(&self.out),
            heard: Vec::new(),
        }
    }

    fn restore(&self, source: &Source, _: &SnapshotView<'_>) -> Result<Echo, RestoreError> {
        Ok(self.create(source))
    }

    fn follows_wall_clock(&self) -> bool {
        true
    }
}

/// What was said in one flush.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) source: u32,
    pub(crate) epoch: u64,
    pub(crate) clock_ms: i64,
    pub(crate) values: Vec<String>,
}

impl Said {
    fn parse(text: &str) -> Self {
        let (head, values) = text.split_once(':').expect("a head");
        let head: Vec<&str> = head.split(' ').collect();
        let values = values.split(',').filter(|value| !value.is_empty());
        Self {
            source: head[0].parse().expect("a source"),
            epoch: head[1].parse().expect("an epoch"),
            clock_ms: head[3].parse().expect("a clock"),
            values: values.map(str::to_owned).collect(),
        }
    }
}

/// A source topic, an output topic, and what the workers between them share.
pub(crate) struct Stage<'a> {
    pub(crate) place: &'a dyn Place,
    pub(crate) input: Arc<str>,
    pub(crate) output: Arc<str>,
    group: String,
    store: Arc<MemoryStore>,
    pub(crate) accept_gap: bool,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(place: &'a dyn Place, partitions: u32) -> Self {
        Self {
            place,
            input: place.topic(partitions),
            output: place.topic_with(1, |spec| spec.max_record_bytes = 2_000),
            group: place.fresh("group"),
            store: Arc::default(),
            accept_gap: false,
        }
    }

    pub(crate) fn source(&self, partition: u32) -> TopicPartition {
        TopicPartition::new(Arc::clone(&self.input), partition)
    }

    pub(crate) fn worker(&self, process: &dyn Process) -> Worker<Echoes> {
        let config = WorkerConfig {
            progress_ms: 20,
            flush_ms: 5,
            commit_ms: 20,
            snapshot_ms: 50,
            retry_ms: 50,
            report_ms: 0,
            accept_gap: self.accept_gap,
            ..WorkerConfig::new("echo", &self.group, &*self.input)
        };
        let log = process.log();
        let parts = WorkerParts {
            consumer: process.member(&self.group, &[&self.input]),
            producer: log.producer().expect("a producer"),
            probe: log.end_probe(&self.input).expect("a probe"),
            store: self.store.clone(),
            clock: self.place.clock(),
            factory: Arc::new(Echoes {
                out: Arc::clone(&self.output),
            }),
            partitions: log.partitions(&self.input).expect("a topic"),
        };
        Worker::new(parts, config)
    }

    /// One step; false if the worker has ended.
    pub(crate) fn step(&self, worker: &mut Worker<Echoes>) -> bool {
        self.place.pass();
        let wait = Duration::from_millis(self.place.look_ms());
        worker.step(wait).is_ok()
    }

    /// Steps until a partition is in that state; gives its epoch and the note on it.
    pub(crate) fn step_until(
        &self,
        worker: &mut Worker<Echoes>,
        partition: u32,
        wanted: PartitionState,
    ) -> (u64, String) {
        for _ in 0..PATIENCE {
            let found = worker.status().partitions().remove(&partition);
            if let Some(found) = found.filter(|found| found.state == wanted) {
                return (found.epoch, found.note.unwrap_or_default());
            }
            assert!(self.step(worker), "the worker ended: {worker:?}");
        }
        panic!("partition {partition} never was {wanted:?}: {worker:?}");
    }

    /// Steps until something was said, read with `audience`.
    pub(crate) fn step_until_said(
        &self,
        worker: &mut Worker<Echoes>,
        audience: &mut Audience,
        what: &str,
        done: impl Fn(&[Said]) -> bool,
    ) {
        for _ in 0..PATIENCE {
            audience.listen(self.place);
            if done(&audience.said) {
                return;
            }
            assert!(self.step(worker), "the worker ended: {worker:?}");
        }
        panic!(
            "waited for {what} and heard {:?}; {worker:?}",
            audience.said
        );
    }

    pub(crate) fn audience(&self) -> Audience {
        let output = TopicPartition::new(Arc::clone(&self.output), 0);
        let reader = self.place.log().reader(&[output], StartAt::Beginning);
        Audience {
            reader: reader.expect("a reader"),
            said: Vec::new(),
        }
    }
}

/// Reads what was said.
pub(crate) struct Audience {
    reader: Box<dyn slawatch_stream::LogReader>,
    pub(crate) said: Vec<Said>,
}

impl Audience {
    pub(crate) fn listen(&mut self, place: &dyn Place) {
        let mut seen = Seen::default();
        let wait = Duration::from_millis(place.look_ms().min(1));
        self.reader.poll(wait, 1000, &mut seen).expect("polled");
        self.said
            .extend(seen.got.iter().map(|got| Said::parse(&got.value)));
    }

    /// What counts: batches of an epoch below the highest heard of their source are dropped, as every reader does.
    pub(crate) fn counted(&self, source: u32) -> Vec<String> {
        let mut highest = 0;
        let mut counted = Vec::new();
        for said in self.said.iter().filter(|said| said.source == source) {
            if said.epoch >= highest {
                highest = said.epoch;
                counted.extend(said.values.iter().cloned());
            }
        }
        counted
    }
}
