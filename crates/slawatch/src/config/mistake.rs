//! What is wrong with a configuration, in words for the person who has to repair it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::tree::{Origin, Step};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file and the line, or none where a variable or the whole is meant.
    pub place: Place,
    /// The setting, as in `tracker.workers`; empty where the file as a whole is meant.
    pub setting: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Where a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file, at a line counted from 1.
    Line(PathBuf, usize),
    /// In an environment variable.
    Variable(String),
}

impl Place {
    pub(super) fn new(file: &Path, origin: &Origin) -> Self {
        match origin {
            Origin::Line(line) => Self::Line(file.to_owned(), *line),
            Origin::Variable(name) => Self::Variable(name.to_string()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{}:{line}", file.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.setting.is_empty() {
            write!(f, "{}: ", self.setting)?;
        }
        f.write_str(&self.message)
    }
}

/// `dispatcher.receiver[1].url`
pub(super) fn setting(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            // People count from 1.
            Step::Index(at) => text.push_str(&format!("[{}]", at + 1)),
        }
    }
    text
}
