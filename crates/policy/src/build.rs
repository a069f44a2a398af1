//! Policy sets from files in which no mistake was found.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_calendar::{Calendar, CalendarSpec};
use toml::de::{DeTable, DeValue};
use xxhash_rust::xxh3::Xxh3;

use crate::draft::{CalendarDraft, FileDraft, PolicyDraft, TargetDraft};
use crate::metric::Metric;
use crate::policy::{Condition, DEFAULT_SHORT_ABANDON_MS, Policy, Target};
use crate::source::Source;
use crate::{Glob, PolicySet, WarnLevel};

/// Calendars of several files; those of one definition are one, as what they work out is the same.
#[derive(Default)]
pub(crate) struct Calendars {
    made: Vec<(CalendarSpec, Arc<Calendar>)>,
}

impl Calendars {
    pub(crate) fn get(&mut self, draft: &CalendarDraft) -> Option<Arc<Calendar>> {
        let spec = spec(draft)?;
        if let Some((_, calendar)) = self.made.iter().find(|(made, _)| *made == spec) {
            return Some(Arc::clone(calendar));
        }
        let calendar = Arc::new(Calendar::new(&spec).ok()?);
        self.made.push((spec, Arc::clone(&calendar)));
        Some(calendar)
    }
}

fn spec(draft: &CalendarDraft) -> Option<CalendarSpec> {
    let mut spec = CalendarSpec::in_zone(draft.timezone.as_ref()?);
    for (days, spans) in &draft.hours {
        for &day in &days.value {
            spec.hours[day] = spans.iter().map(|span| span.value).collect();
            spec.hours[day].sort_unstable();
        }
    }
    spec.holidays = draft.holidays.iter().map(|date| date.value).collect();
    spec.special = draft
        .special
        .iter()
        .map(|(date, spans)| (date.value, spans.iter().map(|span| span.value).collect()))
        .collect();
    Some(spec)
}

/// `None` only where a check has found an error.
pub(crate) fn build_set(
    source: &Source<'_>,
    root: &DeTable<'_>,
    draft: &FileDraft,
    calendars: &mut Calendars,
) -> Option<PolicySet> {
    let calendars: BTreeMap<&str, Arc<Calendar>> = draft
        .calendars
        .iter()
        .map(|calendar| Some((&*calendar.name.as_ref()?.value, calendars.get(calendar)?)))
        .collect::<Option<_>>()?;
    let policies = draft
        .policies
        .iter()
        .map(|policy| build_policy(policy, &calendars))
        .collect::<Option<_>>()?;
    let effective_from_ms = draft.effective_from_ms.as_ref()?.value;
    let mut hasher = Xxh3::new();
    hash_table(&mut hasher, root);
    Some(PolicySet::new(
        effective_from_ms,
        policies,
        hasher.digest(),
        source.file,
        source.text,
    ))
}

fn build_policy(draft: &PolicyDraft, calendars: &BTreeMap<&str, Arc<Calendar>>) -> Option<Policy> {
    let calendar_name = draft.calendar.as_ref().map(|name| name.value.clone());
    let calendar = match &calendar_name {
        Some(used) => Some(Arc::clone(calendars.get(&**used)?)),
        None => None,
    };
    let mut warn_at: Vec<WarnLevel> = Vec::new();
    for level in &draft.warn_at {
        if !warn_at.iter().any(|before| before.same_as(&level.value)) {
            warn_at.push(level.value.clone());
        }
    }
    let mut targets: [Target; Metric::COUNT] = Default::default();
    for (metric, target) in &draft.targets {
        targets[metric.value.index()] = build_target(target);
    }
    let mut pause_on = Metric::ALL.map(Metric::default_pause);
    for (metric, statuses) in &draft.pause_on {
        pause_on[metric.index()] = *statuses;
    }
    let conditions = draft.conditions.iter().map(|condition| Condition {
        attribute: condition.attribute.value.clone(),
        globs: condition
            .patterns
            .iter()
            .map(|pattern| Glob::new(&pattern.value))
            .collect(),
    });
    Some(Policy {
        name: draft.name.as_ref()?.value.clone(),
        calendar,
        calendar_name,
        on_reopen: draft.on_reopen,
        attribute_to: draft.attribute_to,
        reply_by_solving: draft.reply_by_solving,
        short_abandon_ms: draft.short_abandon_ms.unwrap_or(DEFAULT_SHORT_ABANDON_MS),
        warn_at,
        conditions: conditions.collect(),
        targets,
        pause_on,
    })
}

fn build_target(draft: &TargetDraft) -> Target {
    match draft {
        TargetDraft::Always(ms) => Target::Always(*ms),
        TargetDraft::ByPriority { named: written, .. } => {
            let named = written.iter().filter(|(name, _)| name.value != "default");
            Target::ByPriority {
                priorities: named
                    .map(|(name, ms)| (Box::from(&*name.value), *ms))
                    .collect(),
                default_ms: written
                    .iter()
                    .find(|(name, _)| name.value == "default")
                    .map(|(_, ms)| *ms),
            }
        }
    }
}

/// Hashes values, not their layout: tables come sorted by key.
fn hash_table(hasher: &mut Xxh3, table: &DeTable<'_>) {
    hash_length(hasher, b't', table.len());
    for (key, value) in table {
        hash_text(hasher, key.get_ref());
        hash_value(hasher, value.get_ref());
    }
}

fn hash_value(hasher: &mut Xxh3, value: &DeValue<'_>) {
    match value {
        DeValue::String(text) => hash_text(hasher, text),
        DeValue::Integer(number) => hash_text(hasher, &number.to_string()),
        DeValue::Float(number) => hash_text(hasher, number.as_str()),
        DeValue::Boolean(truth) => hash_text(hasher, if *truth { "true" } else { "false" }),
        DeValue::Datetime(written) => hash_text(hasher, &written.to_string()),
        DeValue::Array(values) => {
            hash_length(hasher, b'a', values.len());
            for value in values {
                hash_value(hasher, value.get_ref());
            }
        }
        DeValue::Table(table) => hash_table(hasher, table),
    }
}

fn hash_text(hasher: &mut Xxh3, text: &str) {
    hash_length(hasher, b's', text.len());
    hasher.update(text.as_bytes());
}

/// The sort and size of what follows, so that no two values hash alike by running into each other.
fn hash_length(hasher: &mut Xxh3, sort: u8, length: usize) {
    hasher.update(&[sort]);
    hasher.update(&(length as u64).to_le_bytes());
}
