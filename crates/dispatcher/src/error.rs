//! Everything that can go wrong in the dispatcher, in words for the person who has to repair it.

/// An error of configuration or start; what goes wrong with a single notification is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub enum DispatcherError {
    /// Two receivers would share one line in `slawatch.notifications`.
    #[error("receiver {name:?} is configured twice; give every [[receiver]] a name of its own")]
    DuplicateReceiver {
        /// The name given twice.
        name: String,
    },
    /// A receiver without a name cannot be found again after a restart.
    #[error(
        "[[receiver]] number {position} has an empty name; name it, notifications are recorded under that name"
    )]
    UnnamedReceiver {
        /// Counted from 1, in file order.
        position: usize,
    },
    /// The address cannot be used. The address itself is not printed, since it may hold a token.
    #[error(
        "receiver {name:?}: url is not usable: {reason}; write it like \"https://host:port/path\""
    )]
    Url {
        /// The receiver's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header of the configuration cannot be sent.
    #[error("receiver {name:?}: header {header:?} cannot be sent: {reason}")]
    Header {
        /// The receiver's name.
        name: String,
        /// The header's name.
        header: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number or duration outside of what makes sense.
    #[error("receiver {name:?}: {field} = {value} is out of range: {expected}")]
    OutOfRange {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: &'static str,
        /// The value as understood.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A field that this type of receiver does not have.
    #[error("receiver {name:?}: {field} has no meaning for type {kind:?}; remove it")]
    Misplaced {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: &'static str,
        /// The receiver's type as written in the configuration.
        kind: &'static str,
    },
    /// A setting of an escalation, of a maintenance window, or of which alerts somebody is told.
    #[error("{place}: {reason}")]
    Setting {
        /// The table that it stands in: "escalation".
        table: &'static str,
        /// Whose it is.
        place: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// A field that this type of receiver cannot do without.
    #[error("receiver {name:?}: type {kind:?} needs {field}: {write}")]
    Missing {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: &'static str,
        /// The receiver's type as written in the configuration.
        kind: &'static str,
        /// What to write.
        write: &'static str,
    },
    /// The address leads inside, and that was not allowed.
    #[error("receiver {name:?}: url may not be used: {reason}")]
    PrivateAddress {
        /// The receiver's name.
        name: String,
        /// Which address it is, and what to do.
        reason: String,
    },
    /// A template that cannot be read, or fails for some alert.
    #[error(
        "receiver {name:?}: {field}, line {line}: {reason}; docs/receivers.md lists what a template may use"
    )]
    Template {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: &'static str,
        /// Of the template, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An e-mail address or a certificate that cannot be used.
    #[error("receiver {name:?}: {field} is not usable: {reason}")]
    Email {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: &'static str,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// A setting that links are made of.
    #[error("{field}: {reason}")]
    Link {
        /// The field as written in the configuration.
        field: &'static str,
        /// What is wrong with it, and what to write.
        reason: &'static str,
    },
    /// The watchdog's settings cannot work.
    #[error("watchdog: {reason}")]
    Watchdog {
        /// What is wrong with them, and what to write.
        reason: String,
    },
    /// No receiver of that name.
    #[error("there is no receiver {name:?}; the configuration has {known}")]
    UnknownReceiver {
        /// The name asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A secret's environment variable is not set.
    #[error(
        "{place}: {field} is to come from the environment variable {variable}, which is not set; set it or change {field}"
    )]
    SecretVariable {
        /// Whose it is.
        place: String,
        /// The field as written in the configuration.
        field: String,
        /// The variable's name.
        variable: String,
    },
    /// A secret's file cannot be read.
    #[error("{place}: {field} is to come from the file {path}, which cannot be read: {source}")]
    SecretFile {
        /// Whose it is.
        place: String,
        /// The field as written in the configuration.
        field: String,
        /// The file's path.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The HTTP client could not be made.
    #[error(
        "receiver {name:?}: the HTTP client cannot be set up: {source}; check the system's CA certificates"
    )]
    Client {
        /// The receiver's name.
        name: String,
        /// What the client said.
        source: reqwest::Error,
    },
    /// A snapshot that is not one of this program.
    #[error(
        "the dispatcher's snapshot cannot be read: {reason}; remove it to start from the one before"
    )]
    Snapshot {
        /// What is wrong with it.
        reason: String,
    },
    /// The two topics must be partitioned alike, so that each owner finds its own notifications.
    #[error(
        "topic {alerts} has {alerts_partitions} partitions and {notifications} has {notifications_partitions}; make both \
         with the same number"
    )]
    PartitionsDiffer {
        /// The topic read.
        alerts: String,
        /// Its partitions.
        alerts_partitions: u32,
        /// The topic written.
        notifications: String,
        /// Its partitions.
        notifications_partitions: u32,
    },
    /// The log cannot be asked.
    #[error(transparent)]
    Log(#[from] slawatch_stream::StreamError),
}

impl DispatcherError {
    /// What of the dispatcher's configuration a mistake is about: the receiver, if it is one's, and the field as written there.
    pub fn place(&self) -> Option<(Option<&str>, &'static str)> {
        match self {
            Self::Url { name, .. } | Self::PrivateAddress { name, .. } => Some((Some(name), "url")),
            Self::Header { name, .. } => Some((Some(name), "headers")),
            Self::OutOfRange { name, field, .. }
            | Self::Misplaced { name, field, .. }
            | Self::Missing { name, field, .. }
            | Self::Template { name, field, .. }
            | Self::Email { name, field, .. } => Some((Some(name), field)),
            Self::DuplicateReceiver { name } => Some((Some(name), "name")),
            Self::Link { field, .. } => Some((None, field)),
            Self::Watchdog { .. } => Some((None, "watchdog")),
            Self::Setting { table, .. } => Some((None, table)),
            Self::UnnamedReceiver { .. } => Some((None, "receiver")),
            Self::UnknownReceiver { .. }
            | Self::SecretVariable { .. }
            | Self::SecretFile { .. }
            | Self::Client { .. }
            | Self::Snapshot { .. }
            | Self::PartitionsDiffer { .. }
            | Self::Log(_) => None,
        }
    }
}
