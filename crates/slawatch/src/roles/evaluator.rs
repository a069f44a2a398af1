//! The evaluator role: signals in, alerts out, partition by partition. What is an alert is the evaluator crate's business.

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
    fingerprint: u64,
}

impl EvaluatorFactory {
    /// Evaluators under these rules.
    pub fn new(rules: RuleSet, settings: EvaluatorSettings) -> Self {
        let fingerprint = xxh3_64_with_seed(&rules.hash().to_le_bytes(), SCHEMA.into());
        Self {
            fingerprint,
            rules: Arc::new(rules),
            settings: Arc::new(settings),
        }
    }

    fn processor(&self, source: &Source, evaluator: Evaluator) -> EvaluatorProcessor {
        EvaluatorProcessor {
            reported: metrics::Reported::new(source.partition, &evaluator),
            fingerprint: self.fingerprint,
            evaluator: evaluator.with_sources_apart_ms(self.settings.behind_ms),
            settings: Arc::clone(&self.settings),
            partition: source.partition % self.settings.alerts_partitions,
            alerts: Vec::new(),
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

    /// Also under other rules than those of the snapshot: the evaluator ends what they no longer watch, and what the
    /// replay makes known is published again, so that nothing that only the new rules say is lost.
    fn restore(
        &self,
        source: &Source,
        snapshot: &SnapshotView<'_>,
    ) -> Result<EvaluatorProcessor, RestoreError> {
        Evaluator::restore(Arc::clone(&self.rules), home(source), snapshot.state)
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
    fingerprint: u64,
    reported: metrics::Reported,
}

impl Processor for EvaluatorProcessor {
    fn apply(&mut self, record: &Record<'_>) {
        match v1::Signal::decode(record.value.unwrap_or_default()) {
            Ok(signal) => self.evaluator.apply(&signal, &mut self.alerts),
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

    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>) {
        self.reported.report(&self.evaluator);
        let mut head = v1::AlertBatch {
            source: stamp.source,
            epoch: stamp.epoch,
            batch: stamp.batch,
            clock_ms: self.evaluator.clock_ms().unwrap_or_default(),
            alerts: Vec::new(),
        };
        let mut bytes = 0;
        let mut send = |head: &mut v1::AlertBatch| {
            let topic = Arc::clone(&self.settings.alerts_topic);
            out.push(Outgoing::new(topic, self.partition, head.encode_to_vec()));
            head.alerts.clear();
        };
        for alert in self.alerts.drain(..) {
            let needed = alert.encoded_len() + 16;
            if bytes + needed > MAX_RECORD_BYTES - 64 {
                send(&mut head);
                bytes = 0;
            }
            bytes += needed;
            transition(alert.state());
            head.alerts.push(alert);
        }
        if !head.alerts.is_empty() {
            send(&mut head);
        }
    }

    fn snapshot(&self, out: &mut Vec<u8>) {
        self.evaluator.snapshot(out);
    }

    fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}
