//! Membership of a group: commits, what was committed, leaving.

use std::time::Duration;

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use crate::consumer::{Commit, CommitOutcome, Committed, Consumer};
use crate::error::StreamError;
use crate::kafka::REQUEST_TIMEOUT;
use crate::kafka::offsets::list_of;
use crate::record::TopicPartition;

use super::KafkaConsumer;

const FAREWELL_MS: u64 = 2_000;

impl Consumer for KafkaConsumer {
    fn commit(&mut self, commits: &[Commit]) -> CommitOutcome {
        let unknown = |error: KafkaError| CommitOutcome::Unknown {
            reason: error.to_string(),
        };
        let mut list = TopicPartitionList::with_capacity(commits.len());
        for commit in commits {
            let number = commit.partition.partition as i32;
            let offset = Offset::Offset(commit.offset);
            let added = list.add_partition_offset(&commit.partition.topic, number, offset);
            if let Err(error) = added {
                return unknown(error);
            }
            if let Some(mut element) = list.find_partition(&commit.partition.topic, number) {
                element.set_metadata(&commit.metadata);
            }
        }
        match self.client.commit(&list, CommitMode::Sync) {
            Ok(()) => CommitOutcome::Committed,
            Err(error) => match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::IllegalGeneration
                    | RDKafkaErrorCode::UnknownMemberId
                    | RDKafkaErrorCode::FencedInstanceId
                    | RDKafkaErrorCode::StaleMemberEpoch
                    | RDKafkaErrorCode::AssignmentLost,
                ) => CommitOutcome::Fenced {
                    reason: error.to_string(),
                },
                Some(_) | None => unknown(error),
            },
        }
    }

    fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<Committed>>, StreamError> {
        let answer = self
            .client
            .committed_offsets(list_of(partitions), REQUEST_TIMEOUT)
            .map_err(|error| self.log.unavailable(&error))?;
        partitions
            .iter()
            .map(|partition| {
                let number = partition.partition as i32;
                let Some(element) = answer.find_partition(&partition.topic, number) else {
                    return Ok(None);
                };
                element
                    .error()
                    .map_err(|error| self.log.unavailable(&error))?;
                Ok(match element.offset() {
                    Offset::Offset(offset) => Some(Committed {
                        offset,
                        metadata: element.metadata().to_owned(),
                    }),
                    Offset::Beginning
                    | Offset::End
                    | Offset::Stored
                    | Offset::Invalid
                    | Offset::OffsetTail(_) => None,
                })
            })
            .collect()
    }

    fn rejoin(&mut self) -> Result<(), StreamError> {
        self.client.unsubscribe();
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        self.client
            .subscribe(&topics)
            .map_err(|error| self.log.fatal(&error))
    }

    fn leave(&mut self) {
        self.client.unsubscribe();
        self.cursors.clear();
        // The group hears of it only when the client's callback has given everything up, which needs polling.
        let clock = &self.log.clock;
        let until_ms = clock.steady_ms() + FAREWELL_MS;
        let owns_some = || {
            self.client
                .assignment()
                .is_ok_and(|owned| owned.count() > 0)
        };
        while owns_some() && clock.steady_ms() < until_ms {
            drop(self.client.poll(Duration::from_millis(20)));
        }
        drop(self.client.context().take_changes());
    }
}
