//! The role as its worker drives it: records in, flushes out, takeovers.

use std::time::Duration;

use super::*;
use slawatch_stream::{
    ConsumerEvent, Log, ManualClock, MemoryLog, MemoryStore, PollHandler, StartAt, TopicPartition,
    TopicSpec, Worker, WorkerConfig, WorkerParts,
};
use slawatch_wire::v1::{AlertState, Measures, PaneRow, SignalBatch};

const MINUTE_MS: i64 = 60_000;

fn rules(name: &str) -> RuleSet {
    let text = format!(
        r#"[[rule]]
name = "{name}"
type = "threshold"
measure = "service_level"
window = "5m"
enter = "80%"
exit = "85%"
severity = "critical"
by = ["vendor", "queue"]
"#
    );
    RuleSet::parse("rules.toml", &text).expect("good rules")
}

fn factory(name: &str) -> EvaluatorFactory {
    let settings = EvaluatorSettings {
        alerts_topic: "slawatch.alerts".into(),
        alerts_partitions: 4,
        behind_ms: 30_000,
    };
    EvaluatorFactory::new(rules(name), settings)
}

fn source() -> Source {
    Source {
        topic: "slawatch.signals".into(),
        partition: 2,
        partitions: 4,
    }
}

fn stamp(batch: u64) -> Stamp {
    Stamp {
        source: 2,
        sources: 4,
        epoch: 7,
        batch,
        clock_ms: 0,
        log_clock_ms: 0,
        position: 0,
        progress: true,
    }
}

/// One contact of each vendor in that minute, in target or not.
fn signal(minute: i64, vendors: &[&str], in_target: i64) -> Vec<u8> {
    let row = |vendor: &&str| PaneRow {
        pane_ms: minute * MINUTE_MS,
        vendor: (*vendor).to_owned(),
        queue: "refunds".to_owned(),
        part: 0,
        measures: Some(Measures {
            answered: 1,
            answered_in_target: in_target,
            ..Measures::default()
        }),
    };
    let batch = SignalBatch {
        sources: 1,
        epoch: 1,
        batch: minute.unsigned_abs(),
        clock_ms: minute * MINUTE_MS,
        panes: vendors.iter().map(row).collect(),
        ..SignalBatch::default()
    };
    let kind = Some(v1::signal::Kind::Batch(batch));
    v1::Signal { kind }.encode_to_vec()
}

fn apply(processor: &mut EvaluatorProcessor, value: &[u8]) {
    processor.apply(&Record::plain("slawatch.signals", 2, 0, 0, value));
}

fn flush(processor: &mut EvaluatorProcessor, batch: u64) -> Vec<(u32, v1::AlertBatch)> {
    let mut out = Vec::new();
    processor.flush(&stamp(batch), &mut out);
    let decoded = out.iter().map(|record| {
        assert_eq!(&*record.topic, "slawatch.alerts");
        let batch = v1::AlertBatch::decode(record.value.as_slice()).expect("a batch");
        (record.partition, batch)
    });
    decoded.collect()
}

fn keys(batches: &[(u32, v1::AlertBatch)]) -> Vec<(&str, AlertState)> {
    let alerts = batches.iter().flat_map(|(_, batch)| &batch.alerts);
    alerts
        .map(|alert| (alert.key.as_str(), alert.state()))
        .collect()
}

fn view(state: &[u8]) -> SnapshotView<'_> {
    SnapshotView {
        fingerprint: 0,
        offset: 1,
        clock_ms: 0,
        log_clock_ms: 0,
        state,
    }
}

#[test]
fn alerts_go_to_the_partition_that_their_signals_came_from_with_the_writers_stamp() {
    let mut processor = factory("sl").create(&source());
    apply(&mut processor, &signal(100, &["acme", "globex"], 0));
    let batches = flush(&mut processor, 5);
    assert_eq!(
        keys(&batches),
        [
            ("sl/acme/refunds", AlertState::Firing),
            ("sl/globex/refunds", AlertState::Firing)
        ]
    );
    let (partition, batch) = &batches[0];
    assert_eq!(*partition, 2);
    assert_eq!((batch.source, batch.epoch, batch.batch), (2, 7, 5));
    assert_eq!(batch.clock_ms, 100 * MINUTE_MS);
    assert_eq!(flush(&mut processor, 6), []);
}

#[test]
fn what_a_takeover_replays_is_published_as_it_was_before() {
    let factory = factory("sl");
    let mut processor = factory.create(&source());
    let mut state = Vec::new();
    processor.snapshot(&mut state);
    apply(&mut processor, &signal(100, &["acme"], 0));
    let before = flush(&mut processor, 1);
    let mut next = factory.restore(&source(), &view(&state)).expect("a state");
    apply(&mut next, &signal(100, &["acme"], 0));
    next.took_over(7);
    assert_eq!(flush(&mut next, 1), before);
}

fn action(action_id: &str, kind: v1::ActionKind, alert_key: &str) -> Vec<u8> {
    let action = v1::Action {
        action_id: action_id.to_owned(),
        kind: kind as i32,
        author: "kim".to_owned(),
        alert_key: alert_key.to_owned(),
        vendor: "acme".to_owned(),
        ..v1::Action::default()
    };
    let kind = Some(v1::signal::Kind::Action(action));
    v1::Signal { kind }.encode_to_vec()
}

fn action_ids(batches: &[(u32, v1::AlertBatch)]) -> Vec<&str> {
    let actions = batches.iter().flat_map(|(_, batch)| &batch.actions);
    actions.map(|action| action.action_id.as_str()).collect()
}

#[test]
fn what_people_did_is_handed_on_also_when_nothing_is_to_be_told() {
    let factory = factory("sl");
    let mut processor = factory.create(&source());
    apply(&mut processor, &signal(100, &["acme"], 0));
    flush(&mut processor, 1);
    let mut state = Vec::new();
    processor.snapshot(&mut state);
    let said = [
        action("a1", v1::ActionKind::Silence, ""),
        action("a2", v1::ActionKind::Acknowledge, "sl/acme/refunds"),
        action("a3", v1::ActionKind::ExpireSilence, ""),
    ];
    said.iter().for_each(|said| apply(&mut processor, said));
    let batches = flush(&mut processor, 2);
    assert_eq!(action_ids(&batches), ["a1", "a2", "a3"]);
    assert_eq!(
        keys(&batches),
        [("sl/acme/refunds", AlertState::Acknowledged)]
    );
    assert_eq!(flush(&mut processor, 3), []);
    // Whoever takes over from the snapshot hands the same on again.
    let mut next = factory.restore(&source(), &view(&state)).expect("a state");
    said.iter().for_each(|said| apply(&mut next, said));
    next.took_over(7);
    assert_eq!(flush(&mut next, 2), batches);
}

/// What a flush writes back to the signals.
fn rules_written(processor: &mut EvaluatorProcessor, batch: u64) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    processor.flush(&stamp(batch), &mut out);
    let back = out
        .iter()
        .filter(|record| &*record.topic == "slawatch.signals");
    back.map(|record| {
        assert_eq!(record.partition, 2);
        record.value.clone()
    })
    .collect()
}

/// The process that fired an alert ended without a snapshot of it and comes back under other rules: the replay says the
/// same as before, and the change has its place in the log.
#[test]
fn other_rules_take_effect_where_the_log_says_so() {
    let (before, after) = (factory("before"), factory("after"));
    let processor = before.create(&source());
    let mut state = Vec::new();
    processor.snapshot(&mut state);
    let mut processor = after.restore(&source(), &view(&state)).expect("a state");
    apply(&mut processor, &signal(100, &["acme"], 0));
    assert_eq!(rules_written(&mut processor, 1), Vec::<Vec<u8>>::new());
    processor.took_over(8);
    let written = rules_written(&mut processor, 2);
    assert_eq!(written.len(), 1);
    assert_eq!(rules_written(&mut processor, 3), Vec::<Vec<u8>>::new());
    apply(&mut processor, &signal(101, &["globex"], 0));
    apply(&mut processor, &written[0]);
    apply(&mut processor, &signal(102, &["acme"], 0));
    assert_eq!(
        keys(&flush(&mut processor, 4)),
        [
            ("before/globex/refunds", AlertState::Firing),
            ("before/acme/refunds", AlertState::Expired),
            ("before/globex/refunds", AlertState::Expired),
            ("after/acme/refunds", AlertState::Firing),
            ("after/globex/refunds", AlertState::Firing),
        ]
    );
    assert_eq!(
        processor.fingerprint(),
        after.create(&source()).fingerprint()
    );

    // One that was replaced has the last word in the log: the owner says its own again.
    let other = v1::RulesTaken {
        epoch: 8,
        file: "other.toml".to_owned(),
        text: rules("other").text().to_owned(),
    };
    let kind = Some(v1::signal::Kind::Rules(other));
    apply(&mut processor, &v1::Signal { kind }.encode_to_vec());
    assert_eq!(rules_written(&mut processor, 5), written);
}

#[test]
fn damaged_and_foreign_states_are_told_apart() {
    let factory = factory("sl");
    let restore = |state: &[u8]| factory.restore(&source(), &view(state)).map(drop);
    assert!(matches!(restore(&[0xff]), Err(RestoreError::Unusable(_))));
    // Field 1 of the state is its schema.
    assert!(matches!(
        restore(&[8, 99]),
        Err(RestoreError::Incompatible(_))
    ));
}

/// An alert on a figure that nobody keeps up any more would fire for ever.
#[test]
fn who_gives_a_partition_up_leaves_no_figure_behind() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let figures = || {
        let text = recorder.handle().render();
        let lines = text
            .lines()
            .filter(|line| line.contains("{partition=\"2\"}"));
        let values: Vec<String> = lines
            .filter_map(|line| line.rsplit(' ').next().map(str::to_owned))
            .collect();
        values
    };
    ::metrics::with_local_recorder(&recorder, || {
        let mut processor = factory("sl").create(&source());
        apply(&mut processor, &signal(100, &["acme"], 0));
        flush(&mut processor, 1);
        let mut before = figures();
        before.sort();
        assert_eq!(before, ["0", "6000000"]);
    });
    assert_eq!(figures(), ["NaN", "NaN"]);
}

#[test]
fn what_is_no_signal_is_left_out() {
    let mut processor = factory("sl").create(&source());
    apply(&mut processor, b"\xff\xff");
    apply(&mut processor, &signal(100, &["acme"], 0));
    assert_eq!(
        keys(&flush(&mut processor, 1)),
        [("sl/acme/refunds", AlertState::Firing)]
    );
}

#[test]
fn the_fingerprint_names_the_rules() {
    let name = |rule| factory(rule).create(&source()).fingerprint();
    assert_eq!(name("sl"), name("sl"));
    assert_ne!(name("sl"), name("level"));
}

#[test]
fn many_actions_are_cut_into_records_that_fit() {
    let mut processor = factory("sl").create(&source());
    let reason = "x".repeat(100_000);
    for number in 0..30 {
        let silence = v1::Action {
            action_id: format!("a{number:02}"),
            kind: v1::ActionKind::Silence as i32,
            reason: reason.clone(),
            ..v1::Action::default()
        };
        let kind = Some(v1::signal::Kind::Action(silence));
        apply(&mut processor, &v1::Signal { kind }.encode_to_vec());
    }
    let batches = flush(&mut processor, 1);
    assert!(batches.len() > 1);
    for (_, batch) in &batches {
        assert!(batch.encoded_len() <= MAX_RECORD_BYTES);
    }
    assert_eq!(action_ids(&batches).len(), 30);
    assert!(action_ids(&batches).is_sorted());
}

#[test]
fn many_alerts_are_cut_into_records_that_fit() {
    let mut processor = factory("sl").create(&source());
    let long = |revision| v1::AlertTransition {
        summary: "x".repeat(100_000),
        revision,
        ..v1::AlertTransition::default()
    };
    processor.alerts = (0..30).map(long).collect();
    let batches = flush(&mut processor, 1);
    assert!(batches.len() > 1);
    for (_, batch) in &batches {
        assert!(batch.encoded_len() <= MAX_RECORD_BYTES);
    }
    let alerts = batches.iter().flat_map(|(_, batch)| &batch.alerts);
    let revisions: Vec<u64> = alerts.map(|alert| alert.revision).collect();
    assert_eq!(revisions, Vec::from_iter(0..30));
}

/// A log, a store and workers on them, one after the other.
struct Installation {
    clock: Arc<ManualClock>,
    log: Arc<MemoryLog>,
    store: Arc<MemoryStore>,
}

impl Installation {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let log = Arc::new(MemoryLog::stepped(clock.clone()));
        for topic in ["slawatch.signals", "slawatch.alerts"] {
            log.create_topic(&TopicSpec::new(topic, 1))
                .expect("a topic");
        }
        let store = Arc::new(MemoryStore::default());
        Self { clock, log, store }
    }

    /// A process under these rules that works for so long and ends without a word.
    fn works(&self, rules: &str, seconds: u32, signals: &[Vec<u8>]) {
        let mut factory = factory(rules);
        Arc::get_mut(&mut factory.settings)
            .expect("nobody else has it yet")
            .alerts_partitions = 1;
        let consumer = self.log.join("evaluator", &["slawatch.signals"]);
        let session = consumer.session().expect("a session");
        let parts = WorkerParts {
            consumer: Box::new(consumer),
            producer: self.log.producer().expect("a producer"),
            probe: self.log.end_probe("slawatch.signals").expect("a probe"),
            store: self.store.clone(),
            clock: self.clock.clone(),
            factory: Arc::new(factory),
            partitions: 1,
        };
        let config = WorkerConfig {
            snapshot_ms: 20_000,
            commit_ms: 300,
            flush_ms: 20,
            ..WorkerConfig::new("evaluator", "evaluator", "slawatch.signals")
        };
        let mut worker = Worker::new(parts, config);
        for value in signals {
            let record = Outgoing::new("slawatch.signals".into(), 0, value.clone());
            self.log.append(record).expect("a record");
        }
        for _ in 0..seconds * 10 {
            self.clock.advance(100);
            worker.step(Duration::ZERO).expect("a step");
        }
        session.expire();
    }

    /// What the log tells of, repetitions left out.
    fn alerts(&self) -> Vec<(String, u64, AlertState)> {
        let partition = TopicPartition::new("slawatch.alerts", 0);
        let mut reader = self
            .log
            .reader(&[partition], StartAt::Beginning)
            .expect("a reader");
        let mut alerts = Alerts::default();
        // The first poll tells of the assignment.
        for _ in 0..3 {
            reader
                .poll(Duration::ZERO, 1000, &mut alerts)
                .expect("a poll");
        }
        alerts.0
    }
}

#[derive(Default)]
struct Alerts(Vec<(String, u64, AlertState)>);

impl PollHandler for Alerts {
    fn record(&mut self, record: &Record<'_>) {
        let batch = v1::AlertBatch::decode(record.value.unwrap_or_default()).expect("a batch");
        for alert in batch.alerts {
            let told = (alert.key.clone(), alert.revision, alert.state());
            if !self.0.contains(&told) {
                self.0.push(told);
            }
        }
    }

    fn event(&mut self, _: ConsumerEvent<'_>) {}
}

/// Killed between a firing and the next snapshot, and back under rules that do not know the alert; killed again before
/// that was in a snapshot.
#[test]
fn an_alert_ends_though_its_rule_went_while_nobody_had_a_snapshot_of_it() {
    let here = Installation::new();
    here.works("before", 30, &[signal(100, &["acme"], 1)]);
    here.works(
        "before",
        5,
        &[signal(101, &["acme"], 0), signal(102, &["acme"], 0)],
    );
    let fired = ("before/acme/refunds".to_owned(), 1, AlertState::Firing);
    assert_eq!(here.alerts(), std::slice::from_ref(&fired));
    here.works("after", 5, &[]);
    here.works("after", 5, &[signal(103, &["acme"], 0)]);
    here.works("after", 30, &[signal(104, &["acme"], 1)]);
    assert_eq!(
        here.alerts(),
        [
            fired,
            ("before/acme/refunds".to_owned(), 2, AlertState::Expired),
            ("after/acme/refunds".to_owned(), 1, AlertState::Firing),
        ]
    );
}
