//! Prometheus' rules and Alertmanager's configuration by their own tools, and the metrics they speak of.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::{read, repository};

fn tool(program: &str, package: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(repository("deploy"))
        .output()
        .unwrap_or_else(|error| {
            panic!("{program} is needed (Debian: apt-get install {package}): {error}")
        });
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

#[test]
fn prometheus_takes_its_configuration_and_the_rules_do_what_their_tests_say() {
    tool(
        "promtool",
        "prometheus",
        &["check", "config", "prometheus/prometheus.yml"],
    );
    tool(
        "promtool",
        "prometheus",
        &["check", "rules", "prometheus/slawatch.rules.yml"],
    );
    tool(
        "promtool",
        "prometheus",
        &["test", "rules", "prometheus/slawatch.rules.test.yml"],
    );
}

#[test]
fn alertmanager_takes_its_configuration() {
    tool(
        "amtool",
        "prometheus-alertmanager",
        &["check-config", "alertmanager/alertmanager.yml"],
    );
}

/// The sources of every crate, one after the other.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Words of `text` that begin with `prefix`.
fn words(text: &str, prefix: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with(prefix))
        .map(str::to_owned)
        .collect()
}

#[test]
fn rules_speak_of_metrics_that_exist_and_metrics_of_rules_that_exist() {
    let rules = read("deploy/prometheus/slawatch.rules.yml");
    let mut code = String::new();
    sources(&repository("crates"), &mut code);
    for metric in words(&rules, "slawatch_") {
        assert!(
            code.contains(&format!("\"{metric}\"")),
            "no crate declares {metric}"
        );
    }
    let alerts: BTreeSet<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let mentioned: Vec<&str> = code.split("alert Slawatch").skip(1).collect();
    assert!(!mentioned.is_empty());
    for rest in mentioned {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let alert = format!("Slawatch{}", &rest[..end]);
        assert!(
            alerts.contains(alert.as_str()),
            "a metric's help names {alert}, which no rule defines"
        );
    }
    let tests = read("deploy/prometheus/slawatch.rules.test.yml");
    for alert in alerts {
        assert!(
            tests.contains(&format!("\"{alert}\"")),
            "no test of {alert}"
        );
    }
}
