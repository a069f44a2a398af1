//! The evaluator role: signals in, alerts out, partition by partition. What is an alert is the evaluator crate's business.
//!
//! Rules change at one place of the log for all who replay it: an owner whose rules differ from those that it took over
//! under writes its own behind the signals, goes on under the old ones, and changes when it reads what it wrote.

pub(crate) mod metrics;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use slawatch_evaluator::{Evaluator, Home, RestoreError as Unreadable, RuleSet, SCHEMA};
use slawatch_stream::processor::MAX_RECORD_BYTES;
use slawatch_stream::{
    Outgoing, Processor, ProcessorFactory, Record, RestoreError, SnapshotView, Source, Stamp,
};
use slawatch_wire::{Message, v1};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::metrics::{UNREADABLE_SIGNALS, transition};

/// Where an evaluator writes.
#[derive(Clone, Debug)]
pub struct EvaluatorSettings {
    /// Where alerts go: to the partition that the signals came from.
    pub alerts_topic: Arc<str>,
    /// How many partitions that topic has; as many as the signals.
    pub alerts_partitions: u32,
    /// How far behind the median a source is out.
    pub behind_ms: i64,
}

/// Makes the evaluators of a process.
#[derive(Debug)]
pub struct EvaluatorFactory {
    rules: Arc<RuleSet>,
    settings: Arc<EvaluatorSettings>,
}

impl EvaluatorFactory {
    /// Evaluators under these rules.
    pub fn new(rules: RuleSet, settings: EvaluatorSettings) -> Self {
        Self {
            rules: Arc::new(rules),
            settings: Arc::new(settings),
        }
    }

    fn processor(&self, source: &Source, evaluator: Evaluator) -> EvaluatorProcessor {
        EvaluatorProcessor {
            reported: metrics::Reported::new(source.partition, &evaluator),
            configured: Arc::clone(&self.rules),
            signals: (Arc::clone(&source.topic), source.partition),
            speaks: None,
            evaluator: evaluator.with_sources_apart_ms(self.settings.behind_ms),
            settings: Arc::clone(&self.settings),
            partition: source.partition % self.settings.alerts_partitions,
            alerts: Vec::new(),
            actions: Vec::new(),
        }
    }
}

fn home(source: &Source) -> Home {
    Home {
        partition: source.partition,
        partitions: source.partitions,
    }
}

impl ProcessorFactory for EvaluatorFactory {
    type Processor = EvaluatorProcessor;

    fn create(&self, source: &Source) -> EvaluatorProcessor {
        let evaluator = Evaluator::new(Arc::clone(&self.rules), home(source));
        self.processor(source, evaluator)
    }

    /// Under the rules of the snapshot, so that the replay says what was said before.
    fn restore(
        &self,
        source: &Source,
        snapshot: &SnapshotView<'_>,
    ) -> Result<EvaluatorProcessor, RestoreError> {
        Evaluator::restore(&self.rules, home(source), snapshot.state)
            .map(|evaluator| self.processor(source, evaluator))
            .map_err(|error| match error {
                Unreadable::Damaged(_) => RestoreError::Unusable(error.to_string()),
                Unreadable::Schema { .. } => RestoreError::Incompatible(error.to_string()),
            })
    }
}

/// One signals partition's evaluator.
#[derive(Debug)]
pub struct EvaluatorProcessor {
    evaluator: Evaluator,
    settings: Arc<EvaluatorSettings>,
    partition: u32,
    /// Transitions that wait for the next flush.
    alerts: Vec<v1::AlertTransition>,
    /// What people did, to be handed on with it: who is told is decided behind the alerts.
    actions: Vec<v1::Action>,
    configured: Arc<RuleSet>,
    /// Topic and partition that are read.
    signals: (Arc<str>, u32),
    /// Once this is the owner.
    speaks: Option<Speaker>,
    reported: metrics::Reported,
}

#[derive(Clone, Copy, Debug)]
struct Speaker {
    epoch: u64,
    /// The configured rules were written behind the signals and not yet read there.
    asked: bool,
}

impl Processor for EvaluatorProcessor {
    fn apply(&mut self, record: &Record<'_>) {
        match v1::Signal::decode(record.value.unwrap_or_default()) {
            Ok(signal) => {
                self.evaluator.apply(&signal, &mut self.alerts);
                match signal.kind {
                    Some(v1::signal::Kind::Action(action)) => self.actions.push(action),
                    Some(v1::signal::Kind::Rules(_)) => {
                        if let Some(speaker) = &mut self.speaks {
                            // If they are not ours, they are of one who was replaced: said again.
                            speaker.asked = false;
                        }
                    }
                    Some(v1::signal::Kind::Batch(_)) | None => {}
                }
            }
            Err(error) => {
                UNREADABLE_SIGNALS.increment(1);
                tracing::error!(
                    partition = record.partition,
                    offset = record.offset,
                    %error,
                    "a record on the signals topic is no signal; only slawatch may write there"
                );
            }
        }
    }

    fn took_over(&mut self, epoch: u64) {
        self.speaks = Some(Speaker {
            epoch,
            asked: false,
        });
    }

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        self.reported.report(&self.evaluator);
        out.extend(self.change_of_rules());
        let mut records = Records {
            head: v1::AlertBatch {
                source: stamp.source,
                epoch: stamp.epoch,
                batch: stamp.batch,
                clock_ms: self.evaluator.clock_ms().unwrap_or_default(),
                ..v1::AlertBatch::default()
            },
            bytes: 0,
            full: Vec::new(),
        };
        for alert in self.alerts.drain(..) {
            records.make_room(alert.encoded_len());
            transition(alert.state());
            records.head.alerts.push(alert);
        }
        for action in self.actions.drain(..) {
            records.make_room(action.encoded_len());
            records.head.actions.push(action);
        }
        let topic = &self.settings.alerts_topic;
        let record = |value| Outgoing::new(Arc::clone(topic), self.partition, value);
        out.extend(records.finish().into_iter().map(record));
    }

    fn snapshot(&self, out: &mut Vec<u8>) {
        self.evaluator.snapshot(out);
    }

    fn fingerprint(&self) -> u64 {
        let rules = self.evaluator.rules().hash();
        xxh3_64_with_seed(&rules.to_le_bytes(), SCHEMA.into())
    }
}

/// One flush, cut into records that the broker takes.
struct Records {
    head: v1::AlertBatch,
    /// Of what `head` holds so far.
    bytes: usize,
    full: Vec<Vec<u8>>,
}

impl Records {
    fn make_room(&mut self, encoded_len: usize) {
        let needed = encoded_len + 16;
        if self.bytes + needed > MAX_RECORD_BYTES - 64 {
            self.close();
        }
        self.bytes += needed;
    }

    fn close(&mut self) {
        if self.bytes > 0 {
            self.full.push(self.head.encode_to_vec());
        }
        self.head.alerts.clear();
        self.head.actions.clear();
        self.bytes = 0;
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.close();
        self.full
    }
}

impl EvaluatorProcessor {
    fn change_of_rules(&mut self) -> Option<Outgoing> {
        let speaker = self.speaks.as_mut()?;
        let wanted = &self.configured;
        if speaker.asked || self.evaluator.rules().text() == wanted.text() {
            return None;
        }
        speaker.asked = true;
        let (topic, partition) = &self.signals;
        tracing::info!(
            partition,
            rules = wanted.file(),
            "other rules than before take effect"
        );
        let taken = v1::RulesTaken {
            epoch: speaker.epoch,
            file: wanted.file().to_owned(),
            text: wanted.text().to_owned(),
        };
        let kind = Some(v1::signal::Kind::Rules(taken));
        let value = v1::Signal { kind }.encode_to_vec();
        Some(Outgoing::new(Arc::clone(topic), *partition, value))
    }
}
