//! Policy files as operators write them, from text to policies and diagnostics.

mod between;
mod calendars;
mod examples;
mod fuzz;
mod hiding;
mod policies;
mod reports;
mod schema;
mod sets;
mod validator;

use proptest::test_runner::{Config, RngSeed, contextualize_config};

use crate::check;

/// The same cases in each run. `PROPTEST_CASES` asks for more, and `PROPTEST_RNG_SEED` for others.
pub(crate) fn config(cases: u32) -> Config {
    contextualize_config(Config {
        cases,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Config::default()
    })
}

/// The sample files, which must read without an error.
const SAMPLES: [(&str, &str); 4] = [
    (
        "incidents.toml",
        include_str!("../../testdata/incidents.toml"),
    ),
    (
        "random-a.toml",
        include_str!("../../testdata/random-a.toml"),
    ),
    (
        "random-b.toml",
        include_str!("../../testdata/random-b.toml"),
    ),
    (
        "random-c.toml",
        include_str!("../../testdata/random-c.toml"),
    ),
];

fn files(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts
        .iter()
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
        .collect()
}

/// A file with the lines of `calendar` and `policy` in place, and what is said of it: `place words | message | help`.
fn said(calendar: &str, policy: &str) -> Vec<String> {
    let text = format!(
        "effective_from = \"2026-01-01T00:00:00Z\"\n[[calendar]]\nname = \"desk\"\ntimezone = \"Asia/Manila\"\n{calendar}\n[[policy]]\nname = \"rest\"\n{policy}\n"
    );
    said_of(&text)
}

fn said_of(text: &str) -> Vec<String> {
    let report = check(&files(&[("a.toml", text)]));
    assert_eq!(report.sets.is_none(), report.diagnostics.errors() > 0);
    let show = |diagnostic: &crate::Diagnostic| {
        let letter = if diagnostic.severity == crate::Severity::Error {
            'E'
        } else {
            'W'
        };
        format!(
            "{letter} {} | {} | {}",
            diagnostic.words, diagnostic.message, diagnostic.help
        )
    };
    report.diagnostics.iter().map(show).collect()
}

const OPEN: &str = "hours = { mon-fri = [\"09:00-17:00\"] }";
const USED: &str = "calendar = \"desk\"";
