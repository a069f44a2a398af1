//! The past in a snapshot: its messages, and both ways. Under other rules what is still asked for is carried over; what is
//! asked for anew begins with the panes that were kept.

use std::collections::BTreeMap;

use prost::Message;
use slawatch_calendar::Periods;

use super::RestoreError;
use super::format::CountsState;
use super::read::{counts, damaged};
use super::write::of_counts;
use crate::counters::{Packed, Totals};
use crate::history::{History, Known, Mark, Past, Plan, hour_of};
use crate::minute::Minute;
use crate::windows::Pane;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PastState {
    #[prost(message, repeated, tag = "1")]
    pub(super) periods: Vec<PeriodsState>,
    /// How many hours were kept.
    #[prost(sint64, tag = "2")]
    pub(super) hours: i64,
    #[prost(uint64, tag = "3")]
    pub(super) counters: u64,
    #[prost(sint64, tag = "4")]
    pub(super) first_hour: i64,
    #[prost(message, repeated, tag = "5")]
    pub(super) marks: Vec<MarkState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct MarkState {
    #[prost(sint64, tag = "1")]
    pub(super) at_ms: i64,
    #[prost(string, tag = "2")]
    pub(super) action_id: String,
    #[prost(string, tag = "3")]
    pub(super) vendor: String,
    #[prost(string, tag = "4")]
    pub(super) queue: String,
    #[prost(string, tag = "5")]
    pub(super) reason: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PeriodsState {
    #[prost(string, tag = "1")]
    pub(super) length: String,
    #[prost(string, tag = "2")]
    pub(super) timezone: String,
    /// The minute from which on the sums are whole.
    #[prost(sint64, tag = "3")]
    pub(super) from: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HistoryState {
    #[prost(message, repeated, tag = "1")]
    pub(super) periods: Vec<PeriodState>,
    #[prost(message, repeated, tag = "2")]
    pub(super) hours: Vec<HourState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PeriodState {
    /// Place among the periods of [`PastState`].
    #[prost(uint32, tag = "1")]
    pub(super) place: u32,
    #[prost(sint64, tag = "2")]
    pub(super) start_ms: i64,
    #[prost(message, optional, tag = "3")]
    pub(super) counts: Option<CountsState>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HourState {
    #[prost(sint64, tag = "1")]
    pub(super) hour: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) counts: Option<CountsState>,
}

pub(super) fn of_past(plan: &Plan, past: &Past) -> Option<PastState> {
    let pairs = plan.periods.iter().zip(&past.known.periods);
    let periods = pairs.map(|(periods, from)| PeriodsState {
        length: periods.length().name().to_owned(),
        timezone: periods.time_zone().to_owned(),
        from: from.0,
    });
    let marks = past.marks.iter().map(|mark| MarkState {
        at_ms: mark.at_ms,
        action_id: mark.action_id.clone(),
        vendor: mark.vendor.clone(),
        queue: mark.queue.clone(),
        reason: mark.reason.clone(),
    });
    (!plan.is_empty() || !past.marks.is_empty()).then(|| PastState {
        periods: periods.collect(),
        hours: plan.hours,
        counters: plan.counters,
        first_hour: past.known.first_hour,
        marks: marks.collect(),
    })
}

pub(super) fn of_history(history: &History) -> Option<HistoryState> {
    let periods = history.periods.iter().enumerate();
    let periods = periods.flat_map(|(place, sums)| {
        sums.iter().map(move |(start_ms, counts)| PeriodState {
            place: place as u32,
            start_ms: *start_ms,
            counts: Some(of_counts(0, counts)),
        })
    });
    let hours = history.hours.iter().map(|(hour, counts)| HourState {
        hour: *hour,
        counts: Some(of_counts(0, counts)),
    });
    (!history.is_empty()).then(|| HistoryState {
        periods: periods.collect(),
        hours: hours.collect(),
    })
}

/// How the past of a snapshot goes on under a plan.
pub(super) struct Carry<'a> {
    plan: &'a Plan,
    /// For each of the plan's periods: its place in the snapshot.
    periods: Vec<Option<usize>>,
    /// Whether the hours hold every counter asked for.
    hours: bool,
}

/// `whole_from`: the pane from which on every one is kept.
pub(super) fn past<'a>(
    plan: &'a Plan,
    kept: Option<&PastState>,
    clock: Option<Minute>,
    whole_from: Minute,
) -> (Past, Carry<'a>) {
    let none = PastState::default();
    let kept = kept.unwrap_or(&none);
    let place = |periods: &Periods| {
        kept.periods.iter().position(|known| {
            known.length == periods.length().name() && known.timezone == periods.time_zone()
        })
    };
    let places: Vec<Option<usize>> = plan.periods.iter().map(place).collect();
    let from = places.iter().map(|place| match place {
        Some(place) => Minute(kept.periods[*place].from),
        None => whole_from,
    });
    let carry = Carry {
        plan,
        hours: kept.hours > 0 && plan.counters & !kept.counters == 0,
        periods: places.clone(),
    };
    let first_hour = match clock {
        Some(clock) if carry.hours && plan.hours > kept.hours => {
            kept.first_hour.max(hour_of(clock) - kept.hours)
        }
        _ if carry.hours => kept.first_hour,
        Some(_) => hour_of(whole_from.plus(59)),
        None => i64::MIN,
    };
    let mut past = Past::new(plan);
    past.known = Known {
        periods: from.collect(),
        first_hour,
    };
    let marks = kept.marks.iter().map(|mark| Mark {
        at_ms: mark.at_ms,
        action_id: mark.action_id.clone(),
        vendor: mark.vendor.clone(),
        queue: mark.queue.clone(),
        reason: mark.reason.clone(),
    });
    past.marks = marks.collect();
    if let Some(clock) = clock {
        past.almanac.turn(plan, clock);
    }
    (past, carry)
}

impl Carry<'_> {
    /// What is known of one queue, of which these panes are kept.
    pub(super) fn history(
        &self,
        past: &Past,
        kept: Option<&HistoryState>,
        panes: &BTreeMap<Minute, Pane>,
    ) -> Result<History, RestoreError> {
        let mut history = History::new(self.plan);
        let is_all_carried =
            self.periods.iter().all(Option::is_some) && (self.hours || self.plan.hours == 0);
        if !is_all_carried {
            for (minute, pane) in panes {
                let mut totals = Totals::ZERO;
                totals.add_packed(&pane.total);
                history.add(self.plan, &past.almanac, *minute, &totals);
            }
        }
        let none = HistoryState::default();
        let kept = kept.unwrap_or(&none);
        for (sums, old) in history.periods.iter_mut().zip(&self.periods) {
            let Some(old) = old else { continue };
            let own = kept.periods.iter().filter(|sum| sum.place as usize == *old);
            *sums = own
                .map(|sum| Ok((sum.start_ms, packed(sum.counts.as_ref())?)))
                .collect::<Result<_, RestoreError>>()?;
        }
        if self.hours {
            let mut hours = BTreeMap::new();
            for hour in &kept.hours {
                hours.insert(hour.hour, packed(hour.counts.as_ref())?);
            }
            history.hours = hours;
        }
        Ok(history)
    }
}

fn packed(state: Option<&CountsState>) -> Result<Packed, RestoreError> {
    counts(state.ok_or_else(|| damaged("a sum without counts"))?)
}
