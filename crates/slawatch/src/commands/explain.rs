//! `slawatch explain`: the shell around [`crate::explain`].

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use slawatch_event::DecodeOptions;
use slawatch_policy::{Metric, PolicySets};
use slawatch_stream::{Clock, SystemClock};

use super::check::{read_mapping, read_policies};
use super::event_files::{delay, instant, read_lines};
use crate::config::Config;
use crate::explain::{self, Explained, Lines, Question, Selection};
use crate::program::GENERATION;
use crate::replay::IntakeOptions;

/// Tells why each clock of a ticket stands where it stands: segment by segment, with every change of target and its
/// cause, the due date and the verdict.
#[derive(Args, Debug)]
pub(super) struct Explain {
    /// The ticket.
    ticket: String,
    /// Files of events, one JSON object a line, in log order; without them the events come from ClickHouse.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Policy sets; default: those of the configuration.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// How the source's own records become events; default: the mapping of the configuration.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The configuration of the installation: where ClickHouse is, policy sets, status names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The wall clock: an RFC 3339 instant with offset, or milliseconds since 1970. Default: of files none, so that it
    /// ends with the last event; of ClickHouse the present.
    #[arg(long, value_parser = instant, value_name = "INSTANT", allow_hyphen_values = true)]
    until: Option<i64>,
    /// The time that events may need to reach the log, as in "2s". Default: of files 0, of ClickHouse that of the
    /// configuration.
    #[arg(long, value_parser = delay, value_name = "D")]
    allowed_delay: Option<i64>,
    /// Only this clock, in full.
    #[arg(long, value_parser = metric, value_name = "METRIC")]
    metric: Option<Metric>,
    /// Only cycles of this number, in full.
    #[arg(long, value_name = "N")]
    cycle: Option<u32>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

fn metric(text: &str) -> Result<Metric, String> {
    Metric::from_name(text).ok_or_else(|| {
        let known = Metric::ALL.map(Metric::name).join(", ");
        format!("there is no such clock; write one of {known}")
    })
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.config.as_deref().map(Config::read).transpose()?;
        let Some(sets) = self.policy_sets(config.as_ref())? else {
            return Ok(ExitCode::FAILURE);
        };
        let mut explained = match (&config, self.events.is_empty()) {
            (config, false) => match self.read_files(sets, config.as_ref())? {
                Some(explained) => explained,
                None => return Ok(ExitCode::FAILURE),
            },
            (Some(config), true) => self.read_clickhouse(sets, config)?,
            (None, true) => bail!(
                "say where the events are: --events FILE…, or --config FILE for those in ClickHouse"
            ),
        };
        explained.select(Selection {
            metric: self.metric,
            cycle: self.cycle,
        })?;
        let is_narrow = self.metric.is_some() || self.cycle.is_some();
        let text = if self.json {
            format!("{:#}\n", explain::json(&explained))
        } else {
            explain::text(&explained, is_narrow)
        };
        match io::stdout().write_all(text.as_bytes()) {
            // Whoever read it, `head` for one, has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written.context("cannot write the explanation")?,
        }
        Ok(ExitCode::SUCCESS)
    }

    fn policy_sets(&self, config: Option<&Config>) -> anyhow::Result<Option<PolicySets>> {
        match config {
            _ if !self.policies.is_empty() => read_policies(&self.policies),
            Some(config) => read_policies(&config.policies),
            None => bail!(
                "say under which policies: --policies FILE…, or --config FILE for those of an installation"
            ),
        }
    }

    /// `None` if the mapping has mistakes, which were told.
    fn read_files(
        &self,
        sets: PolicySets,
        config: Option<&Config>,
    ) -> anyhow::Result<Option<Explained>> {
        let configured = config.and_then(|config| config.tracker.mapping.as_deref());
        let Some(mapping) = read_mapping(self.mapping.as_deref().or(configured))? else {
            return Ok(None);
        };
        let decode = match config {
            Some(config) => config.tracker.decode(&mapping),
            None => DecodeOptions {
                mapping,
                ..DecodeOptions::default()
            },
        };
        let options = IntakeOptions {
            until_ms: self.until,
            decode,
        };
        let mut lines = Lines::new(&self.ticket, sets, options);
        read_lines(&self.events, |line| lines.line(line))?;
        let names = self.events.iter().map(|path| path.display().to_string());
        let names = names.collect::<Vec<_>>().join(", ");
        Ok(Some(lines.finish(self.allowed_delay.unwrap_or(0), &names)?))
    }

    fn read_clickhouse(&self, sets: PolicySets, config: &Config) -> anyhow::Result<Explained> {
        let delay_ms = match self.allowed_delay {
            Some(delay_ms) => delay_ms,
            None => config.tracker.allowed_delay.as_ms(),
        };
        let clock_ms = self
            .until
            .unwrap_or_else(|| SystemClock::default().wall_ms());
        let question = Question {
            ticket_id: &self.ticket,
            generation: GENERATION,
            now_ms: clock_ms.saturating_sub(delay_ms),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        let options = config.clickhouse.options();
        Ok(runtime.block_on(explain::read_ticket(&options, sets, question))?)
    }
}
