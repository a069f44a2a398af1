//! From files to policy sets, and everything that is wrong on the way. It reads no disk: the caller has the texts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use slawatch_event::format_instant;
use toml::de::DeTable;

use crate::build::{Calendars, build_set};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity, counted};
use crate::draft::{self, FileDraft};
use crate::slips::Slips;
use crate::source::Source;
use crate::{PolicySets, cross, shape, unreachable};

/// What a look at policy files brought.
#[derive(Clone, Debug)]
pub struct Report {
    /// The sets; `None` if there is any error.
    pub sets: Option<PolicySets>,
    /// Every error and warning.
    pub diagnostics: Diagnostics,
}

impl Report {
    /// For programs: `files` that were looked at, numbers of errors and warnings, and each mistake.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "errors": self.diagnostics.errors(),
            "warnings": self.diagnostics.warnings(),
            "diagnostics": self.diagnostics,
        })
    }
}

/// For people: every mistake, and a last line that counts them.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.diagnostics.is_empty() {
            write!(f, "{}\n\n", self.diagnostics)?;
        }
        if let Some(sets) = &self.sets {
            let policies = sets
                .sets()
                .iter()
                .map(|set| set.policies.len())
                .sum::<usize>();
            let policies = if policies == 1 {
                "1 policy".to_owned()
            } else {
                format!("{policies} policies")
            };
            write!(
                f,
                "{}, {policies}: ",
                counted(sets.sets().len(), "policy set")
            )?;
        }
        f.write_str(&self.diagnostics.counts())
    }
}

impl PolicySets {
    /// The sets of some files, given as name and text.
    ///
    /// # Errors
    /// Every mistake of every file, if any of them is an error.
    pub fn parse(files: &[(String, String)]) -> Result<Self, Diagnostics> {
        let report = check(files);
        report.sets.ok_or(report.diagnostics)
    }
}

/// Looks at all files, given as name and text, and tells every mistake of each.
pub fn check(files: &[(String, String)]) -> Report {
    let mut diagnostics = Diagnostics::default();
    let mut since: BTreeMap<i64, String> = BTreeMap::new();
    let mut built = Vec::new();
    for (file, text) in files {
        let source = Source::new(file, text);
        let (root, syntax_errors) = DeTable::parse_recoverable(text);
        let (draft, mut found) = check_one(&source, root.get_ref(), &syntax_errors);
        found.extend(same_instant(&source, &draft, &mut since));
        diagnostics.extend_sorted(found);
        built.push((source, root, draft));
    }
    let sets = (diagnostics.errors() == 0).then(|| {
        let mut calendars = Calendars::default();
        let sets = built
            .iter()
            .map(|(source, root, draft)| build_set(source, root.get_ref(), draft, &mut calendars));
        sets.collect::<Option<Vec<_>>>().map(PolicySets::new)
    });
    Report {
        sets: sets.flatten(),
        diagnostics,
    }
}

fn check_one(
    source: &Source<'_>,
    root: &DeTable<'_>,
    syntax_errors: &[toml::de::Error],
) -> (FileDraft, Vec<Diagnostic>) {
    let draft = draft::read(source, root);
    let mut found: Vec<Diagnostic> = syntax_errors
        .iter()
        .map(|error| syntax_error(source, error))
        .collect();
    found.sort_by_key(|error| (error.line, error.column));
    // What follows on the same line is mostly the same mistake again.
    found.dedup_by_key(|error| error.line);
    let lines = found.iter().map(|error| error.line).collect();
    let slips = Slips::new(source, lines, &draft);
    let rest = shape::check(source, root, &slips)
        .into_iter()
        .chain(cross::check(source, &draft, &slips))
        .chain(unreachable::check(source, &draft.policies, &slips));
    found.extend(rest.filter(|mistake| !slips.may_cause(mistake)));
    (draft, found)
}

fn syntax_error(source: &Source<'_>, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let words = source.words(&span);
    let help = if message.contains("must be quoted") {
        format!("write {words:?}")
    } else if message.contains("string, expected") {
        "close the text with the quote that it starts with, on the same line".to_owned()
    } else if message.contains("duplicate key") {
        "write each key once in a table".to_owned()
    } else {
        "write KEY = VALUE, text in quotes, lists in brackets, headers as [[policy]] on lines of their own".to_owned()
    };
    Diagnostic::new(
        Severity::Error,
        source,
        &span,
        format!("this is not TOML: {message}"),
        help,
    )
}

fn same_instant(
    source: &Source<'_>,
    draft: &FileDraft,
    since: &mut BTreeMap<i64, String>,
) -> Option<Diagnostic> {
    let effective_from = draft.effective_from_ms.as_ref()?;
    match since.entry(effective_from.value) {
        Entry::Vacant(vacant) => {
            vacant.insert(source.file.to_owned());
            None
        }
        Entry::Occupied(first) => Some(Diagnostic::new(
            Severity::Error,
            source,
            &effective_from.span,
            format!(
                "{} is in force from {} on already",
                first.get(),
                format_instant(effective_from.value)
            ),
            "write another instant, or leave one of the two files out",
        )),
    }
}
