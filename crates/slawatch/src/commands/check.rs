//! `slawatch check`: every mistake of configuration files, in one run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use slawatch_evaluator::{RuleSet, RulesReport, check_rules};
use slawatch_event::{Attribute, Mapping};
use slawatch_policy::{Diagnostics, PolicySets, Report};

use crate::config::{Config, Examined, Mistake, Place};
use crate::mapping::{MappingReport, check_mapping};

/// Names every mistake in policy, rule and mapping files, with file, line and what to write instead.
#[derive(Args, Debug)]
pub(super) struct Check {
    /// Policy sets.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    policies: Vec<PathBuf>,
    /// Alert rules.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// How a source's own records become events.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    mapping: Vec<PathBuf>,
    /// A configuration, and the files that it names.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(mut self) -> anyhow::Result<ExitCode> {
        let mut is_good = true;
        let mut findings = Vec::new();
        let mut alert_attributes = None;
        let mut sets = None;
        if let Some(path) = &self.config {
            let Examined { config, mistakes } = Config::examine(path)?;
            is_good &= mistakes.is_empty();
            if self.json {
                findings.push(config_json(&mistakes));
            } else {
                println!("{}", config_text(path, &mistakes));
            }
            alert_attributes = Some(config.tracker.options().alert_attributes);
            self.policies.extend(config.policies);
            self.rules.extend(config.rules);
            self.mapping.extend(config.tracker.mapping);
        } else if self.policies.is_empty() && self.rules.is_empty() && self.mapping.is_empty() {
            bail!(
                "say what to check: --policies FILE…, --rules FILE…, --mapping FILE… or --config FILE"
            );
        }
        if !self.policies.is_empty() {
            let (report, unread) = check_policies(&self.policies);
            is_good &= report.sets.is_some() && unread.is_empty();
            for why in unread {
                eprintln!("slawatch: {why:#}");
            }
            if self.json {
                findings.push(report.to_json());
            } else {
                println!("{report}");
            }
            sets = report.sets;
        }
        for path in &self.rules {
            let report = match check_rules_file(path, alert_attributes.as_deref(), sets.as_ref()) {
                Ok(report) => report,
                Err(why) => {
                    eprintln!("slawatch: {why:#}");
                    is_good = false;
                    continue;
                }
            };
            is_good &= report.diagnostics.errors() == 0;
            if self.json {
                findings.push(json(&report.diagnostics));
            } else {
                println!("{}", text(path, &report.diagnostics));
            }
        }
        for path in &self.mapping {
            let report = match check_mapping_file(path) {
                Ok(report) => report,
                Err(why) => {
                    eprintln!("slawatch: {why:#}");
                    is_good = false;
                    continue;
                }
            };
            is_good &= report.mapping.is_some();
            if self.json {
                findings.push(json(&report.diagnostics));
            } else {
                println!("{}", text(path, &report.diagnostics));
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

/// What is to be said of a rules file; under a configuration also what it asks of trackers and policies in vain.
fn check_rules_file(
    path: &Path,
    alert_attributes: Option<&[Attribute]>,
    sets: Option<&PolicySets>,
) -> anyhow::Result<RulesReport> {
    let mut report = check_rules(&path.display().to_string(), &read_text(path)?);
    if let (Some(rules), Some(told), Some(sets)) = (&report.rules, alert_attributes, sets) {
        let names = |attributes: &[Attribute]| -> Vec<String> {
            attributes.iter().map(ToString::to_string).collect()
        };
        let policies = sets.sets().iter().flat_map(|set| &set.policies);
        let announced: Vec<_> = policies.flat_map(|policy| policy.warn_at.clone()).collect();
        let unmet = rules.unmet(&names(sets.attributes()), &names(told), &announced);
        report.diagnostics.merge(unmet);
    }
    Ok(report)
}

fn config_text(path: &Path, mistakes: &[Mistake]) -> String {
    let told = mistakes.iter().map(|mistake| format!("{mistake}\n"));
    format!(
        "{}{}: {} errors",
        told.collect::<String>(),
        path.display(),
        mistakes.len()
    )
}

/// In the form of the reports on policies and rules.
fn config_json(mistakes: &[Mistake]) -> serde_json::Value {
    let diagnostic = |mistake: &Mistake| {
        let (file, line) = match &mistake.place {
            Place::Line(file, line) => (file.display().to_string(), *line),
            Place::Variable(name) => (name.clone(), 1),
        };
        serde_json::json!({
            "severity": "error",
            "file": file,
            "line": line,
            "column": 1,
            "words": mistake.setting,
            "message": mistake.message,
            "help": "",
        })
    };
    serde_json::json!({
        "errors": mistakes.len(),
        "warnings": 0,
        "diagnostics": mistakes.iter().map(diagnostic).collect::<Vec<_>>(),
    })
}

fn text(path: &Path, found: &Diagnostics) -> String {
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

fn json(found: &Diagnostics) -> serde_json::Value {
    serde_json::json!({
        "errors": found.errors(),
        "warnings": found.warnings(),
        "diagnostics": found,
    })
}

fn check_mapping_file(path: &Path) -> anyhow::Result<MappingReport> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let open = |name: &str| {
        let path = folder.join(name);
        (path.display().to_string(), std::fs::read_to_string(&path))
    };
    let text = read_text(path)?;
    Ok(check_mapping(&path.display().to_string(), &text, open))
}

/// What is to be said of the files that can be read, and why the others cannot.
fn check_policies(paths: &[PathBuf]) -> (Report, Vec<anyhow::Error>) {
    let mut unread = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match read_text(path) {
            Ok(text) => files.push((path.display().to_string(), text)),
            Err(why) => unread.push(why),
        }
    }
    (slawatch_policy::check(&files), unread)
}

/// The policy sets of some files; `None` if they have mistakes, which are then told on standard error.
pub(super) fn read_policies(paths: &[PathBuf]) -> anyhow::Result<Option<PolicySets>> {
    let (report, mut unread) = check_policies(paths);
    if !report.diagnostics.is_empty() {
        eprintln!("{report}");
    }
    if let Some(last) = unread.pop() {
        for why in unread {
            eprintln!("slawatch: {why:#}");
        }
        return Err(last);
    }
    Ok(report.sets)
}

/// The rules of at most one file; `None` if it has mistakes, which are then told on standard error.
pub(super) fn read_rules(paths: &[PathBuf]) -> anyhow::Result<Option<RuleSet>> {
    let Some(path) = rules_file(paths)? else {
        return Ok(Some(RuleSet::default()));
    };
    let report = check_rules(&path.display().to_string(), &read_text(path)?);
    if !report.diagnostics.is_empty() {
        eprintln!("{}", text(path, &report.diagnostics));
    }
    Ok(report.rules)
}

/// The mapping of a file, or without one that of slawatch's own fields; `None` if it has mistakes, which are then told on
/// standard error.
pub(super) fn read_mapping(path: Option<&Path>) -> anyhow::Result<Option<Mapping>> {
    let Some(path) = path else {
        return Ok(Some(Mapping::default()));
    };
    let report = check_mapping_file(path)?;
    if !report.diagnostics.is_empty() {
        eprintln!("{}", text(path, &report.diagnostics));
    }
    Ok(report.mapping)
}

/// The one file of rules that a configuration may name.
fn rules_file(paths: &[PathBuf]) -> anyhow::Result<Option<&Path>> {
    match paths {
        [] => Ok(None),
        [path] => Ok(Some(path)),
        [_, second, ..] => bail!(
            "rules names several files, and alerts follow one: put the rules of {} into the first one",
            second.display()
        ),
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_one_file_of_rules() {
        let paths = ["a.toml", "b.toml"].map(PathBuf::from);
        assert_eq!(rules_file(&[]).unwrap(), None);
        assert_eq!(rules_file(&paths[..1]).unwrap(), Some(Path::new("a.toml")));
        let refused = read_rules(&paths).unwrap_err().to_string();
        assert_eq!(
            refused,
            "rules names several files, and alerts follow one: put the rules of b.toml into the first one"
        );
    }
}
