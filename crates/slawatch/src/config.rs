//! The configuration file: one TOML file, overridden by `SLAWATCH_…` variables (two underscores step into a table:
//! `SLAWATCH_CLICKHOUSE__PASSWORD`). Policy sets and rules stand in files of their own, named relative to it.

mod duration;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;
use slawatch_dispatcher::DispatcherConfig;
use slawatch_event::{DecodeOptions, Encoding, Status, StatusMap};
use slawatch_loader::Table;

pub use duration::Duration;

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
    /// The wallboard, metrics and health.
    #[serde(default)]
    pub board: Board,
    /// Who is told of alerts.
    #[serde(default)]
    pub dispatcher: DispatcherConfig,
    /// What the process says about itself.
    #[serde(default)]
    pub logs: Logs,
}

/// What a process can do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Events to signals: clocks, panes, verdicts.
    Tracker,
    /// Signals to alerts: windows, rules.
    Evaluator,
    /// Alerts to receivers.
    Dispatcher,
    /// Everything to ClickHouse.
    Loader,
    /// The wallboard.
    Board,
}

impl Role {
    /// Every role.
    pub fn all() -> Vec<Self> {
        vec![
            Self::Tracker,
            Self::Evaluator,
            Self::Dispatcher,
            Self::Loader,
            Self::Board,
        ]
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Evaluator => "evaluator",
            Self::Dispatcher => "dispatcher",
            Self::Loader => "loader",
            Self::Board => "board",
        }
    }
}

/// Where Kafka is.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Further properties of librdkafka, such as those of TLS and SASL.
    pub properties: BTreeMap<String, String>,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            properties: BTreeMap::new(),
        }
    }
}

/// Names of the topics, and what `slawatch run` makes of those that are missing.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topics {
    /// The input, keyed by ticket. It is never made here: its owner decides how many partitions it has.
    pub ticket_events: String,
    /// Tracker to evaluator, by vendor.
    pub signals: String,
    /// Evaluator to dispatcher, by vendor.
    pub alerts: String,
    /// What the dispatcher did.
    pub notifications: String,
    /// Records that cannot count.
    pub dead_letters: String,
    /// Partitions of the topics made here.
    pub partitions: u32,
    /// Copies of each of their partitions.
    pub replication: u16,
}

impl Default for Topics {
    fn default() -> Self {
        Self {
            ticket_events: "ticket-events".to_owned(),
            signals: "slawatch.signals".to_owned(),
            alerts: "slawatch.alerts".to_owned(),
            notifications: "slawatch.notifications".to_owned(),
            dead_letters: "slawatch.dead-letters".to_owned(),
            partitions: 4,
            replication: 1,
        }
    }
}

/// Reading events, and how long they are waited for and remembered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracker {
    /// Threads, each with partitions of its own.
    pub workers: usize,
    /// How records without a content type header are written.
    pub encoding: EncodingName,
    /// The source's own status names.
    pub statuses: BTreeMap<String, StatusName>,
    /// How far an event may lie after its record's timestamp.
    pub max_future_skew: Duration,
    /// The time that events may need to reach the log.
    pub allowed_delay: Duration,
    /// When a finished ticket is forgotten.
    pub forget_after: Duration,
    /// How long panes are held in memory.
    pub pane_horizon: Duration,
    /// The generation of all rows written.
    pub generation: u32,
    /// Go on where retention removed records that were not read yet, and record the gap.
    pub accept_gap: bool,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            workers: 2,
            encoding: EncodingName::Json,
            statuses: BTreeMap::new(),
            max_future_skew: Duration::from_ms(5 * 60_000),
            allowed_delay: Duration::from_ms(2_000),
            forget_after: Duration::from_ms(30 * 86_400_000),
            pane_horizon: Duration::from_ms(26 * 3_600_000),
            generation: 0,
            accept_gap: false,
        }
    }
}

impl Tracker {
    /// How events are checked, by tracker and loader alike.
    pub fn decode(&self) -> DecodeOptions {
        let names = self.statuses.iter();
        DecodeOptions {
            statuses: StatusMap::new(names.map(|(name, status)| (name.clone(), status.0))),
            max_future_skew_ms: self.max_future_skew.as_ms(),
        }
    }

    /// Delays and horizons.
    pub fn options(&self) -> slawatch_tracker::Options {
        slawatch_tracker::Options {
            allowed_delay_ms: self.allowed_delay.as_ms(),
            forget_after_ms: Some(self.forget_after.as_ms()),
            pane_horizon_ms: Some(self.pane_horizon.as_ms()),
        }
    }
}

/// An encoding by name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncodingName {
    /// One JSON object.
    Json,
    /// One `slawatch.v1.TicketEvent`.
    Protobuf,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Json => Self::Json,
            EncodingName::Protobuf => Self::Protobuf,
        }
    }
}

/// One of the six statuses, by name.
#[derive(Clone, Copy, Debug)]
pub struct StatusName(pub Status);

impl<'de> Deserialize<'de> for StatusName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let status = Status::from_name(&name).filter(|_| !name.is_empty());
        status.map(Self).ok_or_else(|| {
            let known = Status::ALL.map(Status::name).join(", ");
            serde::de::Error::custom(format!("{name:?} is no status; write one of {known}"))
        })
    }
}

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

/// Where ClickHouse is.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClickHouse {
    /// `http://host:8123`.
    pub url: String,
    /// The database of the tables.
    pub database: String,
    /// The user; none: the server's default one.
    pub user: Option<String>,
    /// Its password; better in `SLAWATCH_CLICKHOUSE__PASSWORD`.
    pub password: Option<String>,
    /// Makes everything on this cluster.
    pub cluster: Option<String>,
    /// Makes replicated tables.
    pub replicated: bool,
    /// Days after which a table's rows are deleted, by table; 0 is never.
    pub ttl_days: BTreeMap<String, u32>,
    /// Vendors by their own ClickHouse user, who then sees that vendor's rows only.
    pub vendor_users: BTreeMap<String, String>,
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self {
            url: "http://localhost:8123".to_owned(),
            database: "slawatch".to_owned(),
            user: None,
            password: None,
            cluster: None,
            replicated: false,
            ttl_days: BTreeMap::new(),
            vendor_users: BTreeMap::new(),
        }
    }
}

impl ClickHouse {
    /// For the loader.
    pub fn options(&self) -> slawatch_loader::ClickHouseOptions {
        slawatch_loader::ClickHouseOptions {
            url: self.url.clone(),
            database: self.database.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            ..Default::default()
        }
    }

    /// For `slawatch migrate`.
    pub fn migrate_options(&self) -> slawatch_loader::MigrateOptions {
        let mut options = slawatch_loader::MigrateOptions {
            database: self.database.clone(),
            cluster: self.cluster.clone(),
            replicated: self.replicated,
            vendor_users: self.vendor_users.clone(),
            ..Default::default()
        };
        for table in Table::ALL {
            if let Some(days) = self.ttl_days.get(table.name()) {
                options.ttl_days.insert(table, *days);
            }
        }
        options
    }

    fn check(&self) -> Result<(), String> {
        let known = Table::ALL.map(Table::name);
        match self
            .ttl_days
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            None => Ok(()),
            Some(name) => Err(format!(
                "  clickhouse.ttl_days.{name}: there is no such table; write one of {}",
                known.join(", ")
            )),
        }
    }
}

impl std::fmt::Debug for ClickHouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClickHouse")
            .field("url", &self.url)
            .field("database", &self.database)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish_non_exhaustive()
    }
}

/// The wallboard, metrics and health.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Board {
    /// Address and port; loopback unless told otherwise.
    pub listen: String,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
        }
    }
}

/// What the process says about itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// JSON lines, or for people.
    pub format: LogFormat,
    /// Filter directives, as in `info,slawatch_stream=debug`.
    pub level: String,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            format: LogFormat::Pretty,
            level: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
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
            parse("policies = [\"a.toml\", \"/b.toml\"]\n[snapshots]\npath = \"s\"").unwrap();
        assert_eq!(
            config.policies,
            [Path::new("/etc/slawatch/a.toml"), Path::new("/b.toml")]
        );
        assert_eq!(config.snapshots.path, Path::new("/etc/slawatch/s"));
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
                "policies = [\"p\"]\n[tracker.statuses]\nWaiting = \"wait\"",
                "line 3, tracker.statuses.Waiting: \"wait\" is no status; write one of new, open, pending, on_hold, solved, closed",
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
