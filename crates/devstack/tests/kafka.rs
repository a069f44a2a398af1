//! A real broker: topics, records, and what happens when it is killed, stopped and woken.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use slawatch_devstack::generate::{Speed, generate_to_kafka};
use slawatch_devstack::kafka::{Broker, BrokerOptions};
use slawatch_devstack::traffic::{DAY_MS, Traffic, TrafficConfig};

const TIMEOUT: Duration = Duration::from_secs(30);

fn produce(broker: &Broker, topic: &str, values: std::ops::Range<u32>) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("enable.idempotence", "true")
        .create()
        .expect("a producer");
    for value in values {
        let payload = value.to_string();
        let record = BaseRecord::to(topic)
            .key("k")
            .payload(&payload)
            .partition(0)
            .timestamp(1000 + i64::from(value));
        producer
            .send(record)
            .map_err(|(error, _)| error)
            .expect("queued");
    }
    producer.flush(TIMEOUT).expect("acknowledged");
}

fn reader(broker: &Broker, topic: &str) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("group.id", "tests")
        .create()
        .expect("a consumer");
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset(topic, 0, Offset::Beginning)
        .expect("valid");
    consumer.assign(&partitions).expect("assigned");
    consumer
}

fn consume(broker: &Broker, topic: &str, count: usize) -> Vec<(u32, Option<i64>)> {
    let consumer = reader(broker, topic);
    (0..count)
        .map(|_| {
            loop {
                match consumer.poll(TIMEOUT).expect("a record in time") {
                    Ok(message) => {
                        let text = message
                            .payload_view::<str>()
                            .expect("a payload")
                            .expect("text");
                        return (
                            text.parse().expect("a number"),
                            message.timestamp().to_millis(),
                        );
                    }
                    // Broker restarts are told about as errors and do not end anything.
                    Err(error) => eprintln!("{error}"),
                }
            }
        })
        .collect()
}

#[test]
fn records_come_back_with_their_timestamps() {
    let broker = Broker::shared_for_tests();
    let topic = broker
        .unique_topic("events", 3, &[("message.timestamp.type", "CreateTime")])
        .expect("a topic");
    produce(broker, &topic, 0..100);
    let expected: Vec<(u32, Option<i64>)> = (0..100)
        .map(|value| (value, Some(1000 + i64::from(value))))
        .collect();
    assert_eq!(
        consume(broker, &topic, 100),
        expected,
        "whatever their year, records are kept"
    );
    let error = broker
        .create_topic(&topic, 3, &[])
        .expect_err("exists")
        .to_string();
    assert!(error.contains("it exists already"), "{error}");
    let error = broker
        .create_topic("t", 1, &[("no.such.setting", "1")])
        .expect_err("refused")
        .to_string();
    assert!(error.contains("topic t cannot be made"), "{error}");
}

#[test]
fn acknowledged_records_survive_kill_and_a_pause_only_delays() {
    let mut broker = Broker::start(BrokerOptions::default()).expect("started");
    broker.create_topic("t", 1, &[]).expect("a topic");
    produce(&broker, "t", 0..10);
    broker.kill();
    broker
        .restart()
        .expect("restarted on the same ports and data");
    produce(&broker, "t", 10..20);
    broker.pause();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let broker = &broker;
        scope.spawn(move || {
            produce(broker, "t", 20..30);
            sender.send(()).expect("awaited");
        });
        assert!(
            receiver.recv_timeout(Duration::from_millis(500)).is_err(),
            "nothing is acknowledged while paused"
        );
        broker.resume();
        receiver
            .recv_timeout(TIMEOUT)
            .expect("acknowledged after waking");
    });
    let values: Vec<u32> = consume(&broker, "t", 30)
        .into_iter()
        .map(|(value, _)| value)
        .collect();
    assert_eq!(values, (0..30).collect::<Vec<u32>>());
}

#[test]
fn a_broker_that_cannot_start_shows_its_own_words() {
    let data = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let options = BrokerOptions {
        data: Some(data.path().to_owned()),
        port: taken.local_addr().expect("bound").port(),
        ..BrokerOptions::default()
    };
    let error = Broker::start(options)
        .expect_err("the port is taken")
        .to_string();
    assert!(error.contains("Address already in use"), "{error}");
}

#[test]
fn generated_traffic_arrives_as_it_was_made() {
    let broker = Broker::shared_for_tests();
    let topic = broker.unique_topic("traffic", 1, &[]).expect("a topic");
    let config = TrafficConfig {
        duration_ms: DAY_MS / 12,
        ..TrafficConfig::week(9, 1_772_409_600_000)
    };
    let mut traffic = Traffic::new(config.clone());
    let truth = generate_to_kafka(&mut traffic, &broker.bootstrap(), &topic, Speed::Unbounded)
        .expect("produced");
    let consumer = reader(broker, &topic);
    let made: Vec<_> = Traffic::new(config).collect();
    assert_eq!(made.len() as u64, truth.records);
    for record in made {
        let message = consumer
            .poll(TIMEOUT)
            .expect("a record in time")
            .expect("a record");
        assert_eq!(message.key(), Some(record.ticket_id.as_bytes()));
        assert_eq!(message.payload(), Some(record.json.as_slice()));
        assert_eq!(message.timestamp().to_millis(), Some(record.timestamp_ms));
    }
}

#[test]
fn traffic_that_the_topic_refuses_is_an_error() {
    let broker = Broker::shared_for_tests();
    let topic = broker
        .unique_topic(
            "refusing",
            1,
            &[("message.timestamp.before.max.ms", "1000")],
        )
        .expect("a topic");
    let config = TrafficConfig {
        duration_ms: DAY_MS / 24,
        ..TrafficConfig::week(9, 1_772_409_600_000)
    };
    let error = generate_to_kafka(
        &mut Traffic::new(config),
        &broker.bootstrap(),
        &topic,
        Speed::Unbounded,
    );
    let error = error.expect_err("too old").to_string();
    assert!(error.contains("was refused"), "{error}");
}
