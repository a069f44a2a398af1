//! Snapshots: what a file holds, how it is named, and how the group's offset refers to it.
//!
//! A snapshot is the state of one source partition at an offset and a clock. It is written once, after that offset was
//! committed, and never changed; [`format`](mod@format) guards its bytes, [`SnapshotId`] orders it among its siblings.

pub mod format;
mod group_state;

use std::fmt;
use std::str::FromStr;

pub(crate) use group_state::GroupState;

/// Names one snapshot of a source partition; ordered by offset, then epoch, then batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotId {
    /// The next offset to apply to it.
    pub offset: i64,
    /// The writer's epoch.
    pub epoch: u64,
    /// The writer's last flush before it.
    pub batch: u64,
}

impl SnapshotId {
    /// Names the empty state that a source begins with.
    pub(crate) fn first(base: i64, epoch: u64) -> Self {
        Self {
            offset: base,
            epoch,
            batch: 0,
        }
    }

    /// No flush came before it: nothing was read yet.
    pub(crate) fn is_first(self) -> bool {
        self.batch == 0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:020}-{:010}-{:013}",
            self.offset, self.epoch, self.batch
        )
    }
}

impl FromStr for SnapshotId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '-');
        let mut next = || parts.next().ok_or(());
        Ok(Self {
            offset: next()?.parse().map_err(|_| ())?,
            epoch: next()?.parse().map_err(|_| ())?,
            batch: next()?.parse().map_err(|_| ())?,
        })
    }
}

const SUFFIX: &str = ".snapshot";

/// The folder and the keys of one source partition's snapshots.
#[derive(Clone, Debug)]
pub(crate) struct Folder(String);

impl Folder {
    pub(crate) fn new(prefix: &str, topic: &str, partition: u32) -> Self {
        Self(format!("{prefix}/{topic}/{partition:05}"))
    }

    pub(crate) fn path(&self) -> &str {
        &self.0
    }

    pub(crate) fn key(&self, id: SnapshotId) -> String {
        format!("{}/{id}{SUFFIX}", self.0)
    }

    /// The snapshot that a key of this folder names; `None` for foreign files.
    pub(crate) fn id(&self, key: &str) -> Option<SnapshotId> {
        let name = key.strip_prefix(self.0.as_str())?.strip_prefix('/')?;
        name.strip_suffix(SUFFIX)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_ids_do() {
        let folder = Folder::new("tracker", "ticket-events", 7);
        let ids = [
            (9, 1, 2),
            (10, 1, 1),
            (10, 2, 1),
            (10, 2, 30),
            (1_000_000, 1, 1),
        ];
        let ids = ids.map(|(offset, epoch, batch)| SnapshotId {
            offset,
            epoch,
            batch,
        });
        let keys = ids.map(|id| folder.key(id));
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(ids.is_sorted());
        assert_eq!(keys.map(|key| folder.id(&key)), ids.map(Some));
    }

    #[test]
    fn foreign_files_are_not_snapshots() {
        let folder = Folder::new("tracker", "ticket-events", 7);
        for key in [
            "tracker/ticket-events/00007/notes.txt",
            "tracker/ticket-events/00008/1-1-1.snapshot",
            "x",
        ] {
            assert_eq!(folder.id(key), None, "{key}");
        }
    }
}
