//! `slawatch import`: the shell around [`crate::import`].

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use slawatch_event::Mapping;
use slawatch_stream::{Clock, KafkaLog, SystemClock};

use super::check::read_mapping;
use super::event_files::{progress, read_file};
use crate::config::Config;
use crate::import::{self, ImportOptions, ImportState, Partitioner};

/// Lines between two looks at what has arrived.
const STRETCH: u64 = 20_000;
/// As many lines that are no events are shown.
const SHOWN: u64 = 20;

/// Sends the events of files to the input topic, keyed by ticket. Interrupted, it goes on where it was when it is started
/// again; an event sent twice counts once.
///
/// Give files in the order of time, and import before live events flow: the newest record of a partition decides which
/// tickets are forgotten. The topic should take its producers' timestamps (CreateTime).
#[derive(Args, Debug)]
pub(super) struct Import {
    /// Files of events, one JSON object a line, oldest first.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The configuration file: brokers, topic, and how records become events.
    #[arg(long, default_value = "slawatch.toml", value_name = "FILE")]
    config: PathBuf,
    /// How the topic's other producers choose a ticket's partition.
    #[arg(long, value_enum, default_value_t = Partitioner::Murmur2)]
    partitioner: Partitioner,
    /// Where to note how far it has come.
    #[arg(long, default_value = "slawatch-import.json", value_name = "FILE")]
    state: PathBuf,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let Some(mapping) = read_mapping(config.tracker.mapping.as_deref())? else {
            return Ok(ExitCode::FAILURE);
        };
        let progress = progress(&self.files)?;
        let mut state = ImportState::read(&self.state, &config.topics.ticket_events)?;
        let mut import = self.open(&config, &mapping, state.timestamp_ms)?;
        for path in &self.files {
            self.file(path, &mut import, &mut state, &progress)?;
        }
        progress.finish_and_clear();
        let counts = import.counts();
        println!(
            "{} lines: {} events sent to {}, {} lines that are none",
            counts.lines, counts.sent, config.topics.ticket_events, counts.rejected
        );
        if counts.old > 0 {
            println!(
                "{} events lie more than {} ms behind a line before them: of tickets not known by then they count nowhere. \
                 Give the oldest events first",
                counts.old,
                config.tracker.forget_after.as_ms()
            );
        }
        Ok(if counts.rejected == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn open(
        &self,
        config: &Config,
        mapping: &Mapping,
        timestamp_ms: i64,
    ) -> anyhow::Result<import::Import> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = ImportOptions {
            topic: config.topics.ticket_events.clone(),
            decode: config.tracker.decode(mapping),
            partitioner: self.partitioner,
            forget_after_ms: config.tracker.forget_after.as_ms(),
            wall_ms: clock.wall_ms(),
        };
        let log = KafkaLog::new(config.kafka.options(), clock);
        import::Import::open(&log, options, timestamp_ms)
            .with_context(|| format!("cannot write to Kafka at {}", config.kafka.brokers))
    }

    fn file(
        &self,
        path: &Path,
        import: &mut import::Import,
        state: &mut ImportState,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        let (from, mut number) = state.begun(path, &self.state)?;
        let mut position = from;
        read_file(path, from, progress, |line, end| {
            number += 1;
            if let Some(rejected) = import.line(line)?
                && import.counts().rejected <= SHOWN
            {
                progress.suspend(|| {
                    eprintln!(
                        "{}, line {number}: {}: {}",
                        path.display(),
                        rejected.reason,
                        rejected.detail
                    );
                });
            }
            position = end;
            if number % STRETCH == 0 {
                self.note(path, import, state, position, number)?;
            }
            Ok(())
        })?;
        self.note(path, import, state, position, number)
    }

    fn note(
        &self,
        path: &Path,
        import: &mut import::Import,
        state: &mut ImportState,
        bytes: u64,
        lines: u64,
    ) -> anyhow::Result<()> {
        import.settle().with_context(|| {
            format!(
                "{}: not all was acknowledged; start it again to go on with what was",
                path.display()
            )
        })?;
        state.note(path, bytes, lines)?;
        state.timestamp_ms = import.timestamp_ms();
        Ok(state.write(&self.state)?)
    }
}
