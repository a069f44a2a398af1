//! A reader of the memory log, alone or as a member of a group.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::consumer::{
    Commit, CommitOutcome, Committed, Consumer, ConsumerEvent, LogReader, OffsetRange, PollHandler,
};
use crate::error::StreamError;
use crate::log::StartAt;
use crate::record::TopicPartition;

use super::group::{Changes, MemberId};
use super::partition::Stored;
use super::{MemoryLog, State};

const METADATA_BYTES: usize = 4096;

/// Where one assigned partition stands.
#[derive(Debug)]
struct Cursor {
    partition: TopicPartition,
    /// `None` until it is told where to start.
    position: Option<i64>,
    paused: bool,
    out_of_range: bool,
}

impl Cursor {
    fn new(partition: TopicPartition, position: Option<i64>) -> Self {
        Self {
            partition,
            position,
            paused: false,
            out_of_range: false,
        }
    }
}

/// What a poll tells of a partition.
enum News {
    End(TopicPartition, i64),
    OutOfRange(TopicPartition, i64, OffsetRange),
}

impl News {
    fn event(&self) -> ConsumerEvent<'_> {
        match self {
            Self::End(partition, end) => ConsumerEvent::EndReached {
                partition,
                end: *end,
            },
            Self::OutOfRange(partition, position, range) if *position < range.low => {
                ConsumerEvent::OffsetsGone {
                    partition,
                    position: *position,
                    low: range.low,
                }
            }
            Self::OutOfRange(partition, position, range) => ConsumerEvent::OffsetsAhead {
                partition,
                position: *position,
                range: *range,
            },
        }
    }
}

/// A member's standing in its group, to be ended from outside.
#[derive(Clone)]
pub struct MemorySession {
    log: MemoryLog,
    group: String,
    member: Arc<AtomicU64>,
}

impl fmt::Debug for MemorySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemorySession({})", self.group)
    }
}

impl MemorySession {
    /// Expels the member, as the coordinator does with one that was silent past its session time-out: its partitions
    /// are given to others at once, and it learns of it when it polls next.
    pub fn expire(&self) {
        let member = self.member.load(Ordering::SeqCst);
        let mut state = self.log.lock();
        if let Some(group) = state
            .groups
            .get_mut(&self.group)
            .filter(|group| group.contains(member))
        {
            group.remove(member);
            rebalance(&mut state, &self.group);
        }
        drop(state);
        self.log.shared.changed.notify_all();
    }
}

/// Shares out anew what the group reads.
pub(super) fn rebalance(state: &mut State, name: &str) {
    let topics = state
        .groups
        .get(name)
        .map(super::Group::topics)
        .unwrap_or_default();
    let partitions = state.partitions_of(&topics);
    if let Some(group) = state.groups.get_mut(name) {
        group.rebalance(partitions);
    }
}

/// A consumer of the memory log.
pub struct MemoryConsumer {
    log: MemoryLog,
    topics: Vec<Arc<str>>,
    /// `None` for a reader outside a group.
    session: Option<MemorySession>,
    cursors: Vec<Cursor>,
    announced: bool,
    /// Which partition is served first, in turn.
    turn: usize,
    /// What one poll found, reused: index of the cursor and record.
    found: Vec<(usize, Arc<Stored>)>,
}

impl fmt::Debug for MemoryConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConsumer")
            .field("session", &self.session)
            .field("cursors", &self.cursors)
            .finish_non_exhaustive()
    }
}

impl MemoryConsumer {
    pub(super) fn member(log: MemoryLog, group: &str, topics: &[&str]) -> Self {
        // Member 0 is nobody: the group is joined by the first poll.
        let member = Arc::new(AtomicU64::new(0));
        let session = MemorySession {
            log: log.clone(),
            group: group.to_owned(),
            member,
        };
        Self {
            log,
            topics: topics.iter().map(|topic| Arc::from(*topic)).collect(),
            session: Some(session),
            cursors: Vec::new(),
            announced: false,
            turn: 0,
            found: Vec::new(),
        }
    }

    pub(super) fn alone(
        log: MemoryLog,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Self, StreamError> {
        let state = log.lock();
        let mut cursors = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let held = state.partition(partition)?;
            let position = match from {
                StartAt::Beginning => held.range().low,
                StartAt::End => held.range().high,
                StartAt::TimestampMs(timestamp_ms) => held.offset_at(timestamp_ms),
            };
            cursors.push(Cursor::new(partition.clone(), Some(position)));
        }
        drop(state);
        Ok(Self {
            log,
            topics: Vec::new(),
            session: None,
            cursors,
            announced: false,
            turn: 0,
            found: Vec::new(),
        })
    }

    /// The member's standing in its group; `None` for a reader outside a group.
    pub fn session(&self) -> Option<MemorySession> {
        self.session.clone()
    }

    fn cursor(&mut self, partition: &TopicPartition) -> Result<&mut Cursor, StreamError> {
        self.cursors
            .iter_mut()
            .find(|cursor| cursor.partition == *partition)
            .ok_or_else(|| StreamError::NotAssigned {
                partition: partition.clone(),
            })
    }

    fn member_id(&self) -> MemberId {
        self.session
            .as_ref()
            .map_or(0, |session| session.member.load(Ordering::SeqCst))
    }

    /// Learns of rebalances. Returns true if there was anything to tell.
    fn serve_group(&mut self, handler: &mut dyn PollHandler) -> bool {
        let Some(session) = self.session.clone() else {
            let first = !std::mem::replace(&mut self.announced, true);
            if first {
                let all: Vec<TopicPartition> = self
                    .cursors
                    .iter()
                    .map(|cursor| cursor.partition.clone())
                    .collect();
                handler.event(ConsumerEvent::Assigned(&all));
            }
            return first;
        };
        let member = self.member_id();
        let mut state = self.log.lock();
        let group = state.groups.entry(session.group.clone()).or_default();
        if !group.contains(member) {
            state.last_member += 1;
            let joined = state.last_member;
            if let Some(group) = state.groups.get_mut(&session.group) {
                group.add(joined, self.topics.clone());
            }
            rebalance(&mut state, &session.group);
            drop(state);
            self.log.shared.changed.notify_all();
            session.member.store(joined, Ordering::SeqCst);
            let lost: Vec<TopicPartition> = self
                .cursors
                .drain(..)
                .map(|cursor| cursor.partition)
                .collect();
            if !lost.is_empty() {
                handler.event(ConsumerEvent::Lost(&lost));
            }
            return true;
        }
        let Changes { revoked, assigned } = group.settle(member);
        drop(state);
        if !revoked.is_empty() {
            self.log.shared.changed.notify_all();
            self.cursors
                .retain(|cursor| !revoked.contains(&cursor.partition));
            handler.event(ConsumerEvent::Revoked(&revoked));
        }
        if !assigned.is_empty() {
            self.cursors.extend(
                assigned
                    .iter()
                    .map(|partition| Cursor::new(partition.clone(), None)),
            );
            handler.event(ConsumerEvent::Assigned(&assigned));
        }
        !revoked.is_empty() || !assigned.is_empty()
    }

    /// Collects what is there to read, and what is to be told of the partitions.
    fn collect(&mut self, state: &State, max_records: usize) -> Vec<News> {
        let mut news = Vec::new();
        let count = self.cursors.len();
        self.turn = self.turn.wrapping_add(1);
        for step in 0..count {
            let index = (self.turn + step) % count;
            let Some(cursor) = self.cursors.get_mut(index) else {
                continue;
            };
            let (Some(position), false) = (cursor.position, cursor.paused) else {
                continue;
            };
            let Ok(held) = state.partition(&cursor.partition) else {
                continue;
            };
            let range = held.range();
            if !(range.low..=range.high).contains(&position) {
                if !std::mem::replace(&mut cursor.out_of_range, true) {
                    news.push(News::OutOfRange(cursor.partition.clone(), position, range));
                }
                continue;
            }
            if position < range.high && held.read(position, 1).next().is_none() {
                cursor.position = Some(range.high);
                news.push(News::End(cursor.partition.clone(), range.high));
                continue;
            }
            let room = max_records - self.found.len();
            self.found.extend(
                held.read(position, room)
                    .map(|record| (index, Arc::clone(record))),
            );
        }
        news
    }

    fn deliver(&mut self, handler: &mut dyn PollHandler) -> usize {
        for (index, stored) in &self.found {
            let Some(cursor) = self.cursors.get_mut(*index) else {
                continue;
            };
            cursor.position = Some(stored.offset + 1);
            handler.record(&stored.borrow(&cursor.partition.topic, cursor.partition.partition));
        }
        let delivered = self.found.len();
        self.found.clear();
        delivered
    }

    fn quit(&mut self) {
        if let Some(session) = &self.session {
            session.expire();
        }
    }
}

impl LogReader for MemoryConsumer {
    fn poll(
        &mut self,
        max_wait: Duration,
        max_records: usize,
        handler: &mut dyn PollHandler,
    ) -> Result<usize, StreamError> {
        let started_ms = self.log.shared.clock.steady_ms();
        loop {
            if self.serve_group(handler) {
                return Ok(0);
            }
            let log = self.log.clone();
            let state = log.lock();
            let news = self.collect(&state, max_records);
            if !news.is_empty() || !self.found.is_empty() {
                drop(state);
                for news in &news {
                    handler.event(news.event());
                }
                return Ok(self.deliver(handler));
            }
            let waited_ms = log.shared.clock.steady_ms() - started_ms;
            if !log.wait(
                state,
                max_wait.saturating_sub(Duration::from_millis(waited_ms)),
            ) {
                return Ok(0);
            }
        }
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) -> Result<(), StreamError> {
        let cursor = self.cursor(partition)?;
        cursor.position = Some(offset);
        cursor.out_of_range = false;
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        for partition in partitions {
            self.cursor(partition)?.paused = true;
        }
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        for partition in partitions {
            self.cursor(partition)?.paused = false;
        }
        Ok(())
    }

    fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.cursors
            .iter()
            .find(|cursor| cursor.partition == *partition)?
            .position
    }

    fn offsets(&mut self, partition: &TopicPartition) -> Result<OffsetRange, StreamError> {
        Ok(self.log.lock().partition(partition)?.range())
    }
}

impl Consumer for MemoryConsumer {
    fn commit(&mut self, commits: &[Commit]) -> CommitOutcome {
        if let Some(long) = commits
            .iter()
            .find(|commit| commit.metadata.len() > METADATA_BYTES)
        {
            let reason = format!(
                "the metadata for {} is longer than {METADATA_BYTES} bytes",
                long.partition
            );
            return CommitOutcome::Unknown { reason };
        }
        let member = self.member_id();
        let mut state = self.log.lock();
        let group = self
            .session
            .as_ref()
            .and_then(|session| state.groups.get_mut(&session.group));
        match group.filter(|group| group.contains(member)) {
            Some(group) => {
                group.commit(commits);
                CommitOutcome::Committed
            }
            None => CommitOutcome::Fenced {
                reason: format!("member {member} is not in the group"),
            },
        }
    }

    fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<Option<Committed>>, StreamError> {
        let state = self.log.lock();
        let group = self
            .session
            .as_ref()
            .and_then(|session| state.groups.get(&session.group));
        let find = |partition| group.and_then(|group| group.committed(partition)).cloned();
        Ok(partitions.iter().map(find).collect())
    }

    fn rejoin(&mut self) -> Result<(), StreamError> {
        self.quit();
        Ok(())
    }

    fn leave(&mut self) {
        self.quit();
        self.cursors.clear();
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.quit();
    }
}
