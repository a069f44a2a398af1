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
    /// What is shown of the line.
    #[serde(skip)]
    excerpt: Excerpt,
}

/// A line, or of a long one what stands around the words in question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    text: String,
    /// Characters of `text` before the words.
    before: usize,
    /// How many of its characters are the words.
    marked: usize,
}

impl Excerpt {
    /// Characters shown of a line, and how many of them before the words.
    const WIDTH: usize = 160;
    const BEFORE: usize = 60;

    fn of(line: &str, column: usize, words: &str) -> Self {
        let first = column - 1;
        let marked = words.chars().count().max(1);
        let skipped = if line.chars().nth(Self::WIDTH).is_some() {
            first.saturating_sub(Self::BEFORE)
        } else {
            0
        };
        let mut rest = line.chars().skip(skipped);
        let mut text = String::from(if skipped > 0 { "…" } else { "" });
        let before = text.chars().count() + first - skipped;
        // A tab is one character here and in the line of marks.
        text.extend(
            rest.by_ref()
                .take(Self::WIDTH)
                .map(|c| if c == '\t' { ' ' } else { c }),
        );
        if rest.next().is_some() {
            text.push('…');
        }
        let marked = marked.min(text.chars().count().saturating_sub(before).max(1));
        Self {
            text,
            before,
            marked,
        }
    }
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
        let words = source.words(span);
        Self {
            severity,
            file: source.file.to_owned(),
            line: position.line,
            column: position.column,
            words: words.to_owned(),
            message: message.into(),
            help: help.into(),
            excerpt: Excerpt::of(source.line(position.line), position.column, words),
        }
    }
}

/// As compilers show it: the message, the place, the line with the words underlined, the help; of a file that could not be read
/// only its name.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let Excerpt {
            text,
            before,
            marked,
        } = &self.excerpt;
        writeln!(f, "{}: {}", self.severity.name(), self.message)?;
        if text.is_empty() && self.words.is_empty() {
            writeln!(f, "{gutter}--> {}", self.file)?;
        } else {
            let (blanks, marks) = (" ".repeat(*before), "^".repeat(*marked));
            writeln!(f, "{gutter}--> {}:{}:{}", self.file, self.line, self.column)?;
            writeln!(f, "{gutter} |")?;
            writeln!(f, "{number} | {text}")?;
            writeln!(f, "{gutter} | {blanks}{marks}")?;
        }
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

    /// Adds what else was found of the one file that these are of.
    pub fn merge(&mut self, further: Self) {
        let mut all = std::mem::take(&mut self.all);
        all.extend(further.all);
        self.extend_sorted(all);
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

    /// For people: `1 error, 2 warnings`.
    pub fn counts(&self) -> String {
        format!(
            "{}, {}",
            counted(self.errors(), "error"),
            counted(self.warnings(), "warning")
        )
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

/// `1 error`, `2 errors`.
pub(crate) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_line_the_words_and_what_stands_around_them_are_shown() {
        let text = format!(
            "dates = [{}\"x\"{}]",
            "\"é\", ".repeat(100),
            ", 0".repeat(100)
        );
        let at = text.find("\"x\"").unwrap();
        let source = Source::new("a.toml", &text);
        let found = Diagnostic::new(Severity::Error, &source, &(at..at + 3), "no", "do");
        let shown = found.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], " --> a.toml:1:510");
        let column = lines[4].chars().position(|c| c == '^').unwrap();
        let marked: String = lines[3].chars().skip(column).take(3).collect();
        assert_eq!(
            (marked.as_str(), lines[4].trim_start_matches([' ', '|'])),
            ("\"x\"", "^^^")
        );
        assert!(lines[3].contains("| …") && lines[3].ends_with('…'));
        assert!(lines[3].chars().count() < 170);
        let long = "x".repeat(1_000);
        let source = Source::new("a.toml", &long);
        let found = Diagnostic::new(Severity::Error, &source, &(0..1_000), "no", "do");
        assert!(
            found
                .to_string()
                .lines()
                .all(|line| line.chars().count() < 170)
        );
    }

    #[test]
    fn of_a_file_without_text_only_the_name_is_shown() {
        let source = Source::new("gone.toml", "");
        let found = Diagnostic::new(Severity::Error, &source, &(0..0), "gone", "find it");
        assert_eq!(
            found.to_string(),
            "error: gone\n --> gone.toml\n  = help: find it"
        );
    }
}
