//! Snapshots in memory, for the simulation and for runs that keep nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{PutOutcome, SnapshotStore};
use crate::error::StreamError;

/// A store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    files: Mutex<BTreeMap<String, Bytes>>,
}

impl MemoryStore {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the bytes of a file in place, as a failing disk does.
    pub fn damage(&self, key: &str, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(bytes) = self.lock().get_mut(key) {
            let mut damaged = bytes.to_vec();
            change(&mut damaged);
            *bytes = Bytes::from(damaged);
        }
    }
}

impl SnapshotStore for MemoryStore {
    fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutOutcome, StreamError> {
        let mut files = self.lock();
        if files.contains_key(key) {
            return Ok(PutOutcome::Exists);
        }
        files.insert(key.to_owned(), Bytes::from(bytes));
        Ok(PutOutcome::Created)
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StreamError> {
        Ok(self.lock().get(key).cloned())
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, StreamError> {
        let folder = format!("{}/", prefix.trim_end_matches('/'));
        let files = self.lock();
        let below = files.range(folder.clone()..).map(|(key, _)| key);
        Ok(below
            .take_while(|key| key.starts_with(&folder))
            .cloned()
            .collect())
    }

    fn delete(&self, key: &str) -> Result<(), StreamError> {
        self.lock().remove(key);
        Ok(())
    }
}
