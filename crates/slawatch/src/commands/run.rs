//! `slawatch run` and `slawatch migrate`: an installation.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use slawatch_evaluator::RuleSet;
use slawatch_stream::{Clock, KafkaLog, ObjectSnapshots, SystemClock};
use tracing_subscriber::EnvFilter;

use super::check::{read_mapping, read_policies, read_rules};
use crate::config::{Config, LogFormat, Logs, Role};
use crate::program::{BEHIND_MS, Program, RuleBooks, World};

/// Runs the roles of an installation until it is told to stop.
#[derive(Args, Debug)]
pub(super) struct Run {
    /// The configuration file.
    #[arg(long, default_value = "slawatch.toml", value_name = "FILE")]
    config: PathBuf,
    /// What this process does; default: what the configuration says.
    #[arg(long, value_delimiter = ',', value_name = "ROLE,…")]
    roles: Vec<Role>,
}

/// Makes and upgrades the tables and views in ClickHouse.
#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// The configuration file.
    #[arg(long, default_value = "slawatch.toml", value_name = "FILE")]
    config: PathBuf,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = Config::read(&self.config)?;
        if !self.roles.is_empty() {
            config.roles = self.roles;
        }
        start_logs(&config.logs)?;
        let metrics = start_metrics()?;
        let Some(books) = read_rule_books(&config)? else {
            return Ok(ExitCode::FAILURE);
        };
        for silence in silences(&config, &books.rules) {
            tracing::warn!("{silence}");
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let world = World {
            log: Arc::new(KafkaLog::new(config.kafka.options(), Arc::clone(&clock))),
            clock,
            store: Arc::new(ObjectSnapshots::folder(&config.snapshots.path)?),
            metrics: Arc::new({
                let metrics = metrics.clone();
                move || metrics.render()
            }),
            tune: |_| {},
            behind_ms: BEHIND_MS,
        };
        let program = Program::start(&config, books, world)?;
        let roles: Vec<_> = config.roles.iter().map(|role| role.name()).collect();
        tracing::info!(roles = roles.join(","), "slawatch runs");
        let told = wait(&program, &metrics);
        tracing::info!("stopping");
        program.stop()?;
        told.map(|()| ExitCode::SUCCESS)
    }
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let applied = migrate(&config)?;
        if applied.migrations.is_empty() {
            println!(
                "database {} at {} is up to date",
                config.clickhouse.database, config.clickhouse.url
            );
        }
        for name in applied.migrations {
            println!("applied {name}");
        }
        for (table, days) in applied.ttls {
            println!("rows of {} are kept for {days} days", table.name());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Brings the tables up to date.
pub(crate) fn migrate(config: &Config) -> anyhow::Result<slawatch_loader::Applied> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let (server, tables) = (
        config.clickhouse.options(),
        config.clickhouse.migrate_options(),
    );
    Ok(runtime.block_on(slawatch_loader::migrate(&server, &tables))?)
}

/// Policies, rules and mapping; `None` if they have mistakes, which were told.
fn read_rule_books(config: &Config) -> anyhow::Result<Option<RuleBooks>> {
    let sets = read_policies(&config.policies)?;
    let rules = read_rules(&config.rules)?;
    let mapping = read_mapping(config.tracker.mapping.as_deref())?;
    let books = sets.zip(rules).zip(mapping);
    Ok(books.map(|((sets, rules), mapping)| RuleBooks {
        sets,
        rules,
        mapping,
    }))
}

/// What this configuration leaves unsaid to everybody, though a role for it runs.
fn silences(config: &Config, rules: &RuleSet) -> Vec<&'static str> {
    let mut silences = Vec::new();
    if config.roles.contains(&Role::Evaluator) && rules.is_empty() {
        silences.push(
            "there are no alert rules, so nothing will ever be alerted: name a file in `rules`",
        );
    }
    if config.roles.contains(&Role::Dispatcher) && config.dispatcher.receivers.is_empty() {
        silences.push(
            "there are no receivers, so nobody is told of any alert: add a [[dispatcher.receiver]]",
        );
    }
    silences
}

/// Says what the process does, on standard error.
pub(crate) fn start_logs(logs: &Logs) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&logs.level)
        .with_context(|| format!("logs.level {:?} is no filter", logs.level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match logs.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Pretty => builder.try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// Takes in every metric of the process.
pub(crate) fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = recorder()?
        .install_recorder()
        .context("cannot start metrics")?;
    crate::metrics::describe();
    slawatch_stream::describe_metrics();
    slawatch_loader::describe_metrics();
    slawatch_dispatcher::metrics::describe();
    slawatch_board::describe_metrics();
    slawatch_health::describe_metrics();
    Ok(handle)
}

/// How late pages are must add up over processes: a histogram with buckets, no summary.
fn recorder() -> anyhow::Result<PrometheusBuilder> {
    use slawatch_dispatcher::metrics::{DELAY, DELAY_BUCKETS};
    let delay = Matcher::Full(DELAY.name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(delay, &DELAY_BUCKETS)
        .context("cannot set up metrics")
}

/// Until SIGINT or SIGTERM comes, or a role fails for good.
fn wait(program: &Program, metrics: &PrometheusHandle) -> anyhow::Result<()> {
    const LOOK: Duration = Duration::from_millis(200);
    /// Histograms keep every sample until they are rendered or this is done, and nobody may ask for them.
    const UPKEEP: Duration = Duration::from_secs(5);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .context("cannot wait for signals")?;
        let mut look = tokio::time::interval(LOOK);
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => return interrupted.context("cannot wait for Ctrl-C"),
                _ = terminate.recv() => return Ok(()),
                _ = upkeep.tick() => metrics.run_upkeep(),
                _ = look.tick() => if program.has_failed() {
                    return Ok(());
                },
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_late_pages_are_adds_up_over_processes() {
        let recorder = recorder().unwrap().build_recorder();
        let name = slawatch_dispatcher::metrics::DELAY.name;
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!(name, "receiver" => "hook").record(0.7);
        });
        let text = recorder.handle().render();
        assert!(
            text.contains("slawatch_receiver_delay_seconds_bucket{receiver=\"hook\",le=\"1\"} 1"),
            "{text}"
        );
    }

    #[test]
    fn who_would_hear_nothing_is_told_so() {
        let mut config =
            Config::parse_alone("slawatch.toml".as_ref(), "policies = [\"p.toml\"]").unwrap();
        let none = RuleSet::default();
        let told = silences(&config, &none);
        assert!(
            told[0].starts_with("there are no alert rules") && told.len() == 2,
            "{told:?}"
        );
        assert!(told[1].starts_with("there are no receivers"), "{told:?}");
        config.roles = vec![Role::Tracker, Role::Board];
        assert_eq!(silences(&config, &none), [""; 0]);
    }
}
