//! Snapshots of a running worker: taken after a flush, put after the commit that covers them, pruned once named.

use crate::processor::{Processor, ProcessorFactory};
use crate::snapshot::SnapshotId;
use crate::snapshot::format::{self, SnapshotHeader};

use super::slot::{Mark, PendingSnapshot, Running, Slot};
use super::{Worker, WorkerConfig};

impl<P: Processor> Running<P> {
    fn snapshot_due(&self, now_ms: u64, config: &WorkerConfig) -> bool {
        let unsaved = self.position - self.saved_offset();
        let many = u64::try_from(unsaved).is_ok_and(|unsaved| unsaved >= config.snapshot_records);
        unsaved > 0 && (many || now_ms >= self.snapshot_due_ms)
    }

    fn saved_offset(&self) -> i64 {
        self.stored.map_or(self.base, |stored| stored.offset)
    }

    /// Is a commit all that the waiting snapshot waits for?
    pub(super) fn pending_may_be_committed(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| {
            self.acknowledged.position >= pending.mark.position
                && self.acknowledged.clock_ms >= pending.mark.clock_ms
        })
    }

    /// Must come right after a flush, so that the state holds nothing unsaid.
    fn take_snapshot(&mut self) {
        let mark = self.mark();
        let id = SnapshotId {
            offset: self.position,
            epoch: self.epoch,
            batch: self.batch,
        };
        let header = SnapshotHeader {
            fingerprint: self.processor.fingerprint(),
            offset: self.position,
            clock_ms: self.clock_ms,
            log_clock_ms: self.log_clock_ms,
        };
        let file = format::encode(&header, |state| self.processor.snapshot(state));
        self.pending = Some(PendingSnapshot { id, mark, file });
    }

    /// Is the commit at `mark` at or behind the waiting snapshot?
    fn covered(&mut self) -> Option<PendingSnapshot> {
        let committed = self.committed;
        self.pending.take_if(|pending| {
            pending.mark.position <= committed.position
                && pending.mark.clock_ms <= committed.clock_ms
        })
    }
}

impl<F: ProcessorFactory> Worker<F> {
    pub(super) fn snapshot_if_due(&mut self, index: usize) {
        let now_ms = self.now_ms();
        let Some(running) = self.slots[index].live_mut() else {
            return;
        };
        if running.pending.is_none() && running.snapshot_due(now_ms, &self.config) {
            running.snapshot_due_ms = now_ms + self.config.snapshot_ms;
            running.take_snapshot();
        }
    }

    /// Takes one of every partition that has moved, the waiting ones replaced.
    pub(super) fn snapshot_all(&mut self) {
        for running in self.slots.iter_mut().filter_map(Slot::live_mut) {
            if running.position > running.saved_offset() && !running.has_news() {
                running.take_snapshot();
            }
        }
    }

    /// After a commit: puts the snapshots that it covers, and prunes where it named one.
    pub(super) fn keep_snapshots(&mut self, marks: &[(usize, Mark)]) {
        for (index, _) in marks {
            let slot = &mut self.slots[*index];
            let Some(running) = slot.running_mut() else {
                continue;
            };
            let newly_named = running.stored.filter(|_| running.stored != running.named);
            running.named = running.stored;
            let covered = running.covered();
            if let Some(named) = newly_named {
                self.prune(*index, named);
            }
            if let Some(pending) = covered {
                self.put(*index, pending);
            }
        }
    }

    fn put(&mut self, index: usize, pending: PendingSnapshot) {
        let now_ms = self.now_ms();
        let slot = &mut self.slots[index];
        let key = slot.folder.key(pending.id);
        let bytes = pending.file.len();
        let put = self.parts.store.put_new(&key, pending.file);
        let Some(running) = slot.running_mut() else {
            return;
        };
        match put {
            Ok(_) => {
                tracing::debug!(key, bytes, "snapshot kept");
                running.stored = Some(pending.id);
                running.stored_at_ms = now_ms;
                self.commit_soon = true;
            }
            Err(error) => {
                tracing::error!(%error, "a snapshot could not be kept; the next one is tried soon");
                crate::telemetry::count_snapshot_failure(&self.config.role);
                running.snapshot_due_ms = now_ms + self.config.retry_ms;
            }
        }
    }

    /// Removes all but the newest few snapshots up to the one just named, and the first: it is small, and should all
    /// others be damaged it says under which rules to begin anew. What lies beyond the named one is not this worker's.
    fn prune(&self, index: usize, named: SnapshotId) {
        let folder = &self.slots[index].folder;
        let store = self.parts.store.as_ref();
        let pruned = store.list(folder.path()).and_then(|keys| {
            let mut ids: Vec<SnapshotId> = keys.iter().filter_map(|key| folder.id(key)).collect();
            ids.retain(|id| *id <= named && !id.is_first());
            ids.sort_unstable();
            let surplus = ids.len().saturating_sub(self.config.keep_snapshots.max(1));
            ids[..surplus]
                .iter()
                .try_for_each(|id| store.delete(&folder.key(*id)))
        });
        if let Err(error) = pruned {
            tracing::warn!(%error, "old snapshots could not be removed; it is tried again with the next one");
        }
    }
}
