//! `slawatch explain`: one ticket's events from a file or from ClickHouse, and what the tracker's explanation of them
//! says, as text or JSON. What is explained is decided in [`slawatch_tracker::Explainer`]; here are sources and words.

mod database;
mod json;
mod lines;
mod table;
mod text;
mod times;
mod verdict;
mod words;

use std::fmt;

use slawatch_policy::{Metric, PolicySets};
use slawatch_tracker::{CycleStory, Explanation};

pub use database::{DatabaseError, Question, read_ticket};
pub use json::json;
pub use lines::{Lines, UnknownTicket};
pub use text::text;

use crate::replay::DeadLetterLine;

/// An explanation, and what it was made of.
#[derive(Debug)]
pub struct Explained {
    /// The tracker's.
    pub explanation: Explanation,
    /// The sets that it was made under.
    pub sets: PolicySets,
    /// Where the events come from, for a person.
    pub source: String,
    /// Dead letters in which the ticket's id stands.
    pub dead_letters: Vec<DeadLetterLine>,
}

/// Which cycles are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection {
    /// Of this metric.
    pub metric: Option<Metric>,
    /// Of this number.
    pub cycle: Option<u32>,
}

impl Selection {
    /// Whether a cycle is asked for.
    fn takes(&self, cycle: &CycleStory) -> bool {
        self.metric.is_none_or(|metric| metric == cycle.metric)
            && self.cycle.is_none_or(|number| number == cycle.row.cycle)
    }

    /// Whether only some cycles are asked for.
    fn is_narrow(&self) -> bool {
        self.metric.is_some() || self.cycle.is_some()
    }
}

/// A ticket without the cycle asked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("ticket {ticket} has no {wanted}; {present}")]
pub struct NoSuchCycle {
    ticket: String,
    wanted: String,
    present: String,
}

impl Explained {
    /// Keeps the cycles asked for.
    ///
    /// # Errors
    /// There is none such; which there are.
    pub fn select(&mut self, selection: Selection) -> Result<(), NoSuchCycle> {
        let all = self.explanation.cycles.len();
        let present = present(&self.explanation);
        self.explanation
            .cycles
            .retain(|cycle| selection.takes(cycle));
        if !selection.is_narrow() || (all > 0 && !self.explanation.cycles.is_empty()) {
            return Ok(());
        }
        let metric = selection.metric.map_or("clock", Metric::name);
        Err(NoSuchCycle {
            ticket: self.explanation.ticket_id.clone(),
            wanted: match selection.cycle {
                Some(number) => format!(
                    "cycle {number} of {}",
                    match selection.metric {
                        Some(metric) => metric.name(),
                        None => "any clock",
                    }
                ),
                None => format!("cycle of {metric}"),
            },
            present,
        })
    }
}

/// `it has resolution 1, next_reply 1 to 3`.
fn present(explanation: &Explanation) -> String {
    let mut last: Vec<(Metric, u32)> = Vec::new();
    for cycle in &explanation.cycles {
        match last.last_mut() {
            Some((metric, number)) if *metric == cycle.metric => *number = cycle.row.cycle,
            Some(_) | None => last.push((cycle.metric, cycle.row.cycle)),
        }
    }
    if last.is_empty() {
        return "none of its clocks has started".to_owned();
    }
    let each = last.iter().map(|(metric, number)| match number {
        1 => format!("{metric} 1"),
        number => format!("{metric} 1 to {number}"),
    });
    format!("it has {}", each.collect::<Vec<_>>().join(", "))
}

/// How a source is told of in one line: how much of it there was.
struct Amount(u64, &'static str);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, what) = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}
