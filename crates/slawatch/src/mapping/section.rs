//! One table of a mapping file: reading its values, and noting what is wrong with each.

use std::ops::Range;

use slawatch_policy::reading::{Source, nearest};
use slawatch_policy::{Diagnostic, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a word should have been: what it is not, and the words that would do.
type NoWord = (&'static str, Vec<&'static str>);

/// A table, where it stands and what is found wrong in it.
pub(super) struct Section<'a> {
    pub(super) source: &'a Source<'a>,
    found: &'a mut Vec<Diagnostic>,
    /// As people write it.
    title: &'static str,
    values: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        found: &'a mut Vec<Diagnostic>,
        title: &'static str,
        values: &'a DeTable<'a>,
    ) -> Self {
        Self {
            source,
            found,
            title,
            values,
        }
    }

    pub(super) fn error(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let found = Diagnostic::new(Severity::Error, self.source, span, message, help);
        self.found.push(found);
    }

    pub(super) fn warn(&mut self, span: &Range<usize>, message: &str, help: impl Into<String>) {
        let found = Diagnostic::new(Severity::Warning, self.source, span, message, help);
        self.found.push(found);
    }

    /// Nothing was found wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.values.get(key)
    }

    /// Notes every key but the known ones; `elsewhere` may know where a word belongs.
    pub(super) fn refuse_unknown(
        &mut self,
        known: &[&str],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) {
        for (name, _) in self.values {
            let word: &str = name.get_ref();
            if known.contains(&word) {
                continue;
            }
            let help = elsewhere(word)
                .or_else(|| {
                    nearest(word, known.iter().copied()).map(|meant| format!("write {meant}"))
                })
                .unwrap_or_else(|| format!("the keys of {} are {}", self.title, known.join(", ")));
            self.error(
                &name.span(),
                format!("unknown key \"{word}\" in {}", self.title),
                help,
            );
        }
    }

    /// A text; anything else is noted.
    pub(super) fn text(&mut self, key: &str, example: &str) -> Option<(&'a str, Range<usize>)> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text, value.span())),
            other => {
                self.wrong_type(
                    key,
                    value.span(),
                    "a text",
                    other,
                    format!("write {key} = {example}"),
                );
                None
            }
        }
    }

    pub(super) fn wrong_type(
        &mut self,
        key: &str,
        span: Range<usize>,
        takes: &str,
        value: &DeValue<'_>,
        help: String,
    ) {
        let message = format!("{key} takes {takes}, and this is {}", kind(value));
        self.error(&span, message, help);
    }

    /// The entries of a table, in the order of the file; anything but a table is noted.
    pub(super) fn entries(
        &mut self,
        key: &str,
        example: &str,
    ) -> Vec<(&'a str, Range<usize>, &'a Spanned<DeValue<'a>>)> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Table(values) = value.get_ref() else {
            let help =
                format!("write [{key}] on a line of its own, and below it lines such as {example}");
            self.wrong_type(key, value.span(), "a table", value.get_ref(), help);
            return Vec::new();
        };
        let mut entries: Vec<_> = values
            .iter()
            .map(|(name, value)| (&**name.get_ref(), name.span(), value))
            .collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }

    /// A table from the source's words to ours.
    pub(super) fn words<T>(
        &mut self,
        key: &str,
        example: &str,
        read: impl Fn(&str) -> Result<T, NoWord>,
    ) -> Vec<(String, T)> {
        let mut words = Vec::new();
        for (word, _, value) in self.entries(key, example) {
            let DeValue::String(ours) = value.get_ref() else {
                let help = format!("write it like {example}");
                self.wrong_type(word, value.span(), "one word", value.get_ref(), help);
                continue;
            };
            match read(ours) {
                Ok(ours) => words.push((word.to_owned(), ours)),
                Err(no_word) => self.no_word(ours, value.span(), &no_word),
            }
        }
        words
    }

    /// Notes that a word is none of those that would do.
    pub(super) fn no_word(&mut self, word: &str, span: Range<usize>, (what, known): &NoWord) {
        let help = match nearest(word, known.iter().copied()) {
            Some(meant) => format!("write \"{meant}\""),
            None => format!("write one of {}", known.join(", ")),
        };
        self.error(&span, format!("\"{word}\" is {what}"), help);
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a decimal",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
