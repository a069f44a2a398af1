//! An idempotent producer whose acknowledgements are counted.
//!
//! The size that a topic takes (`max.message.bytes`) is checked by the broker, for a whole batch and after compression.
//! A record that is refused although it is small enough alone fell victim to its batch: then batches are made smaller.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig,
};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::StreamError;
use crate::producer::{DeliveryFailed, MAX_SENT_BYTES, Producer};
use crate::record::{Outgoing, TopicPartition};

use super::KafkaLog;

/// librdkafka's own default.
const BATCH_BYTES: usize = 1_000_000;
/// What a batch of one record adds to it, at most.
const FRAMING_BYTES: usize = 200;

#[derive(Debug, Default)]
struct Deliveries {
    /// Every send up to here is acknowledged.
    acknowledged: u64,
    /// Acknowledged sends beyond a gap.
    beyond: BTreeSet<u64>,
    failed: Option<DeliveryFailed>,
    /// The largest record that was refused for its size, to be looked into.
    refused: Option<Refused>,
}

#[derive(Debug)]
struct Refused {
    number: u64,
    destination: TopicPartition,
    bytes: usize,
}

impl Deliveries {
    fn acknowledge(&mut self, number: u64) {
        self.beyond.insert(number);
        while self.beyond.remove(&(self.acknowledged + 1)) {
            self.acknowledged += 1;
        }
    }

    fn refuse(&mut self, refused: Refused) {
        if self
            .refused
            .as_ref()
            .is_none_or(|largest| largest.bytes < refused.bytes)
        {
            self.refused = Some(refused);
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
        let failed = DeliveryFailed::Lost {
            destination,
            reason,
        };
        self.lock().failed.get_or_insert(failed);
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
            Err((error, message)) => {
                let destination = TopicPartition::new(message.topic(), message.partition() as u32);
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
                    self.lock().refuse(Refused {
                        number: *number,
                        destination,
                        bytes: payload_bytes(message),
                    });
                } else {
                    self.fail(destination.to_string(), error.to_string());
                }
            }
        }
    }
}

/// What counts against a topic's limit, as [`Outgoing::payload_bytes`] does.
fn payload_bytes(message: &BorrowedMessage<'_>) -> usize {
    let headers = message.headers().map_or(0, |headers| {
        let lengths = headers
            .iter()
            .map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len));
        lengths.sum()
    });
    message.key_len() + message.payload_len() + headers
}

pub(super) struct KafkaProducer {
    log: KafkaLog,
    client: BaseProducer<Context>,
    context: Context,
    sent: u64,
    batch_bytes: usize,
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
        let client = open(&log, context.clone(), BATCH_BYTES)?;
        Ok(Self {
            log,
            client,
            context,
            sent: 0,
            batch_bytes: BATCH_BYTES,
        })
    }

    /// Finds out why a record was refused for its size.
    fn judge(&mut self, refused: Refused) -> DeliveryFailed {
        let Refused {
            number,
            destination,
            bytes,
        } = refused;
        let limit = self.log.max_message_bytes(&destination.topic);
        match limit {
            Some(limit) if bytes + FRAMING_BYTES <= limit && limit <= self.batch_bytes => {
                self.batch_bytes = limit * 9 / 10;
                DeliveryFailed::Lost {
                    destination: destination.to_string(),
                    reason: format!(
                        "its batch was larger than the topic's max.message.bytes of {limit}; batches are smaller from now on"
                    ),
                }
            }
            Some(_) | None => DeliveryFailed::TooLarge {
                number,
                destination,
                bytes,
                limit,
            },
        }
    }
}

fn open(
    log: &KafkaLog,
    context: Context,
    batch_bytes: usize,
) -> Result<BaseProducer<Context>, StreamError> {
    let (max_bytes, batch_bytes) = (MAX_SENT_BYTES.to_string(), batch_bytes.to_string());
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
        ("batch.size", batch_bytes.as_str()),
    ];
    log.config(&tuning, &fixed)
        .create_with_context(context)
        .map_err(|error| log.fatal(&error))
}

/// The headers in the client's own form; `None` without any.
fn headers_of(record: &Outgoing) -> Option<OwnedHeaders> {
    if record.headers.is_empty() {
        return None;
    }
    let add = |headers: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    };
    Some(record.headers.iter().fold(OwnedHeaders::new(), add))
}

impl Producer for KafkaProducer {
    fn send(&mut self, record: Outgoing) -> Result<u64, StreamError> {
        if let Some(failed) = &self.context.lock().failed {
            return Err(failed.clone().into());
        }
        let destination = TopicPartition::new(Arc::clone(&record.topic), record.partition);
        let number = self.sent + 1;
        let mut outgoing: BaseRecord<'_, [u8], [u8], Box<u64>> =
            BaseRecord::with_opaque_to(&record.topic, Box::new(number))
                .partition(record.partition as i32)
                .payload(record.value.as_slice());
        if let Some(headers) = headers_of(&record) {
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
                        limit: MAX_SENT_BYTES,
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
                    let failed = DeliveryFailed::Lost {
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
        let refused = self.context.lock().refused.take();
        if let Some(refused) = refused {
            let failed = self.judge(refused);
            self.context.lock().failed.get_or_insert(failed);
        }
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
        self.client.purge(PurgeConfig::default().queue().inflight());
        self.client = open(&self.log, context.clone(), self.batch_bytes)?;
        self.context = context;
        Ok(())
    }
}
