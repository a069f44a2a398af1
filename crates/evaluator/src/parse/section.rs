//! One table of a rules file: reading its values by kind, and noting what is wrong with each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use slawatch_policy::reading::{Mistake, Source, duration_ms, nearest};
use slawatch_policy::{Diagnostic, Glob, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A table, where it stands and what is found wrong in it.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    found: &'a mut Vec<Diagnostic>,
    /// As people write it.
    title: &'static str,
    values: &'a DeTable<'a>,
    span: Range<usize>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        source: &'a Source<'a>,
        found: &'a mut Vec<Diagnostic>,
        title: &'static str,
        values: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self {
            source,
            found,
            title,
            values,
            span,
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

    pub(super) fn warn(&mut self, span: &Range<usize>, message: &str, help: &str) {
        let found = Diagnostic::new(Severity::Warning, self.source, span, message, help);
        self.found.push(found);
    }

    /// What was found by others.
    pub(super) fn add(&mut self, found: Vec<Diagnostic>) {
        self.found.extend(found);
    }

    /// Nothing was found wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.source.position(span.start).line
    }

    /// Notes every key but the known ones; `elsewhere` may know where a word belongs.
    pub(super) fn refuse_unknown(
        &mut self,
        known: &[&str],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) {
        let values = self.values;
        for (name, _) in values {
            let word: &str = name.get_ref();
            if known.contains(&word) {
                continue;
            }
            let help = elsewhere(word).unwrap_or_else(|| meant(word, known));
            let message = format!("unknown key \"{word}\" in {}", self.title);
            self.error(&name.span(), message, help);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.values.get(key)
    }

    fn required(&mut self, key: &str, example: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.get(key);
        if value.is_none() {
            let span = self.span.clone();
            let message = format!("{} has no {key}", self.title);
            self.error(&span, message, format!("write {key} = {example}"));
        }
        value
    }

    /// Notes that a required key is missing; gives back its value otherwise.
    pub(super) fn required_value(
        &mut self,
        key: &str,
        example: &str,
    ) -> Option<&'a Spanned<DeValue<'a>>> {
        self.required(key, example)
    }

    pub(super) fn wrong_type(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        what: &str,
        example: &str,
    ) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let message = format!("{key} takes {what}, and this is {found}");
        self.error(&value.span(), message, format!("write {example}"));
    }

    pub(super) fn text(&mut self, key: &str) -> Option<Located<String>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Located {
                value: text.to_string(),
                span: value.span(),
            }),
            _ => {
                self.wrong_type(key, value, "a text", "it in quotes");
                None
            }
        }
    }

    pub(super) fn required_text(&mut self, key: &str, example: &str) -> Option<Located<String>> {
        self.required(key, &format!("\"{example}\""))?;
        self.text(key)
    }

    /// One of a few words.
    pub(super) fn choice(&mut self, key: &str, words: &[&str]) -> Option<String> {
        let text = self.text(key)?;
        if words.contains(&text.value.as_str()) {
            return Some(text.value);
        }
        let message = format!("\"{}\" is no {key}", text.value);
        self.error(&text.span, message, meant(&text.value, words));
        None
    }

    pub(super) fn required_choice(&mut self, key: &str, words: &[&str]) -> Option<String> {
        self.required(key, &format!("\"{}\"", words[0]))?;
        self.choice(key, words)
    }

    /// Milliseconds of a duration such as "15m".
    pub(super) fn duration_ms(&mut self, key: &str) -> Option<Located<i64>> {
        let value = self.get(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(
                key,
                value,
                "a duration",
                "it with units and in quotes, such as \"15m\"",
            );
            return None;
        };
        match duration_ms(text) {
            Ok(ms) => Some(Located {
                value: ms,
                span: value.span(),
            }),
            Err(Mistake { message, help }) => {
                self.error(&value.span(), message, help);
                None
            }
        }
    }

    /// A whole number from `least` on.
    pub(super) fn count(&mut self, key: &str, least: i64, example: &str) -> Option<i64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.as_str().parse::<i64>().ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let number = number.filter(|number| *number >= least);
        if number.is_none() {
            let what = format!("a whole number from {least} on");
            self.wrong_type(key, value, &what, &format!("a number such as {example}"));
        }
        number
    }

    /// A list of texts; a wrong one is noted and left out.
    pub(super) fn texts(&mut self, key: &str, example: &str) -> Option<Vec<Located<String>>> {
        let value = self.get(key)?;
        let DeValue::Array(values) = value.get_ref() else {
            let example = match value.get_ref() {
                DeValue::String(text) => format!("[{text:?}]"),
                _ => example.to_owned(),
            };
            self.wrong_type(key, value, "a list of texts", &example);
            return None;
        };
        let mut texts = Vec::new();
        for value in values {
            match value.get_ref() {
                DeValue::String(text) => texts.push(Located {
                    value: text.to_string(),
                    span: value.span(),
                }),
                _ => self.wrong_type(key, value, "a list of texts", example),
            }
        }
        if texts.is_empty() && values.is_empty() {
            let message = format!("the list of {key} is empty");
            self.error(
                &value.span(),
                message,
                format!("leave {key} out, or write {example}"),
            );
        }
        Some(texts)
    }

    /// A list of words from a few; a wrong one is noted and left out.
    pub(super) fn words(&mut self, key: &str, words: &[&str]) -> Option<Vec<String>> {
        let example = format!("[\"{}\"]", words[0]);
        let texts = self.texts(key, &example)?;
        let mut known = Vec::new();
        for text in texts {
            if words.contains(&text.value.as_str()) {
                known.push(text.value);
            } else {
                let message = format!("\"{}\" is no word for {key}", text.value);
                self.error(&text.span, message, meant(&text.value, words));
            }
        }
        Some(known)
    }

    pub(super) fn globs(&mut self, key: &str) -> Vec<Glob> {
        let texts = self.texts(key, "[\"acme*\"]").unwrap_or_default();
        texts.iter().map(|text| Glob::new(&text.value)).collect()
    }

    /// Its keys, in the order of the file.
    pub(super) fn keys(&self) -> Vec<Located<String>> {
        let keys = self.values.iter().map(|(name, _)| Located {
            value: name.get_ref().to_string(),
            span: name.span(),
        });
        let mut keys: Vec<Located<String>> = keys.collect();
        keys.sort_by_key(|key| key.span.start);
        keys
    }

    /// A table below this one, as `title` calls it.
    pub(super) fn table(
        &mut self,
        key: &str,
        title: &'static str,
        example: &str,
    ) -> Option<Section<'_>> {
        let value = self.get(key)?;
        let Some(values) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table", example);
            return None;
        };
        Some(Section {
            source: self.source,
            found: self.found,
            title,
            values,
            span: value.span(),
        })
    }

    /// A table of texts, whatever their names.
    pub(super) fn texts_by_name(&mut self, key: &str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        let Some(value) = self.get(key) else {
            return texts;
        };
        let Some(values) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table of texts", "{ team = \"operations\" }");
            return texts;
        };
        for (name, value) in values {
            let name: &Cow<'_, str> = name.get_ref();
            match value.get_ref() {
                DeValue::String(text) => {
                    texts.insert(name.to_string(), text.to_string());
                }
                _ => self.wrong_type(name, value, "a text", "it in quotes"),
            }
        }
        texts
    }
}

/// What to write instead of a word.
pub(super) fn meant(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("write {meant}"),
        None => format!("write one of {}", known.join(", ")),
    }
}
