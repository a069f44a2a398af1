//! Writes records into a topic and knows whether the broker took every one of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message};

use crate::error::{Error, Result};

/// How long the last records may take to be acknowledged.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);
/// A full queue is looked at again after this.
const QUEUE_FULL_POLL: Duration = Duration::from_millis(5);

/// An idempotent producer for one topic.
#[allow(missing_debug_implementations, reason = "the producer has none")]
pub struct TopicWriter {
    bootstrap: String,
    topic: String,
    producer: ThreadedProducer<Refused>,
    refused: Refused,
}

impl TopicWriter {
    /// Connects when the first record is written.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn new(bootstrap: &str, topic: &str) -> Result<Self> {
        let refused = Refused::default();
        let producer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.num.messages", "20000")
            .set("queue.buffering.max.messages", "200000")
            // As every Java client partitions, so that other producers put a ticket into the same partition.
            .set("partitioner", "murmur2_random")
            .create_with_context(refused.clone())
            .map_err(|error| failed(bootstrap, topic, error.to_string()))?;
        Ok(Self {
            bootstrap: bootstrap.to_owned(),
            topic: topic.to_owned(),
            producer,
            refused,
        })
    }

    /// Queues one record, waiting while the queue is full. Without a timestamp the record bears the present.
    ///
    /// # Errors
    /// This record cannot be queued, or the broker has refused one: a timestamp in the future, for instance.
    pub fn write(&mut self, key: &str, value: &[u8], timestamp_ms: Option<i64>) -> Result<()> {
        let mut next = BaseRecord::to(&self.topic).key(key).payload(value);
        next.timestamp = timestamp_ms;
        while let Err((error, unsent)) = self.producer.send(next) {
            if error != KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Err(self.failed(error.to_string()));
            }
            next = unsent;
            std::thread::park_timeout(QUEUE_FULL_POLL);
        }
        self.check()
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// Something was not, or was refused.
    pub fn finish(&mut self) -> Result<()> {
        self.producer
            .flush(FLUSH_TIMEOUT)
            .map_err(|error| self.failed(format!("not all was acknowledged: {error}")))?;
        self.check()
    }

    fn check(&self) -> Result<()> {
        match self.refused.first() {
            Some(reason) => Err(self.failed(reason)),
            None => Ok(()),
        }
    }

    fn failed(&self, reason: String) -> Error {
        failed(&self.bootstrap, &self.topic, reason)
    }
}

fn failed(bootstrap: &str, topic: &str, reason: String) -> Error {
    Error::Kafka {
        bootstrap: bootstrap.to_owned(),
        reason: format!("records for {topic}: {reason}"),
    }
}

/// The first record that the broker did not take.
#[derive(Clone, Debug, Default)]
struct Refused {
    first: Arc<Mutex<Option<String>>>,
}

impl Refused {
    fn first(&self) -> Option<String> {
        self.first.lock().map_or_else(
            |_| Some("the delivery thread panicked".to_owned()),
            |first| first.clone(),
        )
    }
}

impl ClientContext for Refused {}

impl ProducerContext for Refused {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        if let Err((error, record)) = result
            && let Ok(mut first) = self.first.lock()
            && first.is_none()
        {
            *first = Some(format!(
                "a record of {:?} was refused: {error}",
                record.timestamp()
            ));
        }
    }
}
