//! What is wrong with what was asked for, field by field.

use std::fmt;

use serde::Serialize;

/// One field, and what to write there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The field, as in the API.
    pub field: &'static str,
    /// What is wrong, and what to write.
    pub message: String,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<String> = self
            .0
            .iter()
            .map(|mistake| format!("{}: {}", mistake.field, mistake.message))
            .collect();
        f.write_str(&told.join("\n"))
    }
}

impl Mistakes {
    pub(crate) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Mistake {
            field,
            message: message.into(),
        });
    }

    /// A text in its place: without white space around it, not longer than `most` characters.
    pub(crate) fn text(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = text.trim();
        let length = text.chars().count();
        if length > most {
            self.add(
                field,
                format!("{length} characters are too many; write up to {most}"),
            );
        }
        text.to_owned()
    }

    /// The same of one that must be there; `what` to write.
    pub(crate) fn needed(
        &mut self,
        field: &'static str,
        text: &str,
        most: usize,
        what: &str,
    ) -> String {
        let text = self.text(field, text, most);
        if text.is_empty() {
            self.add(field, format!("it is missing; write {what}"));
        }
        text
    }

    pub(crate) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}
