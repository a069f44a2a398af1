//! What parts of one file have to do with each other: names given twice or to nothing, hours that overlap, policies that
//! never apply, words that look like slips of other words.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use slawatch_event::{Attribute, Status};

use crate::Glob;
use crate::diagnostics::{Diagnostic, Severity};
use crate::draft::{CalendarDraft, FileDraft, PolicyDraft, TargetDraft};
use crate::leaf::{self, Located};
use crate::nearest::{looks_like_a_slip, nearest};
use crate::reach::{Conditions, covered_by};
use crate::source::Source;

/// Everything that is wrong between the parts of one file. Where its TOML is broken (`complete` is false), nothing is said of
/// what seems to be missing.
pub(crate) fn check(source: &Source<'_>, file: &FileDraft, complete: bool) -> Vec<Diagnostic> {
    let mut checker = Checker {
        source,
        found: Vec::new(),
    };
    checker.names_twice(
        "[[calendar]]",
        file.calendars.iter().map(|calendar| calendar.name.as_ref()),
    );
    checker.names_twice(
        "[[policy]]",
        file.policies.iter().map(|policy| policy.name.as_ref()),
    );
    for calendar in &file.calendars {
        checker.hours(calendar);
        checker.dates(calendar);
    }
    for policy in &file.policies {
        checker.conditions(policy);
        checker.warn_levels(policy);
        checker.empty_targets(policy);
    }
    checker.priorities(file);
    if complete {
        checker.calendar_references(file);
        checker.unreachable(&file.policies);
        checker.nothing_at_all(file);
    }
    checker.found
}

struct Checker<'a> {
    source: &'a Source<'a>,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn names_twice<'d>(
        &mut self,
        header: &str,
        names: impl Iterator<Item = Option<&'d Located<String>>>,
    ) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names.flatten() {
            let line = self.line(&name.span);
            match seen.get(&*name.value) {
                Some(first) => self.error(
                    &name.span,
                    format!(
                        "another {header} is called \"{}\" already, on line {first}",
                        name.value
                    ),
                    "write another name, or remove one of the two",
                ),
                None => drop(seen.insert(&name.value, line)),
            }
        }
    }

    fn hours(&mut self, calendar: &CalendarDraft) {
        let mut seen: [Option<&Located<Vec<usize>>>; 7] = [None; 7];
        for (days, spans) in &calendar.hours {
            let twice = days.value.iter().find_map(|&day| Some((day, seen[day]?)));
            if let Some((day, first)) = twice {
                self.error(
                    &days.span,
                    format!(
                        "{} is given twice: in {} and in {}",
                        leaf::weekday_name(day),
                        self.source.words(&first.span),
                        self.source.words(&days.span)
                    ),
                    "name each weekday once, with all of its spans in one list",
                );
            }
            for &day in &days.value {
                seen[day].get_or_insert(days);
            }
            self.overlaps(spans);
        }
        for (_, spans) in &calendar.special {
            self.overlaps(spans);
        }
        if let (false, Some(name)) = (calendar.names_spans, &calendar.name) {
            self.warning(
                &name.span,
                format!(
                    "the calendar \"{}\" is never open: no clock under it ever runs",
                    name.value
                ),
                "write its hours, such as hours = { mon-fri = [\"09:00-17:00\"] }",
            );
        }
    }

    fn overlaps(&mut self, spans: &[Located<slawatch_calendar::Span>]) {
        let mut sorted: Vec<_> = spans.iter().collect();
        sorted.sort_by_key(|span| span.value);
        for pair in sorted.windows(2) {
            let (first, second) = (&pair[0], &pair[1]);
            if second.value.start_minute < first.value.end_minute {
                // Told at the one that stands later in the file, of the one before.
                let (before, at) = if first.span.start < second.span.start {
                    (first, second)
                } else {
                    (second, first)
                };
                self.error(
                    &at.span,
                    format!("the span {} overlaps {}", at.value, before.value),
                    format!(
                        "write one span, \"{}\", or let one end where the other starts",
                        slawatch_calendar::Span {
                            start_minute: first.value.start_minute,
                            end_minute: first.value.end_minute.max(second.value.end_minute),
                        }
                    ),
                );
            }
        }
    }

    fn dates(&mut self, calendar: &CalendarDraft) {
        let mut seen: BTreeMap<jiff::civil::Date, usize> = BTreeMap::new();
        for holiday in &calendar.holidays {
            let line = self.line(&holiday.span);
            match seen.get(&holiday.value) {
                Some(first) => self.warning(
                    &holiday.span,
                    format!("{} is a holiday already, on line {first}", holiday.value),
                    "remove one of the two",
                ),
                None => drop(seen.insert(holiday.value, line)),
            }
        }
        let mut special: BTreeSet<jiff::civil::Date> = BTreeSet::new();
        for (date, _) in &calendar.special {
            if !special.insert(date.value) {
                self.error(
                    &date.span,
                    format!("{} is given twice", date.value),
                    "name each date once, with all of its spans in one list",
                );
            }
        }
    }

    fn conditions(&mut self, policy: &PolicyDraft) {
        let mut seen: BTreeSet<&Attribute> = BTreeSet::new();
        for condition in &policy.conditions {
            let Located {
                value: attribute,
                span,
            } = &condition.attribute;
            if !seen.insert(attribute) {
                self.error(
                    span,
                    format!("{attribute} is matched twice"),
                    "write it once, with all of its patterns in one list",
                );
            }
            if condition.patterns.is_empty() && policy.conditions_complete {
                self.warning(
                    span,
                    format!("{attribute} has no pattern, so that this policy never applies"),
                    format!("write {attribute} = [\"*\"] for any value, or remove it"),
                );
            }
            if *attribute != Attribute::Status {
                continue;
            }
            let names = Status::ALL.map(Status::name);
            for pattern in &condition.patterns {
                let glob = Glob::new(&pattern.value);
                if !names.iter().any(|name| glob.matches(name)) {
                    let help = match nearest(&pattern.value, names) {
                        Some(name) => format!("write \"{name}\""),
                        None => format!("a status is one of {}", leaf::list(&names)),
                    };
                    self.warning(
                        &pattern.span,
                        format!("no status matches \"{}\"", pattern.value),
                        help,
                    );
                }
            }
        }
    }

    fn warn_levels(&mut self, policy: &PolicyDraft) {
        for (at, level) in policy.warn_at.iter().enumerate() {
            if let Some(same) = policy.warn_at[..at]
                .iter()
                .find(|before| before.value.same_as(&level.value))
            {
                self.warning(
                    &level.span,
                    format!(
                        "{} is the same level as {}",
                        level.value.text(),
                        same.value.text()
                    ),
                    "remove one of the two",
                );
            }
        }
    }

    fn empty_targets(&mut self, policy: &PolicyDraft) {
        for (metric, target) in &policy.targets {
            if matches!(target, TargetDraft::ByPriority { written: 0, .. }) {
                self.warning(
                    &metric.span,
                    format!("{} has a target for no priority", metric.value),
                    "write one duration, such as \"4h\", or one per priority; or remove it",
                );
            }
        }
    }

    /// A priority written once that is one slip away from one written more often.
    fn priorities(&mut self, file: &FileDraft) {
        let targets = file.policies.iter().flat_map(|policy| &policy.targets);
        let written: Vec<&Located<String>> = targets
            .filter_map(|(_, target)| match target {
                TargetDraft::ByPriority { named, .. } => Some(named.iter().map(|(name, _)| name)),
                TargetDraft::Always(_) => None,
            })
            .flatten()
            .collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &written {
            *counts.entry(&name.value).or_default() += 1;
        }
        for name in written {
            let meant = counts.iter().filter(|(other, count)| {
                **count > counts[&*name.value] && looks_like_a_slip(&name.value, other)
            });
            if let Some((other, count)) = meant.max_by_key(|(_, count)| **count) {
                let times = if *count == 1 {
                    "once".to_owned()
                } else {
                    format!("{count} times")
                };
                self.warning(
                    &name.span,
                    format!("the priority \"{}\" looks like a slip of \"{other}\", which this file names {times}", name.value),
                    format!("write \"{other}\", if that is meant"),
                );
            }
        }
    }

    fn calendar_references(&mut self, file: &FileDraft) {
        let names: Vec<&str> = file
            .calendars
            .iter()
            .filter_map(|calendar| Some(&*calendar.name.as_ref()?.value))
            .collect();
        for used in file
            .policies
            .iter()
            .filter_map(|policy| policy.calendar.as_ref())
        {
            if names.contains(&&*used.value) {
                continue;
            }
            let help = match nearest(&used.value, names.iter().copied()) {
                Some(name) => format!("write \"{name}\""),
                None if names.is_empty() => {
                    format!("write a [[calendar]] with name = {:?}", used.value)
                }
                None => format!(
                    "write a [[calendar]] with name = {:?}, or one of {}",
                    used.value,
                    leaf::list(&names)
                ),
            };
            self.error(
                &used.span,
                format!("unknown calendar \"{}\"", used.value),
                help,
            );
        }
        // A slip for a calendar's name uses that calendar.
        let used = file
            .policies
            .iter()
            .filter_map(|policy| Some(&*policy.calendar.as_ref()?.value));
        let used: BTreeSet<&str> = used
            .flat_map(|used| [Some(used), nearest(used, names.iter().copied())])
            .flatten()
            .collect();
        let mut told = BTreeSet::new();
        for name in file
            .calendars
            .iter()
            .filter_map(|calendar| calendar.name.as_ref())
        {
            if !used.contains(&*name.value) && told.insert(&*name.value) {
                self.warning(
                    &name.span,
                    format!("no policy uses the calendar \"{}\"", name.value),
                    format!(
                        "write calendar = {:?} in a [[policy]], or remove it",
                        name.value
                    ),
                );
            }
        }
    }

    fn unreachable(&mut self, policies: &[PolicyDraft]) {
        let conditions: Vec<Option<Conditions>> = policies.iter().map(conditions_of).collect();
        for (at, policy) in policies.iter().enumerate() {
            let (Some(own), Some(name)) = (&conditions[at], &policy.name) else {
                continue;
            };
            let Some(covering) = covered_by(own, &conditions[..at]) else {
                continue;
            };
            let before: Vec<String> = covering
                .iter()
                .map(|&before| self.policy_name(&policies[before]))
                .collect();
            let match_all = covering
                .iter()
                .any(|&before| policies[before].conditions.is_empty());
            let (whose, all, it) = match (match_all, covering.len()) {
                (true, _) => ("comes first and matches", "everything", "that one"),
                (false, 1) => (
                    "comes first and matches",
                    "all that this one does",
                    "that one",
                ),
                (false, _) => (
                    "come first and together match",
                    "all that this one does",
                    "them",
                ),
            };
            self.warning(
                &name.span,
                format!(
                    "the policy \"{}\" never applies: {} {whose} {all}",
                    name.value,
                    before.join(" and ")
                ),
                format!(
                    "move it above {it}, or narrow what {} {}",
                    if covering.len() == 1 {
                        "that one"
                    } else {
                        "they"
                    },
                    if covering.len() == 1 {
                        "matches"
                    } else {
                        "match"
                    }
                ),
            );
        }
    }

    fn policy_name(&self, policy: &PolicyDraft) -> String {
        match &policy.name {
            Some(name) => format!("\"{}\" (line {})", name.value, self.line(&name.span)),
            None => "another".to_owned(),
        }
    }

    fn nothing_at_all(&mut self, file: &FileDraft) {
        if !file.names_policies {
            self.warning(
                &(0..0),
                "the file has no policy, so that no clock has a target".to_owned(),
                "write a [[policy]] with its name and [policy.targets]",
            );
        }
    }

    fn line(&self, span: &Range<usize>) -> usize {
        self.source.position(span.start).line
    }

    fn error(&mut self, span: &Range<usize>, message: String, help: impl Into<String>) {
        self.found.push(Diagnostic::new(
            Severity::Error,
            self.source,
            span,
            message,
            help,
        ));
    }

    fn warning(&mut self, span: &Range<usize>, message: String, help: impl Into<String>) {
        self.found.push(Diagnostic::new(
            Severity::Warning,
            self.source,
            span,
            message,
            help,
        ));
    }
}

fn conditions_of(policy: &PolicyDraft) -> Option<Conditions> {
    policy.conditions_complete.then(|| {
        let conditions = policy.conditions.iter();
        conditions
            .map(|condition| {
                let globs = condition
                    .patterns
                    .iter()
                    .map(|pattern| Glob::new(&pattern.value))
                    .collect();
                (condition.attribute.value.clone(), globs)
            })
            .collect()
    })
}
