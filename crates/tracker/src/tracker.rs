//! The tickets of one source: one entry for events, one for the clock, one for what is to be published.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use slawatch_event::{Attribute, Reason, TicketEvent};
use slawatch_policy::PolicySets;
use slawatch_wire::v1;

use crate::event::Event;
use crate::gauges::Gauges;
use crate::panes::Panes;
use crate::rules::Rules;
use crate::ticket::{Outcome, Place, Ticket};

/// What a tracker's conclusions depend on beside policies and events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The time that events may need to reach the log (SEMANTICS 6).
    pub allowed_delay_ms: i64,
    /// How far behind the log clock the last event of a finished ticket lies when it is forgotten; `None` is never.
    pub forget_after_ms: Option<i64>,
    /// How far behind the log clock panes are held; `None` is for ever.
    pub pane_horizon_ms: Option<i64>,
    /// What breached rows and warnings say of the ticket beside its status and what policies match on.
    pub alert_attributes: Vec<Attribute>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allowed_delay_ms: 2_000,
            forget_after_ms: Some(30 * 86_400_000),
            pane_horizon_ms: Some(26 * 3_600_000),
            alert_attributes: vec![Attribute::Category],
        }
    }
}

/// A history takes no more events than this (SEMANTICS 2).
pub const MAX_HISTORY: usize = 10_000;

/// What became of an accepted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is known now.
    Counted,
    /// A copy of a known event.
    Duplicate,
    /// Its id is known, and it says something else: an error of the source. The first copy counts.
    Conflicting,
    /// It counts nowhere, for this reason (`ticket_forgotten` or `ticket_too_long`).
    Rejected(Reason),
}

/// Everything concluded since the last time, in no particular order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conclusions {
    /// Absolute panes, and corrections to those no longer held.
    pub panes: Vec<v1::PaneRow>,
    /// Rows that are new, changed or to be deleted. A (ticket, metric, cycle) occurs once.
    pub outcomes: Vec<Outcome>,
    /// Gauges that changed.
    pub gauges: Vec<v1::GaugeRow>,
    /// Warnings to announce.
    pub warnings: Vec<v1::Warning>,
}

impl Conclusions {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.panes.is_empty()
            && self.outcomes.is_empty()
            && self.gauges.is_empty()
            && self.warnings.is_empty()
    }
}

/// Keeps every ticket of one source and its clocks. Pure: it knows no time but the one it is told.
#[derive(Debug)]
pub struct Tracker {
    pub(crate) rules: Rules,
    pub(crate) options: Options,
    pub(crate) slots: Vec<Option<Ticket>>,
    pub(crate) by_id: IndexMap<Arc<str>, u32, FxBuildHasher>,
    pub(crate) free: Vec<u32>,
    pub(crate) panes: Panes,
    pub(crate) gauges: Gauges,
    /// (wake-up, slot): rebuilt from the tickets, never stored.
    timers: BTreeSet<(i64, u32)>,
    /// (last event, slot) of finished tickets.
    finished: BTreeSet<(i64, u32)>,
    changed: Vec<u32>,
    /// Tickets to be folded again.
    unfolded: Vec<u32>,
    /// None of them had its last event before this.
    unfolded_from_ms: i64,
    pending: Conclusions,
    pub(crate) clock_ms: i64,
    pub(crate) log_clock_ms: i64,
    /// No verdict looks back behind this, whatever the delay allowed since.
    pub(crate) settled_ms: i64,
}

impl Tracker {
    /// A tracker at the beginning of its log.
    pub fn new(sets: PolicySets, options: Options) -> Self {
        Self {
            rules: Rules::new(sets, &options.alert_attributes),
            options,
            slots: Vec::new(),
            by_id: IndexMap::default(),
            free: Vec::new(),
            panes: Panes::default(),
            gauges: Gauges::default(),
            timers: BTreeSet::new(),
            finished: BTreeSet::new(),
            changed: Vec::new(),
            unfolded: Vec::new(),
            unfolded_from_ms: i64::MAX,
            pending: Conclusions::default(),
            clock_ms: i64::MIN,
            log_clock_ms: i64::MIN,
            settled_ms: i64::MIN,
        }
    }

    /// Applies one accepted event, read at `offset` from a record of `timestamp_ms`. Moves no clock.
    pub fn apply(&mut self, event: &TicketEvent<'_>, timestamp_ms: i64, offset: u64) -> Applied {
        self.panes.set_offset(offset);
        let known = self.by_id.get(&*event.ticket_id).copied();
        if known.is_none() && self.is_forgotten(event.occurred_at_ms, timestamp_ms) {
            return Applied::Rejected(Reason::TicketForgotten);
        }
        let kept = Event::of(event, &mut self.rules);
        let slot = known.unwrap_or_else(|| self.add_ticket(&event.ticket_id));
        let Some(ticket) = &mut self.slots[slot as usize] else {
            return Applied::Rejected(Reason::TicketForgotten);
        };
        let place = ticket.place(&kept);
        match place {
            Place::Known { same: true } => return Applied::Duplicate,
            Place::Known { same: false } => return Applied::Conflicting,
            Place::Last | Place::Late(_) if ticket.history.len() >= MAX_HISTORY => {
                return Applied::Rejected(Reason::TicketTooLong);
            }
            Place::Last if !ticket.is_unfolded() => {
                ticket.append(kept, &mut self.rules, &mut self.panes);
                self.settle(slot);
            }
            Place::Last => ticket.insert(ticket.history.len(), kept),
            Place::Late(position) => {
                let waits_already = ticket.is_unfolded();
                ticket.insert(position, kept);
                // A correction is keyed by the event that caused it.
                if self.panes.are_let_go(ticket.first_at_ms()) {
                    self.refold(slot);
                } else if !waits_already {
                    self.unfolded.push(slot);
                    self.unfolded_from_ms = self.unfolded_from_ms.min(ticket.last_at_ms());
                }
            }
        }
        Applied::Counted
    }

    /// Brings every ticket to which events came late up to date. That is put off until somebody can tell the difference, so
    /// that a ticket is folded once for many of them.
    fn refold_all(&mut self) {
        self.unfolded_from_ms = i64::MAX;
        for slot in std::mem::take(&mut self.unfolded) {
            self.refold(slot);
        }
    }

    fn refold(&mut self, slot: u32) {
        let now_ms = self.now_ms();
        if let Some(ticket) = &mut self.slots[slot as usize]
            && ticket.is_unfolded()
        {
            ticket.refold(now_ms, &mut self.rules, &mut self.panes);
            self.settle(slot);
        }
    }

    /// Moves the log clock to a record's timestamp, once the record is applied and the clock moved; lets go of panes
    /// and tickets that lie too far behind it.
    pub fn advance_log_clock(&mut self, timestamp_ms: i64) {
        if timestamp_ms <= self.log_clock_ms {
            return;
        }
        self.log_clock_ms = timestamp_ms;
        if let Some(horizon_ms) = self.options.pane_horizon_ms
            && self.panes.lets_go(timestamp_ms, horizon_ms)
        {
            self.refold_all();
            self.panes.evict(
                timestamp_ms,
                horizon_ms,
                &self.rules.symbols,
                &mut self.pending.panes,
            );
        }
        self.forget();
    }

    /// Moves the clock, concluding what fell due. The clock never goes back.
    pub fn advance_clock(&mut self, clock_ms: i64) {
        if clock_ms <= self.clock_ms {
            return;
        }
        self.clock_ms = clock_ms;
        self.fire();
    }

    /// Allows events another delay from now on. Verdicts given stand.
    pub fn allow_delay(&mut self, allowed_delay_ms: i64) {
        self.refold_all();
        self.settled_ms = self.now_ms();
        self.options.allowed_delay_ms = allowed_delay_ms;
        self.fire();
    }

    fn fire(&mut self) {
        let now_ms = self.now_ms();
        while let Some((wake_ms, slot)) = self.timers.first().copied() {
            if wake_ms >= now_ms {
                break;
            }
            self.refold(slot);
            self.settle(slot);
        }
    }

    /// Whether moving the clock there would conclude anything.
    pub fn fires_before(&self, clock_ms: i64) -> bool {
        let now_ms = self.now_at(clock_ms);
        let first = self.timers.first();
        !self.unfolded.is_empty() || first.is_some_and(|(wake_ms, _)| *wake_ms < now_ms)
    }

    /// Whether the ticket's history takes no more: an event of it that is not known yet will be rejected.
    pub fn is_full(&self, ticket_id: &str) -> bool {
        let slot = self.by_id.get(ticket_id);
        let ticket = slot.and_then(|slot| self.slots[*slot as usize].as_ref());
        ticket.is_some_and(|ticket| ticket.history.len() >= MAX_HISTORY)
    }

    /// Publishes every gauge in full with the next [`Tracker::conclude`].
    pub fn announce_gauges(&mut self) {
        self.gauges.mark_all_changed();
    }

    /// Everything concluded since the last time.
    pub fn conclude(&mut self) -> Conclusions {
        self.refold_all();
        let now_ms = self.now_ms();
        let mut conclusions = std::mem::take(&mut self.pending);
        let has_forgotten = !conclusions.outcomes.is_empty();
        let mut scratch = Vec::new();
        for slot in std::mem::take(&mut self.changed) {
            if let Some(ticket) = &mut self.slots[slot as usize]
                && std::mem::take(&mut ticket.is_changed)
            {
                ticket.publish(
                    now_ms,
                    &mut self.rules,
                    &mut scratch,
                    &mut conclusions.outcomes,
                );
            }
        }
        if has_forgotten {
            conclusions.outcomes = last_of_each(conclusions.outcomes);
        }
        self.panes
            .publish(&self.rules.symbols, &mut conclusions.panes);
        self.gauges
            .publish(&self.rules.symbols, &mut conclusions.gauges);
        conclusions
    }

    /// How many tickets are kept.
    pub fn tickets(&self) -> usize {
        self.by_id.len()
    }

    /// The clock, `i64::MIN` before it was ever moved.
    pub fn clock_ms(&self) -> i64 {
        self.clock_ms
    }

    /// The clock less `allowed_delay`: the `now` of SEMANTICS 3. It never goes back.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_at(self.clock_ms)
    }

    fn now_at(&self, clock_ms: i64) -> i64 {
        clock_ms
            .saturating_sub(self.options.allowed_delay_ms)
            .max(self.settled_ms)
    }

    fn is_forgotten(&self, occurred_at_ms: i64, timestamp_ms: i64) -> bool {
        let log_clock_ms = self.log_clock_ms.max(timestamp_ms);
        self.options
            .forget_after_ms
            .is_some_and(|forget_after_ms| occurred_at_ms < log_clock_ms - forget_after_ms)
    }

    pub(crate) fn add_ticket(&mut self, id: &str) -> u32 {
        let id: Arc<str> = id.into();
        let ticket = Some(Ticket::new(Arc::clone(&id), &self.rules));
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = ticket;
                slot
            }
            None => {
                self.slots.push(ticket);
                (self.slots.len() - 1) as u32
            }
        };
        self.by_id.insert(id, slot);
        slot
    }

    /// Brings a ticket's verdicts, timers and gauges up to the clock.
    pub(crate) fn settle(&mut self, slot: u32) {
        let now_ms = self.now_ms();
        let Some(ticket) = &mut self.slots[slot as usize] else {
            return;
        };
        let wake_before = ticket.wake_ms;
        let share = ticket.settle(
            now_ms,
            &mut self.rules,
            &mut self.panes,
            &mut self.pending.warnings,
        );
        self.gauges.replace(&ticket.id, &ticket.share, &share);
        ticket.share = share;
        if !std::mem::replace(&mut ticket.is_changed, true) {
            self.changed.push(slot);
        }
        if wake_before != ticket.wake_ms {
            if let Some(wake_ms) = wake_before {
                self.timers.remove(&(wake_ms, slot));
            }
            if let Some(wake_ms) = ticket.wake_ms {
                self.timers.insert((wake_ms, slot));
            }
        }
        let finished_at = Some(ticket.fold.last_at_ms).filter(|_| ticket.fold.is_finished());
        if ticket.finished_at_ms != finished_at {
            if let Some(at_ms) = ticket.finished_at_ms {
                self.finished.remove(&(at_ms, slot));
            }
            if let Some(at_ms) = finished_at {
                self.finished.insert((at_ms, slot));
            }
            ticket.finished_at_ms = finished_at;
        }
    }

    fn forget(&mut self) {
        let Some(forget_after_ms) = self.options.forget_after_ms else {
            return;
        };
        let now_ms = self.now_ms();
        let forgotten_before_ms = self.log_clock_ms - forget_after_ms;
        let is_due =
            |first: Option<&(i64, u32)>| first.is_some_and(|first| first.0 < forgotten_before_ms);
        // What waits to be folded in may finish a ticket, or reopen one.
        if is_due(self.finished.first()) || self.unfolded_from_ms < forgotten_before_ms {
            self.refold_all();
        }
        while is_due(self.finished.first()) {
            let popped = self.finished.pop_first();
            let Some((slot, mut ticket)) =
                popped.and_then(|(_, slot)| Some((slot, self.slots[slot as usize].take()?)))
            else {
                continue;
            };
            if ticket.is_changed {
                ticket.publish(
                    now_ms,
                    &mut self.rules,
                    &mut Vec::new(),
                    &mut self.pending.outcomes,
                );
            }
            if let Some(wake_ms) = ticket.wake_ms {
                self.timers.remove(&(wake_ms, slot));
            }
            self.gauges
                .replace(&ticket.id, &ticket.share, &Default::default());
            self.by_id.swap_remove(&ticket.id);
            self.free.push(slot);
        }
    }
}

/// A ticket forgotten and heard of again since the last time may have two rows of one cycle. The later holds, and whoever
/// has a row from before is told.
fn last_of_each(outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut last: IndexMap<_, Outcome, FxBuildHasher> = IndexMap::default();
    for mut outcome in outcomes {
        let row = &outcome.row;
        let key = (row.ticket_id.clone(), row.metric, row.cycle);
        if let Some(earlier) = last.get(&key) {
            let told = earlier.former_vendor.as_ref();
            let told = told.unwrap_or(&earlier.row.vendor);
            outcome.former_vendor = Some(told.clone()).filter(|told| *told != row.vendor);
        }
        last.insert(key, outcome);
    }
    last.into_values().collect()
}
