//! The running engine: a connection of its own for each request, prepared with the request's database and settings, and
//! statements stopped whose client went away.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;
use super::library::{Connection, Library};
use super::request::Options;

/// Statements at work at the same time; each takes engine threads of its own. An INSERT counts as long as its client keeps
/// the body open, so this must be well above the number of tables that anybody loads.
const CONCURRENT_STATEMENTS: usize = 64;

/// The engine on one data folder.
#[derive(Debug)]
pub(crate) struct Engine {
    library: Library,
    arguments: Vec<String>,
    permits: Arc<Semaphore>,
    next_tag: AtomicU64,
    version: String,
    timezone: String,
    /// Without an open connection the engine would shut down.
    _keep_alive: Mutex<Connection>,
}

impl Engine {
    /// Loads the library and opens the folder. Blocks.
    ///
    /// # Errors
    /// A text saying what to do: no library, or the folder is in use or cannot be written.
    pub(crate) fn open(library: &Path, data: &Path, max_memory_bytes: u64) -> Result<Self, String> {
        let loaded = Library::load(library).map_err(|error| {
            format!(
                "{} is not the ClickHouse library: {error}",
                library.display()
            )
        })?;
        let arguments = vec![
            format!("--path={}", data.display()),
            format!("--max_server_memory_usage={max_memory_bytes}"),
        ];
        let mut connection = loaded.connect(&arguments).ok_or_else(|| {
            format!(
                "ClickHouse cannot open {}: another process uses it, or it cannot be written (the log has ClickHouse's own words)",
                data.display()
            )
        })?;
        let answer = connection
            .query("SELECT version(), timezone()", "TSVRaw", &[])
            .map_err(|failure| format!("ClickHouse does not answer: {}", failure.message))?;
        let line = String::from_utf8_lossy(answer.data()).trim().to_owned();
        let (version, timezone) = line.split_once('\t').unwrap_or((&line, "UTC"));
        let (version, timezone) = (version.to_owned(), timezone.to_owned());
        drop(answer);
        Ok(Self {
            library: loaded,
            arguments,
            permits: Arc::new(Semaphore::new(CONCURRENT_STATEMENTS)),
            next_tag: AtomicU64::new(1),
            version,
            timezone,
            _keep_alive: Mutex::new(connection),
        })
    }

    /// ClickHouse's version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The time zone of instants without one.
    pub(crate) fn timezone(&self) -> &str {
        &self.timezone
    }

    /// Waits for leave to run a statement.
    pub(crate) async fn permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(Failure::internal)
    }

    /// A mark by which a running statement is found again. The library lets nobody choose a query id.
    pub(crate) fn tag(&self, options: &Options) -> String {
        let number = self.next_tag.fetch_add(1, Ordering::Relaxed);
        let comment = options
            .settings
            .iter()
            .find(|(name, _)| name == "log_comment");
        match comment {
            Some((_, comment)) => format!("{comment} #{number}"),
            None => format!("#{number}"),
        }
    }

    /// A fresh connection with the request's settings and database: after a failed statement the library puts that one's
    /// partial output before the next result, so none is used twice. Blocks.
    pub(crate) fn session(&self, options: &Options, tag: &str) -> Result<Connection, Failure> {
        let mut connection = self
            .library
            .connect(&self.arguments)
            .ok_or_else(|| Failure::internal("no connection could be made"))?;
        let mut assignments = vec!["implicit_select = 0".to_owned()];
        for (name, value) in &options.settings {
            if name != "log_comment" {
                assignments.push(format!("{name} = {}", quoted(value)));
            }
        }
        assignments.push(format!("log_comment = {}", quoted(tag)));
        connection.query(&format!("SET {}", assignments.join(", ")), "TSV", &[])?;
        if let Some(database) = &options.database {
            connection.query(&format!("USE {}", quoted_name(database)), "TSV", &[])?;
        }
        if options.read_only && !options.settings.iter().any(|(name, _)| name == "readonly") {
            connection.query("SET readonly = 2", "TSV", &[])?;
        }
        Ok(connection)
    }

    /// Stops the statement that carries the tag. Blocks.
    pub(crate) fn kill(&self, tag: &str) {
        let Some(mut connection) = self.library.connect(&self.arguments) else {
            return;
        };
        let sql = format!(
            "KILL QUERY WHERE Settings['log_comment'] = {} ASYNC",
            quoted(tag)
        );
        if let Err(failure) = connection.query(&sql, "TSV", &[]) {
            tracing::warn!(
                error = failure.message,
                "a statement whose client went away could not be stopped"
            );
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn quoted_name(text: &str) -> String {
    format!("`{}`", text.replace('\\', "\\\\").replace('`', "\\`"))
}
