//! From a real broker into real ClickHouse: groups, offsets and their metadata as Kafka keeps them.

use std::sync::Arc;
use std::time::Duration;

use slawatch_devstack::kafka::Broker;
use slawatch_loader::{
    BatchOptions, ClickHouseSink, LoaderWorker, TopicKind, Topics, WorkerOptions,
};
use slawatch_stream::{Clock, KafkaLog, KafkaOptions, Log, Outgoing, Producer, SystemClock};
use slawatch_wire::{Message, v1};

use crate::{Database, runtime};

struct Pipe {
    log: KafkaLog,
    clock: Arc<dyn Clock>,
    options: WorkerOptions,
    producer: Box<dyn Producer>,
}

impl Pipe {
    fn new() -> Self {
        let broker = Broker::shared_for_tests();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let kafka = KafkaOptions {
            brokers: broker.bootstrap(),
            ..KafkaOptions::default()
        };
        let log = KafkaLog::new(kafka, Arc::clone(&clock));
        let topic = |name| Arc::from(broker.unique_topic(name, 2, &[]).expect("a topic"));
        let topics = Topics {
            ticket_events: topic("events"),
            signals: topic("signals"),
            alerts: topic("alerts"),
            notifications: topic("notifications"),
            dead_letters: topic("letters"),
        };
        let options = WorkerOptions {
            group: format!("loader-{}", topics.signals),
            topics,
            batches: BatchOptions {
                max_rows: 40,
                max_age_ms: 50,
                ..BatchOptions::default()
            },
            commit_interval_ms: 50,
            ..WorkerOptions::default()
        };
        let producer = log.producer().expect("a producer");
        Self {
            log,
            clock,
            options,
            producer,
        }
    }

    fn send(&mut self, kind: TopicKind, partition: u32, value: Vec<u8>) {
        let topic = Arc::clone(self.options.topics.name(kind));
        let sent = self.producer.send(Outgoing::new(topic, partition, value));
        sent.expect("sent");
    }

    fn events(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let value = format!(
                r#"{{"event_id":"e{number}","ticket_id":"t{}","type":"updated","occurred_at":1000}}"#,
                number % 9
            );
            self.send(TopicKind::TicketEvents, number % 2, value.into_bytes());
        }
    }

    fn signal(&mut self, epoch: u64, answered: i64) {
        let pane = v1::PaneRow {
            pane_ms: 60_000,
            measures: Some(v1::Measures {
                answered,
                ..Default::default()
            }),
            ..Default::default()
        };
        let batch = v1::SignalBatch {
            epoch,
            batch: answered.unsigned_abs(),
            panes: vec![pane],
            ..Default::default()
        };
        let kind = Some(v1::signal::Kind::Batch(batch));
        let value = v1::Signal { kind }.encode_to_vec();
        self.send(TopicKind::Signals, 1, value);
    }

    fn worker(&self, database: &Database, runtime: &tokio::runtime::Runtime) -> LoaderWorker {
        let sink = ClickHouseSink::new(&database.clickhouse(), runtime.handle().clone());
        let sink = Box::new(sink.expect("a sink"));
        LoaderWorker::new(
            &self.log,
            sink,
            Arc::clone(&self.clock),
            self.options.clone(),
        )
        .expect("a member")
    }

    /// Steps until the query says what is expected.
    fn step_until(
        &mut self,
        worker: &mut LoaderWorker,
        database: &Database,
        sql: &str,
        expected: &str,
    ) {
        let mut said = Vec::new();
        for _ in 0..600 {
            self.producer.poll(Duration::ZERO).expect("delivered");
            worker.step(Duration::from_millis(20)).expect("a step");
            said = database.run(sql);
            if said == [expected] {
                return;
            }
        }
        panic!(
            "{sql}: {said:?} instead of {expected}; {:?}",
            worker.health()
        );
    }
}

#[test]
fn what_kafka_holds_is_loaded_once_over_a_crash_and_zombies_stay_mute() {
    let database = Database::migrated("kafka");
    let runtime = runtime();
    let mut pipe = Pipe::new();
    let mut first = pipe.worker(&database, &runtime);
    pipe.events(0..500);
    pipe.signal(1, 5);
    pipe.signal(2, 1);
    let count = "SELECT count(), uniqExact(partition, offset) FROM @ticket_events FINAL";
    pipe.step_until(&mut first, &database, count, "500\t500");
    let answered = "SELECT sum(answered) FROM @measures";
    pipe.step_until(&mut first, &database, answered, "1");
    // Until the offsets with the fence are committed.
    for _ in 0..20 {
        first.step(Duration::from_millis(20)).expect("a step");
    }
    pipe.events(500..700);
    for _ in 0..2 {
        first.step(Duration::from_millis(20)).expect("a step");
    }
    drop(first);

    pipe.signal(1, 99);
    pipe.events(700..800);
    let mut second = pipe.worker(&database, &runtime);
    pipe.step_until(&mut second, &database, count, "800\t800");
    assert_eq!(
        database.run(answered),
        ["1"],
        "the zombie's 99 is not there"
    );
    assert_eq!(second.health().problems(), [""; 0]);
    second.finish(10_000).expect("an orderly end");
    let once = "SELECT uniqExact(event_id) FROM @ticket_events";
    assert_eq!(database.run(once), ["800"]);
}
