//! Everything that can go wrong between the logs and the tables, each with what to do about it.

use slawatch_stream::StreamError;

/// An error of the loader or of `migrate`.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// The address of ClickHouse cannot be used.
    #[error(
        "ClickHouse address {url:?} cannot be used: {reason}; write it like http://localhost:8123"
    )]
    Url {
        /// As configured.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name that goes into SQL as it is.
    #[error(
        "{what} {name:?} cannot be used: letters, digits and _ only, not beginning with a digit, at most 64 of them"
    )]
    Name {
        /// Database or cluster.
        what: &'static str,
        /// As configured.
        name: String,
    },
    /// ClickHouse refused a statement, or could not be reached.
    #[error("ClickHouse at {url} failed at {what}: {reason}")]
    Server {
        /// Its address.
        url: String,
        /// What was tried.
        what: String,
        /// Its words.
        reason: String,
    },
    /// A migration that was applied is not the one in this program.
    #[error(
        "migration {number} was applied to database {database} as {applied} but is {known} in this program: \
         migrations never change once applied. Use the release that applied it or a later one, or migrate into a new database"
    )]
    MigrationChanged {
        /// Which migration.
        number: u32,
        /// Where.
        database: String,
        /// Name and checksum in the database.
        applied: String,
        /// Name and checksum in this program.
        known: String,
    },
    /// The database has been migrated by a later release.
    #[error(
        "database {database} has migration {number} ({name}), which this program does not know: it was upgraded by a later \
         release of slawatch; use that one"
    )]
    MigrationUnknown {
        /// Which migration.
        number: u32,
        /// Its name there.
        name: String,
        /// Where.
        database: String,
    },
    /// The metadata of a committed offset was written by something else.
    #[error(
        "the metadata committed for {partition} cannot be read: {reason}. Another program commits for this consumer group: \
         give the loader a group of its own"
    )]
    Metadata {
        /// Topic and partition.
        partition: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The fences of a partition do not fit into what a broker takes beside an offset.
    #[error(
        "the metadata for {partition} takes {bytes} bytes, more than the {limit} that a committed offset may carry: use \
         fewer partitions of the input topic"
    )]
    MetadataTooLong {
        /// Topic and partition.
        partition: String,
        /// What it takes.
        bytes: usize,
        /// What may be.
        limit: usize,
    },
    /// Retention removed records before they were loaded.
    #[error(
        "{partition}: the records from {position} to {low} were removed by the topic's retention before they were loaded. \
         Raise retention.ms of the topic; to go on without them set tracker.accept_gap"
    )]
    Gap {
        /// Topic and partition.
        partition: String,
        /// First missing offset.
        position: i64,
        /// First offset that still exists.
        low: i64,
    },
    /// The log is shorter than it was.
    #[error(
        "{partition} ends at {high}, but was loaded up to {position}: the topic was made anew or lost records. Load it \
         into a database of another name, having deleted the loader's consumer group (kafka-consumer-groups.sh --delete)"
    )]
    OtherLog {
        /// Topic and partition.
        partition: String,
        /// The next offset that was to be loaded.
        position: i64,
        /// Where the partition ends.
        high: i64,
    },
    /// The log failed.
    #[error(transparent)]
    Stream(#[from] StreamError),
}
