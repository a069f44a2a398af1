//! `slawatch check`: every mistake of configuration files, in one run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use slawatch_evaluator::{RuleSet, RulesReport, check_rules};
use slawatch_policy::{PolicySets, Report};

use crate::config::Config;

/// Names every mistake in policy and rule files, with file, line and what to write instead.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Policy sets.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// Alert rules.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// A configuration, and the files that it names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        if let Some(path) = &self.config {
            let config = Config::read(path)?;
            self.policies.extend(config.policies);
            self.rules.extend(config.rules);
        }
        if self.policies.is_empty() && self.rules.is_empty() {
            bail!("say what to check: --policies FILE…, --rules FILE… or --config FILE");
        }
        let mut is_good = true;
        let mut findings = Vec::new();
        if !self.policies.is_empty() {
            let report = check_policies(&self.policies)?;
            is_good &= report.sets.is_some();
            if self.json {
                findings.push(report.to_json());
            } else {
                println!("{report}");
            }
        }
        for path in &self.rules {
            let report = check_rules(&path.display().to_string(), &read_text(path)?);
            is_good &= report.rules.is_some();
            if self.json {
                findings.push(rules_json(&report));
            } else {
                println!("{}", rules_text(path, &report));
            }
        }
        if self.json {
            println!("{:#}", serde_json::Value::Array(findings));
        }
        Ok(if is_good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn rules_text(path: &Path, report: &RulesReport) -> String {
    let found = &report.diagnostics;
    let details = if found.is_empty() {
        String::new()
    } else {
        format!("{found}\n\n")
    };
    format!(
        "{details}{}: {} errors, {} warnings",
        path.display(),
        found.errors(),
        found.warnings()
    )
}

fn rules_json(report: &RulesReport) -> serde_json::Value {
    serde_json::json!({
        "errors": report.diagnostics.errors(),
        "warnings": report.diagnostics.warnings(),
        "diagnostics": report.diagnostics,
    })
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

/// The rules of at most one file; `None` if it has mistakes, which are then told on standard error.
pub(super) fn read_rules(paths: &[PathBuf]) -> anyhow::Result<Option<RuleSet>> {
    let path = match paths {
        [] => return Ok(Some(RuleSet::default())),
        [path] => path,
        [_, second, ..] => bail!(
            "rules names several files; put the rules of {} into the first one",
            second.display()
        ),
    };
    let report = check_rules(&path.display().to_string(), &read_text(path)?);
    if !report.diagnostics.is_empty() {
        eprintln!("{}", rules_text(path, &report));
    }
    Ok(report.rules)
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
