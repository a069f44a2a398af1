//! What a file says, with places, as far as it can be read; what cannot is left out, as the shape check has told it.

use std::borrow::Cow;
use std::ops::Range;

use jiff::civil::Date;
use slawatch_calendar::Span;
use slawatch_event::{Attribute, Status};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::leaf::{self, Located};
use crate::policy::{AttributeTo, Choice, OnReopen, ReplyBySolving};
use crate::shape::LABELS;
use crate::source::Source;
use crate::{Metric, StatusSet, WarnLevel};

type Value<'a> = Spanned<DeValue<'a>>;
type Entry<'t, 'a> = (&'t Spanned<Cow<'a, str>>, &'t Value<'a>);

pub(crate) type Spans = Vec<Located<Span>>;

#[derive(Debug)]
pub(crate) struct FileDraft {
    pub(crate) effective_from_ms: Option<Located<i64>>,
    pub(crate) calendars: Vec<CalendarDraft>,
    pub(crate) policies: Vec<PolicyDraft>,
    /// Whether it names any policy, readable or not.
    pub(crate) names_policies: bool,
}

#[derive(Debug)]
pub(crate) struct CalendarDraft {
    /// Where its table begins.
    pub(crate) header: Range<usize>,
    pub(crate) name: Option<Located<String>>,
    pub(crate) timezone: Option<String>,
    pub(crate) hours: Vec<(Located<Vec<usize>>, Spans)>,
    pub(crate) holidays: Vec<Located<Date>>,
    pub(crate) special: Vec<(Located<Date>, Spans)>,
    /// Whether it names any span, readable or not.
    pub(crate) names_spans: bool,
}

#[derive(Debug)]
pub(crate) struct PolicyDraft {
    /// Where its table begins.
    pub(crate) header: Range<usize>,
    pub(crate) name: Option<Located<String>>,
    pub(crate) conditions: Vec<ConditionDraft>,
    /// Whether every condition could be read.
    pub(crate) conditions_complete: bool,
    pub(crate) calendar: Option<Located<String>>,
    pub(crate) on_reopen: OnReopen,
    pub(crate) attribute_to: AttributeTo,
    pub(crate) reply_by_solving: ReplyBySolving,
    pub(crate) short_abandon_ms: Option<i64>,
    pub(crate) warn_at: Vec<Located<WarnLevel>>,
    pub(crate) targets: Vec<(Located<Metric>, TargetDraft)>,
    pub(crate) pause_on: Vec<(Metric, StatusSet)>,
}

#[derive(Debug)]
pub(crate) struct ConditionDraft {
    pub(crate) attribute: Located<Attribute>,
    pub(crate) patterns: Vec<Located<String>>,
    /// Whether every pattern could be read.
    pub(crate) complete: bool,
}

#[derive(Debug)]
pub(crate) enum TargetDraft {
    Always(i64),
    ByPriority {
        named: Vec<(Located<String>, i64)>,
        /// All names, also of those whose target cannot be read.
        written: Vec<Located<String>>,
    },
}

pub(crate) fn read(source: &Source<'_>, root: &DeTable<'_>) -> FileDraft {
    FileDraft {
        effective_from_ms: root.get("effective_from").and_then(|value| {
            let instant_ms = match value.get_ref() {
                DeValue::String(text) => leaf::instant(text).ok(),
                DeValue::Datetime(written) => leaf::instant(&written.to_string()).ok(),
                _ => None,
            };
            Some(at(value, instant_ms?))
        }),
        calendars: calendars(source, root),
        policies: tables(root, "policy")
            .map(|(header, table)| policy(source.last_line(&header), table))
            .collect(),
        names_policies: root.contains_key("policy"),
    }
}

/// Of a file that is no policy file, and in which only calendars are looked for.
pub(crate) fn read_calendars(source: &Source<'_>, root: &DeTable<'_>) -> FileDraft {
    FileDraft {
        effective_from_ms: None,
        calendars: calendars(source, root),
        policies: Vec::new(),
        names_policies: false,
    }
}

fn calendars(source: &Source<'_>, root: &DeTable<'_>) -> Vec<CalendarDraft> {
    tables(root, "calendar")
        .map(|(header, table)| calendar(source.last_line(&header), table))
        .collect()
}

fn calendar(header: Range<usize>, table: &DeTable<'_>) -> CalendarDraft {
    CalendarDraft {
        header,
        name: text(table, "name"),
        timezone: text(table, "timezone").map(|name| name.value),
        hours: entries(table, "hours")
            .filter_map(|(key, value)| {
                let days = leaf::weekdays(key.get_ref()).ok()?;
                Some((
                    Located {
                        value: days,
                        span: key.span(),
                    },
                    spans(value),
                ))
            })
            .collect(),
        holidays: items(table.get("holidays"))
            .filter_map(|value| Some(at(value, date(value.get_ref())?)))
            .collect(),
        special: entries(table, "special")
            .filter_map(|(key, value)| {
                let date = leaf::date(key.get_ref()).ok()?;
                Some((
                    Located {
                        value: date,
                        span: key.span(),
                    },
                    spans(value),
                ))
            })
            .collect(),
        names_spans: names_any(table, "hours") || names_any(table, "special"),
    }
}

fn policy(header: Range<usize>, table: &DeTable<'_>) -> PolicyDraft {
    let (conditions, conditions_complete) = conditions(table);
    PolicyDraft {
        header,
        name: text(table, "name"),
        conditions,
        conditions_complete,
        calendar: text(table, "calendar"),
        on_reopen: choice(table, "on_reopen"),
        attribute_to: choice(table, "attribute_to"),
        reply_by_solving: choice(table, "reply_by_solving"),
        short_abandon_ms: text(table, "short_abandon")
            .and_then(|text| leaf::duration_ms(&text.value).ok()),
        warn_at: items(table.get("warn_at"))
            .filter_map(|value| Some(at(value, leaf::warn_level(value.get_ref())?)))
            .collect(),
        targets: entries(table, "targets")
            .filter_map(|(key, value)| {
                let metric = Metric::from_name(key.get_ref())?;
                Some((
                    Located {
                        value: metric,
                        span: key.span(),
                    },
                    target(value.get_ref())?,
                ))
            })
            .collect(),
        pause_on: entries(table, "pause_on")
            .filter_map(|(key, value)| {
                let statuses = items(Some(value))
                    .filter_map(|value| Status::from_name(value.get_ref().as_str()?));
                Some((Metric::from_name(key.get_ref())?, statuses.collect()))
            })
            .collect(),
    }
}

fn conditions(table: &DeTable<'_>) -> (Vec<ConditionDraft>, bool) {
    let mut conditions = Vec::new();
    let mut complete = table
        .get("match")
        .is_none_or(|value| value.get_ref().is_table());
    for (key, value) in entries(table, "match") {
        let mut add = |attribute: Option<Attribute>, span, value: &Value<'_>| {
            let patterns: Vec<Located<String>> = items(Some(value))
                .filter_map(|value| Some(at(value, value.get_ref().as_str()?.to_owned())))
                .collect();
            let written = value.get_ref().as_array().map(|values| values.len());
            let read_all = written == Some(patterns.len());
            complete &= attribute.is_some() && read_all;
            conditions.extend(attribute.map(|value| ConditionDraft {
                attribute: Located { value, span },
                patterns,
                complete: read_all,
            }));
        };
        if let (LABELS, DeValue::Table(labels)) = (&**key.get_ref(), value.get_ref()) {
            for (label, value) in labels {
                add(
                    Attribute::from_name(&format!("{LABELS}.{}", label.get_ref())),
                    label.span(),
                    value,
                );
            }
        } else {
            add(Attribute::from_name(key.get_ref()), key.span(), value);
        }
    }
    (conditions, complete)
}

fn target(value: &DeValue<'_>) -> Option<TargetDraft> {
    match value {
        DeValue::String(text) => leaf::target_ms(text).ok().map(TargetDraft::Always),
        DeValue::Table(priorities) => {
            let name = |key: &Spanned<Cow<'_, str>>| Located {
                value: key.get_ref().to_string(),
                span: key.span(),
            };
            let written = sorted(priorities).map(|(key, _)| name(key)).collect();
            let named = sorted(priorities)
                .filter_map(|(key, value)| {
                    let target_ms = leaf::target_ms(value.get_ref().as_str()?).ok()?;
                    Some((name(key), target_ms))
                })
                .collect();
            Some(TargetDraft::ByPriority { named, written })
        }
        _ => None,
    }
}

fn date(value: &DeValue<'_>) -> Option<Date> {
    match value {
        DeValue::String(text) => leaf::date(text).ok(),
        DeValue::Datetime(written) => leaf::date(&written.to_string()).ok(),
        _ => None,
    }
}

fn spans(value: &Value<'_>) -> Spans {
    items(Some(value))
        .filter_map(|value| Some(at(value, leaf::span(value.get_ref().as_str()?).ok()?)))
        .collect()
}

fn choice<C: Choice + Default>(table: &DeTable<'_>, key: &str) -> C {
    text(table, key)
        .and_then(|name| C::from_name(&name.value))
        .unwrap_or_default()
}

fn text(table: &DeTable<'_>, key: &str) -> Option<Located<String>> {
    let value = table.get(key)?;
    Some(at(value, value.get_ref().as_str()?.to_owned()))
}

/// The tables under a header, each with the place of its own.
fn tables<'t, 'a>(
    root: &'t DeTable<'a>,
    key: &str,
) -> impl Iterator<Item = (Range<usize>, &'t DeTable<'a>)> {
    items(root.get(key)).filter_map(|value| Some((value.span(), value.get_ref().as_table()?)))
}

fn items<'t, 'a>(value: Option<&'t Value<'a>>) -> impl Iterator<Item = &'t Value<'a>> {
    value
        .and_then(|value| value.get_ref().as_array())
        .into_iter()
        .flat_map(|values| values.iter())
}

/// The entries of the table behind a key, in the order in which they are written.
fn entries<'t, 'a>(table: &'t DeTable<'a>, key: &str) -> impl Iterator<Item = Entry<'t, 'a>> {
    let table = table.get(key).and_then(|value| value.get_ref().as_table());
    table.into_iter().flat_map(sorted)
}

fn sorted<'t, 'a>(table: &'t DeTable<'a>) -> impl Iterator<Item = Entry<'t, 'a>> {
    let mut entries: Vec<Entry<'t, 'a>> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries.into_iter()
}

/// Whether the table behind a key has any list that is not empty, or anything else that is no list.
fn names_any(table: &DeTable<'_>, key: &str) -> bool {
    let is_empty_list = |value: &Value<'_>| {
        value
            .get_ref()
            .as_array()
            .is_some_and(|list| list.is_empty())
    };
    table.get(key).is_some_and(|value| match value.get_ref() {
        DeValue::Table(entries) => entries.values().any(|value| !is_empty_list(value)),
        _ => true,
    })
}

fn at<T>(value: &Value<'_>, read: T) -> Located<T> {
    Located {
        value: read,
        span: value.span(),
    }
}
