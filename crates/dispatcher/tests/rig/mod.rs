//! A dispatcher on an in-memory log, driven step by step, and receivers on loopback that do what a script says.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod target;
pub mod vendor;

use std::sync::Arc;
use std::time::Duration;

use slawatch_dispatcher::role::DispatcherProcessor;
use slawatch_dispatcher::{DispatcherConfig, DispatcherFactory, Receivers, Topics};
use slawatch_stream::memory::MemoryLog;
use slawatch_stream::{
    Clock, ConsumerEvent, Log, LogReader, Outgoing, PollHandler, Processor, ProcessorFactory,
    Record, Source, Stamp, StartAt, SystemClock, TopicPartition, TopicSpec,
};
use slawatch_wire::Message;
use slawatch_wire::v1::{
    AlertBatch, AlertState, AlertTransition, Evidence, NotificationBatch, NotificationState,
};
use tokio::runtime::Runtime;

/// Long enough for the slowest machine; nothing ever waits that long on purpose.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Everything but the worker, whose calls are made here one by one.
pub struct Rig {
    pub runtime: Runtime,
    pub clock: Arc<dyn Clock>,
    log: Arc<MemoryLog>,
    alerts_reader: Box<dyn LogReader>,
    factory: DispatcherFactory,
    processor: Option<DispatcherProcessor>,
    epoch: u64,
    batch: u64,
    position: i64,
}

fn source() -> Source {
    Source {
        topic: "slawatch.alerts".into(),
        partition: 0,
        partitions: 1,
    }
}

fn partition(topic: &str) -> TopicPartition {
    TopicPartition::new(topic, 0)
}

impl Rig {
    /// `config` is the dispatcher's part of a configuration file.
    pub fn start(config: &str) -> Self {
        let config: DispatcherConfig = toml::from_str(config).unwrap();
        let runtime = Runtime::new().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log = Arc::new(MemoryLog::stepped(Arc::clone(&clock)));
        for topic in ["slawatch.alerts", "slawatch.notifications"] {
            log.create_topic(&TopicSpec::new(topic, 1)).unwrap();
        }
        let receivers = Receivers::start(&config, &clock, runtime.handle()).unwrap();
        let shared: Arc<dyn Log> = log.clone();
        let factory =
            DispatcherFactory::new(shared, Topics::default(), &config, Arc::new(receivers))
                .unwrap();
        let reader = log
            .reader(&[partition("slawatch.alerts")], StartAt::Beginning)
            .unwrap();
        let mut rig = Self {
            runtime,
            clock,
            log,
            alerts_reader: reader,
            factory,
            processor: None,
            epoch: 0,
            batch: 0,
            position: 0,
        };
        rig.take_over();
        rig
    }

    /// The owner is gone as by SIGKILL, and another one comes that has no snapshot.
    pub fn take_over(&mut self) {
        self.processor = None;
        let mut processor = self.factory.create(&source());
        self.alerts_reader
            .seek(&partition("slawatch.alerts"), 0)
            .unwrap();
        self.position = 0;
        self.epoch += 1;
        self.batch = 0;
        processor.took_over(self.epoch);
        self.processor = Some(processor);
    }

    /// The partition goes to another process.
    pub fn give_up(&mut self) {
        self.processor = None;
    }

    /// One round of a worker's loop.
    pub fn step(&mut self) {
        let Some(processor) = self.processor.as_mut() else {
            return;
        };
        let mut handler = Apply {
            processor,
            position: self.position,
        };
        self.alerts_reader
            .poll(Duration::ZERO, 100, &mut handler)
            .unwrap();
        self.position = handler.position;
        if !processor.tick(self.clock.wall_ms()) {
            return;
        }
        self.batch += 1;
        let stamp = Stamp {
            source: 0,
            sources: 1,
            epoch: self.epoch,
            batch: self.batch,
            clock_ms: 0,
            log_clock_ms: 0,
            position: self.position,
            progress: false,
        };
        let mut out = Vec::new();
        processor.flush(&stamp, &mut out);
        for record in out {
            self.log.append(record).unwrap();
        }
        processor.acknowledged(self.batch);
    }

    /// Steps until it holds. The pause between two looks is the runtime's, whose tasks make the progress.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let started_ms = self.clock.steady_ms();
        while !holds(self) {
            assert!(
                u128::from(self.clock.steady_ms() - started_ms) < PATIENCE.as_millis(),
                "{what} did not come to pass; notifications: {:#?}",
                self.notifications()
            );
            self.step();
            self.runtime
                .block_on(async { tokio::time::sleep(Duration::from_millis(2)).await });
        }
    }

    pub fn evaluator_says(&self, alerts: Vec<AlertTransition>) {
        let clock_ms = self.clock.wall_ms();
        let batch = AlertBatch {
            source: 0,
            epoch: 1,
            batch: 1,
            clock_ms,
            alerts,
            ..AlertBatch::default()
        };
        let value = batch.encode_to_vec();
        self.log
            .append(Outgoing::new("slawatch.alerts".into(), 0, value))
            .unwrap();
    }

    /// All that was recorded: `SENT hook firing incident-1: 200 OK`.
    pub fn notifications(&self) -> Vec<String> {
        let from = StartAt::Beginning;
        let mut reader = self
            .log
            .reader(&[partition("slawatch.notifications")], from)
            .unwrap();
        let mut lines = Lines(Vec::new());
        // The first poll tells of the assignment, and of no record yet.
        reader.poll(Duration::ZERO, 1000, &mut lines).unwrap();
        while reader.poll(Duration::ZERO, 1000, &mut lines).unwrap() > 0 {}
        lines.0
    }

    #[track_caller]
    pub fn until_recorded(&mut self, line: &str) {
        self.until(line, |rig| {
            rig.notifications().iter().any(|recorded| recorded == line)
        });
    }
}

struct Apply<'a> {
    processor: &'a mut DispatcherProcessor,
    position: i64,
}

impl PollHandler for Apply<'_> {
    fn record(&mut self, record: &Record<'_>) {
        self.processor.apply(record);
        self.position = record.offset + 1;
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

struct Lines(Vec<String>);

impl PollHandler for Lines {
    fn record(&mut self, record: &Record<'_>) {
        let batch = NotificationBatch::decode(record.value.unwrap()).unwrap();
        for notification in batch.notifications {
            if notification.state() == NotificationState::Takeover {
                self.0.push("TAKEOVER".to_owned());
                continue;
            }
            let state = notification
                .state()
                .as_str_name()
                .trim_start_matches("NOTIFICATION_STATE_");
            let told = notification
                .alert_state()
                .as_str_name()
                .trim_start_matches("ALERT_STATE_");
            let detail = match notification.detail.as_str() {
                "" => String::new(),
                detail => format!(": {detail}"),
            };
            let (receiver, incident) = (&notification.receiver, &notification.incident);
            self.0.push(format!(
                "{state} {receiver} {} {incident}{detail}",
                told.to_lowercase()
            ));
        }
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

/// An alert of now. Its incident is `KEY-1`.
pub fn alert(key: &str, state: AlertState, revision: u64) -> AlertTransition {
    let now_ms = SystemClock::new().wall_ms();
    AlertTransition {
        key: key.into(),
        incident: format!("{key}-1"),
        rule: "answers too late".into(),
        severity: "critical".into(),
        vendor: "acme".into(),
        queue: "refunds".into(),
        state: state.into(),
        at_ms: now_ms,
        fired_at_ms: Some(now_ms - 5_000),
        due_ms: now_ms,
        summary: "refunds answers 62.5 % in time".into(),
        reason: "62.5 % of 8 contacts, the contract says 80 %".into(),
        evidence: vec![Evidence {
            name: "answered".into(),
            value: 5.0,
        }],
        labels: [("team.lead".to_owned(), "maria".to_owned())].into(),
        runbook_url: "https://runbooks/late".into(),
        revision,
        ..AlertTransition::default()
    }
}
