//! What librdkafka tells from inside a poll, kept until the poll returns: rebalances, and where a partition ended.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use crate::record::TopicPartition;

/// What a rebalance brought, in the order of its callbacks.
#[derive(Debug)]
pub(super) enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

#[derive(Debug, Default)]
struct Told {
    changes: Vec<Change>,
    end: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Callbacks(Mutex<Told>);

impl Callbacks {
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.lock().changes)
    }

    /// The offset of the end of partition that the poll is about to return.
    pub(super) fn take_end(&self) -> Option<i64> {
        self.lock().end.take()
    }
}

impl ClientContext for Callbacks {
    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PartitionEOF) => self.lock().end = end_offset(reason),
            // The poll returns it too, and there it is looked into.
            Some(RDKafkaErrorCode::AutoOffsetReset) => {}
            Some(_) | None => tracing::warn!(%error, reason, "Kafka consumer"),
        }
    }
}

/// The error that `rdkafka` makes of an end of partition names neither topic nor offset; librdkafka's words hold the
/// offset: "Fetch from broker 1 reached end of partition at offset 12 (HighwaterMark 12)".
fn end_offset(reason: &str) -> Option<i64> {
    let (_, behind) = reason.split_once("reached end of partition at offset ")?;
    let digits = behind
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

impl ConsumerContext for Callbacks {
    /// Runs inside `poll`, on the thread that owns the consumer.
    ///
    /// What is assigned is taken on paused, so that nothing is fetched before a seek says from where. The client may
    /// have asked for offset 0 before the pause got through; a partition that it stopped over that is started again
    /// by the seek.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        tpl: &mut TopicPartitionList,
    ) {
        let partitions = partitions_of(tpl);
        let done = if err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let assigned = tpl
                .set_all_offsets(Offset::Offset(0))
                .and_then(|()| consumer.incremental_assign(tpl))
                .and_then(|()| consumer.pause(tpl));
            self.lock().changes.push(Change::Assigned(partitions));
            assigned
        } else {
            self.lock().changes.push(if consumer.assignment_lost() {
                Change::Lost(partitions)
            } else {
                Change::Revoked(partitions)
            });
            consumer.incremental_unassign(tpl)
        };
        if let Err(error) = done {
            tracing::warn!(%error, "rebalancing");
        }
    }
}

fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    elements
        .iter()
        .map(|element| TopicPartition::new(element.topic(), element.partition() as u32))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_out_of_the_clients_words() {
        let cases = [
            (
                "Fetch from broker 1 reached end of partition at offset 1476 (HighwaterMark 1477)",
                Some(1476),
            ),
            ("reached end of partition at offset 0", Some(0)),
            ("reached end of partition at offset INVALID", None),
            ("Fetch from broker 1 failed", None),
        ];
        for (words, expected) in cases {
            assert_eq!(end_offset(words), expected, "{words}");
        }
    }
}
