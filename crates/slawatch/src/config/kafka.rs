//! `[kafka]`: where the brokers are, and how to speak to them.

use std::collections::BTreeMap;

use serde::Deserialize;
use slawatch_stream::KafkaOptions;

use super::Secret;

/// Where Kafka is.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Further properties of librdkafka, such as those of TLS and SASL. Any may be a secret.
    pub properties: BTreeMap<String, Secret>,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            properties: BTreeMap::new(),
        }
    }
}

impl Kafka {
    /// For the log.
    pub fn options(&self) -> KafkaOptions {
        let properties = self.properties.iter();
        KafkaOptions {
            brokers: self.brokers.clone(),
            properties: properties
                .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                .collect(),
        }
    }
}
