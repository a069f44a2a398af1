//! The attributes of a ticket at an instant, as alerts show them and match on them.

use std::collections::BTreeMap;

use slawatch_event::{Attribute, Status};
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::Writer;
use crate::event::Event;
use crate::rules::{PRIORITY, Rules};
use crate::symbol::Symbol;

/// When each attribute came to which value, vendor, queue and priority apart: rows have those of their own.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    statuses: Vec<(i64, Status)>,
    values: BTreeMap<u16, Vec<(i64, Symbol)>>,
}

/// What was set at one instant.
#[derive(Debug)]
pub(crate) struct Held {
    status: Status,
    /// (position in the rules' attributes, value), by the former.
    values: Vec<(u16, Symbol)>,
}

impl Timeline {
    /// Of a ticket's events in their order. What comes after an end of the ticket is not told apart: nothing is decided
    /// there.
    pub(crate) fn of(history: &[Event]) -> Self {
        let mut timeline = Self::default();
        for event in history {
            if let Some(status) = event.status {
                timeline.statuses.push((event.at_ms, status));
            }
            for (position, value) in &event.attributes {
                if usize::from(*position) > PRIORITY {
                    let values = timeline.values.entry(*position).or_default();
                    values.push((event.at_ms, *value));
                }
            }
        }
        timeline
    }

    /// What holds after every event up to `at_ms`, those of that instant among them.
    pub(crate) fn at(&self, at_ms: i64) -> Held {
        let values = self.values.iter();
        let values = values.filter_map(|(position, values)| {
            let value = last_at(values, at_ms).filter(|value| *value != Symbol::EMPTY);
            Some((*position, value?))
        });
        Held {
            status: last_at(&self.statuses, at_ms).unwrap_or(Status::New),
            values: values.collect(),
        }
    }
}

fn last_at<T: Copy>(changes: &[(i64, T)], at_ms: i64) -> Option<T> {
    let after = changes.partition_point(|change| change.0 <= at_ms);
    changes[..after].last().map(|change| change.1)
}

impl Held {
    /// A hash of it that is not 0. `scratch` is emptied.
    pub(crate) fn hash(&self, scratch: &mut Vec<u8>) -> u32 {
        scratch.clear();
        let mut writer = Writer(scratch);
        writer.unsigned(self.status as u64);
        for (position, value) in &self.values {
            writer.unsigned((*position).into());
            writer.unsigned(value.number());
        }
        xxh3_64(scratch) as u32 | 1
    }

    /// By name, as they travel.
    pub(crate) fn named(&self, rules: &Rules) -> BTreeMap<String, String> {
        let values = self.values.iter().map(|(position, value)| {
            let attribute = &rules.attributes()[usize::from(*position)];
            let value = rules.symbols.text(*value).to_owned();
            (attribute.to_string(), value)
        });
        let status = (Attribute::Status.to_string(), self.status.name().to_owned());
        values.chain([status]).collect()
    }
}
