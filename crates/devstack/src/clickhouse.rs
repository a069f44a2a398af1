//! Embedded ClickHouse as a process of its own: start it, speak to it, break it, start it again on the same port and data.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::binary;
use crate::error::{Error, Result};
use crate::process::{Output, Process, temporary_or, test_folder};

pub use crate::library_file::ensure_library;

/// What the engine may use unless told otherwise.
const DEFAULT_MAX_MEMORY_BYTES: u64 = 2 << 30;

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// The folder of the tables and the log; none: a temporary one, removed with the [`ClickHouse`].
    pub data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// What the engine may use, in bytes; 0: 2 GiB.
    pub max_memory_bytes: u64,
    /// The program `slawatch-devstack`; none: the one beside this program.
    pub binary: Option<PathBuf>,
    /// The library; none: the one in the cache, fetched if need be.
    pub library: Option<PathBuf>,
}

/// A running server; dropping it kills it.
#[derive(Debug)]
pub struct ClickHouse {
    process: Process,
    binary: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    port: u16,
    _temporary: Option<tempfile::TempDir>,
}

impl ClickHouse {
    /// Starts the server and waits until it answers. Blocks.
    ///
    /// # Errors
    /// The library cannot be had, the program is missing, or the server ends before it is ready.
    pub fn start(options: StartOptions) -> Result<Self> {
        let library = options.library.map_or_else(ensure_library, Ok)?;
        let binary = options.binary.map_or_else(binary::find, Ok)?;
        let (folder, temporary) = temporary_or(options.data)?;
        let max_memory_bytes = match options.max_memory_bytes {
            0 => DEFAULT_MAX_MEMORY_BYTES,
            set => set,
        };
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let arguments = vec![
            "clickhouse".to_owned(),
            "--data".to_owned(),
            text(&folder.join("engine")),
            "--library".to_owned(),
            text(&library),
            "--max-memory-bytes".to_owned(),
            max_memory_bytes.to_string(),
        ];
        let log = folder.join("clickhouse.log");
        let (process, port) = launch(&binary, &arguments, &log, options.port)?;
        Ok(Self {
            process,
            binary,
            arguments,
            log,
            port,
            _temporary: temporary,
        })
    }

    /// The one server of this test program, started at its first use. Use a database of your own:
    /// [`Self::create_database`].
    ///
    /// # Panics
    /// If it cannot be started: nothing can be tested then.
    pub fn shared_for_tests() -> &'static Self {
        static SHARED: OnceLock<ClickHouse> = OnceLock::new();
        SHARED.get_or_init(|| {
            let started = test_folder().and_then(|folder| {
                Self::start(StartOptions {
                    data: Some(folder.join("clickhouse")),
                    ..StartOptions::default()
                })
            });
            match started {
                Ok(server) => server,
                Err(error) => panic!("{error}"),
            }
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port; it stays the same over [`Self::restart`].
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The process's number.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends the server at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops the server from doing anything while it keeps port and connections (SIGSTOP).
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Wakes a paused server.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Kills the server if it runs and starts it on the same port and data.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        let (process, _) = launch(&self.binary, &self.arguments, &self.log, self.port)?;
        self.process = process;
        Ok(())
    }

    /// Makes a database that nobody else uses, named after `prefix`.
    ///
    /// # Errors
    /// ClickHouse cannot be reached or refuses.
    pub fn create_database(&self, prefix: &str) -> Result<String> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!(
            "{prefix}_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        self.execute(&format!("CREATE DATABASE `{name}`"))?;
        Ok(name)
    }

    /// Runs a statement and gives its answer as text, tab separated. Blocks. For setting things up: programs use the
    /// `clickhouse` crate with [`Self::url`].
    ///
    /// # Errors
    /// ClickHouse cannot be reached or refuses; the text is its own.
    pub fn execute(&self, sql: &str) -> Result<String> {
        let failed = |reason: String| Error::ClickHouse {
            url: self.url(),
            reason,
        };
        let answer = post(self.port, sql).map_err(|error| failed(error.to_string()))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if head.split(' ').nth(1) == Some("200") {
            Ok(body.to_owned())
        } else {
            Err(failed(body.trim().to_owned()))
        }
    }
}

fn launch(binary: &Path, arguments: &[String], log: &Path, port: u16) -> Result<(Process, u16)> {
    let arguments = [arguments, &["--port".to_owned(), port.to_string()]].concat();
    let mut process = Process::start(
        "embedded ClickHouse",
        binary,
        &arguments,
        log,
        Output::Announces,
    )?;
    let line = process.first_line()?;
    let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
    match port {
        Some(port) => Ok((process, port)),
        None => Err(process.not_ready(format!("it said {line:?} where its address was expected"))),
    }
}

/// HTTP/1.0, so that the answer ends with the connection.
fn post(port: u16, sql: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_nodelay(true)?;
    let request = format!(
        "POST /?wait_end_of_query=1 HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n{sql}",
        sql.len()
    );
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
