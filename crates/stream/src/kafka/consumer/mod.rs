//! A consumer, alone or in a group.
//!
//! A partition that the group assigns is taken on paused at offset 0, which fetches nothing, until `seek` says where
//! its worker wants to start ([`callbacks`]). What is delivered is decided by [`cursor`]; how the client is moved is in
//! [`start`], and what only members of a group do in [`group`].

mod callbacks;
mod cursor;
mod group;
mod headers;
mod start;

use std::fmt;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;

use crate::consumer::{ConsumerEvent, LogReader, OffsetRange, PollHandler};
use crate::error::StreamError;
use crate::log::StartAt;
use crate::record::{Headers, Record, TopicPartition};

use super::offsets::{list_at, list_of};
use super::{KafkaLog, REQUEST_TIMEOUT};

use callbacks::{Callbacks, Change};
use cursor::{Cursor, Cursors};
use headers::MessageHeaders;

pub(super) struct KafkaConsumer {
    log: KafkaLog,
    client: BaseConsumer<Callbacks>,
    /// The topics shared out by the group; empty for a reader outside one.
    topics: Vec<String>,
    cursors: Cursors,
    is_announced: bool,
    /// Some position is out of range, and it is not known yet which.
    looks_into_range: bool,
}

impl fmt::Debug for KafkaConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConsumer")
            .field("cursors", &self.cursors)
            .finish_non_exhaustive()
    }
}

impl KafkaConsumer {
    fn new(log: &KafkaLog, group: &str, topics: &[&str]) -> Result<Self, StreamError> {
        Ok(Self {
            log: log.clone(),
            client: open(log, group)?,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            cursors: Cursors::default(),
            is_announced: true,
            looks_into_range: false,
        })
    }

    pub(super) fn member(
        log: &KafkaLog,
        group: &str,
        topics: &[&str],
    ) -> Result<Self, StreamError> {
        let member = Self::new(log, group, topics)?;
        member
            .client
            .subscribe(topics)
            .map_err(|error| log.fatal(&error))?;
        Ok(member)
    }

    pub(super) fn alone(
        log: &KafkaLog,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Self, StreamError> {
        let mut reader = Self::new(log, "slawatch-reader", &[])?;
        reader.is_announced = false;
        for partition in partitions {
            let offset = start::beginning_of(&mut reader, partition, from)?;
            list_at([partition], Offset::Offset(offset))
                .and_then(|list| reader.client.incremental_assign(&list))
                .map_err(|error| log.fatal(&error))?;
            reader
                .cursors
                .add(Cursor::new(partition.clone(), Some(offset)));
        }
        Ok(reader)
    }

    /// Tells of rebalances. True if there was anything to tell.
    fn tell_changes(&mut self, handler: &mut dyn PollHandler) -> bool {
        if !self.is_announced {
            self.is_announced = true;
            let all: Vec<_> = self.cursors.iter().map(|c| c.partition.clone()).collect();
            handler.event(ConsumerEvent::Assigned(&all));
            return true;
        }
        let changes = self.client.context().take_changes();
        for change in &changes {
            match change {
                Change::Assigned(partitions) => {
                    self.cursors.remove(partitions);
                    for partition in partitions {
                        self.cursors.add(Cursor::new(partition.clone(), None));
                    }
                    handler.event(ConsumerEvent::Assigned(partitions));
                }
                Change::Revoked(partitions) => {
                    self.cursors.remove(partitions);
                    handler.event(ConsumerEvent::Revoked(partitions));
                }
                Change::Lost(partitions) => {
                    self.cursors.remove(partitions);
                    handler.event(ConsumerEvent::Lost(partitions));
                }
            }
        }
        !changes.is_empty()
    }

    /// Tells of partitions that stand out of range. True if there was anything to tell.
    fn tell_out_of_range(&mut self, handler: &mut dyn PollHandler) -> bool {
        if !self.looks_into_range {
            return false;
        }
        let mut told = false;
        let looked = self.look_into_range(&mut |partition, position, range| {
            told = true;
            handler.event(if position < range.low {
                ConsumerEvent::OffsetsGone {
                    partition,
                    position,
                    low: range.low,
                }
            } else {
                ConsumerEvent::OffsetsAhead {
                    partition,
                    position,
                    range,
                }
            });
        });
        match looked {
            Ok(()) => self.looks_into_range = false,
            Err(error) => tracing::warn!(%error, "which offset is out of range?"),
        }
        told
    }

    /// Tells that a partition's tail holds no record, if it does not.
    fn tell_end(&mut self, number: i32, handler: &mut dyn PollHandler) {
        let Some(end) = self.client.context().take_end() else {
            return;
        };
        // Readers of several topics go without: the client does not say whose end it is.
        let Some(cursor) = self.cursors.only_mut(number as u32) else {
            return;
        };
        if !cursor.is_paused && cursor.position.is_some_and(|position| position < end) {
            cursor.position = Some(end);
            handler.event(ConsumerEvent::EndReached {
                partition: &cursor.partition,
                end,
            });
        }
    }
}

/// Hands the message on if it is still wanted; true if it was.
fn deliver(
    cursors: &mut Cursors,
    message: &BorrowedMessage<'_>,
    handler: &mut dyn PollHandler,
) -> bool {
    let partition = message.partition() as u32;
    let offset = message.offset();
    let cursor = cursors.find_mut(message.topic(), partition);
    let Some(cursor) = cursor.filter(|cursor| cursor.takes(offset)) else {
        return false;
    };
    cursor.position = Some(offset + 1);
    let headers = MessageHeaders(message);
    handler.record(&Record {
        topic: message.topic(),
        partition,
        offset,
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
        key: message.key(),
        value: message.payload(),
        headers: Headers::new(&headers),
    });
    true
}

fn open(log: &KafkaLog, group: &str) -> Result<BaseConsumer<Callbacks>, StreamError> {
    let tuning = [
        // The default of a second stalls a consumer that is faster than its fetches.
        ("fetch.queue.backoff.ms", "2"),
        ("queued.min.messages", "100000"),
        ("queued.max.messages.kbytes", "65536"),
        ("fetch.message.max.bytes", "8388608"),
        // Also how long it takes to learn that a partition has ended.
        ("fetch.wait.max.ms", "100"),
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "1000"),
        ("max.poll.interval.ms", "300000"),
        // A record that was damaged on its way is fetched again.
        ("check.crcs", "true"),
    ];
    let fixed = [
        ("group.id", group),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        // Aborted transactions and compaction leave tails that no record tells of.
        ("enable.partition.eof", "true"),
    ];
    log.config(&tuning, &fixed)
        .create_with_context(Callbacks::default())
        .map_err(|error| log.fatal(&error))
}

impl LogReader for KafkaConsumer {
    fn poll(
        &mut self,
        max_wait: Duration,
        max_records: usize,
        handler: &mut dyn PollHandler,
    ) -> Result<usize, StreamError> {
        if self.tell_changes(handler) || self.tell_out_of_range(handler) {
            return Ok(0);
        }
        let mut delivered = 0;
        let mut wait = max_wait;
        while delivered < max_records {
            let polled = self.client.poll(wait);
            wait = Duration::ZERO;
            match polled {
                None => {
                    self.tell_changes(handler);
                    break;
                }
                Some(Ok(message)) => {
                    delivered += usize::from(deliver(&mut self.cursors, &message, handler));
                }
                Some(Err(KafkaError::PartitionEOF(number))) => self.tell_end(number, handler),
                Some(Err(error)) => {
                    match error.rdkafka_error_code() {
                        Some(RDKafkaErrorCode::AutoOffsetReset) => {
                            self.looks_into_range = true;
                            self.tell_out_of_range(handler);
                        }
                        Some(RDKafkaErrorCode::Fatal) => return Err(self.log.fatal(&error)),
                        Some(_) | None => tracing::warn!(%error, "reading from Kafka"),
                    }
                    break;
                }
            }
        }
        Ok(delivered)
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), StreamError> {
        let cursor = self.cursors.get_mut(partition)?;
        let is_paused = cursor.is_paused;
        cursor.position = None;
        self.fetch_from(partition, offset)?;
        let cursor = self.cursors.get_mut(partition)?;
        cursor.position = Some(offset);
        cursor.is_out_of_range = false;
        if is_paused {
            return Ok(());
        }
        self.client
            .resume(&list_of([partition]))
            .map_err(|error| self.log.unavailable(&error))
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        for partition in partitions {
            self.cursors.get_mut(partition)?;
        }
        self.client
            .pause(&list_of(partitions))
            .map_err(|error| self.log.unavailable(&error))?;
        for partition in partitions {
            self.cursors.get_mut(partition)?.is_paused = true;
        }
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        let mut started = Vec::with_capacity(partitions.len());
        for partition in partitions {
            // One that has no position yet is resumed by its seek.
            if self.cursors.get_mut(partition)?.position.is_some() {
                started.push(partition);
            }
        }
        // The client drops what it had read ahead when the pause began, and goes on behind what it has handed out.
        self.client
            .resume(&list_of(started))
            .map_err(|error| self.log.unavailable(&error))?;
        for partition in partitions {
            self.cursors.get_mut(partition)?.is_paused = false;
        }
        Ok(())
    }

    fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.cursors.find(partition)?.position
    }

    fn offsets(&mut self, partition: &TopicPartition) -> Result<OffsetRange, StreamError> {
        let (low, high) = self
            .client
            .fetch_watermarks(
                &partition.topic,
                partition.partition as i32,
                REQUEST_TIMEOUT,
            )
            .map_err(|error| match error.rdkafka_error_code() {
                Some(
                    RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownTopicOrPartition,
                ) => StreamError::UnknownTopic {
                    topic: partition.to_string(),
                },
                Some(_) | None => self.log.unavailable(&error),
            })?;
        Ok(OffsetRange { low, high })
    }
}
