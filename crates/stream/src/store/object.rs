//! Snapshots in an object store: a local folder, or whatever `object_store` was built for.
//!
//! The library is asynchronous and workers are not, so calls are carried by a small runtime of the store's own.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::{Builder, Runtime};

use super::{PutOutcome, SnapshotStore};
use crate::error::StreamError;

/// A store over any [`ObjectStore`].
pub struct ObjectSnapshots {
    objects: Arc<dyn ObjectStore>,
    runtime: Runtime,
    place: String,
}

impl fmt::Debug for ObjectSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectSnapshots({})", self.place)
    }
}

impl ObjectSnapshots {
    /// A folder of this machine, made if it is missing.
    ///
    /// # Errors
    /// [`StreamError::Store`] if it cannot be made or written to.
    pub fn folder(path: &Path) -> Result<Self, StreamError> {
        let place = path.display().to_string();
        let failed = |reason: String| StreamError::Store {
            what: format!("opening the folder {place}"),
            reason,
        };
        std::fs::create_dir_all(path).map_err(|error| failed(error.to_string()))?;
        let objects =
            LocalFileSystem::new_with_prefix(path).map_err(|error| failed(error.to_string()))?;
        // Losing a snapshot that the group's offset names stops the partition, so it must be on the disk by then.
        let objects = objects.with_fsync(true).with_automatic_cleanup(false);
        Self::over(Arc::new(objects), place)
    }

    /// Any object store; `place` names it in messages.
    ///
    /// # Errors
    /// [`StreamError::Store`] if no thread can be started for it.
    pub fn over(
        objects: Arc<dyn ObjectStore>,
        place: impl Into<String>,
    ) -> Result<Self, StreamError> {
        let place = place.into();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("snapshots")
            .enable_all()
            .build()
            .map_err(|error| StreamError::Store {
                what: format!("starting {place}"),
                reason: error.to_string(),
            })?;
        Ok(Self {
            objects,
            runtime,
            place,
        })
    }

    fn run<T>(
        &self,
        what: &str,
        key: &str,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StreamError> {
        self.runtime
            .block_on(work)
            .map_err(|error| StreamError::Store {
                what: format!("{what} {key} in {}", self.place),
                reason: error.to_string(),
            })
    }
}

impl SnapshotStore for ObjectSnapshots {
    fn put_new(&self, key: &str, bytes: Vec<u8>) -> Result<PutOutcome, StreamError> {
        let path = ObjectPath::from(key);
        let payload = PutPayload::from(bytes);
        self.run("writing", key, async {
            match self
                .objects
                .put_opts(&path, payload, PutMode::Create.into())
                .await
            {
                Ok(_) => Ok(PutOutcome::Created),
                Err(object_store::Error::AlreadyExists { .. }) => Ok(PutOutcome::Exists),
                Err(error) => Err(error),
            }
        })
    }

    fn get(&self, key: &str) -> Result<Option<Bytes>, StreamError> {
        let path = ObjectPath::from(key);
        self.run("reading", key, async {
            match self.objects.get(&path).await {
                Ok(found) => found.bytes().await.map(Some),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, StreamError> {
        let path = ObjectPath::from(prefix);
        let listed = self.run("listing", prefix, async {
            self.objects.list_with_delimiter(Some(&path)).await
        })?;
        let mut keys: Vec<String> = listed
            .objects
            .into_iter()
            .map(|object| object.location.to_string())
            .collect();
        keys.sort_unstable();
        Ok(keys)
    }

    fn delete(&self, key: &str) -> Result<(), StreamError> {
        let path = ObjectPath::from(key);
        self.run("deleting", key, async {
            match self.objects.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        })
    }
}
