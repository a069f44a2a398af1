//! A real Prometheus Alertmanager on a local port, a process of its own and a cluster of one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::binary;
use crate::error::{Error, Result};
use crate::kafka::free_port;
use crate::process::{Output, Process, temporary_or};

/// Debian's name for it comes first: upstream's is the second.
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];
const INSTALL: &str = "on Debian and Ubuntu `apt-get install -y prometheus-alertmanager` (the package \
                       prometheus-alertmanager), elsewhere from https://prometheus.io/download";
const PROBE_PAUSE: Duration = Duration::from_millis(25);
const READY_PROBES: u32 = 1200;
/// Nobody is told anything: what the API says is looked at.
const CONFIGURATION: &str = "\
route:
  receiver: nobody
  group_by: [slawatch_key]
  group_wait: 1s
receivers:
  - name: nobody
";

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct AlertmanagerOptions {
    /// Its `alertmanager.yml`; none: one that sends nothing to anybody.
    pub configuration: Option<String>,
    /// The folder of its data and log; none: a temporary one, removed with the [`Alertmanager`].
    pub data: Option<PathBuf>,
    /// The program `slawatch-devstack`; none: the one beside this program.
    pub binary: Option<PathBuf>,
}

/// A running Alertmanager; dropping it kills it.
#[derive(Debug)]
pub struct Alertmanager {
    process: Process,
    binary: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    port: u16,
    _temporary: Option<tempfile::TempDir>,
}

impl Alertmanager {
    /// Starts it and waits until it is ready. Blocks.
    ///
    /// # Errors
    /// It is not installed, or ends before it is ready.
    pub fn start(options: AlertmanagerOptions) -> Result<Self> {
        let program = find_program(std::env::var_os("PATH").as_deref())?;
        let binary = options.binary.map_or_else(binary::find, Ok)?;
        let (folder, temporary) = temporary_or(options.data)?;
        let configuration = folder.join("alertmanager.yml");
        let text = options.configuration.as_deref().unwrap_or(CONFIGURATION);
        std::fs::write(&configuration, text)
            .map_err(Error::file(&configuration, "the file cannot be written"))?;
        let port = free_port()?;
        let arguments = vec![
            "exec".to_owned(),
            "--".to_owned(),
            program.to_string_lossy().into_owned(),
            format!("--config.file={}", configuration.display()),
            format!("--storage.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let log = folder.join("alertmanager.log");
        let process = launch(&binary, &arguments, &log, port)?;
        Ok(Self {
            process,
            binary,
            arguments,
            log,
            port,
            _temporary: temporary,
        })
    }

    /// Its root, for a receiver's `url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it says to `GET path`, without the headers.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer 200.
    pub fn get(&self, path: &str) -> std::io::Result<String> {
        get(self.port, path)
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it from doing anything while its connections stay open (SIGSTOP).
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Wakes it up.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Kills it if it runs, starts it on the same port and data and waits until it is ready.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill();
        self.process = launch(&self.binary, &self.arguments, &self.log, self.port)?;
        Ok(())
    }
}

fn find_program(path: Option<&std::ffi::OsStr>) -> Result<PathBuf> {
    let folders: Vec<PathBuf> = path
        .map(|path| std::env::split_paths(path).collect())
        .unwrap_or_default();
    PROGRAMS
        .iter()
        .flat_map(|program| folders.iter().map(move |folder| folder.join(program)))
        .find(|candidate| candidate.is_file())
        .ok_or(Error::MissingProgram {
            program: PROGRAMS[0],
            purpose: "run a local Alertmanager",
            install: INSTALL,
        })
}

fn launch(binary: &Path, arguments: &[String], log: &Path, port: u16) -> Result<Process> {
    let mut process = Process::start("the Alertmanager", binary, arguments, log, Output::InLog)?;
    for _ in 0..READY_PROBES {
        if let Some(status) = process.ended() {
            return Err(process.not_ready(format!("it ended ({status})")));
        }
        if get(port, "/-/ready").is_ok() {
            return Ok(process);
        }
        // Nobody unparks this thread: it paces the questions to a port that nobody listens on yet.
        std::thread::park_timeout(PROBE_PAUSE);
    }
    Err(process.not_ready("it did not answer in time".to_owned()))
}

/// HTTP/1.0, so that the answer ends with the connection.
fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") {
        Ok(body.to_owned())
    } else {
        Err(std::io::Error::other(format!(
            "GET {path}: {status}: {body}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_the_package() {
        let empty = tempfile::tempdir().unwrap();
        for path in [None, Some(empty.path().as_os_str())] {
            assert_eq!(
                find_program(path).unwrap_err().to_string(),
                "`prometheus-alertmanager` is needed to run a local Alertmanager and was not found in PATH: on Debian and \
                 Ubuntu `apt-get install -y prometheus-alertmanager` (the package prometheus-alertmanager), elsewhere from \
                 https://prometheus.io/download"
            );
        }
    }

    #[test]
    fn it_starts_answers_and_comes_back_on_its_port() {
        let mut alertmanager = Alertmanager::start(AlertmanagerOptions::default())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(alertmanager.get("/api/v2/alerts").unwrap().trim(), "[]");
        alertmanager.kill();
        assert!(alertmanager.get("/-/ready").is_err());
        alertmanager.restart().unwrap();
        assert_eq!(alertmanager.get("/api/v2/alerts").unwrap().trim(), "[]");
    }

    #[test]
    fn a_configuration_that_it_refuses_is_shown() {
        let options = AlertmanagerOptions {
            configuration: Some("route: {}\nreceivers: []".to_owned()),
            ..AlertmanagerOptions::default()
        };
        let message = Alertmanager::start(options).unwrap_err().to_string();
        assert!(
            message.starts_with("the Alertmanager did not become ready: it ended (exit status: 1)")
                && message.contains("receiver"),
            "{message}"
        );
    }
}
