//! The role under its worker, with an evaluator behind it: what a death leaves of a warning.

use std::time::Duration;

use slawatch_evaluator::RuleSet;
use slawatch_stream::faults::{Fault, Faults, Operation};
use slawatch_stream::{
    Clock, ConsumerEvent, Log, ManualClock, MemoryLog, MemoryStore, PollHandler, StartAt,
    TopicPartition, TopicSpec, Worker, WorkerConfig, WorkerParts,
};
use slawatch_wire::v1::AlertState;

use super::*;
use crate::roles::evaluator::{EvaluatorFactory, EvaluatorSettings};

const START_MS: i64 = 1_767_571_200_000;
const POLICIES: &str = r#"
effective_from = "2025-01-01T00:00:00Z"
[[policy]]
name = "all"
warn_at = [0.5]
targets = { first_reply = "10m" }
"#;
const RULES: &str = r#"
[[rule]]
name = "tickets"
type = "ticket"
on = ["warning"]
severity = "warning"
"#;

struct Installation {
    clock: Arc<ManualClock>,
    log: MemoryLog,
    store: Arc<MemoryStore>,
}

impl Installation {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(START_MS));
        let log = MemoryLog::stepped(clock.clone());
        for topic in ["ticket-events", "signals", "dead-letters"] {
            log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
        }
        Self {
            clock,
            log,
            store: Arc::default(),
        }
    }

    fn ticket_is_created(&self) {
        let event = format!(
            r#"{{"event_id":"1","ticket_id":"T-1","type":"created","occurred_at":{START_MS},"vendor":"acme"}}"#
        );
        let record = Outgoing::new("ticket-events".into(), 0, event.into_bytes());
        self.log.append(record).unwrap();
    }

    /// A process that works for so long and ends without a word; earlier, if it dies of a fault.
    fn works(&self, seconds: u32, faults: &Faults) {
        let sets = PolicySets::parse(&[("p.toml".to_owned(), POLICIES.to_owned())]).unwrap();
        let settings = TrackerSettings {
            decode: DecodeOptions::default(),
            options: Options::default(),
            generation: 0,
            signals_topic: "signals".into(),
            signals_partitions: 1,
            dead_letters_topic: "dead-letters".into(),
            dead_letters_partitions: 1,
        };
        let consumer = self.log.join("tracker", &["ticket-events"]);
        let session = consumer.session().unwrap();
        let parts = WorkerParts {
            consumer: faults.consumer(Box::new(consumer)),
            producer: faults.producer(self.log.producer().unwrap()),
            probe: self.log.end_probe("ticket-events").unwrap(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            factory: Arc::new(TrackerFactory::new(sets, settings)),
            partitions: 1,
        };
        let config = WorkerConfig {
            snapshot_ms: 60_000,
            ..WorkerConfig::new("tracker", "tracker", "ticket-events")
        };
        let mut worker = Worker::new(parts, config);
        for _ in 0..seconds * 10 {
            self.clock.advance(100);
            if worker.step(Duration::ZERO).is_err() {
                break;
            }
        }
        session.expire();
    }

    fn signals(&self) -> Vec<Vec<u8>> {
        let partition = TopicPartition::new("signals", 0);
        let mut reader = self.log.reader(&[partition], StartAt::Beginning).unwrap();
        let mut values = Values::default();
        // The first poll tells of the assignment.
        for _ in 0..3 {
            reader.poll(Duration::ZERO, 100_000, &mut values).unwrap();
        }
        values.0
    }

    fn warnings(&self) -> usize {
        let signals = self.signals();
        let warnings =
            signals.iter().map(
                |value| match v1::Signal::decode(value.as_slice()).unwrap().kind {
                    Some(v1::signal::Kind::Batch(batch)) => batch.warnings.len(),
                    Some(v1::signal::Kind::Action(_) | v1::signal::Kind::Rules(_)) | None => 0,
                },
            );
        warnings.sum()
    }

    /// What an evaluator tells of all that was said.
    fn alerts(&self) -> Vec<(String, AlertState)> {
        let settings = EvaluatorSettings {
            alerts_topic: "alerts".into(),
            alerts_partitions: 1,
            behind_ms: 30_000,
        };
        let rules = RuleSet::parse("rules.toml", RULES).unwrap();
        let source = Source {
            topic: "signals".into(),
            partition: 0,
            partitions: 1,
        };
        let mut evaluator = EvaluatorFactory::new(rules, settings).create(&source);
        for (offset, value) in self.signals().iter().enumerate() {
            evaluator.apply(&Record::plain("signals", 0, offset as i64, 0, value));
        }
        let mut out = Vec::new();
        let stamp = Stamp {
            source: 0,
            sources: 1,
            epoch: 1,
            batch: 1,
            clock_ms: 0,
            log_clock_ms: 0,
            position: 0,
            progress: true,
        };
        evaluator.flush(&stamp, &mut out);
        let batches = out
            .iter()
            .map(|record| v1::AlertBatch::decode(record.value.as_slice()).unwrap());
        let alerts = batches.flat_map(|batch| batch.alerts);
        alerts
            .map(|alert| (alert.key.clone(), alert.state()))
            .collect()
    }
}

#[derive(Default)]
struct Values(Vec<Vec<u8>>);

impl PollHandler for Values {
    fn record(&mut self, record: &Record<'_>) {
        self.0.extend(record.value.map(<[u8]>::to_vec));
    }

    fn event(&mut self, _: ConsumerEvent<'_>) {}
}

fn sound() -> Faults {
    Faults::new(|_| Fault::None)
}

fn told_once() -> Vec<(String, AlertState)> {
    vec![(
        "tickets/acme/T-1/first_reply/1/0.5".to_owned(),
        AlertState::Firing,
    )]
}

#[test]
fn a_warning_that_was_told_is_told_by_the_next_owner_at_most_as_the_same() {
    let here = Installation::new();
    here.ticket_is_created();
    here.works(310, &sound());
    assert_eq!(here.warnings(), 1);
    assert_eq!(here.alerts(), told_once());
    // The snapshot is older than the warning, so that the replay comes to it again.
    here.works(60, &sound());
    assert_eq!(here.warnings(), 2);
    here.works(60, &sound());
    assert_eq!(here.alerts(), told_once());
}

#[test]
fn a_warning_that_its_owner_did_not_live_to_tell_is_told_by_the_next() {
    let here = Installation::new();
    here.ticket_is_created();
    let clock = Arc::clone(&here.clock);
    // The level is reached after 300 s, events may take 2 s more: the clock beyond that is written down, and no more.
    let dies = Faults::new(move |operation| match operation {
        Operation::Commit if clock.wall_ms() > START_MS + 302_000 => Fault::CrashesAfter,
        _ => Fault::None,
    });
    here.works(310, &dies);
    assert!(dies.crashed());
    assert_eq!(here.warnings(), 0);
    here.works(60, &sound());
    assert_eq!(here.alerts(), told_once());
    here.works(60, &sound());
    assert_eq!(here.alerts(), told_once());
}
