//! The command line: one module a command.

mod check;
mod replay;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Detects SLA breaches in outsourced customer support in real time.
#[derive(Debug, Parser)]
#[command(name = "slawatch", version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check policy sets: every mistake with file, line and what to write instead.
    Check(check::Check),
    /// Compute outcomes and panes from files of events, with neither Kafka nor ClickHouse.
    Replay(replay::Replay),
}

impl CommandLine {
    /// Does what was asked for. The exit code is 0 only if all of it was done and found right.
    ///
    /// # Errors
    /// What went wrong, as a chain of causes to print.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Check(check) => check.run(),
            Command::Replay(replay) => replay.run(),
        }
    }
}
