//! A consumer, alone or in a group.
//!
//! A partition that the group assigns is taken on paused at offset 0, which fetches nothing, until `seek` says where
//! its worker wants to start. Every record is checked against its partition's cursor, so that nothing read ahead before
//! a seek is delivered after it.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use crate::consumer::{
    Commit, CommitOutcome, Committed, Consumer, ConsumerEvent, LogReader, OffsetRange, PollHandler,
};
use crate::error::StreamError;
use crate::log::StartAt;
use crate::record::{HeaderSource, Headers, Record, TopicPartition};

use super::{KafkaLog, REQUEST_TIMEOUT};

/// What a rebalance brought, in the order of its callbacks.
#[derive(Debug)]
enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

#[derive(Debug, Default)]
struct Context(Mutex<Vec<Change>>);

impl Context {
    fn push(&self, change: Change) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(change);
    }

    fn take(&self) -> Vec<Change> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka consumer");
    }
}

impl ConsumerContext for Context {
    /// Runs inside `poll`, on the thread that owns the consumer.
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
            self.push(Change::Assigned(partitions));
            assigned
        } else {
            let is_lost = consumer.assignment_lost();
            self.push(if is_lost {
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

fn list_of<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(&partition.topic, partition.partition as i32);
    }
    list
}

#[derive(Debug)]
struct Cursor {
    partition: TopicPartition,
    /// `None` until it is told where to start.
    position: Option<i64>,
    is_paused: bool,
    is_gone: bool,
}

pub(super) struct KafkaConsumer {
    log: KafkaLog,
    client: BaseConsumer<Context>,
    /// The topics shared out by the group; empty for a reader outside one.
    topics: Vec<String>,
    cursors: Vec<Cursor>,
    is_announced: bool,
}

impl fmt::Debug for KafkaConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaConsumer")
            .field("cursors", &self.cursors)
            .finish_non_exhaustive()
    }
}

impl KafkaConsumer {
    pub(super) fn member(
        log: &KafkaLog,
        group: &str,
        topics: &[&str],
    ) -> Result<Self, StreamError> {
        let client = open(log, group)?;
        client
            .subscribe(topics)
            .map_err(|error| log.fatal(&error))?;
        Ok(Self {
            log: log.clone(),
            client,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            cursors: Vec::new(),
            is_announced: true,
        })
    }

    pub(super) fn alone(
        log: &KafkaLog,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Self, StreamError> {
        let client = open(log, "slawatch-reader")?;
        let mut reader = Self {
            log: log.clone(),
            client,
            topics: Vec::new(),
            cursors: Vec::new(),
            is_announced: false,
        };
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            let start = reader.start_of(partition, from)?;
            list.add_partition_offset(
                &partition.topic,
                partition.partition as i32,
                Offset::Offset(start),
            )
            .map_err(|error| log.fatal(&error))?;
            reader.cursors.push(Cursor {
                partition: partition.clone(),
                position: Some(start),
                is_paused: false,
                is_gone: false,
            });
        }
        reader
            .client
            .assign(&list)
            .map_err(|error| log.fatal(&error))?;
        Ok(reader)
    }

    fn start_of(&mut self, partition: &TopicPartition, from: StartAt) -> Result<i64, StreamError> {
        let range = self.offsets(partition)?;
        let timestamp_ms = match from {
            StartAt::Beginning => return Ok(range.low),
            StartAt::End => return Ok(range.high),
            StartAt::TimestampMs(timestamp_ms) => timestamp_ms,
        };
        let mut question = TopicPartitionList::new();
        let number = partition.partition as i32;
        question
            .add_partition_offset(
                &partition.topic,
                number,
                Offset::Offset(timestamp_ms.max(0)),
            )
            .map_err(|error| self.log.fatal(&error))?;
        let answer = self
            .client
            .offsets_for_times(question, REQUEST_TIMEOUT)
            .map_err(|error| self.log.unavailable(&error))?;
        let found = answer.find_partition(&partition.topic, number);
        Ok(match found.map(|element| element.offset()) {
            Some(Offset::Offset(offset)) => offset,
            // Nothing as young as that.
            Some(_) | None => range.high,
        })
    }

    fn cursor(&mut self, partition: &TopicPartition) -> Result<&mut Cursor, StreamError> {
        self.cursors
            .iter_mut()
            .find(|cursor| cursor.partition == *partition)
            .ok_or_else(|| StreamError::NotAssigned {
                partition: partition.clone(),
            })
    }

    /// Tells of rebalances. True if there was anything to tell.
    fn tell_changes(&mut self, handler: &mut dyn PollHandler) -> bool {
        if !self.is_announced {
            self.is_announced = true;
            let all: Vec<_> = self.cursors.iter().map(|c| c.partition.clone()).collect();
            handler.event(ConsumerEvent::Assigned(&all));
            return true;
        }
        let changes = self.client.context().take();
        for change in &changes {
            match change {
                Change::Assigned(partitions) => {
                    self.drop_cursors(partitions);
                    self.cursors
                        .extend(partitions.iter().map(|partition| Cursor {
                            partition: partition.clone(),
                            position: None,
                            is_paused: false,
                            is_gone: false,
                        }));
                    handler.event(ConsumerEvent::Assigned(partitions));
                }
                Change::Revoked(partitions) => {
                    self.drop_cursors(partitions);
                    handler.event(ConsumerEvent::Revoked(partitions));
                }
                Change::Lost(partitions) => {
                    self.drop_cursors(partitions);
                    handler.event(ConsumerEvent::Lost(partitions));
                }
            }
        }
        !changes.is_empty()
    }

    fn drop_cursors(&mut self, partitions: &[TopicPartition]) {
        self.cursors
            .retain(|cursor| !partitions.contains(&cursor.partition));
    }

    /// Which partitions' next offset is gone: the client says that one is, but not which.
    fn tell_gone(&mut self, handler: &mut dyn PollHandler) -> Result<(), StreamError> {
        for index in 0..self.cursors.len() {
            let cursor = &self.cursors[index];
            let (Some(position), false) = (cursor.position, cursor.is_gone) else {
                continue;
            };
            let partition = cursor.partition.clone();
            let low = self.offsets(&partition)?.low;
            if position < low {
                self.cursors[index].is_gone = true;
                handler.event(ConsumerEvent::OffsetsGone {
                    partition: &partition,
                    position,
                    low,
                });
            }
        }
        Ok(())
    }
}

fn open(log: &KafkaLog, group: &str) -> Result<BaseConsumer<Context>, StreamError> {
    let tuning = [
        // The default of a second stalls a consumer that is faster than its fetches.
        ("fetch.queue.backoff.ms", "2"),
        ("queued.min.messages", "100000"),
        ("queued.max.messages.kbytes", "65536"),
        ("fetch.message.max.bytes", "8388608"),
        ("fetch.wait.max.ms", "100"),
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "1000"),
        ("max.poll.interval.ms", "300000"),
        ("check.crcs", "false"),
    ];
    let fixed = [
        ("group.id", group),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "error"),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("enable.partition.eof", "false"),
    ];
    log.config(&tuning, &fixed)
        .create_with_context(Context::default())
        .map_err(|error| log.fatal(&error))
}

impl LogReader for KafkaConsumer {
    fn poll(
        &mut self,
        max_wait: Duration,
        max_records: usize,
        handler: &mut dyn PollHandler,
    ) -> Result<usize, StreamError> {
        if self.tell_changes(handler) {
            return Ok(0);
        }
        let mut delivered = 0;
        let mut wait = max_wait;
        while delivered < max_records {
            let polled = self.client.poll(wait);
            match polled {
                None => {
                    self.tell_changes(handler);
                    break;
                }
                Some(Ok(message)) => {
                    wait = Duration::ZERO;
                    let partition = message.partition() as u32;
                    let cursor = self.cursors.iter_mut().find(|cursor| {
                        cursor.partition.partition == partition
                            && *cursor.partition.topic == *message.topic()
                    });
                    let offset = message.offset();
                    let Some(cursor) = cursor else {
                        continue;
                    };
                    if cursor.position.is_none_or(|position| offset < position) || cursor.is_paused
                    {
                        continue;
                    }
                    cursor.position = Some(offset + 1);
                    delivered += 1;
                    let headers = MessageHeaders(&message);
                    handler.record(&Record {
                        topic: message.topic(),
                        partition,
                        offset,
                        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
                        key: message.key(),
                        value: message.payload(),
                        headers: Headers::new(&headers),
                    });
                }
                Some(Err(error)) => {
                    match error.rdkafka_error_code() {
                        Some(RDKafkaErrorCode::AutoOffsetReset) => self.tell_gone(handler)?,
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
        self.cursor(partition)?.position = None;
        let number = partition.partition as i32;
        let deadline = Deadline::after(REQUEST_TIMEOUT);
        loop {
            // An assignment that has not got through yet refuses to be moved ("erroneous state").
            let sought = self.client.seek(
                &partition.topic,
                number,
                Offset::Offset(offset),
                REQUEST_TIMEOUT,
            );
            match sought {
                Ok(()) => break,
                Err(error)
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State)
                        && !deadline.is_over() =>
                {
                    std::thread::park_timeout(Duration::from_millis(2));
                }
                Err(error) => return Err(self.log.unavailable(&error)),
            }
        }
        let cursor = self.cursor(partition)?;
        cursor.position = Some(offset);
        cursor.is_gone = false;
        if cursor.is_paused {
            return Ok(());
        }
        self.client
            .resume(&list_of([partition]))
            .map_err(|error| self.log.unavailable(&error))
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        for partition in partitions {
            self.cursor(partition)?.is_paused = true;
        }
        self.client
            .pause(&list_of(partitions))
            .map_err(|error| self.log.unavailable(&error))
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        for partition in partitions {
            let cursor = self.cursor(partition)?;
            let was_paused = std::mem::replace(&mut cursor.is_paused, false);
            if let (true, Some(position)) = (was_paused, cursor.position) {
                // Records read ahead when the pause began are gone; go on where delivery stopped.
                self.seek(partition, position)?;
            }
        }
        Ok(())
    }

    fn position(&self, partition: &TopicPartition) -> Option<i64> {
        let cursor = self
            .cursors
            .iter()
            .find(|cursor| cursor.partition == *partition);
        cursor?.position
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
    }
}

struct MessageHeaders<'a>(&'a BorrowedMessage<'a>);

impl HeaderSource for MessageHeaders<'_> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        let headers = self.0.headers()?;
        let found = (0..headers.count())
            .rev()
            .filter_map(|index| headers.try_get(index))
            .find(|header| header.key == name)?;
        found.value
    }
}

/// A bound on patience with the client, by the steady clock: nothing is decided by it.
struct Deadline(Instant);

impl Deadline {
    #[expect(
        clippy::disallowed_methods,
        reason = "bounds waiting for the client; no row and no alert depends on it"
    )]
    fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounds waiting for the client; no row and no alert depends on it"
    )]
    fn is_over(&self) -> bool {
        Instant::now() >= self.0
    }
}
