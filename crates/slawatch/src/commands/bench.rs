//! `slawatch bench`: the shell around [`crate::bench`].

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::bench;

/// Measures on a real broker; `cargo xtask bench` builds for it.
#[derive(Args, Debug)]
pub(super) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The tracker role beside a bare consumer loop.
    Tracker {
        /// Days of traffic.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Tickets on an average weekday; a ticket has about six events.
        #[arg(long, default_value_t = 40_000.0)]
        tickets_per_day: f64,
    },
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self.what {
            What::Tracker {
                days,
                tickets_per_day,
            } => bench::tracker(days, tickets_per_day)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
