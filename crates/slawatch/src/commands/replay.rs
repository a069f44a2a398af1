//! `slawatch replay`: the shell around [`crate::replay`].

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use slawatch_backtest::{Backtest, Contract, ContractPeriod, Told, write_alerts};
use slawatch_evaluator::RuleSet;
use slawatch_event::DecodeOptions;

use super::check::{read_mapping, read_policies, read_rules};
use super::event_files::{delay, instant, read_lines};
use crate::replay::{self, ReplayOptions, ReplayResult, Watched};

/// Reads events as JSON lines in log order and writes `outcomes.jsonl`, `panes.jsonl` and `dead_letters.jsonl`; with
/// `--rules` also `alerts.jsonl`, what they would have told, and `backtest.json`, what that would have been worth.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// Files of events, one JSON object a line, in log order.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Policy sets.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// How the source's own records become events.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Folder for the results; made if it does not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The wall clock: an RFC 3339 instant with offset, or milliseconds since 1970. Default: none.
    #[arg(long, value_parser = instant, value_name = "INSTANT", allow_hyphen_values = true)]
    until: Option<i64>,
    /// The time that events may need to reach the log, as in "2s".
    #[arg(long, value_parser = delay, default_value = "0s", value_name = "D")]
    allowed_delay: i64,
    /// How many trackers share the tickets; results do not depend on it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024), value_name = "N")]
    partitions: u32,
    /// Alert rules to try on this history.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// With --rules: over how long the contract judges.
    #[arg(long, value_parser = period, default_value = "month", value_name = "PERIOD", requires = "rules")]
    contract_period: ContractPeriod,
    /// With --rules: the time zone of the contract's days.
    #[arg(long, value_parser = zone, default_value = "UTC", value_name = "ZONE", requires = "rules")]
    contract_timezone: TimeZone,
}

fn period(text: &str) -> Result<ContractPeriod, String> {
    let named = ContractPeriod::NAMED.iter().find(|(name, _)| *name == text);
    named
        .map(|(_, period)| *period)
        .ok_or_else(|| "write day, week or month".to_owned())
}

fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZoneDatabase::bundled()
        .get(text)
        .map_err(|_| "write an IANA time zone, such as Europe/Berlin".to_owned())
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let sets = read_policies(&self.policies)?;
        let mapping = read_mapping(self.mapping.as_deref())?;
        let rules = read_rules(&self.rules)?;
        let Some(((sets, mapping), rules)) = sets.zip(mapping).zip(rules) else {
            return Ok(ExitCode::FAILURE);
        };
        let rules = Arc::new(rules);
        if let Some(path) = self.rules.first().filter(|_| rules.is_empty()) {
            bail!("{} holds no rule to try", path.display());
        }
        let options = ReplayOptions {
            until_ms: self.until,
            allowed_delay_ms: self.allowed_delay,
            partitions: self.partitions,
            decode: DecodeOptions {
                mapping,
                ..DecodeOptions::default()
            },
        };
        let watched_by = (!rules.is_empty()).then(|| Arc::clone(&rules));
        let mut replay = replay::Replay::watched_by(&sets, options, watched_by);
        read_lines(&self.events, |line| replay.line(line))?;
        let progress = hindsight_progress(replay.kept())?;
        let result = replay.finish_telling(&mut |done| progress.set_position(done as u64));
        progress.finish_and_clear();
        write(&self.out, &result)?;
        let counts = result.counts;
        println!(
            "{} lines: {} events, {} copies ({} of them conflicting), {} dead letters\n{} outcomes, {} panes in {}",
            counts.lines,
            counts.events,
            counts.duplicates + counts.conflicting,
            counts.conflicting,
            result.dead_letters.len(),
            result.outcomes.len(),
            result.panes.len(),
            self.out.display()
        );
        if let Some(watched) = &result.watched {
            let contract = Contract {
                period: self.contract_period,
                zone: self.contract_timezone,
            };
            tell(&self.out, &rules, watched, &contract)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn hindsight_progress(events: usize) -> anyhow::Result<ProgressBar> {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} events in hindsight {per_sec} {eta}")?;
    let progress = if events == 0 {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(events as u64)
    };
    Ok(progress.with_style(style))
}

/// What the rules told, and what that was worth.
fn tell(
    folder: &Path,
    rules: &RuleSet,
    watched: &Watched,
    contract: &Contract,
) -> anyhow::Result<()> {
    let backtest = Backtest::new(rules, &watched.ended, &watched.in_hindsight, contract);
    let told = Told {
        backtest: &backtest,
        contract,
    };
    write_file(folder, "backtest.json", &|out| {
        writeln!(out, "{:#}", told.to_json())
    })?;
    println!("{} transitions of alerts\n\n{told}", watched.alerts().len());
    Ok(())
}

fn write(folder: &Path, result: &ReplayResult) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    write_file(folder, "outcomes.jsonl", &|out| {
        replay::write_outcomes(&result.outcomes, out)
    })?;
    write_file(folder, "panes.jsonl", &|out| {
        replay::write_panes(&result.panes, out)
    })?;
    write_file(folder, "dead_letters.jsonl", &|out| {
        replay::write_dead_letters(&result.dead_letters, out)
    })?;
    // Without rules there are none, which a file of an earlier replay must not deny.
    let alerts = result.watched.as_ref().map_or(&[][..], Watched::alerts);
    write_file(folder, "alerts.jsonl", &|out| write_alerts(alerts, out))
}

fn write_file(
    folder: &Path,
    name: &str,
    write: &dyn Fn(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let path = folder.join(name);
    let context = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create(&path).with_context(context)?);
    write(&mut out).with_context(context)?;
    out.flush().with_context(context)
}
