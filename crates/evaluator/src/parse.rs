//! From the text of a rules file to a rule set, naming every mistake on the way. It reads no disk.

mod about;
mod burn;
mod change;
mod contract;
mod group;
mod kind;
mod level;
mod open;
mod projection;
mod quiet;
mod section;
mod threshold;
mod ticket;
mod unmet;

use std::collections::{BTreeMap, BTreeSet};

use slawatch_policy::reading::{NamedCalendar, Source, calendars};
use slawatch_policy::{Diagnostic, Diagnostics, Severity};
use toml::de::{DeTable, DeValue};
use xxhash_rust::xxh3::xxh3_64;

use crate::history::Plan;
use crate::rule::{GroupRule, RuleSet, TicketRule};
use crate::windows::Lengths;
use about::about;
use kind::{Kind, Read};
use section::Section;

/// What a look at a rules file brought.
#[derive(Clone, Debug)]
pub struct RulesReport {
    /// The rules; `None` if there is any error.
    pub rules: Option<RuleSet>,
    /// Every error and warning, in the order of the file.
    pub diagnostics: Diagnostics,
}

/// Looks at a rules file, given as name and text, and tells every mistake in it.
pub fn check_rules(file: &str, text: &str) -> RulesReport {
    let source = Source::new(file, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    let mut diagnostics = Diagnostics::default();
    if !syntax_errors.is_empty() {
        // What stands in a file that is not TOML cannot be told from what is missing.
        let help = "strings stand in quotes, lists in brackets, and each rule begins with [[rule]]";
        let found = syntax_errors.iter().map(|error| {
            let span = error.span().unwrap_or(0..0);
            let message = format!("this is not TOML: {}", error.message());
            Diagnostic::new(Severity::Error, &source, &span, message, help)
        });
        diagnostics.extend_sorted(found.collect());
        return RulesReport {
            rules: None,
            diagnostics,
        };
    }
    let mut reader = Reader {
        found: Vec::new(),
        source: &source,
        file: File::default(),
        rules: RuleSet {
            hash: xxh3_64(text.as_bytes()),
            file: file.to_owned(),
            text: text.to_owned(),
            ..RuleSet::default()
        },
    };
    reader.file(root.get_ref());
    let Reader { found, rules, .. } = reader;
    diagnostics.extend_sorted(found);
    let rules = (diagnostics.errors() == 0).then(|| placed(rules));
    RulesReport { rules, diagnostics }
}

impl RuleSet {
    /// The rules of a file, given as name and text.
    ///
    /// # Errors
    /// Every mistake, if any of them is an error.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostics> {
        let report = check_rules(file, text);
        report.rules.ok_or(report.diagnostics)
    }
}

/// Gives every rule its places among the window lengths and in the plan of the past.
fn placed(mut rules: RuleSet) -> RuleSet {
    let reach = rules.groups.iter().map(|rule| rule.watch.reach()).max();
    let windows = rules.groups.iter().flat_map(|rule| rule.watch.windows());
    rules.lengths = Lengths::new(windows, reach.unwrap_or(0));
    rules.plan = Plan::new(rules.groups.iter().map(|rule| rule.watch.need()));
    for rule in &mut rules.groups {
        rule.watch.take_place(&rules.lengths, &rules.plan);
    }
    rules
}

enum Rule {
    Group(GroupRule),
    Ticket(TicketRule),
}

struct Reader<'a> {
    source: &'a Source<'a>,
    found: Vec<Diagnostic>,
    file: File,
    rules: RuleSet,
}

/// What rules have to do with the rest of their file.
#[derive(Default)]
struct File {
    /// Names taken, with the line of each.
    names: BTreeMap<String, usize>,
    calendars: Vec<NamedCalendar>,
    /// The names of the calendars that any rule uses, known or not.
    used: BTreeSet<String>,
    /// Of rules that name none.
    timezone: String,
}

impl Reader<'_> {
    fn file(&mut self, root: &DeTable<'_>) {
        let whole = 0..0;
        let mut file = Section::new(
            self.source,
            &mut self.found,
            "the file",
            root,
            whole.clone(),
        );
        file.refuse_unknown(&["calendar", "timezone", "rule"], |word| {
            Kind::any_has(word)
                .then(|| format!("{word} belongs to a rule: write it below a line [[rule]]"))
        });
        self.file.timezone = about::timezone(&mut file).unwrap_or_default();
        let (calendars, mistakes) = calendars(self.source, root);
        let calendars_are_known = mistakes.is_empty();
        file.add(mistakes);
        self.file.calendars = calendars;
        let rules = match root
            .get("rule")
            .map(|rules| (rules.get_ref(), rules.span()))
        {
            None => {
                // Beside a mistake, a rule may well have been meant.
                if file.is_clean() {
                    let message = "there is no rule, so nothing will ever be alerted";
                    file.warn(&whole, message, "begin one with [[rule]]");
                }
                return;
            }
            Some((DeValue::Array(rules), _)) => rules,
            Some((_, span)) => {
                file.error(
                    &span,
                    "rule is a list of tables",
                    "write [[rule]] on a line of its own, and its keys below",
                );
                return;
            }
        };
        for rule in rules {
            let Some(values) = rule.get_ref().as_table() else {
                let help = "write [[rule]] on a line of its own, and its keys below";
                let span = rule.span();
                let found = Diagnostic::new(
                    Severity::Error,
                    self.source,
                    &span,
                    "a rule is a table",
                    help,
                );
                self.found.push(found);
                continue;
            };
            let mut section = Section::new(
                self.source,
                &mut self.found,
                "[[rule]]",
                values,
                rule.span(),
            );
            match one_rule(&mut section, &mut self.file) {
                Some(Rule::Group(rule)) => self.rules.groups.push(rule),
                Some(Rule::Ticket(rule)) => self.rules.tickets.push(rule),
                None => {}
            }
        }
        if calendars_are_known {
            self.unused_calendars();
        }
    }

    fn unused_calendars(&mut self) {
        let unused = |calendar: &&NamedCalendar| !self.file.used.contains(&calendar.name);
        for calendar in self.file.calendars.iter().filter(unused) {
            let name = &calendar.name;
            self.found.push(Diagnostic::new(
                Severity::Warning,
                self.source,
                &calendar.at,
                format!("no rule uses the calendar \"{name}\""),
                format!("write calendar = {name:?} in a [[rule]], or remove it"),
            ));
        }
    }
}

/// `None` only where an error was noted.
fn one_rule(section: &mut Section<'_>, file: &mut File) -> Option<Rule> {
    let kind = section.required_choice("type", &Kind::names());
    let Some(kind) = kind.and_then(|name| Kind::named(&name)) else {
        // Without its kind its other keys cannot be judged; what all kinds have can.
        about(section, file, None);
        return None;
    };
    section.refuse_unknown(&kind.all_keys(), Kind::owners_of);
    let about = about(section, file, Some(kind));
    match kind.read {
        Read::Group(watch) => group::read(section, about, watch).map(Rule::Group),
        Read::Ticket => ticket::read(section, about).map(Rule::Ticket),
    }
}
