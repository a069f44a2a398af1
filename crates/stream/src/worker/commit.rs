//! Positions written down: regularly behind the acknowledgements, and ahead of a clock that is about to fire.

use std::time::Duration;

use crate::consumer::{Commit, CommitOutcome};
use crate::error::StreamError;
use crate::processor::ProcessorFactory;

use crate::snapshot::GroupState;

use super::Worker;
use super::slot::{Mark, Running, Slot};

/// Longest wait inside a step of a hold; acknowledgements end it sooner.
const HOLD_POLL: Duration = Duration::from_millis(5);

impl<F: ProcessorFactory> Worker<F> {
    /// Commits what has been acknowledged, if it is time or something waits for it.
    pub(super) fn commit_due(&mut self) -> Result<(), StreamError> {
        let now_ms = self.now_ms();
        if self.commit_soon || now_ms >= self.committed_at_ms + self.config.commit_ms {
            self.commit_all()?;
        }
        Ok(())
    }

    pub(super) fn commit_all(&mut self) -> Result<(), StreamError> {
        self.committed_at_ms = self.now_ms();
        self.commit_soon = false;
        let owed = self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let running = slot.running().filter(|running| running.replay.is_none())?;
            let owed = running.acknowledged.position > running.committed.position
                || running.stored != running.named
                || running.pending_may_be_committed();
            owed.then_some((index, running.acknowledged))
        });
        let marks: Vec<(usize, Mark)> = owed.collect();
        if !marks.is_empty() && self.commit(&marks)? {
            self.keep_snapshots(&marks);
        }
        Ok(())
    }

    /// Commits these marks; true if they are written down.
    fn commit(&mut self, marks: &[(usize, Mark)]) -> Result<bool, StreamError> {
        let commits: Vec<Commit> = marks
            .iter()
            .filter_map(|(index, mark)| self.commit_of(*index, *mark))
            .collect();
        match self.parts.consumer.commit(&commits) {
            CommitOutcome::Committed => {
                for (index, mark) in marks {
                    if let Some(running) = self.slots[*index].running_mut() {
                        running.committed = *mark;
                    }
                }
                Ok(true)
            }
            CommitOutcome::Unknown { reason } => {
                tracing::warn!(
                    role = self.config.role,
                    reason,
                    "a commit got no answer; it is repeated"
                );
                Ok(false)
            }
            CommitOutcome::Fenced { reason } => {
                self.give_up(&reason)?;
                Ok(false)
            }
        }
    }

    fn commit_of(&self, index: usize, mark: Mark) -> Option<Commit> {
        let slot = &self.slots[index];
        let running = slot.running()?;
        let state = GroupState {
            epoch: running.epoch,
            clock_ms: mark.clock_ms,
            base: running.base,
            partitions: slot.source.partitions,
            snapshot: running.stored,
        };
        Some(Commit {
            partition: slot.partition.clone(),
            offset: mark.position,
            metadata: state.to_string(),
        })
    }

    /// Stops reading if a clock is to be written down, having sent what comes before it.
    pub(super) fn begin_hold(&mut self) {
        let proposed = |slot: &Slot<F::Processor>| {
            slot.running()
                .is_some_and(|running| running.proposal_ms.is_some())
        };
        if self.held_since_ms.is_none() && self.slots.iter().any(proposed) {
            self.held_since_ms = Some(self.now_ms());
        }
    }

    /// Carries a hold on: true as long as nothing may be read. Ends it by writing the clocks down and letting them
    /// fire, or by calling it off.
    pub(super) fn still_holding(&mut self, max_wait: Duration) -> Result<bool, StreamError> {
        let Some(since_ms) = self.held_since_ms else {
            return Ok(false);
        };
        for index in 0..self.slots.len() {
            let proposing = self.slots[index]
                .running()
                .is_some_and(|running| running.proposal_ms.is_some());
            if proposing && self.slots[index].running().is_some_and(Running::must_flush) {
                self.flush(index)?;
            }
        }
        // A failed delivery inside the flush may have ended it.
        if self.held_since_ms.is_none() {
            return Ok(false);
        }
        self.take_acknowledgements(HOLD_POLL.min(max_wait))?;
        let waiting = |slot: &Slot<F::Processor>| {
            slot.running()
                .is_some_and(|running| running.proposal_ms.is_some() && !running.flights.is_empty())
        };
        if !self.slots.iter().any(waiting) {
            self.held_since_ms = None;
            self.write_clocks_down()?;
            return Ok(false);
        }
        if self.now_ms() >= since_ms + self.config.hold_ms {
            self.abandon_hold();
            return Ok(false);
        }
        Ok(self.held_since_ms.is_some())
    }

    pub(super) fn abandon_hold(&mut self) {
        self.held_since_ms = None;
        for running in self.slots.iter_mut().filter_map(Slot::running_mut) {
            running.proposal_ms = None;
        }
    }

    /// Commits (position, clock) of everything that proposes one; then, and only then, lets the clocks fire and says
    /// what they concluded.
    fn write_clocks_down(&mut self) -> Result<(), StreamError> {
        let proposed = self
            .slots
            .iter_mut()
            .enumerate()
            .filter_map(|(index, slot)| {
                let running = slot.live_mut()?;
                let clock_ms = running.proposal_ms.take()?;
                Some((
                    index,
                    Mark {
                        position: running.position,
                        clock_ms,
                    },
                ))
            });
        let marks: Vec<(usize, Mark)> = proposed.collect();
        if marks.is_empty() || !self.commit(&marks)? {
            return Ok(());
        }
        for (index, mark) in &marks {
            if let Some(running) = self.slots[*index].running_mut() {
                running.acknowledged = *mark;
                running.move_clock(mark.clock_ms);
                running.fired = true;
                self.flush(*index)?;
            }
        }
        self.keep_snapshots(&marks);
        Ok(())
    }
}
