//! A real mail server on a local port, a process of its own: Debian's aiosmtpd, keeping what it takes and answering as its
//! script says, with a throw-away certificate where TLS is asked for.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::binary;
use crate::error::{Error, Result};
use crate::process::{Output, Process, temporary_or};

const SCRIPT: &str = include_str!("smtp_server.py");
/// Debian's packages of Python belong to this one, whichever else comes first in PATH.
const PYTHON: [&str; 2] = ["/usr/bin/python3", "/usr/local/bin/python3"];
const INSTALL: &str = "on Debian and Ubuntu `apt-get install -y python3-aiosmtpd`, elsewhere `pip install aiosmtpd` into \
                       /usr/local/bin/python3";

/// How connections are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all.
    #[default]
    None,
    /// By STARTTLS, without which nothing is taken.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct SmtpOptions {
    /// How connections are encrypted.
    pub tls: SmtpTls,
    /// Certificate and key in PEM, needed for TLS.
    pub certificate: Option<(String, String)>,
    /// User and password, without which nothing is taken.
    pub login: Option<(String, String)>,
    /// The program `slawatch-devstack`; none: the one beside this program.
    pub binary: Option<PathBuf>,
}

/// What was taken, or refused after it had been sent.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Mail {
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: Vec<String>,
    /// Headers and body as they came.
    pub content: String,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// What the server said.
    pub answer: String,
}

/// A running mail server; dropping it kills it.
#[derive(Debug)]
pub struct Smtp {
    port: u16,
    folder: PathBuf,
    _process: Process,
    _temporary: Option<tempfile::TempDir>,
}

impl Smtp {
    /// Starts it and waits until it listens. Blocks.
    ///
    /// # Errors
    /// aiosmtpd is not installed, or the server ends before it is ready.
    pub fn start(options: SmtpOptions) -> Result<Self> {
        let python = PYTHON.iter().find(|python| Path::new(python).is_file());
        let python = python.ok_or(Error::MissingProgram {
            program: "python3",
            purpose: "run a local mail server",
            install: INSTALL,
        })?;
        let binary = options.binary.map_or_else(binary::find, Ok)?;
        let (folder, temporary) = temporary_or(None)?;
        write(&folder, "smtp_server.py", SCRIPT)?;
        let tls = match options.tls {
            SmtpTls::None => "none",
            SmtpTls::StartTls => "starttls",
            SmtpTls::Implicit => "implicit",
        };
        if let Some((certificate, key)) = &options.certificate {
            write(&folder, "certificate.pem", certificate)?;
            write(&folder, "key.pem", key)?;
        }
        if let Some((user, password)) = &options.login {
            write(&folder, "login", &format!("{user}:{password}"))?;
        }
        let arguments = [
            "exec",
            "--",
            python,
            &folder.join("smtp_server.py").to_string_lossy(),
            &folder.to_string_lossy(),
            tls,
        ]
        .map(str::to_owned);
        let log = folder.join("smtp.log");
        let output = Output::Announces;
        let mut process = Process::start("the mail server", &binary, &arguments, &log, output)?;
        let line = process.first_line()?;
        let port = line.parse().map_err(|_| {
            process.not_ready(format!("it said {line:?} instead of its port ({INSTALL})"))
        })?;
        Ok(Self {
            port,
            folder,
            _process: process,
            _temporary: temporary,
        })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file of its certificate, for a client that is to trust it.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// What it says of the next messages, such as `451 4.3.0 later`; `drop` breaks the connection off, `hang` says nothing.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn answer_with(&self, answers: &[&str]) -> Result<()> {
        write(&self.folder, "script.json", &list(answers))
    }

    /// These recipients do not exist.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn refuse(&self, recipients: &[&str]) -> Result<()> {
        write(&self.folder, "refused.json", &list(recipients))
    }

    /// Everything that came to its end.
    pub fn mails(&self) -> Vec<Mail> {
        let text = std::fs::read_to_string(self.folder.join("kept.jsonl")).unwrap_or_default();
        let mails = text.lines().map(serde_json::from_str);
        // A line half written is read the next time.
        mails
            .take_while(std::result::Result::is_ok)
            .flatten()
            .collect()
    }
}

fn list(entries: &[&str]) -> String {
    serde_json::Value::from(entries.to_vec()).to_string()
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    // Read while it is written, it must be whole.
    let new = folder.join(format!("{name}.new"));
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &path));
    written.map_err(Error::file(&path, "the file cannot be written"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;

    use super::*;

    fn says(lines: &mut impl BufRead) -> String {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    #[test]
    fn it_takes_a_message_and_answers_as_it_is_told() {
        let server = Smtp::start(SmtpOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        server.answer_with(&["451 4.3.0 later"]).unwrap();
        server.refuse(&["nobody@test"]).unwrap();
        for expected in ["451 4.3.0 later", "250 2.0.0 kept"] {
            let socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
            let mut lines = BufReader::new(socket.try_clone().unwrap());
            let mut socket = socket;
            assert!(says(&mut lines).starts_with("220 mail.test"));
            let mut dialogue = |command: &str, answer: &str| {
                socket
                    .write_all(format!("{command}\r\n").as_bytes())
                    .unwrap();
                assert_eq!(says(&mut lines), answer, "{command}");
            };
            dialogue("HELO me", "250 mail.test");
            dialogue("MAIL FROM:<me@test>", "250 OK");
            dialogue("RCPT TO:<nobody@test>", "550 5.1.1 no such user here");
            dialogue("RCPT TO:<you@test>", "250 2.1.5 ok");
            dialogue("DATA", "354 End data with <CR><LF>.<CR><LF>");
            dialogue("Subject: x\r\n\r\nhello\r\n.", expected);
        }
        let mails = server.mails();
        assert_eq!(mails.len(), 2);
        assert_eq!(
            (mails[1].from.as_str(), &mails[1].to[..]),
            ("me@test", &["you@test".to_owned()][..])
        );
        assert!(mails[1].content.ends_with("hello\r\n") && !mails[1].encrypted);
    }
}
