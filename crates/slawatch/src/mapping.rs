//! Mapping files: from the text of one to a mapping, naming every mistake on the way. What a mapping does with a record is
//! the event crate's business.

mod program;
mod section;
mod table;

#[cfg(test)]
mod tests;

use std::io;

use slawatch_event::{EventType, Mapping, Program, Status, Words};
use slawatch_policy::reading::Source;
use slawatch_policy::{Diagnostic, Diagnostics, Severity};
use toml::de::DeTable;

use section::Section;

/// What a look at a mapping file brought.
#[derive(Debug)]
pub struct MappingReport {
    /// The mapping; `None` if there is any error.
    pub mapping: Option<Mapping>,
    /// Every error and warning.
    pub diagnostics: Diagnostics,
}

const TABLES: [&str; 3] = ["fields", "labels", "constants"];
const KEYS: [&str; 7] = [
    "jq",
    "jq_file",
    "fields",
    "labels",
    "constants",
    "types",
    "statuses",
];

/// Looks at a mapping file, given as name and text, and tells every mistake in it. `open` gives the name and the text of a
/// program's file from how the mapping names it.
pub fn check_mapping(
    file: &str,
    text: &str,
    open: impl FnOnce(&str) -> (String, io::Result<String>),
) -> MappingReport {
    let source = Source::new(file, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut diagnostics = Diagnostics::default();
    if !syntax_errors.is_empty() {
        // What stands in a file that is not TOML cannot be told from what is missing.
        let help = "write KEY = \"VALUE\" below a line such as [fields]; a key with other signs than letters, digits, _ and - stands in quotes too";
        let found = syntax_errors.iter().map(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = format!("this is not TOML: {}", error.message());
            Diagnostic::new(Severity::Error, &source, &span, message, help)
        });
        diagnostics.extend_sorted(found.collect());
        return MappingReport {
            mapping: None,
            diagnostics,
        };
    }
    let mut found = Vec::new();
    let mut of_program = Vec::new();
    let mut whole = Section::new(&source, &mut found, "the file", root.get_ref());
    let mapping = read(&mut whole, &mut of_program, open);
    diagnostics.extend_sorted(found);
    diagnostics.extend_sorted(of_program);
    MappingReport {
        mapping: mapping.filter(|_| diagnostics.errors() == 0),
        diagnostics,
    }
}

/// `None` only where an error was noted.
fn read(
    file: &mut Section<'_>,
    of_program: &mut Vec<Diagnostic>,
    open: impl FnOnce(&str) -> (String, io::Result<String>),
) -> Option<Mapping> {
    file.refuse_unknown(&KEYS, |word| {
        slawatch_event::Field::from_name(word).map(|_| {
            format!(
                "say below [fields] where {word} stands, or below [constants] what it always is"
            )
        })
    });
    let words = words(file);
    let program = program::read(file, of_program, open);
    let table = table::read(file, &words);
    let is_table = TABLES.iter().any(|key| file.has(key));
    if let (true, Some(span)) = (is_table, program.span.as_ref()) {
        file.error(
            span,
            "the fields are given by a program and by tables",
            "keep one of the two: [fields], [labels] and [constants] are for plain renaming, a program can do the same",
        );
    }
    match (program.span, is_table) {
        (Some(_), _) => Some(Mapping::program(program.program?, words)),
        (None, true) => Some(Mapping::table(table?, words)),
        (None, false) => {
            if words == Words::default() && file.is_clean() {
                file.warn(
                    &(0..0),
                    "the mapping changes nothing",
                    format!("write one of {}", KEYS.join(", ")),
                );
            }
            Some(Mapping::words(words))
        }
    }
}

fn words(file: &mut Section<'_>) -> Words {
    let types = file.words("types", "\"ticket.opened\" = \"created\"", |word| {
        EventType::from_name(word).ok_or_else(|| {
            (
                "no type of event",
                EventType::ALL.map(EventType::name).to_vec(),
            )
        })
    });
    let statuses = file.words(
        "statuses",
        "\"Waiting for customer\" = \"pending\"",
        |word| {
            Status::from_name(word)
                .filter(|_| !word.is_empty())
                .ok_or_else(|| ("no status", Status::ALL.map(Status::name).to_vec()))
        },
    );
    Words::new(types, statuses)
}

/// A compiled program, if it is one, and where the file names it, if it does.
#[derive(Default)]
struct Named {
    program: Option<Program>,
    span: Option<std::ops::Range<usize>>,
}
