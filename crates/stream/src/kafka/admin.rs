//! What is asked of the cluster's administration: topics made, and the size of records that a topic takes.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
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
            Ok(actual) => {
                warn_of_single_copies(&self.asking()?, &spec.name);
                return spec.check_partitions(actual);
            }
            Err(StreamError::UnknownTopic { .. }) => {}
            Err(error) => return Err(error),
        }
        let admin = self.admin()?;
        let retention_ms = spec
            .retention_ms
            .map_or_else(|| "-1".to_owned(), |ms| ms.to_string());
        let max_bytes = spec.max_record_bytes.to_string();
        let in_sync = majority(spec.replication).to_string();
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
        .set("min.insync.replicas", &in_sync)
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
                Ok(actual) => {
                    warn_of_single_copies(&client, &spec.name);
                    return spec.check_partitions(actual);
                }
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
        let [bytes] = self.topic_settings(topic, ["max.message.bytes"])?;
        bytes?.parse().ok()
    }

    /// Settings of a topic by their names; `None` if nobody says.
    pub(super) fn topic_settings<const N: usize>(
        &self,
        topic: &str,
        names: [&str; N],
    ) -> Option<[Option<String>; N]> {
        let admin = self.admin().ok()?;
        let options = AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT));
        let question = [ResourceSpecifier::Topic(topic)];
        let answer = self.wait_for(admin.describe_configs(&question, &options));
        let found = answer.ok()?.ok()?.into_iter().flatten().find(
            |found| matches!(&found.specifier, OwnedResourceSpecifier::Topic(name) if name == topic),
        )?;
        Some(names.map(|name| found.get(name)?.value.clone()))
    }
}

/// How many copies must have a record before it counts as written: so many that any two such sets share one, and none is
/// lost with a minority of the brokers.
fn majority(replication: u16) -> u16 {
    replication / 2 + 1
}

/// A record that only one of several brokers has is lost with it, acknowledged or not. Nothing more than a warning, since a
/// topic may have been made so on purpose.
fn warn_of_single_copies(client: &BaseConsumer, topic: &str) {
    let Ok(metadata) = client.fetch_metadata(Some(topic), REQUEST_TIMEOUT) else {
        return;
    };
    let brokers = metadata.brokers().len();
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = found.map_or(&[][..], |found| found.partitions());
    let copies = partitions
        .iter()
        .map(|partition| partition.replicas().len());
    if let Some(warning) = copies
        .min()
        .and_then(|copies| single_copy(topic, copies, brokers))
    {
        tracing::warn!("{warning}");
    }
}

fn single_copy(topic: &str, copies: usize, brokers: usize) -> Option<String> {
    (copies == 1 && brokers > 1).then(|| {
        format!(
            "topic {topic} has one copy of each record on a cluster of {brokers} brokers: what is on a broker that fails is \
             lost. Add copies with kafka-reassign-partitions.sh; topics.replication = 3 makes further topics so"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_copies_must_have_what_is_acknowledged() {
        let needed = [1, 2, 3, 4, 5].map(majority);
        assert_eq!(needed, [1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_single_copy_is_told_where_there_could_be_more() {
        assert_eq!(single_copy("t", 1, 1), None);
        assert_eq!(single_copy("t", 2, 3), None);
        let told = single_copy("t", 1, 3).unwrap();
        assert!(
            told.starts_with("topic t has one copy of each record on a cluster of 3 brokers"),
            "{told}"
        );
    }
}
