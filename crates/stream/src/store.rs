//! Where snapshots are kept: a flat map from keys (`a/b/c`) to bytes that is never overwritten.
//!
//! Keys are written once, so neither a reader nor a late writer can meet half a snapshot or somebody else's.

use std::fmt;

use bytes::Bytes;

use crate::error::StreamError;

/// The answer to a create-only write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// Written.
    Created,
    /// The key exists; nothing was changed.
    Exists,
}

/// A store of snapshots (and of whatever else is accepted once for all, by a create-only put). Calls block.
pub trait SnapshotStore: Send + Sync + fmt::Debug {
    /// Writes `bytes` under `key` unless the key exists. Afterwards every reader sees all of it.
    ///
    /// # Errors
    /// [`StreamError::Store`].
    fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutOutcome, StreamError>;

    /// The bytes under `key`, if it exists.
    ///
    /// # Errors
    /// [`StreamError::Store`].
    fn get(&self, key: &str) -> Result<Option<Bytes>, StreamError>;

    /// All keys below the folder `prefix`, in ascending order.
    ///
    /// # Errors
    /// [`StreamError::Store`].
    fn list(&self, prefix: &str) -> Result<Vec<String>, StreamError>;

    /// Removes `key`; a key that is not there is no error.
    ///
    /// # Errors
    /// [`StreamError::Store`].
    fn delete(&self, key: &str) -> Result<(), StreamError>;
}
