//! Where partitions start, stop and go on.

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;

use crate::consumer::{LogReader as _, OffsetRange};
use crate::error::StreamError;
use crate::log::StartAt;
use crate::record::TopicPartition;

use super::KafkaConsumer;
use crate::kafka::REQUEST_TIMEOUT;
use crate::kafka::offsets::{list_at, list_of, offset_at_time, ranges};

impl KafkaConsumer {
    /// Lets the client fetch from `offset` on.
    ///
    /// It refuses to move a partition that it does not fetch, be it because the assignment has not got through yet or
    /// because it gave up over an offset that is out of range; such a one is given back and taken on again at the
    /// offset wanted.
    pub(super) fn fetch_from(
        &self,
        partition: &TopicPartition,
        offset: i64,
    ) -> Result<(), StreamError> {
        let unavailable = |error: KafkaError| self.log.unavailable(&error);
        let wanted = list_at([partition], Offset::Offset(offset)).map_err(unavailable)?;
        let answer = self
            .client
            .seek_partitions(wanted, REQUEST_TIMEOUT)
            .map_err(unavailable)?;
        let found = answer.find_partition(&partition.topic, partition.partition as i32);
        match found.map(|element| element.error()) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State) => {
                self.take_on_at(partition, offset).map_err(unavailable)
            }
            Some(Err(error)) => Err(unavailable(error)),
            None => Err(StreamError::NotAssigned {
                partition: partition.clone(),
            }),
        }
    }

    fn take_on_at(&self, partition: &TopicPartition, offset: i64) -> Result<(), KafkaError> {
        tracing::debug!(%partition, offset, "started again");
        let list = list_of([partition]);
        self.client.incremental_unassign(&list)?;
        self.client
            .incremental_assign(&list_at([partition], Offset::Offset(offset))?)?;
        let cursor = self.cursors.find(partition);
        if cursor.is_some_and(|cursor| cursor.is_paused) {
            // Nothing promises that the client still knows.
            self.client.pause(&list)?;
        }
        Ok(())
    }

    /// The client says that some position is out of range, but not which. Tells of those that are; if none is (the
    /// log has moved on, or the client asked for an offset that nobody wants any more), starts all again.
    pub(super) fn look_into_range(
        &mut self,
        tell: &mut dyn FnMut(&TopicPartition, i64, OffsetRange),
    ) -> Result<(), StreamError> {
        let started: Vec<(TopicPartition, i64)> = self
            .cursors
            .iter()
            .filter(|cursor| !cursor.is_out_of_range)
            .filter_map(|cursor| Some((cursor.partition.clone(), cursor.position?)))
            .collect();
        let partitions: Vec<&TopicPartition> = started.iter().map(|(at, _)| at).collect();
        let found = ranges(&self.client, &partitions).map_err(|error| self.log.unavailable(&error));
        let found = found?;
        let mut none = true;
        for ((partition, position), range) in started.iter().zip(&found) {
            let Some(range) = range else { continue };
            if (range.low..=range.high).contains(position) {
                continue;
            }
            none = false;
            if let Ok(cursor) = self.cursors.get_mut(partition) {
                cursor.is_out_of_range = true;
            }
            tell(partition, *position, *range);
        }
        if none {
            for (partition, position) in &started {
                self.fetch_from(partition, *position)?;
            }
        }
        Ok(())
    }
}

/// Where a reader outside a group begins.
pub(super) fn beginning_of(
    reader: &mut KafkaConsumer,
    partition: &TopicPartition,
    from: StartAt,
) -> Result<i64, StreamError> {
    let range = reader.offsets(partition)?;
    match from {
        StartAt::Beginning => Ok(range.low),
        StartAt::End => Ok(range.high),
        StartAt::TimestampMs(timestamp_ms) => {
            let found = offset_at_time(&reader.client, partition, timestamp_ms)
                .map_err(|error| reader.log.unavailable(&error))?;
            // Nothing as young as that.
            Ok(found.unwrap_or(range.high))
        }
    }
}
