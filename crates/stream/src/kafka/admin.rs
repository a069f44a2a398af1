//! What is asked of the cluster's administration: topics made, and the size of records that a topic takes.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;

use crate::error::StreamError;
use crate::log::{TimestampKind, TopicSpec};

use super::{KafkaLog, REQUEST_TIMEOUT};

impl KafkaLog {
    fn admin(&self) -> Result<AdminClient<DefaultClientContext>, StreamError> {
        self.config(&[], &[])
            .create()
            .map_err(|error| self.fatal(&error))
    }

    fn wait_for<F: Future>(&self, answer: F) -> Result<F::Output, StreamError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| StreamError::Fatal {
                what: self.what(),
                reason: error.to_string(),
            })?;
        Ok(runtime.block_on(answer))
    }

    pub(super) fn make_topic(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        // Where topics are made by others, asking may be all that is permitted.
        match self.partition_count(&self.asking()?, &spec.name) {
            Ok(actual) => return spec.check_partitions(actual),
            Err(StreamError::UnknownTopic { .. }) => {}
            Err(error) => return Err(error),
        }
        let admin = self.admin()?;
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
        let results = self
            .wait_for(admin.create_topics([&topic], &options))?
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

    /// A topic just made takes a moment to be known everywhere; one that was there may have another shape.
    fn check_shape(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        const ATTEMPTS: usize = 100;
        let client = self.asking()?;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.partition_count(&client, &spec.name) {
                Ok(actual) => return spec.check_partitions(actual),
                Err(error) => last = Some(error),
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Err(last.unwrap_or_else(|| StreamError::UnknownTopic {
            topic: spec.name.clone(),
        }))
    }

    /// The topic's `max.message.bytes`; `None` if nobody says.
    pub(super) fn max_message_bytes(&self, topic: &str) -> Option<usize> {
        let admin = self.admin().ok()?;
        let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
        let question = [ResourceSpecifier::Topic(topic)];
        let answer = self.wait_for(admin.describe_configs(&question, &options));
        let found = answer.ok()?.ok()?.into_iter().flatten().find(
            |found| matches!(&found.specifier, OwnedResourceSpecifier::Topic(name) if name == topic),
        )?;
        found.get("max.message.bytes")?.value.as_ref()?.parse().ok()
    }
}
