//! Apache Kafka behind the traits of this crate, through librdkafka.
//!
//! Consumers are `BaseConsumer`s polled by the thread that owns them; nothing is fetched of an assigned partition before
//! [`crate::LogReader::seek`] says where it starts. Producers are idempotent with `acks=all` and never give a record up
//! by themselves. The probe has a client and a thread of its own, one for all that follow.

mod admin;
mod consumer;
mod offsets;
mod probe;
mod producer;
mod timestamps;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;

use crate::clock::Clock;
use crate::consumer::{Consumer, LogReader};
use crate::error::StreamError;
use crate::log::{Log, StartAt, TopicSpec};
use crate::probe::EndProbe;
use crate::producer::Producer;
use crate::record::TopicPartition;

use consumer::KafkaConsumer;
use probe::Probes;
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

/// A Kafka cluster. Clones share its probe.
#[derive(Clone)]
pub struct KafkaLog {
    options: Arc<KafkaOptions>,
    clock: Arc<dyn Clock>,
    probes: Arc<Probes>,
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
            probes: Arc::default(),
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
        let reason = match error {
            // The last field is the property's value, which may be a password.
            KafkaError::ClientConfig(_, why, property, _) => {
                format!("property {property} cannot be used: {why}")
            }
            error => error.to_string(),
        };
        StreamError::Fatal {
            what: self.what(),
            reason,
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
        self.make_topic(spec)
    }

    fn timestamp_trouble(&self, topic: &str) -> Option<String> {
        timestamps::trouble(self, topic)
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
        let partitions = Log::partitions(self, topic)?;
        let probe = self
            .probes
            .follow(topic, partitions, &self.clock, || self.asking())?;
        Ok(Box::new(probe))
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::types::RDKafkaConfRes;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_property_that_cannot_be_used_is_named_without_its_value() {
        let options = KafkaOptions {
            brokers: "localhost:1".to_owned(),
            properties: BTreeMap::from([("sasl.pasword".to_owned(), "planted".to_owned())]),
        };
        assert!(!format!("{options:?}").contains("planted"));
        let log = KafkaLog::new(options, Arc::new(SystemClock::new()));
        for error in [
            log.partitions("t").unwrap_err(),
            log.fatal(&KafkaError::ClientConfig(
                RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN,
                "why".to_owned(),
                "sasl.pasword".to_owned(),
                "planted".to_owned(),
            )),
        ] {
            let text = format!("{error} {error:?}");
            assert!(
                text.contains("property sasl.pasword cannot be used: "),
                "{text}"
            );
            assert!(!text.contains("planted"), "{text}");
        }
    }
}
