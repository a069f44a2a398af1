//! `[snapshots]`: where and how often state is kept.

use std::path::PathBuf;

use serde::Deserialize;

use super::Duration;

/// Where and how often state is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Snapshots {
    /// A folder, relative to the configuration file. All processes of an installation must see the same one.
    pub path: PathBuf,
    /// How often each partition's state is written.
    pub every: Duration,
    /// How many are kept of each.
    pub keep: usize,
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            path: PathBuf::from("snapshots"),
            every: Duration::from_ms(60_000),
            keep: 3,
        }
    }
}
