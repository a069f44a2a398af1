//! An idempotent producer whose acknowledgements are counted.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::StreamError;
use crate::producer::{DeliveryFailed, Producer};
use crate::record::{Outgoing, TopicPartition};

use super::KafkaLog;

/// The largest record the client takes; the topic's own limit is usually lower.
const MAX_RECORD_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
struct Deliveries {
    /// Every send up to here is acknowledged.
    acknowledged: u64,
    /// Acknowledged sends beyond a gap.
    beyond: BTreeSet<u64>,
    failed: Option<DeliveryFailed>,
}

impl Deliveries {
    fn acknowledge(&mut self, number: u64) {
        self.beyond.insert(number);
        while self.beyond.remove(&(self.acknowledged + 1)) {
            self.acknowledged += 1;
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Context(Arc<Mutex<Deliveries>>);

impl Context {
    fn lock(&self) -> MutexGuard<'_, Deliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, destination: String, reason: String) {
        self.lock().failed.get_or_insert(DeliveryFailed {
            destination,
            reason,
        });
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fail("any topic".to_owned(), reason.to_owned());
        }
        tracing::warn!(%error, reason, "Kafka producer");
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, number: Box<u64>) {
        match result {
            Ok(_) => self.lock().acknowledge(*number),
            Err((error, message)) => self.fail(
                format!("{}/{}", message.topic(), message.partition()),
                error.to_string(),
            ),
        }
    }
}

pub(super) struct KafkaProducer {
    log: KafkaLog,
    client: BaseProducer<Context>,
    context: Context,
    sent: u64,
}

impl fmt::Debug for KafkaProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaProducer")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl KafkaProducer {
    pub(super) fn new(log: KafkaLog) -> Result<Self, StreamError> {
        let context = Context::default();
        let client = open(&log, context.clone())?;
        Ok(Self {
            log,
            client,
            context,
            sent: 0,
        })
    }
}

fn open(log: &KafkaLog, context: Context) -> Result<BaseProducer<Context>, StreamError> {
    let max_bytes = MAX_RECORD_BYTES.to_string();
    let tuning = [
        ("compression.type", "lz4"),
        ("linger.ms", "2"),
        ("queue.buffering.max.kbytes", "262144"),
    ];
    let fixed = [
        ("enable.idempotence", "true"),
        ("acks", "all"),
        // A record is never given up for being old.
        ("message.timeout.ms", "0"),
        ("message.max.bytes", max_bytes.as_str()),
    ];
    log.config(&tuning, &fixed)
        .create_with_context(context)
        .map_err(|error| log.fatal(&error))
}

impl Producer for KafkaProducer {
    fn send(&mut self, record: Outgoing) -> Result<u64, StreamError> {
        if let Some(failed) = &self.context.lock().failed {
            return Err(failed.clone().into());
        }
        let destination = TopicPartition::new(Arc::clone(&record.topic), record.partition);
        let number = self.sent + 1;
        let headers = record
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header {
                    key,
                    value: Some(value),
                })
            });
        let mut outgoing: BaseRecord<'_, [u8], [u8], Box<u64>> =
            BaseRecord::with_opaque_to(&record.topic, Box::new(number))
                .partition(record.partition as i32)
                .payload(record.value.as_slice());
        if !record.headers.is_empty() {
            outgoing = outgoing.headers(headers);
        }
        if let Some(key) = &record.key {
            outgoing = outgoing.key(key.as_slice());
        }
        if let Some(timestamp_ms) = record.timestamp_ms {
            outgoing = outgoing.timestamp(timestamp_ms);
        }
        loop {
            let Err((error, back)) = self.client.send(outgoing) else {
                self.sent = number;
                return Ok(number);
            };
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => {
                    self.client.poll(Duration::from_millis(10));
                    outgoing = back;
                }
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                    return Err(StreamError::TooLarge {
                        bytes: record.payload_bytes(),
                        destination,
                        limit: MAX_RECORD_BYTES,
                    });
                }
                Some(
                    RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownPartition,
                ) => {
                    return Err(StreamError::UnknownTopic {
                        topic: destination.to_string(),
                    });
                }
                Some(_) | None => {
                    let failed = DeliveryFailed {
                        destination: destination.to_string(),
                        reason: error.to_string(),
                    };
                    self.context.lock().failed = Some(failed.clone());
                    return Err(failed.into());
                }
            }
        }
    }

    fn poll(&mut self, max_wait: Duration) -> Result<u64, DeliveryFailed> {
        let is_waiting = self.context.lock().acknowledged < self.sent;
        self.client
            .poll(if is_waiting { max_wait } else { Duration::ZERO });
        let deliveries = self.context.lock();
        match &deliveries.failed {
            Some(failed) => Err(failed.clone()),
            None => Ok(deliveries.acknowledged),
        }
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn reset(&mut self) -> Result<(), StreamError> {
        let context = Context::default();
        context.lock().acknowledged = self.sent;
        self.client
            .purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
        self.client = open(&self.log, context.clone())?;
        self.context = context;
        Ok(())
    }
}
