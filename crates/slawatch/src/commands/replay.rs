//! `slawatch replay`: the shell around [`crate::replay`].

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use slawatch_event::DecodeOptions;

use super::check::{read_mapping, read_policies};
use super::event_files::{delay, instant, read_lines};
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
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let sets = read_policies(&self.policies)?;
        let mapping = read_mapping(self.mapping.as_deref())?;
        let Some((sets, mapping)) = sets.zip(mapping) else {
            return Ok(ExitCode::FAILURE);
        };
        let options = ReplayOptions {
            until_ms: self.until,
            allowed_delay_ms: self.allowed_delay,
            partitions: self.partitions,
            decode: DecodeOptions {
                mapping,
                ..DecodeOptions::default()
            },
        };
        let mut replay = replay::Replay::new(&sets, options);
        read_lines(&self.events, |line| replay.line(line))?;
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
