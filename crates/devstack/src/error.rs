//! What can go wrong when a local part is fetched, started or spoken to; every text says what to do.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why a local part is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program that fetching or running needs is not installed.
    #[error("`{program}` is needed to {purpose} and was not found in PATH: {install}")]
    MissingProgram {
        /// The program's name.
        program: &'static str,
        /// What it is needed for.
        purpose: &'static str,
        /// How to get it.
        install: &'static str,
    },
    /// A program ran and failed.
    #[error("`{program}` failed ({status}) while it should {purpose}:\n{output}")]
    ProgramFailed {
        /// The command.
        program: String,
        /// What it was to do.
        purpose: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said.
        output: String,
    },
    /// There is no embedded ClickHouse for this machine.
    #[error(
        "there is no embedded ClickHouse for {os} on {arch}: use a ClickHouse server and give its URL instead"
    )]
    UnsupportedPlatform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// A file or folder could not be used.
    #[error("{}: {purpose}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried.
        purpose: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Neither `SLAWATCH_CACHE_DIR` nor a home folder is set.
    #[error(
        "no folder for downloads: set SLAWATCH_CACHE_DIR (or HOME) to a folder that can be written"
    )]
    NoCacheFolder,
    /// The program that runs the embedded parts is not where it should be.
    #[error("the program slawatch-devstack was not found beside {} and could not be built: run `cargo build -p slawatch-devstack`, or set SLAWATCH_DEVSTACK_BIN to its path ({reason})", beside.display())]
    MissingBinary {
        /// Where it was looked for.
        beside: PathBuf,
        /// Why it could not be built.
        reason: String,
    },
    /// A started process ended or said nothing before it was ready.
    #[error("{what} did not become ready: {reason}; the end of its log {}:\n{log_end}", log.display())]
    NotReady {
        /// The part.
        what: &'static str,
        /// What was seen.
        reason: String,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        log_end: String,
    },
    /// The JDK cannot run the broker.
    #[error(
        "the Kafka broker needs Java {needed} and `java` in PATH is version {found}: {install}"
    )]
    OldJava {
        /// Its major version.
        found: u32,
        /// The oldest that does.
        needed: u32,
        /// How to get one.
        install: &'static str,
    },
    /// Kafka refused something or could not be reached.
    #[error("Kafka at {bootstrap}: {reason}")]
    Kafka {
        /// Which cluster.
        bootstrap: String,
        /// What it said.
        reason: String,
    },
    /// A dashboard of Grafana is not what it should be.
    #[error("the dashboard: {reason}")]
    Dashboard {
        /// What is wrong.
        reason: String,
    },
    /// ClickHouse refused a statement or could not be reached.
    #[error("ClickHouse at {url}: {reason}")]
    ClickHouse {
        /// Which server.
        url: String,
        /// What it said.
        reason: String,
    },
}

/// Shorthand of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn file(path: &Path, purpose: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path,
            purpose,
            source,
        }
    }
}
