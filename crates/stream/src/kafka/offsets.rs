//! Lists of partitions, and questions about their offsets: one request per leader, never answered from a cache.

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::consumer::OffsetRange;
use crate::record::TopicPartition;

use super::REQUEST_TIMEOUT;

pub(super) fn list_of<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition as i32);
    }
    list
}

pub(super) fn list_at<'a>(
    partitions: impl IntoIterator<Item = &'a TopicPartition>,
    offset: Offset,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = list_of(partitions);
    list.set_all_offsets(offset)?;
    Ok(list)
}

/// The offset in `answer`, if there is one and no error.
pub(super) fn offset_in(answer: &TopicPartitionList, partition: &TopicPartition) -> Option<i64> {
    let element = answer.find_partition(&partition.topic, partition.partition as i32)?;
    element.error().ok()?;
    match element.offset() {
        Offset::Offset(offset) => Some(offset),
        Offset::Beginning
        | Offset::End
        | Offset::Stored
        | Offset::Invalid
        | Offset::OffsetTail(_) => None,
    }
}

/// The ranges of these partitions, in their order; `None` where the leader did not answer.
pub(super) fn ranges<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    partitions: &[&TopicPartition],
) -> Result<Vec<Option<OffsetRange>>, KafkaError> {
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    let ask = |edge| {
        let question = list_at(partitions.iter().copied(), edge)?;
        client.offsets_for_times(question, REQUEST_TIMEOUT)
    };
    let (lows, highs) = (ask(Offset::Beginning)?, ask(Offset::End)?);
    let range = |partition: &&TopicPartition| {
        Some(OffsetRange {
            low: offset_in(&lows, partition)?,
            high: offset_in(&highs, partition)?,
        })
    };
    Ok(partitions.iter().map(range).collect())
}

/// The first offset whose record has that timestamp or a later one.
pub(super) fn offset_at_time<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    partition: &TopicPartition,
    timestamp_ms: i64,
) -> Result<Option<i64>, KafkaError> {
    let question = list_at([partition], Offset::Offset(timestamp_ms.max(0)))?;
    let answer = client.offsets_for_times(question, REQUEST_TIMEOUT)?;
    Ok(offset_in(&answer, partition))
}
