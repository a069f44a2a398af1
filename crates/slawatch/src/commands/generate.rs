//! `slawatch generate`: traffic to try things on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use slawatch_devstack::generate::{Speed, generate_to_kafka, generate_to_writer};
use slawatch_devstack::traffic::{Incident, Traffic, TrafficConfig};

/// Makes a believable stretch of tickets of four vendors, the same for the same seed.
#[derive(Args, Debug)]
pub(super) struct Generate {
    /// Everything follows from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first instant, RFC 3339 with offset or milliseconds since 1970.
    #[arg(long, value_parser = super::event_files::instant, default_value = "2026-01-05T00:00:00Z", value_name = "INSTANT")]
    start: i64,
    /// How many days.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: u32,
    /// Tickets on an average weekday, all vendors together.
    #[arg(long, default_value_t = 4000.0, value_parser = positive)]
    tickets_per_day: f64,
    /// Leave out the incident in which one vendor's queue drowns.
    #[arg(long)]
    no_incident: bool,
    /// Write JSON lines to this file; "-" is standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "kafka")]
    out: Option<PathBuf>,
    /// Write to this Kafka cluster, "host:port".
    #[arg(long, value_name = "BROKERS")]
    kafka: Option<String>,
    /// The topic to write to.
    #[arg(long, default_value = "ticket-events")]
    topic: String,
    /// Seconds of traffic a second; 0 is as fast as it goes. Only for Kafka.
    #[arg(long, default_value_t = 0.0)]
    speed: f64,
}

impl Generate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = TrafficConfig::week(self.seed, self.start);
        config.duration_ms = i64::from(self.days) * slawatch_devstack::traffic::DAY_MS;
        config.tickets_per_day = self.tickets_per_day;
        let (start_ms, duration_ms) = (config.start_ms, config.duration_ms);
        config.incident = (!self.no_incident)
            .then(|| Incident::mid_week(start_ms, duration_ms, self.tickets_per_day));
        let mut traffic = Traffic::new(config);
        let speed = if self.speed > 0.0 {
            Speed::TimesReal(self.speed)
        } else {
            Speed::Unbounded
        };
        let truth = match (&self.out, &self.kafka) {
            (Some(path), _) if path.as_os_str() == "-" => {
                generate_to_writer(&mut traffic, &mut std::io::stdout().lock())?
            }
            (Some(path), _) => {
                let context = || format!("cannot write {}", path.display());
                let mut out = BufWriter::new(File::create(path).with_context(context)?);
                let truth = generate_to_writer(&mut traffic, &mut out)?;
                out.flush().with_context(context)?;
                truth
            }
            (None, Some(brokers)) => generate_to_kafka(&mut traffic, brokers, &self.topic, speed)?,
            (None, None) => bail!("say where to: --out FILE, --out - or --kafka BROKERS"),
        };
        eprintln!(
            "{} records: {} events, {} copies, {} that cannot count",
            truth.records,
            truth.distinct_events(),
            truth.duplicates,
            truth.dead_letters()
        );
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    number
        .filter(|number: &f64| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "write a number above 0".to_owned())
}
