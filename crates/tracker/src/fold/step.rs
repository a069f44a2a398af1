//! One event taken: what it stops and ends with what held before it, then its attributes, then what it starts.

use std::ops::Range;

use slawatch_event::{EventType, Status};
use slawatch_policy::{Metric, OnReopen, ReplyBySolving};

use super::cycle::{Cycle, StopKind};
use super::{Fold, OVER_METRICS};
use crate::event::{Effect, Event};
use crate::measure::{Measure, bucket};
use crate::rules::{Rules, Values};
use crate::tally::{Owner, Tally};

/// What an event does to the ticket as a whole.
struct Change {
    creates: bool,
    was_open: bool,
    was_over: bool,
    is_over: bool,
    ends: bool,
}

impl Change {
    fn becomes_over(&self) -> bool {
        self.was_open && self.is_over
    }

    fn reopens(&self) -> bool {
        self.was_over && !self.is_over
    }
}

impl Fold {
    /// Takes the next event in order.
    pub(crate) fn step(&mut self, event: &Event, rules: &mut Rules, tally: &mut impl Tally) {
        self.pass_to(event.at_ms, rules);
        if self.ended {
            self.step_ended(event, tally);
            return;
        }
        let change = self.change(event);
        let owner_before = self.owner();
        let cycles_before = self.cycles.len();
        let before = (change.ends && change.reopens()).then(|| (self.values.clone(), self.status));
        self.stop_clocks(event, &change, rules);
        self.end_contacts(event, rules, tally);
        self.set_attributes(event);
        self.reconsider_attributes(event);
        self.tally_moves(event, &change, owner_before, tally);
        self.tally_type(event, tally);
        self.start_clocks(event, &change, rules);
        if let Some((values, status)) = before {
            self.end_reopened(event.at_ms, cycles_before, values, status, rules);
        }
        self.ended = change.ends;
        self.stand_running(rules);
    }

    /// One event reopened the ticket and ended it: what it started ends with the event's attributes, what it resumed
    /// with those before it.
    fn end_reopened(
        &mut self,
        at_ms: i64,
        cycles_before: usize,
        values: Values,
        status: Status,
        rules: &mut Rules,
    ) {
        self.end_running(cycles_before..self.cycles.len(), at_ms, rules);
        let after = (std::mem::replace(&mut self.values, values), self.status);
        self.status = status;
        self.in_force.clear();
        self.end_running(0..cycles_before, at_ms, rules);
        (self.values, self.status) = after;
        self.in_force.clear();
    }

    fn end_running(&mut self, cycles: Range<usize>, at_ms: i64, rules: &mut Rules) {
        for index in cycles {
            if self.cycles[index].is_running() {
                self.stop_cycle(index, at_ms, StopKind::Cancelled, rules);
            }
        }
    }

    /// Goes through the time between the last event and `at_ms` with what has held since.
    fn pass_to(&mut self, at_ms: i64, rules: &mut Rules) {
        if at_ms <= self.last_at_ms {
            return;
        }
        self.last_at_ms = at_ms;
        let may_resume = self.may_resume();
        for position in 0..self.latest() {
            let Some(index) = self.latest_at(position) else {
                continue;
            };
            let cycle = &mut self.cycles[index];
            if cycle.is_running() {
                cycle.pass(at_ms, rules);
            } else if may_resume && !cycle.is_final && self.is_newest_over_metric(index) {
                let (set, metric) = (self.cycles[index].set, self.cycles[index].metric);
                let standing = self.standing(set, metric, rules);
                self.cycles[index].pass_over(&standing);
            }
        }
    }

    /// Has every running cycle stand under what the event has left in force.
    fn stand_running(&mut self, rules: &mut Rules) {
        let at_ms = self.last_at_ms;
        for position in 0..self.latest() {
            let Some(index) = self.latest_at(position) else {
                continue;
            };
            let cycle = &self.cycles[index];
            let is_current = cycle.seen == self.version && !cycle.may_come_into_reach();
            if is_current || !cycle.is_running() {
                continue;
            }
            let standing = self.standing(cycle.set, cycle.metric, rules);
            let cycle = &mut self.cycles[index];
            cycle.stand(at_ms, standing, rules);
            cycle.seen = self.version;
        }
    }

    /// How many cycles may run or resume: the newest of each metric, and the contacts that wait.
    fn latest(&self) -> usize {
        self.newest.len() + self.waiting.len()
    }

    fn latest_at(&self, position: usize) -> Option<usize> {
        match position.checked_sub(self.newest.len()) {
            None => self.newest[position],
            Some(waiting) => Some(self.waiting[waiting]),
        }
    }

    fn step_ended(&mut self, event: &Event, tally: &mut impl Tally) {
        match event.event_type {
            EventType::Handled | EventType::Rated | EventType::Escalated | EventType::Audited => {
                self.set_attributes(event);
                self.tally_type(event, tally);
            }
            EventType::Created
            | EventType::Updated
            | EventType::CustomerReplied
            | EventType::AgentReplied
            | EventType::ContactOffered
            | EventType::ContactAnswered
            | EventType::ContactAbandoned
            | EventType::Merged
            | EventType::Cancelled => {}
        }
    }

    fn change(&self, event: &Event) -> Change {
        let was_created = self.created_at_ms.is_some();
        let creates = event.event_type == EventType::Created && !was_created;
        let status = event.status.unwrap_or(self.status);
        Change {
            creates,
            was_open: was_created && !self.status.is_over(),
            was_over: was_created && self.status.is_over(),
            is_over: (was_created || creates) && status.is_over(),
            ends: was_created
                && matches!(event.event_type, EventType::Merged | EventType::Cancelled),
        }
    }

    /// Stops and ends, judged by what held before the event.
    fn stop_clocks(&mut self, event: &Event, change: &Change, rules: &mut Rules) {
        let at_ms = event.at_ms;
        if event.event_type == EventType::AgentReplied && (change.was_open || change.was_over) {
            for metric in [
                Metric::FirstReply,
                Metric::NextReply,
                Metric::PeriodicUpdate,
            ] {
                self.stop_newest(metric, at_ms, StopKind::Fulfilled, rules);
            }
        }
        if change.becomes_over() {
            self.stop_by_over(at_ms, rules);
        }
        if change.ends {
            self.end_running(0..self.cycles.len(), at_ms, rules);
            self.waiting.clear();
        }
    }

    fn stop_by_over(&mut self, at_ms: i64, rules: &mut Rules) {
        for metric in [Metric::FirstReply, Metric::NextReply] {
            let Some(index) = self.running(metric) else {
                continue;
            };
            let set = self.cycles[index].set;
            let policy = self.standing(set, metric, rules).policy;
            let kind = match rules.reply_by_solving(set, policy) {
                ReplyBySolving::Met => StopKind::Fulfilled,
                ReplyBySolving::Cancelled => StopKind::Cancelled,
            };
            self.stop_cycle(index, at_ms, kind, rules);
        }
        self.stop_newest(Metric::PeriodicUpdate, at_ms, StopKind::Cancelled, rules);
        for metric in OVER_METRICS {
            self.stop_newest(metric, at_ms, StopKind::Fulfilled, rules);
        }
    }

    /// The contact's end, counted for the owner at the end.
    fn end_contacts(&mut self, event: &Event, rules: &mut Rules, tally: &mut impl Tally) {
        let kind = match event.event_type {
            EventType::ContactOffered => StopKind::FlowedOut,
            EventType::ContactAnswered => StopKind::Fulfilled,
            EventType::ContactAbandoned => StopKind::Abandoned,
            EventType::Created
            | EventType::Updated
            | EventType::CustomerReplied
            | EventType::AgentReplied
            | EventType::Handled
            | EventType::Rated
            | EventType::Escalated
            | EventType::Audited
            | EventType::Merged
            | EventType::Cancelled => return,
        };
        let waiting = self
            .waiting
            .iter()
            .position(|cycle| self.cycles[*cycle].contact == event.contact);
        let Some(waiting) = waiting else {
            return;
        };
        let index = self.waiting.remove(waiting);
        self.stop_cycle(index, event.at_ms, kind, rules);
        self.tally_contact_end(index, event.at_ms, kind, rules, tally);
    }

    fn tally_contact_end(
        &mut self,
        index: usize,
        at_ms: i64,
        kind: StopKind,
        rules: &mut Rules,
        tally: &mut impl Tally,
    ) {
        let owner = self.owner();
        let (set, started_at_ms) = (self.cycles[index].set, self.cycles[index].started_at_ms);
        let standing = self.standing(set, Metric::Answer, rules);
        let in_target = self.cycles[index].due.is_none() && standing.target_ms.is_some();
        let wait_ms = at_ms - started_at_ms;
        let mut count = |measure, amount| tally.add(at_ms, owner, measure, amount);
        match kind {
            StopKind::Cancelled => {}
            StopKind::FlowedOut => count(Measure::FlowedOut, 1),
            StopKind::Fulfilled => {
                count(Measure::Answered, 1);
                count(Measure::WaitMs, wait_ms);
                count(Measure::WaitBucket(bucket(wait_ms as u128)), 1);
                if in_target {
                    count(Measure::AnsweredInTarget, 1);
                }
            }
            StopKind::Abandoned => {
                count(Measure::Abandoned, 1);
                if in_target {
                    count(Measure::AbandonedInTarget, 1);
                }
                if wait_ms <= rules.short_abandon_ms(set, standing.policy) {
                    count(Measure::ShortAbandoned, 1);
                }
            }
        }
    }

    fn set_attributes(&mut self, event: &Event) {
        let mut changed = false;
        if let Some(status) = event.status {
            changed |= status != self.status;
            self.status = status;
        }
        for (position, value) in &event.attributes {
            // What only alerts show changes nothing here.
            if let Some(slot) = self.values.get_mut(usize::from(*position)) {
                changed |= slot != value;
                *slot = *value;
            }
        }
        if changed {
            self.in_force.clear();
            self.version = self.version.wrapping_add(1);
        }
    }

    /// A breach that the clock alone told shows what held at its due, which an event up to there may change.
    fn reconsider_attributes(&mut self, event: &Event) {
        if event.attributes.is_empty() && event.status.is_none() {
            return;
        }
        for index in &self.unsettled {
            let cycle = &mut self.cycles[*index];
            let is_told = cycle.counted.is_some_and(|counted| counted.breached);
            cycle.row_changed |= is_told && cycle.due_at_ms() >= Some(event.at_ms);
        }
    }

    /// Created, entered, left, solved, reopened.
    fn tally_moves(
        &self,
        event: &Event,
        change: &Change,
        owner_before: Owner,
        tally: &mut impl Tally,
    ) {
        let owner = self.owner();
        let is_open = (change.creates || change.was_open || change.was_over) && !change.is_over;
        let mut count = |owner, measure| tally.add(event.at_ms, owner, measure, 1);
        if change.creates {
            count(owner, Measure::Created);
        }
        if (change.creates && change.is_over) || change.becomes_over() {
            count(owner, Measure::Solved);
        }
        if change.reopens() {
            count(owner, Measure::Reopened);
        }
        let stays = change.was_open && is_open && owner == owner_before;
        if change.was_open && !stays {
            count(owner_before, Measure::Left);
        }
        if is_open && !stays {
            count(owner, Measure::Entered);
        }
        if is_open && change.ends {
            count(owner, Measure::Left);
        }
    }

    /// What an event of this type counts by itself.
    fn tally_type(&self, event: &Event, tally: &mut impl Tally) {
        let owner = self.owner();
        let mut count = |measure, amount| tally.add(event.at_ms, owner, measure, amount);
        match event.event_type {
            EventType::ContactOffered => count(Measure::Offered, 1),
            EventType::Escalated => count(Measure::Escalated, 1),
            EventType::Created
            | EventType::Updated
            | EventType::CustomerReplied
            | EventType::AgentReplied
            | EventType::ContactAnswered
            | EventType::ContactAbandoned
            | EventType::Handled
            | EventType::Rated
            | EventType::Audited
            | EventType::Merged
            | EventType::Cancelled => {}
        }
        match event.effect {
            Effect::None => {}
            Effect::Handled {
                talk_ms,
                hold_ms,
                wrap_ms,
            } => {
                let sum_ms = u128::from(talk_ms) + u128::from(hold_ms) + u128::from(wrap_ms);
                count(Measure::Handled, 1);
                count(Measure::TalkMs, talk_ms as i64);
                count(Measure::HoldMs, hold_ms as i64);
                count(Measure::WrapMs, wrap_ms as i64);
                count(Measure::HandleBucket(bucket(sum_ms)), 1);
            }
            Effect::Rated { satisfied } => {
                count(Measure::Ratings, 1);
                count(Measure::Satisfied, i64::from(satisfied));
            }
            Effect::Audited { passed } => {
                count(Measure::Audits, 1);
                count(Measure::AuditsPassed, i64::from(passed));
            }
        }
    }

    /// Starts and resumes, with the event's attributes applied.
    fn start_clocks(&mut self, event: &Event, change: &Change, rules: &mut Rules) {
        let at_ms = event.at_ms;
        if change.creates {
            self.created_at_ms = Some(at_ms);
            self.start(Metric::FirstReply, at_ms, rules);
            for metric in OVER_METRICS {
                self.start(metric, at_ms, rules);
            }
            if change.is_over {
                self.stop_by_over(at_ms, rules);
            }
        }
        if change.reopens() {
            self.reopen(event, rules);
        }
        if change.becomes_over() || (change.creates && change.is_over) {
            self.customer_waits = false;
        }
        let is_open = self.is_open() && !change.ends;
        match event.event_type {
            EventType::CustomerReplied => {
                if is_open {
                    self.start_next_reply(at_ms, rules);
                } else if change.was_over && change.is_over {
                    self.customer_waits = true;
                }
            }
            EventType::AgentReplied => {
                self.customer_waits = false;
                if is_open {
                    self.start(Metric::PeriodicUpdate, at_ms, rules);
                }
            }
            EventType::ContactOffered => {
                let index = self.start_with(Metric::Answer, at_ms, event.contact.clone(), rules);
                self.waiting.push(index);
            }
            EventType::Created
            | EventType::Updated
            | EventType::ContactAnswered
            | EventType::ContactAbandoned
            | EventType::Handled
            | EventType::Rated
            | EventType::Escalated
            | EventType::Audited
            | EventType::Merged
            | EventType::Cancelled => {}
        }
    }

    fn reopen(&mut self, event: &Event, rules: &mut Rules) {
        for metric in OVER_METRICS {
            let Some(index) = self.newest[metric.index()] else {
                continue;
            };
            let set = self.cycles[index].set;
            let standing = self.standing(set, metric, rules);
            match rules.on_reopen(set, standing.policy) {
                OnReopen::Resume if self.cycles[index].is_final => {}
                OnReopen::Resume => {
                    self.cycles[index].resume(event.at_ms, standing, rules);
                    self.cycles[index].seen = self.version;
                }
                OnReopen::Restart => {
                    self.cycles[index].is_final = true;
                    self.start(metric, event.at_ms, rules);
                }
                OnReopen::Ignore => self.cycles[index].is_final = true,
            }
        }
        if self.customer_waits && event.event_type != EventType::AgentReplied {
            self.start_next_reply(event.at_ms, rules);
        }
        self.customer_waits = false;
    }

    fn start_next_reply(&mut self, at_ms: i64, rules: &mut Rules) {
        let is_awaited =
            self.running(Metric::FirstReply).is_some() || self.running(Metric::NextReply).is_some();
        if !is_awaited {
            self.start(Metric::NextReply, at_ms, rules);
        }
    }

    fn start(&mut self, metric: Metric, at_ms: i64, rules: &mut Rules) {
        let index = self.start_with(metric, at_ms, None, rules);
        self.newest[metric.index()] = Some(index);
    }

    fn start_with(
        &mut self,
        metric: Metric,
        at_ms: i64,
        contact: Option<Box<str>>,
        rules: &mut Rules,
    ) -> usize {
        let set = rules.set_at(at_ms);
        let standing = self.standing(set, metric, rules);
        let started = &mut self.started[metric.index()];
        *started += 1;
        let mut cycle = Cycle::start(metric, *started, at_ms, set, contact, standing, rules);
        cycle.seen = self.version;
        self.cycles.push(cycle);
        let index = self.cycles.len() - 1;
        self.unsettled.push(index);
        index
    }

    /// The newest cycle of a metric, if it runs.
    fn running(&self, metric: Metric) -> Option<usize> {
        self.newest[metric.index()].filter(|index| self.cycles[*index].is_running())
    }

    fn stop_newest(&mut self, metric: Metric, at_ms: i64, kind: StopKind, rules: &mut Rules) {
        if let Some(index) = self.running(metric) {
            self.stop_cycle(index, at_ms, kind, rules);
        }
    }

    fn stop_cycle(&mut self, index: usize, at_ms: i64, kind: StopKind, rules: &mut Rules) {
        let (set, metric) = (self.cycles[index].set, self.cycles[index].metric);
        let standing = self.standing(set, metric, rules);
        self.cycles[index].stop(at_ms, kind, &standing, rules);
    }
}
