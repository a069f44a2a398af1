//! `[kafka]`: where the brokers are, and how to speak to them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Where Kafka is.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Further properties of librdkafka, such as those of TLS and SASL.
    pub properties: BTreeMap<String, String>,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            properties: BTreeMap::new(),
        }
    }
}
