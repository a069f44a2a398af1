//! Recent panes of one source, and what is to be published of them (DESIGN 2.5).
//!
//! A pane is held until it ends more than `pane_horizon` before the log clock. What comes later for it is a correction,
//! keyed by the offset of the event that caused it.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use slawatch_policy::Metric;
use slawatch_wire::v1;

use crate::measure::Measure;
use crate::outcome::wire_metric;
use crate::symbol::Symbols;
use crate::tally::{Minute, Owner, Tally};

/// Sparse amounts of one (pane, vendor, queue), sorted by measure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) amounts: Vec<(Measure, i64)>,
    is_changed: bool,
}

impl Cell {
    fn add(&mut self, measure: Measure, amount: i64) {
        match self
            .amounts
            .binary_search_by_key(&measure, |(known, _)| *known)
        {
            Ok(position) => {
                let sum = &mut self.amounts[position].1;
                *sum = sum.wrapping_add(amount);
            }
            Err(position) => self.amounts.insert(position, (measure, amount)),
        }
    }
}

type Minutes = BTreeMap<Minute, IndexMap<Owner, Cell, FxBuildHasher>>;

#[derive(Debug, Default)]
pub(crate) struct Panes {
    minutes: Minutes,
    changed: Vec<(Minute, Owner)>,
    corrections: BTreeMap<(u64, Minute, Owner), Cell>,
    /// Panes before this one are no longer held.
    held_from: Option<Minute>,
    /// Offset of the record being applied.
    offset: u64,
}

impl Panes {
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Contributions from now on are caused by the record at this offset.
    pub(crate) fn set_offset(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// Whether the log clock standing there would have panes let go.
    pub(crate) fn lets_go(&self, log_clock_ms: i64, horizon_ms: i64) -> bool {
        let held_from = held_from(log_clock_ms, horizon_ms);
        self.held_from.is_none_or(|before| before < held_from)
    }

    /// Whether the pane of an instant is no longer held.
    pub(crate) fn are_let_go(&self, at_ms: i64) -> bool {
        self.held_from
            .is_some_and(|held_from| Minute::of(at_ms) < held_from)
    }

    /// Lets go of panes that end more than `horizon_ms` before the log clock; what they hold is published first.
    pub(crate) fn evict(
        &mut self,
        log_clock_ms: i64,
        horizon_ms: i64,
        symbols: &Symbols,
        out: &mut Vec<v1::PaneRow>,
    ) {
        let held_from = held_from(log_clock_ms, horizon_ms);
        self.held_from = Some(held_from);
        while let Some(entry) = self.minutes.first_entry() {
            if *entry.key() >= held_from {
                break;
            }
            let (minute, cells) = entry.remove_entry();
            for (owner, cell) in cells {
                if cell.is_changed {
                    out.push(pane_row(minute, owner, 0, &cell.amounts, symbols));
                }
            }
        }
    }

    /// Appends what changed since the last time.
    pub(crate) fn publish(&mut self, symbols: &Symbols, out: &mut Vec<v1::PaneRow>) {
        for (minute, owner) in self.changed.drain(..) {
            let cell = self
                .minutes
                .get_mut(&minute)
                .and_then(|cells| cells.get_mut(&owner));
            if let Some(cell) = cell.filter(|cell| cell.is_changed) {
                cell.is_changed = false;
                out.push(pane_row(minute, owner, 0, &cell.amounts, symbols));
            }
        }
        for ((offset, minute, owner), cell) in std::mem::take(&mut self.corrections) {
            out.push(pane_row(minute, owner, offset + 1, &cell.amounts, symbols));
        }
    }

    /// Every pane held, by minute.
    pub(crate) fn held(&self) -> impl Iterator<Item = (Minute, Owner, &Cell)> {
        self.minutes.iter().flat_map(|(minute, cells)| {
            cells
                .iter()
                .map(move |(owner, cell)| (*minute, *owner, cell))
        })
    }

    pub(crate) fn held_from(&self) -> Option<Minute> {
        self.held_from
    }

    /// The panes of a snapshot.
    pub(crate) fn restored(
        held_from: Option<Minute>,
        cells: impl IntoIterator<Item = (Minute, Owner, Vec<(Measure, i64)>)>,
    ) -> Self {
        let mut minutes = Minutes::new();
        for (minute, owner, amounts) in cells {
            let cell = Cell {
                amounts,
                is_changed: false,
            };
            minutes.entry(minute).or_default().insert(owner, cell);
        }
        Self {
            minutes,
            held_from,
            ..Self::default()
        }
    }

    pub(crate) fn add_at(&mut self, minute: Minute, owner: Owner, measure: Measure, amount: i64) {
        if amount == 0 {
            return;
        }
        if self.held_from.is_some_and(|held_from| minute < held_from) {
            self.corrections
                .entry((self.offset, minute, owner))
                .or_default()
                .add(measure, amount);
            return;
        }
        let cell = self
            .minutes
            .entry(minute)
            .or_default()
            .entry(owner)
            .or_default();
        if !cell.is_changed {
            cell.is_changed = true;
            self.changed.push((minute, owner));
        }
        cell.add(measure, amount);
    }
}

/// The first pane that is held: one ends a minute after its start.
fn held_from(log_clock_ms: i64, horizon_ms: i64) -> Minute {
    Minute::of(log_clock_ms.saturating_sub(horizon_ms))
}

impl Tally for Panes {
    fn add(&mut self, at_ms: i64, owner: Owner, measure: Measure, amount: i64) {
        self.add_at(Minute::of(at_ms), owner, measure, amount);
    }
}

fn pane_row(
    minute: Minute,
    owner: Owner,
    part: u64,
    amounts: &[(Measure, i64)],
    symbols: &Symbols,
) -> v1::PaneRow {
    v1::PaneRow {
        pane_ms: minute.start_ms(),
        vendor: symbols.text(owner.vendor).to_owned(),
        queue: symbols.text(owner.queue).to_owned(),
        part,
        measures: Some(measures(amounts)),
    }
}

fn measures(amounts: &[(Measure, i64)]) -> v1::Measures {
    let mut out = v1::Measures::default();
    for (measure, amount) in amounts.iter().filter(|(_, amount)| *amount != 0) {
        let amount = *amount;
        match *measure {
            Measure::Created => out.created = amount,
            Measure::Entered => out.entered = amount,
            Measure::Left => out.left = amount,
            Measure::Solved => out.solved = amount,
            Measure::Reopened => out.reopened = amount,
            Measure::Escalated => out.escalated = amount,
            Measure::Offered => out.offered = amount,
            Measure::Answered => out.answered = amount,
            Measure::Abandoned => out.abandoned = amount,
            Measure::FlowedOut => out.flowed_out = amount,
            Measure::AnsweredInTarget => out.answered_in_target = amount,
            Measure::AbandonedInTarget => out.abandoned_in_target = amount,
            Measure::ShortAbandoned => out.short_abandoned = amount,
            Measure::WaitMs => out.wait_ms = amount,
            Measure::Handled => out.handled = amount,
            Measure::TalkMs => out.talk_ms = amount,
            Measure::HoldMs => out.hold_ms = amount,
            Measure::WrapMs => out.wrap_ms = amount,
            Measure::Ratings => out.ratings = amount,
            Measure::Satisfied => out.satisfied = amount,
            Measure::Audits => out.audits = amount,
            Measure::AuditsPassed => out.audits_passed = amount,
            Measure::Met(metric) => verdicts_of(&mut out, metric).met = amount,
            Measure::Breached(metric) => verdicts_of(&mut out, metric).breached = amount,
            Measure::WaitBucket(bucket) => out.wait_histogram.push(wire_bucket(bucket, amount)),
            Measure::HandleBucket(bucket) => out.handle_histogram.push(wire_bucket(bucket, amount)),
        }
    }
    out
}

fn verdicts_of(out: &mut v1::Measures, metric: Metric) -> &mut v1::VerdictCount {
    let metric = wire_metric(metric);
    let position = match out
        .verdicts
        .iter()
        .position(|known| known.metric() == metric)
    {
        Some(position) => position,
        None => {
            out.verdicts.push(v1::VerdictCount {
                metric: metric.into(),
                ..Default::default()
            });
            out.verdicts.len() - 1
        }
    };
    &mut out.verdicts[position]
}

fn wire_bucket(bucket: u16, count: i64) -> v1::Bucket {
    v1::Bucket {
        bucket: bucket.into(),
        count,
    }
}
