//! Taking a partition: claim it, load what is known of it, and replay what has happened since.

use crate::consumer::{Commit, CommitOutcome, Committed, OffsetRange};
use crate::error::StreamError;
use crate::processor::{Processor, ProcessorFactory, RestoreError};
use crate::record::TopicPartition;
use crate::snapshot::format::{self, SnapshotDamage, SnapshotHeader};
use crate::snapshot::{GroupState, SnapshotId};

use super::slot::{CatchUp, Mark, Phase, Replay, Running, Slot};
use super::{Worker, WorkerConfig};

/// Claims that may have been made since the newest snapshot was taken, and then some. 256 such leaps fit into the 24 bits
/// that a row's version has for the epoch.
const EPOCHS_LEFT_OUT: u64 = 1 << 16;

/// Why a partition was not taken.
enum Refusal {
    /// Trouble that may pass.
    Again(String),
    /// A person has to act.
    Stop(String),
    /// The coordinator refused the claim.
    Fenced(String),
    /// The worker itself is at an end.
    Fatal(StreamError),
}

impl From<StreamError> for Refusal {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Unavailable { .. }
            | StreamError::Store { .. }
            | StreamError::NotAssigned { .. } => Self::Again(error.to_string()),
            StreamError::Fatal { .. }
            | StreamError::UnknownTopic { .. }
            | StreamError::TopicDiffers { .. }
            | StreamError::TooLarge { .. }
            | StreamError::Delivery(_) => Self::Fatal(error),
        }
    }
}

/// A state to go on from.
struct Loaded<P> {
    processor: P,
    offset: i64,
    clock_ms: i64,
    log_clock_ms: i64,
    snapshot: Option<SnapshotId>,
}

/// What is claimed: the state that others read from now on, and the group's offset.
#[derive(Clone, Copy)]
struct Claim {
    state: GroupState,
    offset: i64,
    range: OffsetRange,
}

/// Records in `position..low` were removed unread. Gives the reason to stop; `None` if that is accepted.
pub(super) fn gap<P>(
    slot: &Slot<P>,
    position: i64,
    low: i64,
    config: &WorkerConfig,
) -> Option<String> {
    let partition = &slot.partition;
    let missing = low - position;
    if config.accept_gap {
        tracing::error!(%partition, position, low, missing, "GAP: records were removed from the log before they were read");
        crate::telemetry::count_gap(partition, missing);
        return None;
    }
    Some(format!(
        "{partition} begins at offset {low}, but everything from {position} on is needed: {missing} offsets were removed \
         before they were read. Raise the topic's retention; to go on without them start with accept_gap = true for the {}",
        config.role
    ))
}

/// The log ends before what was read of it.
pub(super) fn beyond_end(
    partition: &TopicPartition,
    what: &str,
    offset: i64,
    high: i64,
    config: &WorkerConfig,
) -> String {
    format!(
        "{what} {offset} of {partition} lies beyond its end {high}: the topic was made anew or lost records. {}",
        start_afresh(config)
    )
}

/// The topic has another number of partitions than what is known of it.
pub(super) fn other_count(topic: &str, before: u32, now: u32, config: &WorkerConfig) -> String {
    format!(
        "{topic} had {before} partitions and has {now} now, so keys are in other partitions than their history. Read a \
         topic of {before} partitions, or begin anew. {}",
        start_afresh(config)
    )
}

/// The one way on that needs nothing of what is known.
fn start_afresh(config: &WorkerConfig) -> String {
    format!(
        "To begin anew, stop all workers, delete the consumer group {} (kafka-consumer-groups.sh --delete) and the \
         snapshots below {}, and give slawatch's own topics and its database new names",
        config.group, config.snapshot_folder
    )
}

impl<F: ProcessorFactory> Worker<F> {
    /// Takes the next partition that waits for it; one a step, so that the others keep flushing.
    pub(super) fn take_over_next(&mut self) -> Result<(), StreamError> {
        let now_ms = self.now_ms();
        let due = |slot: &Slot<F::Processor>| matches!(slot.phase, Phase::Claiming { retry_at_ms, .. } if retry_at_ms <= now_ms);
        let Some(index) = self.slots.iter().position(due) else {
            return Ok(());
        };
        match self.take_over(index) {
            Ok(running) => {
                let slot = &mut self.slots[index];
                tracing::info!(
                    partition = %slot.partition,
                    epoch = running.epoch,
                    from = running.position,
                    until = running.replay.map(|replay| replay.until),
                    "taken over"
                );
                slot.phase = Phase::Running(running);
                if let Some(running) = slot.running_mut() {
                    running.finish_replay();
                }
                Ok(())
            }
            Err(Refusal::Again(reason)) => {
                tracing::warn!(partition = %self.slots[index].partition, reason, "not taken over yet");
                let retry_at_ms = now_ms + self.config.retry_ms;
                self.slots[index].phase = Phase::Claiming {
                    retry_at_ms,
                    note: Some(reason),
                };
                Ok(())
            }
            Err(Refusal::Stop(reason)) => {
                self.slots[index].stop(reason);
                Ok(())
            }
            Err(Refusal::Fenced(reason)) => self.give_up(&reason),
            Err(Refusal::Fatal(error)) => Err(error),
        }
    }

    fn take_over(&mut self, index: usize) -> Result<Box<Running<F::Processor>>, Refusal> {
        let claim = self.claim(index)?;
        let loaded = self.load(index, &claim)?;
        let slot = &self.slots[index];
        let low = claim.range.low;
        let mut position = loaded.offset;
        if position < low {
            if let Some(reason) = gap(slot, position, low, &self.config) {
                return Err(Refusal::Stop(reason));
            }
            position = low;
        }
        self.parts.consumer.seek(&slot.partition, position)?;
        // It may have been paused before it was taken again.
        self.parts
            .consumer
            .resume(std::slice::from_ref(&slot.partition))?;
        let now_ms = self.now_ms();
        let committed = Mark {
            position: claim.offset,
            clock_ms: claim.state.clock_ms,
        };
        Ok(Box::new(Running {
            processor: loaded.processor,
            epoch: claim.state.epoch,
            batch: 0,
            base: claim.state.base,
            follows_wall_clock: self.parts.factory.follows_wall_clock(),
            replay: Some(Replay {
                until: claim.offset,
                clock_ms: claim.state.clock_ms,
            }),
            catch_up: Some(CatchUp {
                until: claim.range.high,
                at_most_until_ms: now_ms + self.config.catch_up_ms,
            }),
            position,
            clock_ms: loaded.clock_ms,
            proved_ms: i64::MIN,
            log_clock_ms: loaded.log_clock_ms,
            proposal_ms: None,
            unflushed: 0,
            fired: false,
            flushed_at_ms: now_ms,
            progress_at_ms: None,
            flights: std::collections::VecDeque::new(),
            flight_bytes: 0,
            acknowledged: committed,
            committed,
            named: claim.state.snapshot,
            stored: loaded.snapshot,
            pending: None,
            snapshot_due_ms: now_ms + self.config.snapshot_ms,
            stored_at_ms: now_ms,
        }))
    }

    /// Commits the group's own offset under the next epoch.
    fn claim(&mut self, index: usize) -> Result<Claim, Refusal> {
        let partition = self.slots[index].partition.clone();
        let consumer = self.parts.consumer.as_mut();
        let found = consumer
            .committed(std::slice::from_ref(&partition))?
            .pop()
            .flatten();
        let range = consumer.offsets(&partition)?;
        let (offset, state) = match &found {
            None => {
                let (offset, mut state) = self.first_state(index, range)?;
                if state.snapshot.is_none() {
                    state.snapshot = Some(self.put_first(index, &state)?);
                }
                (offset, state)
            }
            Some(committed) => {
                let slot = &self.slots[index];
                let before = check(slot, committed, range, &self.config).map_err(Refusal::Stop)?;
                let epoch = before.epoch + 1;
                (committed.offset, GroupState { epoch, ..before })
            }
        };
        let commit = Commit {
            partition,
            offset,
            metadata: state.to_string(),
        };
        match self.parts.consumer.commit(&[commit]) {
            CommitOutcome::Committed => Ok(Claim {
                state,
                offset,
                range,
            }),
            CommitOutcome::Unknown { reason } => {
                Err(Refusal::Again(format!("the claim got no answer: {reason}")))
            }
            CommitOutcome::Fenced { reason } => Err(Refusal::Fenced(reason)),
        }
    }

    /// What to claim where nothing is committed. That is the beginning, unless there are snapshots: then the group's
    /// offsets were deleted, or expired while no member was there. The newest good snapshot is gone on from, under an
    /// epoch above whatever was claimed since it was taken, or nobody would listen. All that was said behind it is said
    /// again.
    fn first_state(&self, index: usize, range: OffsetRange) -> Result<(i64, GroupState), Refusal> {
        let slot = &self.slots[index];
        let mut state = GroupState {
            epoch: 1,
            clock_ms: if self.parts.factory.follows_wall_clock() {
                i64::MIN
            } else {
                0
            },
            base: range.low,
            partitions: slot.source.partitions,
            snapshot: None,
        };
        let mut ids = self.snapshot_ids(index)?;
        let Some(last_epoch) = ids.iter().map(|id| id.epoch).max() else {
            return Ok((range.low, state));
        };
        state.epoch = last_epoch + EPOCHS_LEFT_OUT;
        tracing::error!(
            partition = %slot.partition,
            epoch = state.epoch,
            "the group's offset is gone, though there are snapshots: going on from the newest"
        );
        ids.sort_unstable();
        for id in ids.into_iter().rev() {
            let Some(file) = self.parts.store.get(&slot.folder.key(id))? else {
                continue;
            };
            let Ok(view) = format::decode(&file) else {
                continue;
            };
            if id.offset > range.high {
                let what = "the newest snapshot's offset";
                let reason = beyond_end(&slot.partition, what, id.offset, range.high, &self.config);
                return Err(Refusal::Stop(reason));
            }
            state.clock_ms = view.clock_ms;
            state.snapshot = Some(id);
            return Ok((id.offset, state));
        }
        Ok((range.low, state))
    }

    /// Puts the empty state into the store, for it names the rules or policies under which the log is read from its
    /// beginning: a later owner who is configured with others must not work it through under those. It is named by the
    /// claim itself, so nothing is said before; if another was first, its file counts.
    fn put_first(&self, index: usize, state: &GroupState) -> Result<SnapshotId, Refusal> {
        let slot = &self.slots[index];
        let processor = self.parts.factory.create(&slot.source);
        let id = SnapshotId::first(state.base, state.epoch);
        let header = SnapshotHeader {
            fingerprint: processor.fingerprint(),
            offset: state.base,
            clock_ms: state.clock_ms,
            log_clock_ms: i64::MIN,
        };
        let file = format::encode(&header, |out| processor.snapshot(out));
        self.parts.store.put_new(&slot.folder.key(id), file)?;
        Ok(id)
    }

    fn snapshot_ids(&self, index: usize) -> Result<Vec<SnapshotId>, Refusal> {
        let folder = &self.slots[index].folder;
        let keys = self.parts.store.list(folder.path())?;
        Ok(keys.iter().filter_map(|key| folder.id(key)).collect())
    }

    /// The newest good snapshot not beyond the group's offset; the empty state if there is none yet.
    fn load(&self, index: usize, claim: &Claim) -> Result<Loaded<F::Processor>, Refusal> {
        let slot = &self.slots[index];
        let Some(named) = claim.state.snapshot else {
            return Ok(self.empty(index, claim));
        };
        let mut ids = self.snapshot_ids(index)?;
        if !ids.contains(&named) {
            return Err(Refusal::Stop(format!(
                "the group's offset of {} names the snapshot {}, which {:?} does not have: every worker of a group needs \
                 the same store, and its files must not be removed. Put it back; to go on from an older one that is still \
                 there, stop all workers and delete the consumer group {} (kafka-consumer-groups.sh --delete)",
                slot.partition,
                slot.folder.key(named),
                self.parts.store,
                self.config.group
            )));
        }
        ids.retain(|id| id.offset <= claim.offset);
        ids.sort_unstable();
        for id in ids.into_iter().rev() {
            if let Some(loaded) = self.load_one(index, id, claim)? {
                return Ok(loaded);
            }
        }
        tracing::error!(partition = %slot.partition, "no snapshot is usable: starting from the beginning");
        Ok(self.empty(index, claim))
    }

    fn empty(&self, index: usize, claim: &Claim) -> Loaded<F::Processor> {
        Loaded {
            processor: self.parts.factory.create(&self.slots[index].source),
            offset: claim.state.base,
            clock_ms: if self.parts.factory.follows_wall_clock() {
                i64::MIN
            } else {
                0
            },
            log_clock_ms: i64::MIN,
            snapshot: None,
        }
    }

    /// One snapshot; `None` if it is damaged.
    fn load_one(
        &self,
        index: usize,
        id: SnapshotId,
        claim: &Claim,
    ) -> Result<Option<Loaded<F::Processor>>, Refusal> {
        let slot = &self.slots[index];
        let key = slot.folder.key(id);
        let damaged = |reason: String| {
            tracing::error!(
                key,
                reason,
                "a snapshot is unusable: falling back to the one before"
            );
            crate::telemetry::count_snapshot_damage(&self.config.role);
            Ok(None)
        };
        let Some(file) = self.parts.store.get(&key)? else {
            return damaged("it is gone".to_owned());
        };
        let view = match format::decode(&file) {
            Ok(view) => view,
            Err(error @ SnapshotDamage::Corrupt(_)) => return damaged(error.to_string()),
            Err(error @ SnapshotDamage::Newer { .. }) => {
                return Err(Refusal::Stop(format!("snapshot {key}: {error}")));
            }
        };
        if view.offset != id.offset || view.clock_ms > claim.state.clock_ms {
            return damaged("its header contradicts its name or the group's clock".to_owned());
        }
        match self.parts.factory.restore(&slot.source, &view) {
            Ok(processor) => Ok(Some(Loaded {
                processor,
                offset: view.offset,
                clock_ms: view.clock_ms,
                log_clock_ms: view.log_clock_ms,
                snapshot: Some(id),
            })),
            Err(error @ RestoreError::Unusable(_)) => damaged(error.to_string()),
            Err(error @ RestoreError::Incompatible(_)) => {
                Err(Refusal::Stop(format!("snapshot {key}: {error}")))
            }
        }
    }
}

/// What the group's metadata says, if it may be built upon.
fn check<P>(
    slot: &Slot<P>,
    committed: &Committed,
    range: OffsetRange,
    config: &WorkerConfig,
) -> Result<GroupState, String> {
    let partition = &slot.partition;
    let Committed { offset, metadata } = committed;
    let state: GroupState = metadata.parse().map_err(|()| {
        format!(
            "the group's offset of {partition} was not committed by slawatch (its metadata reads {metadata:?}): do not \
             set offsets of this group by hand. Stop all workers, delete the consumer group {} \
             (kafka-consumer-groups.sh --delete) and start again: the newest snapshot is gone on from",
            config.group
        )
    })?;
    let (before, now) = (state.partitions, slot.source.partitions);
    if before != now {
        return Err(other_count(&partition.topic, before, now, config));
    }
    if *offset > range.high {
        let what = "the group's offset";
        return Err(beyond_end(partition, what, *offset, range.high, config));
    }
    Ok(state)
}
