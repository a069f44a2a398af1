//! From the text of a rules file to a rule set, naming every mistake on the way. It reads no disk.

mod group;
mod kind;
mod level;
mod section;
mod threshold;
mod ticket;

use std::collections::BTreeMap;

use slawatch_policy::reading::Source;
use slawatch_policy::{Diagnostic, Diagnostics, Severity};
use toml::de::{DeTable, DeValue};
use xxhash_rust::xxh3::xxh3_64;

use crate::rule::{About, GroupRule, RuleSet, Scope, TicketRule};
use crate::summary::{Field, Summary};
use crate::windows::Lengths;
use kind::{Kind, Read};
use section::{Located, Section};

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
        names: BTreeMap::new(),
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

/// Gives every rule its place among the window lengths.
fn placed(mut rules: RuleSet) -> RuleSet {
    let reach = rules.groups.iter().map(|rule| rule.watch.reach()).max();
    let windows = rules.groups.iter().filter_map(|rule| rule.watch.window());
    rules.lengths = Lengths::new(windows, reach.unwrap_or(0));
    for rule in &mut rules.groups {
        rule.watch.take_place(&rules.lengths);
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
    /// Names taken, with the line of each.
    names: BTreeMap<String, usize>,
    rules: RuleSet,
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
        file.refuse_unknown(&["rule"], |word| {
            Kind::any_has(word)
                .then(|| format!("{word} belongs to a rule: write it below a line [[rule]]"))
        });
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
            match one_rule(&mut section, &mut self.names) {
                Some(Rule::Group(rule)) => self.rules.groups.push(rule),
                Some(Rule::Ticket(rule)) => self.rules.tickets.push(rule),
                None => {}
            }
        }
    }
}

/// `None` only where an error was noted.
fn one_rule(section: &mut Section<'_>, names: &mut BTreeMap<String, usize>) -> Option<Rule> {
    let kind = section.required_choice("type", &Kind::names());
    let Some(kind) = kind.and_then(|name| Kind::named(&name)) else {
        // Without its kind its other keys cannot be judged; what all kinds have can.
        about(section, names, &[]);
        return None;
    };
    section.refuse_unknown(&kind.all_keys(), Kind::owners_of);
    let about = about(section, names, kind.placeholders);
    match kind.read {
        Read::Group(watch) => group::read(section, about, watch).map(Rule::Group),
        Read::Ticket => ticket::read(section, about).map(Rule::Ticket),
    }
}

const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// What every kind of rule has. An empty `placeholders` leaves the summary unread.
fn about(
    section: &mut Section<'_>,
    names: &mut BTreeMap<String, usize>,
    placeholders: &[Field],
) -> Option<About> {
    let name = section.required_text("name", "service-level-drops");
    let name = name.and_then(|name| unique(section, names, name));
    let severity = section.required_choice("severity", &SEVERITIES);
    let labels = section.texts_by_name("labels");
    let runbook_url = section.text("runbook_url").and_then(|url| {
        let is_url = ["https://", "http://"]
            .iter()
            .any(|scheme| url.value.starts_with(scheme));
        if !is_url {
            let message = format!("\"{}\" is no web address", url.value);
            section.error(
                &url.span,
                message,
                "write it in full, such as \"https://wiki.example.com/runbook\"",
            );
        }
        is_url.then_some(url.value)
    });
    let summary = match placeholders {
        [] => None,
        allowed => summary(section, allowed),
    };
    let scope = scope(section);
    Some(About {
        name: name?,
        severity: severity?,
        labels,
        runbook_url: runbook_url.unwrap_or_default(),
        summary,
        scope,
    })
}

fn unique(
    section: &mut Section<'_>,
    names: &mut BTreeMap<String, usize>,
    name: Located<String>,
) -> Option<String> {
    const LONGEST: usize = 64;
    if name.value.trim().is_empty() || name.value.chars().count() > LONGEST {
        section.error(
            &name.span,
            format!("a rule's name has 1 to {LONGEST} characters"),
            "write a short name; it is part of every alert's key",
        );
        return None;
    }
    let line = section.line(&name.span);
    if let Some(first) = names.get(&name.value) {
        section.error(
            &name.span,
            format!(
                "the name \"{}\" is taken by the rule in line {first}",
                name.value
            ),
            "write another name: alerts are told apart by it",
        );
        return None;
    }
    names.insert(name.value.clone(), line);
    Some(name.value)
}

fn summary(section: &mut Section<'_>, allowed: &[Field]) -> Option<Summary> {
    let text = section.text("summary")?;
    match Summary::parse(&text.value, allowed) {
        Ok(summary) => Some(summary),
        Err(words) => {
            let known: Vec<String> = allowed
                .iter()
                .map(|field| format!("{{{}}}", field.name()))
                .collect();
            section.error(
                &text.span,
                format!("{words} stands for nothing in a summary of this kind of rule"),
                format!("write one of {}", known.join(", ")),
            );
            None
        }
    }
}

fn scope(section: &mut Section<'_>) -> Scope {
    let mut scope = Scope::default();
    let Some(mut matching) =
        section.table("match", "{ vendor = [\"acme*\"], queue = [\"refunds\"] }")
    else {
        return scope;
    };
    matching.refuse_unknown(&["vendor", "queue"], |word| {
        (word == "priority")
            .then(|| "priority is a key of ticket rules: write it outside match".to_owned())
    });
    scope.vendor = matching.globs("vendor");
    scope.queue = matching.globs("queue");
    scope
}
