//! The configuration file: one TOML file, overridden by `SLAWATCH_…` variables (two underscores step into a table:
//! `SLAWATCH_CLICKHOUSE__PASSWORD`). Policy sets and rules stand in files of their own, named relative to it.

mod board;
mod clickhouse;
mod duration;
mod health;
mod kafka;
mod logs;
mod role;
mod snapshots;
mod topics;
mod tracker;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;
use slawatch_dispatcher::DispatcherConfig;

pub use board::Board;
pub use clickhouse::ClickHouse;
pub use duration::Duration;
pub use health::{DEFAULT_HEALTH_LISTEN, Health};
pub use kafka::Kafka;
pub use logs::{LogFormat, Logs};
pub use role::Role;
pub use snapshots::Snapshots;
pub use topics::Topics;
pub use tracker::{EncodingName, Tracker};

/// Everything that an installation decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Files of policy sets, relative to the configuration file.
    pub policies: Vec<PathBuf>,
    /// Files of alert rules, likewise.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// What this process does; default: everything.
    #[serde(default = "Role::all")]
    pub roles: Vec<Role>,
    /// Where Kafka is.
    #[serde(default)]
    pub kafka: Kafka,
    /// Names and shapes of the topics.
    #[serde(default)]
    pub topics: Topics,
    /// Reading events.
    #[serde(default)]
    pub tracker: Tracker,
    /// Where and how often state is kept.
    #[serde(default)]
    pub snapshots: Snapshots,
    /// Where ClickHouse is.
    #[serde(default)]
    pub clickhouse: ClickHouse,
    /// The wallboard.
    #[serde(default)]
    pub board: Board,
    /// Metrics and health.
    #[serde(default)]
    pub health: Health,
    /// Who is told of alerts.
    #[serde(default)]
    pub dispatcher: DispatcherConfig,
    /// What the process says about itself.
    #[serde(default)]
    pub logs: Logs,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "cannot read the configuration {path}: {source}; name another file with --config, or start from examples/slawatch.toml"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it, or in the environment, is wrong.
    #[error("the configuration {path} cannot be used:\n{mistakes}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// One line a mistake.
        mistakes: String,
    },
}

impl Config {
    /// Reads a configuration file and the environment.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file and the keys.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(
            path,
            &text,
            Env::prefixed("SLAWATCH_")
                .ignore(&["cache_dir"])
                .split("__"),
        )
    }

    /// A configuration of this text alone, as if it stood at `path`; the environment has no say.
    ///
    /// # Errors
    /// [`ConfigError`], naming the keys.
    pub fn parse_alone(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::parse(path, text, Env::raw().only(&[]))
    }

    fn parse(path: &Path, text: &str, env: Env) -> Result<Self, ConfigError> {
        let wrong = |mistakes: String| ConfigError::Wrong {
            path: path.to_owned(),
            mistakes,
        };
        // figment names keys but no lines; toml names the line of what is no TOML.
        toml::from_str::<toml::Table>(text).map_err(|error| wrong(error.to_string()))?;
        let figment = Figment::from(Toml::string(text)).merge(env);
        let mut config: Self = figment.extract().map_err(|errors| {
            let lines: Vec<String> = errors
                .into_iter()
                .map(|error| describe(&error, text))
                .collect();
            wrong(lines.join("\n"))
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for file in config.policies.iter_mut().chain(&mut config.rules) {
            *file = folder.join(&file);
        }
        if let Some(mapping) = &mut config.tracker.mapping {
            *mapping = folder.join(&mapping);
        }
        config.snapshots.path = folder.join(&config.snapshots.path);
        if config.policies.is_empty() {
            return Err(wrong(
                "policies: no file is named; name at least one policy set".to_owned(),
            ));
        }
        config.clickhouse.check().map_err(wrong)?;
        config
            .dispatcher
            .check()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(config)
    }
}

/// One mistake: where, and what. The line is that of the key's last part, if the file has it once.
fn describe(error: &figment::Error, text: &str) -> String {
    let path = error.path.join(".");
    let line = error.path.last().and_then(|key| line_of(key, text));
    let place = match (line, path.is_empty()) {
        (Some(line), false) => format!("line {line}, {path}: "),
        (None, false) => format!("{path}: "),
        (_, true) => String::new(),
    };
    format!("  {place}{}", error.kind)
}

fn line_of(key: &str, text: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| {
        line.trim_start()
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    let (line, _) = lines.next()?;
    lines.next().is_none().then_some(line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse_alone(Path::new("/etc/slawatch/slawatch.toml"), text)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_named_relative_to_the_configuration() {
        let config =
            parse("policies = [\"a.toml\", \"/b.toml\"]\n[snapshots]\npath = \"s\"\n[tracker]\nmapping = \"m.toml\"").unwrap();
        assert_eq!(
            config.policies,
            [Path::new("/etc/slawatch/a.toml"), Path::new("/b.toml")]
        );
        assert_eq!(config.snapshots.path, Path::new("/etc/slawatch/s"));
        assert_eq!(
            config.tracker.mapping.as_deref(),
            Some(Path::new("/etc/slawatch/m.toml"))
        );
        assert_eq!(config.roles, Role::all());
    }

    #[test]
    fn mistakes_are_named_with_line_and_key() {
        for (text, expected) in [
            (
                "policies = []",
                "policies: no file is named; name at least one policy set",
            ),
            ("", "  missing field `policies`"),
            ("policies = [", "TOML parse error at line 1"),
            (
                "policies = [\"p\"]\n[tracker]\nallowed_delay = \"2 days\"",
                "line 3, tracker.allowed_delay: \"2 days\" is no duration; write it like \"500ms\", \"2s\" or \"1h30m\"",
            ),
            (
                "policies = [\"p\"]\n[tracker]\nworker = 2",
                "line 3, tracker.worker: unknown field: found `worker`, expected",
            ),
            (
                "policies = [\"p\"]\n[clickhouse.ttl_days]\nevents = 3",
                "clickhouse.ttl_days.events: there is no such table; write one of ticket_events, panes,",
            ),
            (
                "policies = [\"p\"]\nroles = [\"trackers\"]",
                "unknown variant: found `trackers`, expected",
            ),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.contains(expected), "{text:?}: {found}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let config = parse("policies = [\"p\"]\n[clickhouse]\npassword = \"planted\"").unwrap();
        assert!(!format!("{config:?}").contains("planted"));
    }
}
