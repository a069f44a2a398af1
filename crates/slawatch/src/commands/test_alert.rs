//! `slawatch test-alert`: whether alerts would arrive at a receiver.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use slawatch_dispatcher::delivery::Answer;
use slawatch_dispatcher::trial::{self, Told};
use slawatch_stream::{Clock, SystemClock};

use crate::config::Config;

/// Sends a marked alert to a receiver, and its end, and says what the receiver answered.
#[derive(Args, Debug)]
pub(super) struct TestAlert {
    /// The receiver's name, as in the configuration.
    #[arg(value_name = "RECEIVER")]
    receiver: String,
    /// The configuration file.
    #[arg(long, default_value = "slawatch.toml", value_name = "FILE")]
    config: PathBuf,
}

impl TestAlert {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        let now_ms = SystemClock::new().wall_ms();
        let told = runtime.block_on(trial::run(&config.dispatcher, &self.receiver, now_ms))?;
        for one in &told {
            println!("{}: {}: {}", self.receiver, one.state, answer(one));
        }
        if let Some(failed) = told.iter().find(|one| !one.is_taken()) {
            eprintln!("slawatch: {}", advice(&self.receiver, failed));
            return Ok(ExitCode::FAILURE);
        }
        println!("The test has been taken; look whether it can be seen there.");
        Ok(ExitCode::SUCCESS)
    }
}

fn answer(told: &Told) -> String {
    match &told.answer {
        Answer::Taken { detail, .. } => format!("taken ({detail})"),
        Answer::Refused { detail } => format!("refused ({detail})"),
        Answer::Trouble { detail, .. } => format!("failed ({detail})"),
    }
}

fn advice(receiver: &str, failed: &Told) -> String {
    match &failed.answer {
        Answer::Taken { .. } => String::new(),
        Answer::Refused { .. } => format!(
            "receiver {receiver:?} refused the test, and would refuse alerts too: what it answered says why; \
             docs/receivers.md has what to set up for each type"
        ),
        Answer::Trouble { .. } => format!(
            "the test did not reach receiver {receiver:?}: an alert would be tried again until it does; check the address, \
             the way there and the login"
        ),
    }
}
