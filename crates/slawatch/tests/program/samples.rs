//! The two sample logs against the results expected of them, in any order of lines and over any number of partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::run::{lines, slawatch};

pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) policies: &'static [&'static str],
    pub(crate) until: &'static str,
}

pub(crate) const INCIDENTS: Sample = Sample {
    name: "incidents",
    policies: &["policies.toml"],
    until: "2016-03-23T12:00:00Z",
};

pub(crate) const RANDOM: Sample = Sample {
    name: "random",
    policies: &["policies-a.toml", "policies-b.toml", "policies-c.toml"],
    until: "2025-05-01T00:00:00Z",
};

impl Sample {
    /// The sample's folder; `None`, said aloud, where this machine has none.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let candidates = [
            std::env::var_os("SLAWATCH_SAMPLE_DATA").map(PathBuf::from),
            Some(shared),
        ];
        let found = candidates
            .into_iter()
            .flatten()
            .map(|folder| folder.join(self.name))
            .find(|folder| folder.is_dir());
        if found.is_none() {
            eprintln!(
                "skipped: there is no sample data `{}`; put it beside the checkout as shared/data, or name its folder in SLAWATCH_SAMPLE_DATA",
                self.name
            );
        }
        found
    }

    pub(crate) fn events(&self) -> Option<String> {
        let path = self.folder()?.join("events.jsonl");
        Some(std::fs::read_to_string(path).expect("the sample's events"))
    }

    /// Replays some lines and compares what comes out.
    fn agrees(&self, events: &str, partitions: &str, with_dead_letters: bool) {
        let Some(folder) = self.folder() else {
            return;
        };
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let log = scratch.path().join("log.jsonl");
        std::fs::write(&log, events).expect("a log");
        let log = log.display().to_string();
        let out = scratch.path().join("out");
        let out_text = out.display().to_string();
        let mut arguments = vec!["replay", "--events", &log, "--policies"];
        arguments.extend(self.policies);
        arguments.extend(["--until", self.until, "--partitions", partitions]);
        arguments.extend(["--out", &out_text]);
        let run = slawatch(&folder, &arguments);
        assert!(run.succeeded, "{run:?}");
        let files: &[(&str, &[&str])] = if with_dead_letters {
            &[OUTCOMES, PANES, ("dead_letters.jsonl", &["line"])]
        } else {
            &[OUTCOMES, PANES]
        };
        for (file, key) in files {
            let expected = lines(&folder.join("expected").join(file));
            compare(
                &format!("{} {file}", self.name),
                key,
                &lines(&out.join(file)),
                &expected,
            );
        }
    }
}

const OUTCOMES: (&str, &[&str]) = ("outcomes.jsonl", &["ticket_id", "metric", "cycle"]);
const PANES: (&str, &[&str]) = ("panes.jsonl", &["pane", "vendor", "queue"]);

fn by_key(key: &[&str], lines: &[String]) -> BTreeMap<String, Map<String, Value>> {
    let mut rows = BTreeMap::new();
    for line in lines {
        let row: Map<String, Value> = serde_json::from_str(line).expect("a row is JSON");
        let name = key
            .iter()
            .map(|field| row[*field].to_string())
            .collect::<Vec<_>>();
        let before = rows.insert(name.join(" "), row);
        assert_eq!(before, None, "a row occurs twice: {name:?}");
    }
    rows
}

fn compare(what: &str, key: &[&str], found: &[String], expected: &[String]) {
    let found_rows = by_key(key, found);
    let expected_rows = by_key(key, expected);
    let mut differences = Vec::new();
    let names: BTreeSet<_> = found_rows.keys().chain(expected_rows.keys()).collect();
    for name in names {
        let (found, expected) = (found_rows.get(name), expected_rows.get(name));
        if found != expected {
            differences.push(format!(
                "{name}\n  found    {found:?}\n  expected {expected:?}"
            ));
        }
    }
    let shown = differences.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(
        differences.is_empty(),
        "{} rows of {what} differ:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// A seeded sequence of numbers; enough chance for a shuffle.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// The lines in another order, every third of them twice.
fn shuffled(events: &str, seed: u64) -> String {
    let all = || events.lines();
    let mut lines: Vec<&str> = all().chain(all().step_by(3)).collect();
    let mut chance = Chance(seed);
    for last in (1..lines.len()).rev() {
        lines.swap(last, chance.below(last + 1));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

#[test]
fn the_samples_agree_row_by_row() {
    for sample in [INCIDENTS, RANDOM] {
        if let Some(events) = sample.events() {
            sample.agrees(&events, "1", true);
        }
    }
}

#[test]
fn partitions_change_nothing() {
    for partitions in ["4", "16"] {
        for sample in [INCIDENTS, RANDOM] {
            if let Some(events) = sample.events() {
                sample.agrees(&events, partitions, true);
            }
        }
    }
}

#[test]
fn shuffled_and_repeated_lines_change_nothing() {
    for (seed, partitions) in [(1, "1"), (2, "4"), (3, "16")] {
        for sample in [INCIDENTS, RANDOM] {
            if let Some(events) = sample.events() {
                sample.agrees(&shuffled(&events, seed), partitions, false);
            }
        }
    }
}
