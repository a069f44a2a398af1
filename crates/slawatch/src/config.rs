//! The configuration: one TOML file, overridden by `SLAWATCH_…` variables (two underscores step into a table:
//! `SLAWATCH_CLICKHOUSE__PASSWORD`; a name that ends with `_FILE` names the file in which the value stands). Policy sets and
//! rules stand in files of their own, named relative to it.
//!
//! A type a table, read by `serde` from a tree that knows where each value was written. Every mistake is told in one run, and
//! no value of a secret in any.

mod board;
mod check;
mod clickhouse;
mod deserialize;
mod duration;
mod environment;
mod health;
mod kafka;
mod logs;
mod mistake;
mod reading;
mod role;
mod secret;
mod snapshots;
mod topics;
mod tracker;
mod tree;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use slawatch_dispatcher::DispatcherConfig;

pub use board::{Board, BoardAccess, BoardToken};
pub use clickhouse::ClickHouse;
pub use duration::Duration;
pub use health::{DEFAULT_HEALTH_LISTEN, Health};
pub use kafka::Kafka;
pub use logs::{LogFormat, Logs};
pub use mistake::{Mistake, Place};
pub use role::Role;
pub use secret::Secret;
pub use snapshots::Snapshots;
pub use topics::{Retention, Topics};
pub use tracker::{EncodingName, Tracker};

/// Everything that an installation decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Files of policy sets, relative to the configuration file; at least one.
    pub policies: Vec<PathBuf>,
    /// Files of alert rules, likewise.
    pub rules: Vec<PathBuf>,
    /// What this process does; default: everything.
    pub roles: Vec<Role>,
    /// Where Kafka is.
    pub kafka: Kafka,
    /// Names and shapes of the topics.
    pub topics: Topics,
    /// Reading events.
    pub tracker: Tracker,
    /// Where and how often state is kept.
    pub snapshots: Snapshots,
    /// Where ClickHouse is.
    pub clickhouse: ClickHouse,
    /// The wallboard.
    pub board: Board,
    /// Metrics and health.
    pub health: Health,
    /// Who is told of alerts.
    pub dispatcher: DispatcherConfig,
    /// What the process says about itself.
    pub logs: Logs,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            rules: Vec::new(),
            roles: Role::all(),
            kafka: Kafka::default(),
            topics: Topics::default(),
            tracker: Tracker::default(),
            snapshots: Snapshots::default(),
            clickhouse: ClickHouse::default(),
            board: Board::default(),
            health: Health::default(),
            dispatcher: DispatcherConfig::default(),
            logs: Logs::default(),
        }
    }
}

/// What a look at a configuration brought.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The settings; each that has a mistake is at its default, so do not run with it if there are any.
    pub config: Config,
    /// Every mistake: those of the file by line, then those of the environment.
    pub mistakes: Vec<Mistake>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration {path}: {reason}; name another file with --config, or start from examples/slawatch.toml"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// Something in it, or in the environment, is wrong.
    #[error("the configuration {path} cannot be used:{}", lines(mistakes))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
}

fn lines(mistakes: &[Mistake]) -> String {
    let lines = mistakes.iter().map(|mistake| format!("\n  {mistake}"));
    lines.collect()
}

impl Config {
    /// Reads a configuration file and the environment.
    ///
    /// # Errors
    /// [`ConfigError`], naming every mistake.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::examine(path)?.into_config(path)
    }

    /// Looks at a configuration file and the environment.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    pub fn examine(path: &Path) -> Result<Examined, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|reason| ConfigError::Unreadable {
            path: path.to_owned(),
            reason,
        })?;
        Ok(reading::examine(path, &text, environment::variables()))
    }

    /// A configuration of this text alone, as if it stood at `path`; the environment has no say.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`].
    pub fn parse_alone(path: &Path, text: &str) -> Result<Self, ConfigError> {
        reading::examine(path, text, Vec::new()).into_config(path)
    }

    /// Files are named relative to the configuration's folder.
    fn place_files(&mut self, folder: &Path) {
        for file in self.policies.iter_mut().chain(&mut self.rules) {
            *file = folder.join(&file);
        }
        if let Some(mapping) = &mut self.tracker.mapping {
            *mapping = folder.join(&mapping);
        }
        self.snapshots.path = folder.join(&self.snapshots.path);
    }
}

impl Examined {
    fn into_config(self, path: &Path) -> Result<Config, ConfigError> {
        if self.mistakes.is_empty() {
            return Ok(self.config);
        }
        Err(ConfigError::Wrong {
            path: path.to_owned(),
            mistakes: self.mistakes,
        })
    }
}

#[cfg(test)]
mod tests;
