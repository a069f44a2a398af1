//! How a worker's partitions fare, for `/readyz`, `slawatch status` and Prometheus.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::probe::EndOffsets;
use crate::processor::Processor;
use crate::telemetry;

use super::slot::{Phase, Slot};

/// What a partition is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionState {
    /// Assigned, not yet loaded.
    Claiming,
    /// Applying silently what its last owner had applied already.
    Replaying,
    /// At work.
    Live,
    /// Out of work; the note says why and what to do.
    Stopped,
}

/// One partition's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// What it is doing.
    pub state: PartitionState,
    /// Why it is not live, where there is a reason.
    pub note: Option<String>,
    /// The owner's epoch; 0 before it is claimed.
    pub epoch: u64,
    /// The next offset to be read.
    pub position: Option<i64>,
    /// Records in the log that are not read yet, by the last probe.
    pub lag_records: Option<i64>,
    /// How far the partition's clock is behind the wall clock; `None` for roles without one, or before it has one.
    pub clock_delay_ms: Option<i64>,
    /// Time since a snapshot was last kept, or since the takeover; 0 while nothing is newer than the last one.
    pub snapshot_age_ms: Option<u64>,
}

/// A shared view of one worker's partitions. Clones see the same.
#[derive(Clone, Debug)]
pub struct WorkerStatus {
    role: Arc<str>,
    partitions: Arc<Mutex<BTreeMap<u32, PartitionStatus>>>,
}

impl WorkerStatus {
    pub(super) fn new(role: &str) -> Self {
        Self {
            role: Arc::from(role),
            partitions: Arc::default(),
        }
    }

    /// The role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The partitions that the worker owns, by number.
    pub fn partitions(&self) -> BTreeMap<u32, PartitionStatus> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, PartitionStatus>> {
        self.partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update<P: Processor>(
        &self,
        slots: &[Slot<P>],
        ends: Option<&EndOffsets>,
        wall_ms: i64,
        now_ms: u64,
    ) {
        let mut partitions = self.lock();
        for slot in slots {
            let number = slot.source.partition;
            let end = ends.and_then(|ends| ends.ends.get(number as usize).copied().flatten());
            match of(slot, end, wall_ms, now_ms) {
                Some(status) => {
                    telemetry::partition(&self.role, number, &status);
                    partitions.insert(number, status);
                }
                None => {
                    if partitions.remove(&number).is_some() {
                        telemetry::partition_gone(&self.role, number);
                    }
                }
            }
        }
    }
}

fn of<P: Processor>(
    slot: &Slot<P>,
    end: Option<i64>,
    wall_ms: i64,
    now_ms: u64,
) -> Option<PartitionStatus> {
    let waiting = |state, note| PartitionStatus {
        state,
        note,
        epoch: 0,
        position: None,
        lag_records: None,
        clock_delay_ms: None,
        snapshot_age_ms: None,
    };
    match &slot.phase {
        Phase::Absent => None,
        Phase::Claiming { note, .. } => Some(waiting(PartitionState::Claiming, note.clone())),
        Phase::Stopped { reason } => Some(waiting(PartitionState::Stopped, Some(reason.clone()))),
        Phase::Running(running) => {
            let knows_time = running.follows_wall_clock && running.spoken_clock_ms() > i64::MIN;
            let saved = running
                .stored
                .is_some_and(|stored| stored.offset >= running.position);
            Some(PartitionStatus {
                state: if running.replay.is_some() {
                    PartitionState::Replaying
                } else {
                    PartitionState::Live
                },
                note: None,
                epoch: running.epoch,
                position: Some(running.position),
                lag_records: end.map(|end| (end - running.position).max(0)),
                clock_delay_ms: knows_time.then(|| (wall_ms - running.spoken_clock_ms()).max(0)),
                snapshot_age_ms: Some(if saved {
                    0
                } else {
                    now_ms.saturating_sub(running.stored_at_ms)
                }),
            })
        }
    }
}
