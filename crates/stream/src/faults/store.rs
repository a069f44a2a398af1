//! A store that fails on demand.

use std::sync::Arc;

use bytes::Bytes;

use super::{Faults, Operation};
use crate::error::StreamError;
use crate::store::{PutOutcome, SnapshotStore};

#[derive(Debug)]
pub(super) struct FaultyStore {
    faults: Faults,
    inner: Arc<dyn SnapshotStore>,
}

impl FaultyStore {
    pub(super) fn new(faults: Faults, inner: Arc<dyn SnapshotStore>) -> Self {
        Self { faults, inner }
    }
}

impl SnapshotStore for FaultyStore {
    fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutOutcome, StreamError> {
        self.faults
            .around(Operation::Store, key, || self.inner.put_new(key, bytes))
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StreamError> {
        self.faults
            .around(Operation::Load, key, || self.inner.get(key))
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, StreamError> {
        self.faults
            .around(Operation::Load, prefix, || self.inner.list(prefix))
    }

    fn delete(&self, key: &str) -> Result<(), StreamError> {
        self.faults
            .around(Operation::Store, key, || self.inner.delete(key))
    }
}
