//! Starts the program, and gives it files to read.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) succeeded: bool,
    pub(crate) out: String,
    pub(crate) error: String,
}

/// Runs the program to its end, in `folder`.
pub(crate) fn slawatch(folder: &Path, arguments: &[&str]) -> Run {
    slawatch_under(folder, arguments, &[])
}

/// The same, with variables.
pub(crate) fn slawatch_under(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_slawatch"))
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
    Run {
        succeeded: output.status.success(),
        out: text(output.stdout),
        error: text(output.stderr),
    }
}

/// A folder with files in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

/// A set with one policy.
pub(crate) const POLICIES: &str = r#"effective_from = "2025-01-01T00:00:00Z"
[[policy]]
name = "only"
[policy.targets]
first_reply = "1h"
"#;

pub(crate) fn lines(path: &PathBuf) -> Vec<String> {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .lines()
        .map(str::to_owned)
        .collect()
}
