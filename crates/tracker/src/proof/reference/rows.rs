//! Verdicts, their owners and shares, and the row of a cycle: SEMANTICS 3 and 8.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use slawatch_policy::AttributeTo;
use slawatch_wire::v1;

use super::super::model::{MINUTE_MS, minute_ms};
use super::cycles::{Cycle, Kind, Place, Stop};
use super::{Reference, State};
use crate::outcome::wire_metric;

type Owner = (&'static str, &'static str);

pub(super) enum Verdict {
    Breached(i64),
    Stopped(Stop),
    Undecided(Option<i64>),
}

impl Reference<'_> {
    pub(super) fn verdict(&self, cycle: &Cycle, now: i64) -> Verdict {
        match (self.due(cycle), cycle.stop) {
            (Some(due), Some(_)) => Verdict::Breached(due),
            (Some(due), None) if now > due => Verdict::Breached(due),
            (due, None) => Verdict::Undecided(due),
            (None, Some(stop)) => Verdict::Stopped(stop),
        }
    }

    /// To whom a decision belongs.
    pub(super) fn decided_owner(&self, cycle: &Cycle, at: i64, state: &State) -> Owner {
        let policy = self.policy(cycle.set, state);
        match policy.map_or(AttributeTo::Due, |policy| policy.attribute_to) {
            AttributeTo::Due => state.owner(),
            AttributeTo::Start => self.start_owner(cycle),
            AttributeTo::Longest => {
                let shares = self.shares(cycle, at);
                let longest = shares
                    .iter()
                    .map(|(_, minutes)| *minutes)
                    .max()
                    .unwrap_or(0);
                let first = shares.iter().find(|(_, minutes)| *minutes == longest);
                first.map_or(self.start_owner(cycle), |(owner, _)| *owner)
            }
        }
    }

    fn start_owner(&self, cycle: &Cycle) -> Owner {
        let start = self.start_of(cycle);
        match cycle.stop {
            Some(stop) if self.events[stop.event].at == start => self.at(stop.place).owner(),
            _ => self.state_at(start).owner(),
        }
    }

    /// Minutes of `elapsed` by owner, zeros among them, in the order of having had the ticket.
    fn shares(&self, cycle: &Cycle, until: i64) -> Vec<(Owner, i64)> {
        let mut shares: Vec<(Owner, i64)> = Vec::new();
        self.walk(cycle, |minute, state, _| {
            if minute == until {
                return ControlFlow::Break(());
            }
            let owner = state.owner();
            if !shares.iter().any(|(known, _)| *known == owner) {
                shares.push((owner, 0));
            }
            if !Self::is_over_at(cycle, minute) && self.counts(cycle, state, minute) {
                let share = shares.iter_mut().find(|(known, _)| *known == owner);
                share.unwrap().1 += 1;
            }
            ControlFlow::Continue(())
        });
        shares
    }

    fn is_targeted(&self, cycle: &Cycle) -> bool {
        let last = self.events.last().map_or(0, |event| event.at);
        let until = self.stop_of(cycle).unwrap_or(last + 1);
        (self.start_of(cycle)..until)
            .any(|minute| self.target(cycle, self.state_at(minute)).is_some())
            || cycle
                .stop
                .is_some_and(|stop| self.target(cycle, self.at(stop.place)).is_some())
    }

    pub(super) fn row(&self, cycle: &Cycle, now: i64) -> Option<v1::OutcomeRow> {
        if !self.is_targeted(cycle) {
            return None;
        }
        let start = self.events[cycle.start];
        let mut row = v1::OutcomeRow {
            ticket_id: start.ticket_id(),
            metric: wire_metric(cycle.metric).into(),
            cycle: cycle.number,
            contact_id: start
                .contact_id()
                .filter(|_| cycle.metric == slawatch_policy::Metric::Answer),
            policy_set_ms: cycle.set.map(|set| minute_ms(self.sets[set].from)),
            started_at_ms: start.at_ms(),
            ..Default::default()
        };
        match self.verdict(cycle, now) {
            Verdict::Undecided(due) => self.undecided(cycle, now, due, &mut row),
            Verdict::Breached(due) => {
                row.set_state(v1::CycleState::Breached);
                row.due_at_ms = Some(minute_ms(due));
                row.breached_at_ms = row.due_at_ms;
                self.decided(cycle, due, self.state_at(due), &mut row);
                self.share(cycle, due, &mut row);
                row.attributes = self.shown(self.state_at(due));
            }
            Verdict::Stopped(stop) => {
                let state = self.at(stop.place);
                let at = self.events[stop.event].at;
                self.decided(cycle, at, state, &mut row);
                row.set_state(match stop.kind {
                    Kind::Fulfilled if self.target(cycle, state).is_some() => v1::CycleState::Met,
                    Kind::Fulfilled => v1::CycleState::Untargeted,
                    Kind::Cancelled => v1::CycleState::Cancelled,
                    Kind::Abandoned => v1::CycleState::Abandoned,
                    Kind::FlowedOut => v1::CycleState::FlowedOut,
                });
                if row.state() == v1::CycleState::Met {
                    row.due_at_ms = self.projected(cycle, stop).map(minute_ms);
                    self.share(cycle, at, &mut row);
                }
            }
        }
        if let Some(stop) = cycle.stop {
            let at = self.events[stop.event].at;
            row.stopped_at_ms = Some(minute_ms(at));
            row.elapsed_ms = Some(self.elapsed(cycle, at) * MINUTE_MS);
        }
        Some(row)
    }

    fn stands(&self, cycle: &Cycle, state: &State, row: &mut v1::OutcomeRow) {
        row.priority = state.priority.into();
        row.policy = self.policy_name(cycle.set, state);
        row.target_ms = self.target(cycle, state).map(|minutes| minutes * MINUTE_MS);
        (row.vendor, row.queue) = (state.vendor.into(), state.queue.into());
    }

    fn decided(&self, cycle: &Cycle, at: i64, state: &State, row: &mut v1::OutcomeRow) {
        self.stands(cycle, state, row);
        let owner = self.decided_owner(cycle, at, state);
        (row.vendor, row.queue) = (owner.0.into(), owner.1.into());
        row.decided_at_ms = Some(minute_ms(at));
    }

    /// The attributes that a breached row shows; the tier only where any policy asks for it.
    fn shown(&self, state: &State) -> BTreeMap<String, String> {
        let mut policies = self.sets.iter().flat_map(|set| &set.policies);
        let asks_for_tier = policies.any(|policy| policy.tiers.is_some());
        let tier = if asks_for_tier { state.tier } else { "" };
        [
            ("status", state.status.name()),
            ("category", state.category),
            ("labels.tier", tier),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    fn share(&self, cycle: &Cycle, until: i64, row: &mut v1::OutcomeRow) {
        row.has_shares = true;
        let shares = self.shares(cycle, until).into_iter();
        let shares = shares.filter(|(_, minutes)| *minutes != 0);
        row.shares = shares
            .map(|((vendor, queue), minutes)| v1::Share {
                vendor: vendor.into(),
                queue: queue.into(),
                ms: minutes * MINUTE_MS,
            })
            .collect();
    }

    fn undecided(&self, cycle: &Cycle, now: i64, due: Option<i64>, row: &mut v1::OutcomeRow) {
        let instant = now.max(self.start_of(cycle));
        let state = self.state_at(instant);
        self.stands(cycle, state, row);
        if self.is_paused(cycle, state) || Self::is_over_at(cycle, instant) {
            row.set_state(v1::CycleState::Paused);
            return;
        }
        row.set_state(v1::CycleState::Running);
        if row.target_ms.is_some() {
            row.due_at_ms = due.map(minute_ms);
        }
    }

    /// The due of a met cycle, as it was projected just before its stop.
    fn projected(&self, cycle: &Cycle, stop: Stop) -> Option<i64> {
        let state = self.at(stop.place);
        if self.is_paused(cycle, state) {
            return None;
        }
        let target = self.target(cycle, state)?;
        let mut minute = self.events[stop.event].at;
        let mut elapsed = self.elapsed(cycle, minute);
        while elapsed < target {
            elapsed += i64::from(self.counts(cycle, state, minute));
            minute += 1;
        }
        Some(minute)
    }

    /// The owner among whose running clocks this one is, every known event having happened.
    pub(super) fn runs_at_last(&self, cycle: &Cycle, now: i64) -> Option<Owner> {
        let state = self.at(Place::Before(self.events.len()));
        let undecided = matches!(self.verdict(cycle, now), Verdict::Undecided(_));
        let runs =
            undecided && self.target(cycle, state).is_some() && !self.is_paused(cycle, state);
        runs.then(|| state.owner())
    }
}
