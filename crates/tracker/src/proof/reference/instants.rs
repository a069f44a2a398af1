//! What holds at an instant, what has elapsed, and where a cycle falls due.

use std::ops::ControlFlow;

use slawatch_event::Status;
use slawatch_policy::Metric;

use super::super::model::{Calendar, Policy};
use super::cycles::Cycle;
use super::{Reference, State};

/// Ten days: no target takes longer on any of the calendars.
const LONGEST_WALK: i64 = 14_400;

const DAY: i64 = 1440;

impl Reference<'_> {
    /// After every event of that minute.
    pub(super) fn state_at(&self, minute: i64) -> &State {
        let known = self
            .events
            .iter()
            .filter(|event| event.at <= minute)
            .count();
        &self.states[known]
    }

    pub(super) fn policy(&self, set: Option<usize>, state: &State) -> Option<&Policy> {
        self.sets[set?]
            .policies
            .iter()
            .find(|policy| applies(policy, state))
    }

    pub(super) fn policy_name(&self, set: Option<usize>, state: &State) -> Option<String> {
        let policies = &self.sets[set?].policies;
        let position = policies.iter().position(|policy| applies(policy, state))?;
        Some(format!("p{position}"))
    }

    pub(super) fn target(&self, cycle: &Cycle, state: &State) -> Option<i64> {
        let policy = self.policy(cycle.set, state)?;
        let target = policy.targets[cycle.metric.index()].as_ref()?;
        match state.priority {
            "low" => target.low.or(target.default),
            "high" => target.high.or(target.default),
            _ => target.default,
        }
    }

    pub(super) fn is_paused(&self, cycle: &Cycle, state: &State) -> bool {
        let Some(policy) = self.policy(cycle.set, state) else {
            return false;
        };
        match &policy.pauses[cycle.metric.index()] {
            Some(statuses) => statuses.contains(&state.status),
            None => match cycle.metric {
                Metric::FirstReply | Metric::NextReply | Metric::Resolution | Metric::Answer => {
                    false
                }
                Metric::PeriodicUpdate | Metric::RequesterWait => state.status == Status::Pending,
                Metric::AgentWork => matches!(state.status, Status::Pending | Status::OnHold),
            },
        }
    }

    /// Whether the minute that begins there counts under this state.
    pub(super) fn counts(&self, cycle: &Cycle, state: &State, minute: i64) -> bool {
        let policy = self.policy(cycle.set, state);
        let calendar = policy.and_then(|policy| policy.calendar.as_ref());
        !self.is_paused(cycle, state) && calendar.is_none_or(|calendar| is_open(calendar, minute))
    }

    pub(super) fn is_over_at(cycle: &Cycle, minute: i64) -> bool {
        cycle
            .gaps
            .iter()
            .any(|(from, to)| (*from..*to).contains(&minute))
    }

    pub(super) fn start_of(&self, cycle: &Cycle) -> i64 {
        self.events[cycle.start].at
    }

    pub(super) fn stop_of(&self, cycle: &Cycle) -> Option<i64> {
        cycle.stop.map(|stop| self.events[stop.event].at)
    }

    /// Shows each minute from the start on, and what has elapsed before it, until told to break.
    pub(super) fn walk<T>(
        &self,
        cycle: &Cycle,
        mut visit: impl FnMut(i64, &State, i64) -> ControlFlow<T>,
    ) -> Option<T> {
        let mut elapsed = 0;
        let start = self.start_of(cycle);
        for minute in start..start + LONGEST_WALK {
            let state = self.state_at(minute);
            if let ControlFlow::Break(found) = visit(minute, state, elapsed) {
                return Some(found);
            }
            elapsed +=
                i64::from(!Self::is_over_at(cycle, minute) && self.counts(cycle, state, minute));
        }
        None
    }

    pub(super) fn elapsed(&self, cycle: &Cycle, until: i64) -> i64 {
        let at = |minute, _: &State, elapsed| {
            if minute == until {
                ControlFlow::Break(elapsed)
            } else {
                ControlFlow::Continue(())
            }
        };
        self.walk(cycle, at).expect("no stop is that late")
    }

    /// The first instant with a target reached, unless the cycle has stopped there or before.
    pub(super) fn due(&self, cycle: &Cycle) -> Option<i64> {
        let stop = self.stop_of(cycle);
        let last = self.events.last().map_or(0, |event| event.at);
        let found = self.walk(cycle, |minute, state, elapsed| {
            if stop.is_some_and(|stop| minute >= stop) {
                return ControlFlow::Break(None);
            }
            if Self::is_over_at(cycle, minute) {
                return ControlFlow::Continue(());
            }
            let target = self.target(cycle, state);
            if target.is_some_and(|target| elapsed >= target) {
                return ControlFlow::Break(Some(minute));
            }
            // Nothing will change any more.
            let never = minute >= last && (target.is_none() || self.is_paused(cycle, state));
            if never {
                ControlFlow::Break(None)
            } else {
                ControlFlow::Continue(())
            }
        });
        found.flatten()
    }
}

fn applies(policy: &Policy, state: &State) -> bool {
    let one_of = |values: &Option<Vec<&'static str>>, value| {
        values.as_ref().is_none_or(|values| values.contains(&value))
    };
    one_of(&policy.vendors, state.vendor)
        && one_of(&policy.queues, state.queue)
        && one_of(&policy.tiers, state.tier)
        && policy
            .statuses
            .as_ref()
            .is_none_or(|statuses| statuses.contains(&state.status))
}

pub(super) fn is_open(calendar: &Calendar, minute: i64) -> bool {
    // Minute 0 is a Monday's first.
    let (day, minute) = (minute.div_euclid(DAY).rem_euclid(7), minute.rem_euclid(DAY));
    (day != 1 || calendar.on_tuesdays)
        && calendar
            .spans
            .iter()
            .any(|(from, to)| (*from..*to).contains(&minute))
}
