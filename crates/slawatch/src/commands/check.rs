//! `slawatch check`: every mistake of configuration files, in one run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use slawatch_policy::{PolicySets, Report};

/// Names every mistake in policy files, with file, line and what to write instead.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Policy sets.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let report = check_policies(&self.policies)?;
        if self.json {
            println!("{:#}", report.to_json());
        } else {
            println!("{report}");
        }
        Ok(match report.sets {
            Some(_) => ExitCode::SUCCESS,
            None => ExitCode::FAILURE,
        })
    }
}

fn check_policies(paths: &[PathBuf]) -> anyhow::Result<Report> {
    let files: Vec<(String, String)> = paths
        .iter()
        .map(|path| Ok((path.display().to_string(), read_text(path)?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(slawatch_policy::check(&files))
}

/// The policy sets of some files; `None` if they have mistakes, which are then told on standard error.
pub(super) fn read_policies(paths: &[PathBuf]) -> anyhow::Result<Option<PolicySets>> {
    let report = check_policies(paths)?;
    if !report.diagnostics.is_empty() {
        eprintln!("{report}");
    }
    Ok(report.sets)
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
