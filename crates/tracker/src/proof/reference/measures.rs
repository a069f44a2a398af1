//! What each event and verdict adds to which pane: SEMANTICS 5.

use slawatch_event::EventType;
use slawatch_policy::Metric;

use super::super::model::{MINUTE_MS, minute_ms};
use super::cycles::Kind;
use super::rows::Verdict;
use super::{Reference, works_after_the_end};
use crate::measure::bucket;
use crate::story::Panes;

type Owner = (&'static str, &'static str);

fn add(panes: &mut Panes, minute: i64, owner: Owner, measure: &str, amount: i64) {
    let key = (minute_ms(minute), owner.0.to_owned(), owner.1.to_owned());
    let pane = panes.entry(key).or_default();
    *pane.entry(measure.to_owned()).or_default() += amount;
}

impl Reference<'_> {
    pub(super) fn measure(&self, now: i64, panes: &mut Panes) {
        for index in 0..self.events.len() {
            self.measure_event(index, panes);
        }
        for cycle in &self.cycles {
            let (minute, state, verdict) = match self.verdict(cycle, now) {
                Verdict::Breached(due) => (due, self.state_at(due), "breached"),
                Verdict::Stopped(stop)
                    if stop.kind == Kind::Fulfilled
                        && self.target(cycle, self.at(stop.place)).is_some() =>
                {
                    (self.events[stop.event].at, self.at(stop.place), "met")
                }
                Verdict::Stopped(_) | Verdict::Undecided(_) => continue,
            };
            let owner = self.decided_owner(cycle, minute, state);
            add(
                panes,
                minute,
                owner,
                &format!("{verdict}.{}", cycle.metric),
                1,
            );
        }
        for cycle in self
            .cycles
            .iter()
            .filter(|cycle| cycle.metric == Metric::Answer)
        {
            self.measure_contact(cycle, panes);
        }
        for pane in panes.values_mut() {
            pane.retain(|_, amount| *amount != 0);
        }
        panes.retain(|_, pane| !pane.is_empty());
    }

    fn measure_event(&self, index: usize, panes: &mut Panes) {
        let event = self.events[index];
        let (before, after) = (self.states[index], self.states[index + 1]);
        if before.ended && !works_after_the_end(event.event_type) {
            return;
        }
        let mut count = |owner, measure: &str, amount| add(panes, event.at, owner, measure, amount);
        if !before.ended {
            // The owner after the attributes, the end itself not yet in force.
            let open_after = after.created && !after.over();
            let stays = before.open() && open_after && before.owner() == after.owner();
            if after.created && !before.created {
                count(after.owner(), "created", 1);
            }
            if after.over() && !before.over() {
                count(after.owner(), "solved", 1);
            }
            if before.over() && !after.over() {
                count(after.owner(), "reopened", 1);
            }
            if before.open() && !stays {
                count(before.owner(), "left", 1);
            }
            if open_after && !stays {
                count(after.owner(), "entered", 1);
            }
            if open_after && after.ended {
                count(after.owner(), "left", 1);
            }
            if event.event_type == EventType::ContactOffered {
                count(after.owner(), "offered", 1);
            }
        }
        let number = event.number as i64;
        match event.event_type {
            EventType::Escalated => count(after.owner(), "escalated", 1),
            EventType::Handled => {
                count(after.owner(), "handled", 1);
                count(after.owner(), "talk_ms", number);
                count(after.owner(), "hold_ms", 7);
                let bucket = bucket(u128::from(event.number) + 7);
                count(after.owner(), &format!("handle_histogram.{bucket}"), 1);
            }
            EventType::Rated => {
                count(after.owner(), "ratings", 1);
                count(after.owner(), "satisfied", i64::from(number % 11 >= 8));
            }
            EventType::Audited => {
                count(after.owner(), "audits", 1);
                count(after.owner(), "audits_passed", i64::from(number % 2 == 0));
            }
            _ => {}
        }
    }

    fn measure_contact(&self, cycle: &super::Cycle, panes: &mut Panes) {
        let Some(stop) = cycle.stop else {
            return;
        };
        let state = self.at(stop.place);
        let at = self.events[stop.event].at;
        let wait = at - self.start_of(cycle);
        let in_time = self.due(cycle).is_none() && self.target(cycle, state).is_some();
        let mut count = |measure: &str, amount| add(panes, at, state.owner(), measure, amount);
        match stop.kind {
            Kind::Cancelled => {}
            Kind::FlowedOut => count("flowed_out", 1),
            Kind::Fulfilled => {
                count("answered", 1);
                count("answered_in_target", i64::from(in_time));
                count("wait_ms", wait * MINUTE_MS);
                let bucket = bucket((wait * MINUTE_MS) as u128);
                count(&format!("wait_histogram.{bucket}"), 1);
            }
            Kind::Abandoned => {
                count("abandoned", 1);
                count("abandoned_in_target", i64::from(in_time));
                let policy = self.policy(cycle.set, state);
                let short = policy.and_then(|policy| policy.short_abandon);
                let short_ms = short.map_or(5_000, |minutes| minutes * MINUTE_MS);
                count("short_abandoned", i64::from(wait * MINUTE_MS <= short_ms));
            }
        }
    }
}
