//! `cargo xtask …`: the project's own commands. Each does all the set-up it needs, and names what it cannot get.

mod run;
mod tools;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::run::{binary, build, cargo, finish};
use crate::tools::{
    AIOSMTPD, ALERTMANAGER, C_COMPILER, CHROMIUM, JAVA, MAKE, MAVEN, NPM, PERL, PROMTOOL, Tool,
};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "slawatch's own commands")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on generated traffic: embedded ClickHouse, in-memory log, wallboard on a local port.
    Demo(Demo),
    /// Run every test, on a real Kafka broker and real ClickHouse.
    Test(Test),
    /// Play whole clusters that are disturbed by seed, and check that every promise is kept.
    Simulate(Simulate),
    /// Measure.
    Bench(Bench),
}

#[derive(Args, Debug)]
struct Demo {
    /// Use a real Kafka broker instead of the in-memory log.
    #[arg(long)]
    kafka: bool,
    /// Further arguments of `slawatch demo`, such as --once.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Args, Debug)]
struct Test {
    /// Arguments of `cargo test`, such as `-p slawatch-tracker`; default: the whole workspace.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Args, Debug)]
struct Simulate {
    /// How many seeds.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

#[derive(Args, Debug)]
struct Bench {
    /// What to measure.
    what: Benchmark,
    /// Further arguments of `slawatch bench`, such as --days 14.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Benchmark {
    /// The tracker reading from a real broker, beside a bare consumer loop.
    Tracker,
}

const KAFKA: &str = "--kafka";

/// What is needed to build, whatever is run afterwards.
const TO_BUILD: [Tool; 3] = [C_COMPILER, MAKE, PERL];

fn main() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Test(test) => test.run(),
        Command::Simulate(simulate) => simulate.run(),
        Command::Bench(bench) => bench.run(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

impl Demo {
    fn run(self) -> anyhow::Result<ExitCode> {
        tools::require(&TO_BUILD)?;
        tools::require(&[NPM])?;
        let mut arguments = vec!["demo".to_owned()];
        // Behind another argument it is among those of `slawatch demo`.
        if self.kafka || self.arguments.iter().any(|argument| argument == KAFKA) {
            tools::require(&[JAVA, MAVEN])?;
        }
        arguments.extend(self.kafka.then(|| KAFKA.to_owned()));
        arguments.extend(self.arguments);
        build(&["-p", "slawatch", "-p", "slawatch-devstack"])?;
        finish(binary("debug", "slawatch")?.args(arguments))
    }
}

impl Test {
    fn run(self) -> anyhow::Result<ExitCode> {
        tools::require(&TO_BUILD)?;
        tools::require(&[NPM, JAVA, MAVEN, ALERTMANAGER, AIOSMTPD, CHROMIUM, PROMTOOL])?;
        let arguments = if self.arguments.is_empty() {
            vec!["--workspace".to_owned()]
        } else {
            self.arguments
        };
        // Tests start these programs from beside their own.
        build(&["--workspace", "--bins"])?;
        finish(cargo().arg("test").args(arguments))
    }
}

impl Simulate {
    fn run(self) -> anyhow::Result<ExitCode> {
        tools::require(&TO_BUILD)?;
        let test = "whatever_happens_every_promise_is_kept";
        finish(
            cargo()
                .args(["test", "--quiet", "-p", "slawatch-simulation", test])
                .args(["--", "--nocapture"])
                .env("SIMULATE_SEEDS", self.seeds.to_string())
                .env("SIMULATE_FROM", self.from.to_string()),
        )
    }
}

impl Bench {
    fn run(self) -> anyhow::Result<ExitCode> {
        tools::require(&TO_BUILD)?;
        tools::require(&[JAVA, MAVEN])?;
        let what = match self.what {
            Benchmark::Tracker => "tracker",
        };
        build(&["--release", "-p", "slawatch", "-p", "slawatch-devstack"])?;
        finish(
            binary("release", "slawatch")?
                .args(["bench", what])
                .args(self.arguments),
        )
    }
}
