//! Taking a partition: claim it, load what is known of it, and replay what has happened since.

use crate::consumer::{Commit, CommitOutcome, Committed, OffsetRange};
use crate::error::StreamError;
use crate::processor::{ProcessorFactory, RestoreError};
use crate::record::TopicPartition;
use crate::snapshot::format::{self, SnapshotDamage};
use crate::snapshot::{GroupState, SnapshotId};

use super::Worker;
use super::slot::{CatchUp, Mark, Phase, Replay, Running, Slot};

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
pub(super) fn gap<P>(slot: &Slot<P>, position: i64, low: i64, accept: bool) -> Option<String> {
    let partition = &slot.partition;
    let missing = low - position;
    if accept {
        tracing::error!(%partition, position, low, missing, "GAP: records were removed from the log before they were read");
        crate::telemetry::count_gap(partition, missing);
        return None;
    }
    Some(format!(
        "{partition} begins at offset {low}, but everything from {position} on is needed: {missing} offsets were removed \
         before they were read. Rebuild from a longer log, or start with --accept-gap to go on without them"
    ))
}

/// The log ends before what was read of it.
pub(super) fn beyond_end(partition: &TopicPartition, what: &str, offset: i64, high: i64) -> String {
    format!(
        "{what} {offset} of {partition} lies beyond its end {high}: the topic was made anew or lost records. Start a new \
         generation (slawatch rebuild)"
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
            if let Some(reason) = gap(slot, position, low, self.config.accept_gap) {
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
        let slot = &self.slots[index];
        let partition = &slot.partition;
        let consumer = self.parts.consumer.as_mut();
        let found = consumer
            .committed(std::slice::from_ref(partition))?
            .pop()
            .flatten();
        let range = consumer.offsets(partition)?;
        let partitions = slot.source.partitions;
        let (offset, state) = match &found {
            None => {
                let clock_ms = if self.parts.factory.follows_wall_clock() {
                    i64::MIN
                } else {
                    0
                };
                (
                    range.low,
                    GroupState {
                        epoch: 1,
                        clock_ms,
                        base: range.low,
                        partitions,
                        snapshot: None,
                    },
                )
            }
            Some(committed) => {
                let before = check(slot, committed, range).map_err(Refusal::Stop)?;
                (
                    committed.offset,
                    GroupState {
                        epoch: before.epoch + 1,
                        ..before
                    },
                )
            }
        };
        let commit = Commit {
            partition: partition.clone(),
            offset,
            metadata: state.to_string(),
        };
        match consumer.commit(&[commit]) {
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

    /// The newest good snapshot not beyond the group's offset; the empty state if there is none yet.
    fn load(&self, index: usize, claim: &Claim) -> Result<Loaded<F::Processor>, Refusal> {
        let slot = &self.slots[index];
        let Some(named) = claim.state.snapshot else {
            return Ok(self.empty(index, claim));
        };
        let keys = self.parts.store.list(slot.folder.path())?;
        let mut ids: Vec<SnapshotId> = keys.iter().filter_map(|key| slot.folder.id(key)).collect();
        if !ids.contains(&named) {
            return Err(Refusal::Stop(format!(
                "the group's offset of {} names the snapshot {}, which {:?} does not have: every worker of a group needs \
                 the same store, and its files must not be removed. Put it back, or start a new generation",
                slot.partition,
                slot.folder.key(named),
                self.parts.store
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
) -> Result<GroupState, String> {
    let partition = &slot.partition;
    let Committed { offset, metadata } = committed;
    let state: GroupState = metadata.parse().map_err(|()| {
        format!(
            "the group's offset of {partition} was not committed by slawatch (its metadata reads {metadata:?}): do not \
             set offsets of this group by hand; use another group, or start a new generation"
        )
    })?;
    if state.partitions != slot.source.partitions {
        return Err(format!(
            "{} had {} partitions and has {} now: a changed partition count needs a new generation (slawatch rebuild)",
            partition.topic, state.partitions, slot.source.partitions
        ));
    }
    if *offset > range.high {
        return Err(beyond_end(
            partition,
            "the group's offset",
            *offset,
            range.high,
        ));
    }
    Ok(state)
}
