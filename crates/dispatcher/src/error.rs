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
    /// A secret's environment variable is not set.
    #[error(
        "receiver {name:?}: {field} is to come from the environment variable {variable}, which is not set; set it or change {field}"
    )]
    SecretVariable {
        /// The receiver's name.
        name: String,
        /// The field as written in the configuration.
        field: String,
        /// The variable's name.
        variable: String,
    },
    /// A secret's file cannot be read.
    #[error(
        "receiver {name:?}: {field} is to come from the file {path}, which cannot be read: {source}"
    )]
    SecretFile {
        /// The receiver's name.
        name: String,
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
