//! What is wrong with policy files: where, the words in question, and what to write instead; as text and as data.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::source::Source;

/// Whether a mistake keeps the files from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The files cannot be used.
    Error,
    /// They can, but hardly as meant.
    Warning,
}

impl Severity {
    /// In lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it can be lived with.
    pub severity: Severity,
    /// The file's name, as it was given.
    pub file: String,
    /// From 1; 1 where the file as a whole is meant.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The words in question; empty where something is missing.
    pub words: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The whole line, to show it.
    #[serde(skip)]
    line_text: String,
}

impl Diagnostic {
    /// A mistake at that place of a file.
    pub fn new(
        severity: Severity,
        source: &Source<'_>,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let position = source.position(span.start);
        Self {
            severity,
            file: source.file.to_owned(),
            line: position.line,
            column: position.column,
            words: source.words(span).to_owned(),
            message: message.into(),
            help: help.into(),
            line_text: source.line(position.line).to_owned(),
        }
    }
}

/// As compilers show it: the message, the place, the line with the words underlined, the help.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // A tab is one character here and in the line of marks.
        let line = self.line_text.replace('\t', " ");
        let before = " ".repeat(self.column - 1);
        let marks = "^".repeat(self.words.chars().count().max(1));
        writeln!(f, "{}: {}", self.severity.name(), self.message)?;
        writeln!(f, "{gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {line}")?;
        writeln!(f, "{gutter} | {before}{marks}")?;
        write!(f, "{gutter} = help: {}", self.help)
    }
}

/// Every mistake of all files, in the order of files and places.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts what was found of one file by place, and drops repetitions.
    pub fn extend_sorted(&mut self, mut of_one_file: Vec<Diagnostic>) {
        of_one_file.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        of_one_file.dedup();
        self.all.append(&mut of_one_file);
    }

    /// Each mistake.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.all.iter()
    }

    /// How many keep the files from being used.
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// How many do not.
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn count(&self, severity: Severity) -> usize {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Each as text, with an empty line between.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.iter().enumerate() {
            let gap = if at == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
