//! The command line: one module a command.

mod act;
mod bench;
mod check;
mod demo;
mod event_files;
mod explain;
mod generate;
mod import;
mod replay;
mod run;
mod test_alert;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub(crate) use run::{migrate, start_metrics};

/// Detects SLA breaches in outsourced customer support in real time.
#[derive(Debug, Parser)]
#[command(name = "slawatch", version, about)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the roles of an installation.
    Run(run::Run),
    /// Check policy sets and rules: every mistake with file, line and what to write instead.
    Check(check::Check),
    /// Make and upgrade the tables and views in ClickHouse.
    Migrate(run::Migrate),
    /// Compute outcomes and panes from files of events, with neither Kafka nor ClickHouse.
    Replay(replay::Replay),
    /// Put the events of files onto the input topic: tickets open before the installation, or a history.
    Import(import::Import),
    /// Tell why each clock of one ticket stands where it stands.
    Explain(explain::Explain),
    /// Acknowledge an alert that fires: its escalation stops unless it gets worse.
    Ack(act::Ack),
    /// Tell nobody of alerts that match, from then until then; or end such a silence.
    Silence(act::Silence),
    /// Mark a change of SOP or product, for rules that compare before and after.
    MarkChange(act::MarkChange),
    /// Send a marked alert to a receiver, and say what it answered.
    TestAlert(test_alert::TestAlert),
    /// Make a believable stretch of traffic.
    Generate(generate::Generate),
    /// Run everything on generated traffic in one process; `cargo xtask demo` sets it up.
    Demo(demo::Demo),
    /// Measure.
    Bench(bench::Bench),
}

impl CommandLine {
    /// Does what was asked for. The exit code is 0 only if all of it was done and found right.
    ///
    /// # Errors
    /// What went wrong, as a chain of causes to print.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(run) => run.run(),
            Command::Check(check) => check.run(),
            Command::Migrate(migrate) => migrate.run(),
            Command::Replay(replay) => replay.run(),
            Command::Import(import) => import.run(),
            Command::Explain(explain) => explain.run(),
            Command::Ack(ack) => ack.run(),
            Command::Silence(silence) => silence.run(),
            Command::MarkChange(change) => change.run(),
            Command::TestAlert(test) => test.run(),
            Command::Generate(generate) => generate.run(),
            Command::Demo(demo) => demo.run(),
            Command::Bench(bench) => bench.run(),
        }
    }
}
