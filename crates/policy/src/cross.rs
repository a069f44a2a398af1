//! What parts of one file have to do with each other: names given twice or to nothing, hours that overlap, warnings that come
//! too early, words that look like slips of other words.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use slawatch_event::{Attribute, Status};

use crate::diagnostics::{Diagnostic, Severity};
use crate::draft::{CalendarDraft, FileDraft, PolicyDraft, TargetDraft};
use crate::duration::plain_duration;
use crate::leaf::{self, Located};
use crate::nearest::{looks_like_a_slip, nearest};
use crate::set::MOST_POLICIES;
use crate::slips::Slips;
use crate::source::Source;
use crate::{Glob, WarnLevel};

/// Everything that is wrong between the parts of one file. Where its TOML is broken, nothing is said of what may have been
/// lost.
pub(crate) fn check(source: &Source<'_>, file: &FileDraft, slips: &Slips<'_>) -> Vec<Diagnostic> {
    let mut checker = Checker {
        source,
        slips,
        found: Vec::new(),
    };
    checker.calendars(file);
    checker.names_twice(
        "[[policy]]",
        file.policies.iter().map(|policy| policy.name.as_ref()),
    );
    for policy in &file.policies {
        checker.conditions(policy);
        checker.warn_levels(policy);
        checker.early_warnings(policy);
        checker.empty_targets(policy);
    }
    checker.priorities(file);
    checker.unknown_calendars(file);
    checker.unused_calendars(file);
    checker.numbers(file);
    checker.found
}

/// As [`check`], of the calendars alone, whoever uses them.
pub(crate) fn check_calendars(
    source: &Source<'_>,
    file: &FileDraft,
    slips: &Slips<'_>,
) -> Vec<Diagnostic> {
    let mut checker = Checker {
        source,
        slips,
        found: Vec::new(),
    };
    checker.calendars(file);
    checker.found
}

struct Checker<'a> {
    source: &'a Source<'a>,
    slips: &'a Slips<'a>,
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

    fn calendars(&mut self, file: &FileDraft) {
        self.names_twice(
            "[[calendar]]",
            file.calendars.iter().map(|calendar| calendar.name.as_ref()),
        );
        for calendar in &file.calendars {
            self.hours(calendar);
            self.dates(calendar);
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
        if let (false, Some(name)) = (calendar.names_spans, &calendar.name)
            && !self.slips.touch(&calendar.header)
        {
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

    /// Time left of a target that is shorter: the warning would come when the clock starts.
    fn early_warnings(&mut self, policy: &PolicyDraft) {
        for level in &policy.warn_at {
            let WarnLevel::TimeLeft { ms: left_ms, text } = &level.value else {
                continue;
            };
            let shorter: Vec<String> = policy
                .targets
                .iter()
                .filter_map(|(metric, target)| Some((metric.value, shortest(target)?)))
                .filter(|(_, (target_ms, _))| target_ms < left_ms)
                .map(|(metric, (target_ms, priority))| {
                    let target = plain_duration(target_ms);
                    match priority {
                        Some(priority) => format!("{metric} ({target} for \"{priority}\")"),
                        None => format!("{metric} ({target})"),
                    }
                })
                .collect();
            if !shorter.is_empty() {
                self.warning(
                    &level.span,
                    format!(
                        "{text} is more than the whole target of {}: its warning comes as soon as the clock starts",
                        shorter.join(", ")
                    ),
                    "write less time, or a fraction of the target such as 0.8",
                );
            }
        }
    }

    fn empty_targets(&mut self, policy: &PolicyDraft) {
        for (metric, target) in &policy.targets {
            if matches!(target, TargetDraft::ByPriority { written, .. } if written.is_empty()) {
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
                TargetDraft::ByPriority { written, .. } => Some(written),
                TargetDraft::Always(_) => None,
            })
            .flatten()
            .collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &written {
            *counts.entry(&name.value).or_default() += 1;
        }
        let mut meant: BTreeMap<&str, Option<(&str, usize)>> = BTreeMap::new();
        for name in written {
            let own = counts[&*name.value];
            let meant = meant.entry(&name.value).or_insert_with(|| {
                let others = counts.iter().map(|(other, count)| (*other, *count));
                others
                    .filter(|(other, count)| *count > own && looks_like_a_slip(&name.value, other))
                    .max_by_key(|(_, count)| *count)
            });
            if let Some((other, count)) = *meant {
                self.warning(
                    &name.span,
                    format!("the priority \"{}\" looks like a slip of \"{other}\", which this file names {count} times", name.value),
                    format!("write \"{other}\", if that is meant"),
                );
            }
        }
    }

    fn unknown_calendars(&mut self, file: &FileDraft) {
        let names = calendar_names(file);
        let known: BTreeSet<&str> = names.iter().map(|name| &*name.value).collect();
        let mut helps: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for used in references(file).filter(|used| !known.contains(&*used.value)) {
            let help = helps.entry(&used.value).or_insert_with(|| {
                let may_be_lost = self.slips.may_write("name", &used.value, &names);
                (!may_be_lost).then(|| unknown_calendar_help(&used.value, &known))
            });
            if let Some(help) = help.clone() {
                self.error(
                    &used.span,
                    format!("unknown calendar \"{}\"", used.value),
                    help,
                );
            }
        }
    }

    fn unused_calendars(&mut self, file: &FileDraft) {
        let names = calendar_names(file);
        let known: BTreeSet<&str> = names.iter().map(|name| &*name.value).collect();
        let references: Vec<&Located<String>> = references(file).collect();
        let mut used: BTreeSet<&str> = references.iter().map(|used| &*used.value).collect();
        // A slip for a calendar's name uses that calendar.
        let slips: Vec<&str> = used.difference(&known).copied().collect();
        used.extend(
            slips
                .into_iter()
                .filter_map(|slip| nearest(slip, known.iter().copied())),
        );
        let mut told = BTreeSet::new();
        for name in names {
            let unused = !used.contains(&*name.value)
                && !name.value.trim().is_empty()
                && !self.slips.may_write("calendar", &name.value, &references);
            if unused && told.insert(&*name.value) {
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

    /// No policy at all, or more than can be counted.
    fn numbers(&mut self, file: &FileDraft) {
        if !file.names_policies && !self.slips.may_begin("policy") {
            self.warning(
                &(0..0),
                "the file has no policy, so that no clock has a target".to_owned(),
                "write a [[policy]] with its name and [policy.targets]",
            );
        }
        if let Some(policy) = file.policies.get(MOST_POLICIES) {
            self.error(
                &policy.header,
                format!(
                    "the file has {} policies, and a policy set can have {MOST_POLICIES}",
                    file.policies.len()
                ),
                "write one policy for all that have the same targets, and list what they match in its patterns",
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

fn calendar_names(file: &FileDraft) -> Vec<&Located<String>> {
    let calendars = file.calendars.iter();
    calendars
        .filter_map(|calendar| calendar.name.as_ref())
        .collect()
}

fn references(file: &FileDraft) -> impl Iterator<Item = &Located<String>> {
    let policies = file.policies.iter();
    policies.filter_map(|policy| policy.calendar.as_ref())
}

fn unknown_calendar_help(name: &str, known: &BTreeSet<&str>) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("write \"{meant}\""),
        None if known.is_empty() => format!("write a [[calendar]] with name = {name:?}"),
        None => format!(
            "write a [[calendar]] with name = {name:?}, or one of {}",
            leaf::list(&known.iter().copied().collect::<Vec<_>>())
        ),
    }
}

/// The shortest time that a metric may take, and the priority that it is for, where there are several.
fn shortest(target: &TargetDraft) -> Option<(i64, Option<&str>)> {
    match target {
        TargetDraft::Always(ms) => Some((*ms, None)),
        TargetDraft::ByPriority { named, .. } => {
            let shortest = named.iter().min_by_key(|(_, ms)| *ms);
            shortest.map(|(name, ms)| (*ms, Some(&*name.value)))
        }
    }
}
