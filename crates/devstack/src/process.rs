//! Processes started here: they die with this process however it ends, have their output in a log, and can be killed,
//! stopped and woken for fault tests.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};

use rustix::process::{Pid, Signal, kill_process};

use crate::cache::last_lines;
use crate::error::{Error, Result};

/// The option by which `slawatch-devstack` is told to die with the process of that number.
pub(crate) const DIE_WITH_PARENT: &str = "--die-with-parent";

type Order = (Command, mpsc::Sender<std::io::Result<Child>>);

/// Starts a process from a thread that lives as long as this process: Linux ties a child's death signal to the *thread*
/// that started it, and a test's thread ends with its test.
fn spawn(command: Command) -> std::io::Result<Child> {
    static NURSERY: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let nursery = NURSERY.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in orders {
                answer.send(command.spawn()).ok();
            }
        });
        sender
    });
    let gone = || std::io::Error::other("the thread that starts processes is gone");
    let (answer, child) = mpsc::channel();
    nursery.send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// What a process's standard output is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Output {
    /// It says in its first line that it is ready: [`Process::first_line`].
    Announces,
    /// The log, with standard error.
    InLog,
}

/// A running process; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    what: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `binary` (slawatch-devstack) with these arguments and what it says on standard error in `log`.
    pub(crate) fn start(
        what: &'static str,
        binary: &Path,
        arguments: &[String],
        log: &Path,
        output: Output,
    ) -> Result<Self> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::file(log, "the log cannot be written"))?;
        let stdout = match output {
            Output::Announces => Stdio::piped(),
            Output::InLog => file
                .try_clone()
                .map_err(Error::file(log, "the log cannot be written"))?
                .into(),
        };
        let mut command = Command::new(binary);
        command
            .arg(DIE_WITH_PARENT)
            .arg(std::process::id().to_string())
            .args(arguments)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(file);
        #[cfg(unix)]
        {
            // A Ctrl-C at the terminal is for the process that started this one: it ends its parts in order.
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let child = spawn(command).map_err(Error::file(binary, "the program cannot be started"))?;
        Ok(Self {
            what,
            child,
            log: log.to_owned(),
        })
    }

    /// Waits for the line by which the process says that it is ready.
    pub(crate) fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        if let Some(output) = self.child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(Error::file(&self.log, "the process cannot be heard"))?;
        }
        if line.is_empty() {
            let status = self
                .child
                .wait()
                .map_or_else(|error| error.to_string(), |status| status.to_string());
            return Err(self.not_ready(format!("it ended ({status})")));
        }
        Ok(line.trim().to_owned())
    }

    /// The failure to become ready, with the end of the log.
    pub(crate) fn not_ready(&self, reason: String) -> Error {
        let text = std::fs::read(&self.log).unwrap_or_default();
        Error::NotReady {
            what: self.what,
            reason,
            log: self.log.clone(),
            log_end: last_lines(&String::from_utf8_lossy(&text), 15),
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // Both fail only if it is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// SIGSTOP: the process keeps its memory, its ports and its connections and does nothing.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It fails only for a process that is gone, to which nothing can be done any more.
            kill_process(pid, signal).ok();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder asked for, or a temporary one to be kept as long as what lives in it.
pub(crate) fn temporary_or(asked: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    if let Some(folder) = asked {
        std::fs::create_dir_all(&folder)
            .map_err(Error::file(&folder, "the data folder cannot be made"))?;
        return Ok((folder, None));
    }
    let temporary = tempfile::tempdir().map_err(Error::file(
        &std::env::temp_dir(),
        "no temporary folder can be made",
    ))?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

/// A folder named after this process. What ended test programs left is removed: nobody drops a static.
pub(crate) fn test_folder() -> Result<PathBuf> {
    let all = std::env::temp_dir().join("slawatch-tests");
    std::fs::create_dir_all(&all).map_err(Error::file(&all, "the folder cannot be made"))?;
    let entries =
        std::fs::read_dir(&all).map_err(Error::file(&all, "the folder cannot be read"))?;
    for entry in entries.flatten() {
        let owner = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            .and_then(Pid::from_raw);
        if owner.is_some_and(|owner| rustix::process::test_kill_process(owner).is_err()) {
            // Another test program may be removing it as well.
            std::fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(all.join(std::process::id().to_string()))
}

/// Makes this process die with the one that started it, whose number it was told.
///
/// # Errors
/// The starter is gone already.
pub fn die_with_parent(parent: u32) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| error.to_string())?;
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) {
        Ok(())
    } else {
        Err(format!("process {parent}, which started this one, is gone"))
    }
}
