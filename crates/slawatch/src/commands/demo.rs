//! `slawatch demo`: the shell around [`crate::demo`].

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Args;

use super::generate::positive;
use super::run::start_logs;
use crate::config::{LogFormat, Logs};
use crate::demo::{self, DemoOptions};

/// Plays generated traffic of four vendors, in which one vendor's queue drowns.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Play to the end, check every number, print a summary; exit 0 only if all of it was right.
    #[arg(long)]
    once: bool,
    /// Use a real Kafka broker instead of the in-memory log.
    #[arg(long)]
    kafka: bool,
    /// Everything in the traffic follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// Tickets on an average weekday, all vendors together.
    #[arg(long, default_value_t = 4000.0, value_parser = positive)]
    tickets_per_day: f64,
    /// Traffic seconds a second at the most, 0 for no bound. Default: 3000, with --once 0.
    #[arg(long)]
    speed: Option<f64>,
    /// Where the wallboard listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// What the roles say about themselves, as in "info".
    #[arg(long, default_value = "warn,librdkafka=error", value_name = "FILTER")]
    log: String,
}

impl Demo {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        start_logs(&Logs {
            format: LogFormat::Pretty,
            level: self.log,
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        stop_on_interrupt(Arc::clone(&stop))?;
        let options = DemoOptions {
            seed: self.seed,
            days: self.days,
            tickets_per_day: self.tickets_per_day,
            kafka: self.kafka,
            once: self.once,
            speed: self.speed.unwrap_or(if self.once { 0.0 } else { 3000.0 }),
            listen: self.listen,
        };
        let result = demo::run(&options, &|| stop.load(Ordering::SeqCst))?;
        Ok(if result.is_right {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Ctrl-C ends the demo in good order, and with it every process that it started.
fn stop_on_interrupt(stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for Ctrl-C")?;
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                stop.store(true, Ordering::SeqCst);
            }
        })
        .context("cannot wait for Ctrl-C")?;
    Ok(())
}
