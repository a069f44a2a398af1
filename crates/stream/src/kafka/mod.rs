//! Apache Kafka behind the traits of this crate, through librdkafka.
//!
//! Consumers are `BaseConsumer`s polled by the thread that owns them; nothing is fetched of an assigned partition before
//! [`crate::LogReader::seek`] says where it starts. Producers are idempotent with `acks=all` and never give a record up
//! by themselves. A probe has a client and a thread of its own.

mod consumer;
mod probe;
mod producer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::clock::Clock;
use crate::consumer::{Consumer, LogReader};
use crate::error::StreamError;
use crate::log::{Log, StartAt, TimestampKind, TopicSpec};
use crate::probe::EndProbe;
use crate::producer::Producer;
use crate::record::TopicPartition;

use consumer::KafkaConsumer;
use probe::KafkaProbe;
use producer::KafkaProducer;

/// How long a question to the brokers may take before it is asked again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the brokers are, and how to speak to them.
#[derive(Clone, Default)]
pub struct KafkaOptions {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Further properties of librdkafka for every client, such as those of TLS and SASL. They go before slawatch's own
    /// tuning, but not before what correctness rests on.
    pub properties: BTreeMap<String, String>,
}

impl fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Properties may hold passwords.
        f.debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("properties", &self.properties.keys())
            .finish()
    }
}

/// A Kafka cluster.
#[derive(Clone)]
pub struct KafkaLog {
    options: Arc<KafkaOptions>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl KafkaLog {
    /// A cluster, not yet spoken to. `clock` stamps the probe's questions.
    pub fn new(options: KafkaOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            options: Arc::new(options),
            clock,
        }
    }

    fn what(&self) -> String {
        format!("Kafka at {}", self.options.brokers)
    }

    /// A configuration with `tuning` below the user's properties and `fixed` above them.
    fn config(&self, tuning: &[(&str, &str)], fixed: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in tuning {
            config.set(*key, *value);
        }
        for (key, value) in &self.options.properties {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.options.brokers);
        for (key, value) in fixed {
            config.set(*key, *value);
        }
        config
    }

    /// A client that only asks.
    fn asking(&self) -> Result<BaseConsumer, StreamError> {
        let config = self.config(&[], &[("enable.auto.commit", "false")]);
        config.create().map_err(|error| self.fatal(&error))
    }

    fn fatal(&self, error: &KafkaError) -> StreamError {
        StreamError::Fatal {
            what: self.what(),
            reason: error.to_string(),
        }
    }

    fn unavailable(&self, error: &KafkaError) -> StreamError {
        StreamError::Unavailable {
            what: self.what(),
            reason: error.to_string(),
        }
    }

    fn partition_count(&self, client: &BaseConsumer, topic: &str) -> Result<u32, StreamError> {
        let metadata = client
            .fetch_metadata(Some(topic), REQUEST_TIMEOUT)
            .map_err(|error| self.unavailable(&error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        match found {
            Some(found) if found.error().is_none() && !found.partitions().is_empty() => {
                Ok(found.partitions().len() as u32)
            }
            Some(_) | None => Err(StreamError::UnknownTopic {
                topic: topic.to_owned(),
            }),
        }
    }
}

impl Log for KafkaLog {
    fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        self.partition_count(&self.asking()?, topic)
    }

    fn create_topic(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        let admin: AdminClient<DefaultClientContext> = self
            .config(&[], &[])
            .create()
            .map_err(|error| self.fatal(&error))?;
        let retention_ms = spec
            .retention_ms
            .map_or_else(|| "-1".to_owned(), |ms| ms.to_string());
        let max_bytes = spec.max_record_bytes.to_string();
        let timestamps = match spec.timestamps {
            TimestampKind::Create => "CreateTime",
            TimestampKind::LogAppend => "LogAppendTime",
        };
        let topic = NewTopic::new(
            &spec.name,
            spec.partitions as i32,
            TopicReplication::Fixed(i32::from(spec.replication)),
        )
        .set("message.timestamp.type", timestamps)
        .set("retention.ms", &retention_ms)
        .set("max.message.bytes", &max_bytes);
        let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| StreamError::Fatal {
                what: self.what(),
                reason: error.to_string(),
            })?;
        let results = runtime
            .block_on(admin.create_topics([&topic], &options))
            .map_err(|error| self.unavailable(&error))?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => {
                    return Err(StreamError::Unavailable {
                        what: format!("creating topic {}", spec.name),
                        reason: code.to_string(),
                    });
                }
            }
        }
        self.check_shape(spec)
    }

    fn member(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, StreamError> {
        Ok(Box::new(KafkaConsumer::member(self, group, topics)?))
    }

    fn reader(
        &self,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Box<dyn LogReader>, StreamError> {
        Ok(Box::new(KafkaConsumer::alone(self, partitions, from)?))
    }

    fn producer(&self) -> Result<Box<dyn Producer>, StreamError> {
        Ok(Box::new(KafkaProducer::new(self.clone())?))
    }

    fn end_probe(&self, topic: &str) -> Result<Box<dyn EndProbe>, StreamError> {
        let client = self.asking()?;
        let partitions = self.partition_count(&client, topic)?;
        let clock = Arc::clone(&self.clock);
        Ok(Box::new(KafkaProbe::start(
            client, topic, partitions, clock,
        )))
    }
}

impl KafkaLog {
    /// A topic just made takes a moment to be known everywhere; one that was there may have another shape.
    fn check_shape(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        const ATTEMPTS: usize = 100;
        let client = self.asking()?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.partition_count(&client, &spec.name) {
                Ok(actual) if actual == spec.partitions => return Ok(()),
                Ok(actual) => {
                    return Err(StreamError::TopicDiffers {
                        topic: spec.name.clone(),
                        wanted: spec.partitions,
                        actual,
                    });
                }
                Err(error) => last = Some(error),
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Err(last.unwrap_or_else(|| StreamError::UnknownTopic {
            topic: spec.name.clone(),
        }))
    }
}
