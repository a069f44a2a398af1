//! `slawatch replay`: the shell around [`crate::replay`].

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use slawatch_event::parse_instant;
use slawatch_policy::parse_duration_ms;

use super::check::read_policies;
use crate::replay::{self, ReplayOptions, ReplayResult};

/// Reads events as JSON lines in log order and writes `outcomes.jsonl`, `panes.jsonl` and `dead_letters.jsonl`.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// Files of events, one JSON object a line, in log order.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Policy sets.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
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
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Some(sets) = read_policies(&self.policies)? else {
            return Ok(ExitCode::FAILURE);
        };
        let options = ReplayOptions {
            until_ms: self.until,
            allowed_delay_ms: self.allowed_delay,
            partitions: self.partitions,
            ..ReplayOptions::default()
        };
        let mut replay = replay::Replay::new(&sets, options);
        let progress = progress(&self.events)?;
        for path in &self.events {
            read_lines(path, &progress, |line| replay.line(line))?;
        }
        progress.finish_and_clear();
        let result = replay.finish();
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
        Ok(ExitCode::SUCCESS)
    }
}

pub(super) fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text)
        .or_else(|| text.parse().ok().filter(|at| slawatch_event::in_years(*at)))
        .ok_or_else(|| {
            "expected an RFC 3339 instant with offset, such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
                .to_owned()
        })
}

fn delay(text: &str) -> Result<i64, String> {
    if text == "0" {
        return Ok(0);
    }
    parse_duration_ms(text).map_err(|error| error.to_string())
}

fn progress(files: &[PathBuf]) -> anyhow::Result<ProgressBar> {
    let mut bytes = 0;
    for path in files {
        let metadata =
            std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            bail!(
                "{} is a folder; --events takes files of JSON lines",
                path.display()
            );
        }
        bytes += metadata.len();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")?;
    Ok(ProgressBar::new(bytes).with_style(style))
}

fn read_lines(
    path: &Path,
    progress: &ProgressBar,
    mut take: impl FnMut(&[u8]),
) -> anyhow::Result<()> {
    let context = || format!("cannot read {}", path.display());
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).with_context(context)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let bytes = reader.read_until(b'\n', &mut line).with_context(context)?;
        if bytes == 0 {
            return Ok(());
        }
        progress.inc(bytes as u64);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        take(text.strip_suffix(b"\r").unwrap_or(text));
    }
}

fn write(folder: &Path, result: &ReplayResult) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let file = |name: &str, write: &dyn Fn(&mut BufWriter<File>) -> std::io::Result<()>| {
        let path = folder.join(name);
        let context = || format!("cannot write {}", path.display());
        let mut out = BufWriter::new(File::create(&path).with_context(context)?);
        write(&mut out).with_context(context)?;
        out.flush().with_context(context)
    };
    file("outcomes.jsonl", &|out| {
        replay::write_outcomes(&result.outcomes, out)
    })?;
    file("panes.jsonl", &|out| {
        replay::write_panes(&result.panes, out)
    })?;
    file("dead_letters.jsonl", &|out| {
        replay::write_dead_letters(&result.dead_letters, out)
    })
}
