//! Where snapshots are kept: a flat map from keys (`a/b/c`) to bytes that is never overwritten.
//!
//! Keys are written once, so neither a reader nor a late writer can meet half a snapshot or somebody else's.

mod memory;
mod object;

use std::fmt;

use bytes::Bytes;

use crate::error::StreamError;

pub use memory::MemoryStore;
pub use object::ObjectSnapshots;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What every store must do.
    fn conforms(store: &dyn SnapshotStore) {
        let (first, second, elsewhere) = (
            "role/topic/00001/a",
            "role/topic/00001/b",
            "role/topic/000012/c",
        );
        assert_eq!(
            store.list("role/topic/00001").expect("list"),
            Vec::<String>::new()
        );
        assert_eq!(store.get(first).expect("get"), None);
        for key in [second, first, elsewhere] {
            assert_eq!(
                store.put_new(key, key.into()).expect("put"),
                PutOutcome::Created
            );
        }
        assert_eq!(
            store.put_new(first, b"other".to_vec()).expect("put"),
            PutOutcome::Exists
        );
        assert_eq!(
            store.get(first).expect("get"),
            Some(Bytes::from_static(b"role/topic/00001/a"))
        );
        assert_eq!(
            store.list("role/topic/00001").expect("list"),
            [first, second]
        );
        store.delete(first).expect("delete");
        store.delete(first).expect("a second time");
        assert_eq!(store.list("role/topic/00001").expect("list"), [second]);
        assert_eq!(
            store.put_new(first, b"new".to_vec()).expect("put"),
            PutOutcome::Created
        );
    }

    #[test]
    fn memory_conforms() {
        conforms(&MemoryStore::default());
    }

    #[test]
    fn a_folder_conforms_and_outlives_its_store() {
        let folder = tempfile::tempdir().expect("a folder");
        conforms(&ObjectSnapshots::folder(folder.path()).expect("a store"));
        let again = ObjectSnapshots::folder(folder.path()).expect("the same folder");
        assert_eq!(again.list("role/topic/00001").expect("list").len(), 2);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, b"").expect("a file");
        let error = ObjectSnapshots::folder(&file.join("below")).expect_err("a file is no folder");
        let text = error.to_string();
        assert!(
            text.starts_with("snapshot store: opening the folder "),
            "{text}"
        );
        assert!(text.contains("file/below"), "{text}");
    }
}
