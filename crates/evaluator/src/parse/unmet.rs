//! What rules on tickets ask of the rest of a configuration: attributes that trackers tell, levels that policies announce.

use std::collections::BTreeSet;
use std::ops::Range;

use slawatch_policy::reading::{self, Source, read_warn_level};
use slawatch_policy::{Diagnostic, Diagnostics, Severity, WarnLevel};
use toml::de::{DeTable, DeValue};

use crate::rule::{RuleSet, TicketRule};

/// What every row and warning shows.
const ALWAYS_TOLD: [&str; 4] = ["vendor", "queue", "priority", "status"];

impl RuleSet {
    /// What the rules match on though no tracker tells it, and what they wait for though no policy announces it. `matched`: what
    /// policies match on; `alert_attributes`: what trackers tell besides.
    pub fn unmet(
        &self,
        matched: &[String],
        alert_attributes: &[String],
        announced: &[WarnLevel],
    ) -> Diagnostics {
        let source = Source::new(self.file(), self.text());
        let (root, _) = DeTable::parse_recoverable(self.text());
        let mut asked = Asked {
            source: &source,
            matched,
            alert_attributes,
            announced,
            found: Vec::new(),
        };
        if let Some(DeValue::Array(rules)) = root.get_ref().get("rule").map(|rules| rules.get_ref())
        {
            let rules = rules.iter().filter_map(|rule| rule.get_ref().as_table());
            for rule in rules.filter(|rule| text(rule, "type") == TicketRule::KIND) {
                asked.rule(rule);
            }
        }
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend_sorted(asked.found);
        diagnostics
    }
}

fn text<'a>(table: &'a DeTable<'_>, key: &str) -> &'a str {
    match table.get(key).map(|value| value.get_ref()) {
        Some(DeValue::String(text)) => text,
        _ => "",
    }
}

struct Asked<'a> {
    source: &'a Source<'a>,
    matched: &'a [String],
    alert_attributes: &'a [String],
    announced: &'a [WarnLevel],
    found: Vec<Diagnostic>,
}

impl Asked<'_> {
    fn rule(&mut self, rule: &DeTable<'_>) {
        let name = text(rule, "name");
        if let Some(DeValue::Table(matching)) = rule.get("match").map(|value| value.get_ref()) {
            for (key, value) in matching.iter() {
                if let ("labels", DeValue::Table(labels)) =
                    (key.get_ref().as_ref(), value.get_ref())
                {
                    for label in labels.keys() {
                        let attribute = format!("labels.{}", label.get_ref());
                        self.attribute(name, &attribute, &label.span());
                    }
                } else if let Ok(attribute) = reading::attribute_name(key.get_ref()) {
                    self.attribute(name, &attribute, &key.span());
                }
            }
        }
        if let Some(DeValue::Array(levels)) = rule.get("at").map(|value| value.get_ref()) {
            for level in levels {
                let written = match level.get_ref() {
                    DeValue::String(text) => text.as_ref(),
                    DeValue::Float(number) => number.as_str(),
                    DeValue::Integer(_)
                    | DeValue::Boolean(_)
                    | DeValue::Datetime(_)
                    | DeValue::Array(_)
                    | DeValue::Table(_) => continue,
                };
                if let Ok(read) = read_warn_level(written) {
                    self.level(name, &read, &level.span());
                }
            }
        }
    }

    fn attribute(&mut self, rule: &str, attribute: &str, span: &Range<usize>) {
        let mut told = self.matched.iter().chain(self.alert_attributes);
        if ALWAYS_TOLD.contains(&attribute) || told.any(|known| known == attribute) {
            return;
        }
        let mut wanted: Vec<String> = self.alert_attributes.iter().map(quoted).collect();
        wanted.push(quoted(attribute));
        self.add(
            Severity::Error,
            span,
            format!(
                "the rule \"{rule}\" matches on {attribute}, which trackers do not tell, so that no ticket ever has it"
            ),
            format!(
                "write alert_attributes = [{}] in [tracker] of the configuration",
                wanted.join(", ")
            ),
        );
    }

    fn level(&mut self, rule: &str, level: &WarnLevel, span: &Range<usize>) {
        if self.announced.iter().any(|known| known.same_as(level)) {
            return;
        }
        let written = |level: &WarnLevel| match level {
            WarnLevel::Fraction { text, .. } => text.clone(),
            WarnLevel::TimeLeft { text, .. } => quoted(text),
        };
        let wanted = format!("write warn_at = [{}] in a policy", written(level));
        let announced: BTreeSet<String> = self.announced.iter().map(written).collect();
        let help = if announced.is_empty() {
            wanted
        } else {
            let announced: Vec<String> = announced.into_iter().collect();
            format!(
                "{wanted}, or one of those announced: {}",
                announced.join(", ")
            )
        };
        self.add(
            Severity::Warning,
            span,
            format!(
                "no policy announces {}, so that the rule \"{rule}\" never tells of it",
                level.text()
            ),
            help,
        );
    }

    fn add(&mut self, severity: Severity, span: &Range<usize>, message: String, help: String) {
        let found = Diagnostic::new(severity, self.source, span, message, help);
        self.found.push(found);
    }
}

fn quoted(text: impl AsRef<str>) -> String {
    format!("{:?}", text.as_ref())
}
