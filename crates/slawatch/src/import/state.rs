//! How far an import has come, so that one that was interrupted goes on where it was.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// As much before the position is compared to know a file again.
const TAIL_BYTES: u64 = 4096;

/// Why an import cannot go on from its state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The state file is there and cannot be used.
    #[error("{}: {why}. It says how far an import has come; remove it to import everything again (events that are known \
             already count once)", path.display())]
    Unusable {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of events is not what it was.
    #[error("{} is not the file whose first {bytes} bytes were imported. Give the file as it was (it may have grown), or \
             remove {} to import everything again (events that are known already count once)", path.display(), state.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// How much of it was imported.
        bytes: u64,
        /// The state file.
        state: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

/// How far one file was sent and acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// As it was named.
    pub path: PathBuf,
    /// Everything before this was.
    pub bytes: u64,
    /// Lines before that.
    pub lines: u64,
    /// Of what lies just before `bytes`, to know the file again.
    tail: u64,
}

/// What a state file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportState {
    /// The topic that was written to.
    pub topic: String,
    /// The stamp of the last record.
    pub timestamp_ms: i64,
    /// The files begun, in order.
    pub files: Vec<FileState>,
}

impl ImportState {
    /// Of an import that has not begun.
    pub fn new(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            timestamp_ms: i64::MIN,
            files: Vec::new(),
        }
    }

    /// The state that `path` holds; a new one if there is no such file.
    ///
    /// # Errors
    /// [`StateError`], also if it belongs to another topic.
    pub fn read(path: &Path, topic: &str) -> Result<Self, StateError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::new(topic));
            }
            Err(error) => return Err(io(path, error)),
        };
        let unusable = |why: String| StateError::Unusable {
            path: path.to_owned(),
            why,
        };
        let state: Self =
            serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
        if state.topic != topic {
            return Err(unusable(format!(
                "it is of an import to the topic {}, not {topic}",
                state.topic
            )));
        }
        Ok(state)
    }

    /// Replaces what `path` holds, all at once.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), StateError> {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let text = serde_json::to_vec_pretty(self).map_err(|error| io(path, error.into()))?;
        std::fs::write(&new, text).map_err(|error| io(&new, error))?;
        std::fs::rename(&new, path).map_err(|error| io(path, error))
    }

    /// How far `path` was sent. Checks that it is the file that was sent.
    ///
    /// # Errors
    /// [`StateError::Changed`] or [`StateError::Io`].
    pub fn begun(&self, path: &Path, state: &Path) -> Result<(u64, u64), StateError> {
        let Some(known) = self.files.iter().find(|known| known.path == path) else {
            return Ok((0, 0));
        };
        if tail(path, known.bytes)? == Some(known.tail) {
            Ok((known.bytes, known.lines))
        } else {
            Err(StateError::Changed {
                path: path.to_owned(),
                bytes: known.bytes,
                state: state.to_owned(),
            })
        }
    }

    /// Notes that everything before `bytes` of `path` was sent and acknowledged.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn note(&mut self, path: &Path, bytes: u64, lines: u64) -> Result<(), StateError> {
        let file = FileState {
            path: path.to_owned(),
            bytes,
            lines,
            tail: tail(path, bytes)?.unwrap_or_default(),
        };
        match self.files.iter_mut().find(|known| known.path == path) {
            Some(known) => *known = file,
            None => self.files.push(file),
        }
        Ok(())
    }
}

/// A hash of what lies just before `bytes`; `None` if the file is shorter.
fn tail(path: &Path, bytes: u64) -> Result<Option<u64>, StateError> {
    let read = || -> std::io::Result<Option<u64>> {
        let mut file = std::fs::File::open(path)?;
        if file.metadata()?.len() < bytes {
            return Ok(None);
        }
        let from = bytes.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut text = Vec::new();
        file.take(bytes - from).read_to_end(&mut text)?;
        Ok(Some(xxh3_64(&text)))
    };
    read().map_err(|error| io(path, error))
}

fn io(path: &Path, source: std::io::Error) -> StateError {
    StateError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grew_is_known_and_one_that_changed_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (events, path) = (
            folder.path().join("events.jsonl"),
            folder.path().join("state"),
        );
        std::fs::write(&events, "one\ntwo\n").unwrap();
        let mut state = ImportState::read(&path, "t").unwrap();
        assert_eq!(state.begun(&events, &path).unwrap(), (0, 0));
        state.note(&events, 8, 2).unwrap();
        state.timestamp_ms = 77;
        state.write(&path).unwrap();

        let state = ImportState::read(&path, "t").unwrap();
        assert_eq!(state.timestamp_ms, 77);
        std::fs::write(&events, "one\ntwo\nthree\n").unwrap();
        assert_eq!(state.begun(&events, &path).unwrap(), (8, 2));
        for other in ["one\nTWO\nthree\n", "one\n"] {
            std::fs::write(&events, other).unwrap();
            let error = state.begun(&events, &path).unwrap_err().to_string();
            let expected = format!(
                "{} is not the file whose first 8 bytes were imported. Give the file as it was (it may have grown), or \
                 remove {} to import everything again (events that are known already count once)",
                events.display(),
                path.display()
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_state_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        ImportState::new("other").write(&path).unwrap();
        let error = ImportState::read(&path, "events").unwrap_err().to_string();
        assert!(
            error.contains("it is of an import to the topic other, not events. It says how far an import has come; remove"),
            "{error}"
        );
        std::fs::write(&path, "{").unwrap();
        let error = ImportState::read(&path, "events").unwrap_err().to_string();
        assert!(error.contains("EOF while parsing"), "{error}");
    }
}
