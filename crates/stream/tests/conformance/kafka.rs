//! A real broker, one for all cases.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use slawatch_devstack::kafka::{Broker, Detour};
use slawatch_stream::{
    Clock, Consumer, KafkaLog, KafkaOptions, Log, Outgoing, Producer, SystemClock, TopicPartition,
};

use crate::detour::Passage;
use crate::place::{Place, Process};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct KafkaPlace {
    bootstrap: String,
    log: KafkaLog,
    clock: Arc<SystemClock>,
    producer: Mutex<Box<dyn Producer>>,
    way: Detour,
    passage: Arc<Passage>,
}

impl KafkaPlace {
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<KafkaPlace> = OnceLock::new();
        SHARED.get_or_init(|| {
            let broker = Broker::shared_for_tests();
            let way = broker.detour().expect("brokers of tests have one");
            let clock = Arc::new(SystemClock::new());
            let log = log_at(broker.bootstrap(), BTreeMap::new(), &clock);
            KafkaPlace {
                bootstrap: broker.bootstrap(),
                producer: Mutex::new(log.producer().expect("a producer")),
                log,
                clock,
                way,
                passage: Passage::open(way),
            }
        })
    }

    fn transaction(&self, partition: &TopicPartition, values: &[&str]) -> BaseProducer {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .set(
                "transactional.id",
                (self as &dyn Place).fresh("transaction"),
            )
            .create()
            .expect("a producer");
        producer.init_transactions(TIMEOUT).expect("initialised");
        producer.begin_transaction().expect("begun");
        for value in values {
            let record: BaseRecord<'_, (), str> = BaseRecord::to(&partition.topic)
                .partition(partition.partition as i32)
                .payload(value);
            producer
                .send(record)
                .map_err(|(error, _)| error)
                .expect("sent");
        }
        producer.flush(TIMEOUT).expect("arrived");
        producer
    }
}

fn log_at(
    brokers: String,
    properties: BTreeMap<String, String>,
    clock: &Arc<SystemClock>,
) -> KafkaLog {
    let options = KafkaOptions {
        brokers,
        properties,
    };
    KafkaLog::new(options, clock.clone())
}

impl Place for KafkaPlace {
    fn log(&self) -> Arc<dyn Log> {
        Arc::new(self.log.clone())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn look_ms(&self) -> u64 {
        20
    }

    fn pass(&self) {}

    fn append(&self, record: Outgoing) {
        let mut producer = self.producer.lock().unwrap();
        producer.send(record).expect("sent");
        (self as &dyn Place).delivered(producer.as_mut());
    }

    fn append_committed(&self, partition: &TopicPartition, values: &[&str]) {
        let producer = self.transaction(partition, values);
        producer.commit_transaction(TIMEOUT).expect("committed");
    }

    fn append_aborted(&self, partition: &TopicPartition, records: u32) {
        let values = vec!["never to be seen"; records as usize];
        let producer = self.transaction(partition, &values);
        producer.abort_transaction(TIMEOUT).expect("aborted");
    }

    fn remove_below(&self, partition: &TopicPartition, low: i64) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", &self.bootstrap)
            .create()
            .expect("a client");
        let mut list = TopicPartitionList::new();
        let number = partition.partition as i32;
        list.add_partition_offset(&partition.topic, number, Offset::Offset(low))
            .expect("an offset");
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let answer = runtime.block_on(admin.delete_records(&list, &options));
        let answer = answer.expect("an answer");
        for element in answer.elements() {
            element.error().expect("removed");
        }
    }

    fn process(&self) -> Box<dyn Process> {
        let name = (self as &dyn Place).fresh("process");
        let properties = [
            ("client.id", name.as_str()),
            ("session.timeout.ms", "1500"),
            ("heartbeat.interval.ms", "200"),
        ];
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let brokers = format!("127.0.0.1:{}", self.way.advertises);
        Box::new(KafkaProcess {
            log: log_at(brokers, properties.into(), &self.clock),
            name,
            passage: Arc::clone(&self.passage),
        })
    }
}

struct KafkaProcess {
    log: KafkaLog,
    name: String,
    passage: Arc<Passage>,
}

impl Process for KafkaProcess {
    fn log(&self) -> Arc<dyn Log> {
        Arc::new(self.log.clone())
    }

    fn member(&self, group: &str, topics: &[&str]) -> Box<dyn Consumer> {
        self.log.member(group, topics).expect("a member")
    }

    fn lose_answers(&self, count: u32) {
        self.passage.lose_answers(&self.name, count);
    }

    fn answers_left_to_lose(&self) -> u32 {
        self.passage.answers_left_to_lose(&self.name)
    }

    fn silence(&self) {
        self.passage.stall(&self.name);
    }

    fn wake(&self) {
        self.passage.flow(&self.name);
    }

    fn behind_its_back(&self, act: &mut dyn FnMut()) {
        self.passage.stall(&self.name);
        act();
        self.passage.flow(&self.name);
    }
}
