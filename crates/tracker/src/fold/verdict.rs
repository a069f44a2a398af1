//! What is to be said of a cycle at an instant `now`: its verdict, its contribution, its row.

use std::borrow::Cow;

use slawatch_policy::Metric;

use super::Fold;
use super::cycle::{Counted, Cycle, Decision, Standing, StopKind};
use crate::measure::Measure;
use crate::rules::Rules;
use crate::tally::Tally;

/// SEMANTICS 3, "Verdict".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// Running or paused; the due if nothing happens.
    Undecided {
        standing: &'a Standing,
        due_at_ms: Option<i64>,
    },
    /// Fell due, and may have stopped later.
    Breached(Cow<'a, Decision>),
    /// Stopped or ended before it fell due.
    Stopped(StopKind),
}

impl Fold {
    /// The verdict of a cycle when the clock less `allowed_delay` stands at `now_ms`.
    pub(crate) fn verdict(&self, index: usize, now_ms: i64, rules: &Rules) -> Verdict<'_> {
        let cycle = &self.cycles[index];
        match (&cycle.due, &cycle.stop) {
            (Some(due), stop) if stop.is_some() || now_ms > due.at_ms => {
                Verdict::Breached(Cow::Borrowed(due))
            }
            (_, Some(stop)) => Verdict::Stopped(stop.kind),
            (due, None) => match cycle.due_at_ms() {
                Some(due_ms) if due.is_none() && now_ms > due_ms => {
                    Verdict::Breached(Cow::Owned(cycle.decide_due(due_ms, rules)))
                }
                due_at_ms => Verdict::Undecided {
                    standing: cycle.standing(),
                    due_at_ms,
                },
            },
        }
    }

    /// Whether nothing that comes later in order can change the cycle any more.
    pub(crate) fn is_settled(&self, index: usize) -> bool {
        let cycle = &self.cycles[index];
        let may_resume = !self.ended && !cycle.is_final && self.is_newest_over_metric(index);
        cycle.stop.is_some() && !may_resume
    }

    /// Brings the panes' `met` and `breached` of every cycle up to `now_ms`.
    pub(crate) fn settle(&mut self, now_ms: i64, rules: &Rules, tally: &mut impl Tally) {
        // Rows of undecided cycles show what holds at the clock, which changes as it passes known events.
        let was_ahead = std::mem::replace(&mut self.is_ahead, self.last_at_ms > now_ms);
        let shows_clock = was_ahead || self.is_ahead;
        let mut has_settled = false;
        for unsettled in 0..self.unsettled.len() {
            let index = self.unsettled[unsettled];
            let cycle = &mut self.cycles[index];
            cycle.row_changed |= shows_clock;
            has_settled |= cycle.stop.is_some();
            let waits = cycle.stop.is_none()
                && cycle.counted.is_none()
                && cycle.due_at_ms().is_none_or(|due_ms| now_ms <= due_ms);
            if waits {
                continue;
            }
            let counted = match self.verdict(index, now_ms, rules) {
                Verdict::Breached(decision) => Some((decision.at_ms, decision.owner, true)),
                Verdict::Stopped(StopKind::Fulfilled) => self.met(index),
                Verdict::Stopped(
                    StopKind::Cancelled | StopKind::Abandoned | StopKind::FlowedOut,
                )
                | Verdict::Undecided { .. } => None,
            };
            let counted = counted.map(|(at_ms, owner, breached)| Counted {
                at_ms,
                owner,
                breached,
            });
            let cycle = &mut self.cycles[index];
            if cycle.counted != counted {
                cycle.row_changed = true;
                let metric = cycle.metric;
                let before = std::mem::replace(&mut cycle.counted, counted);
                tally_verdict(before, metric, -1, tally);
                tally_verdict(counted, metric, 1, tally);
            }
        }
        if has_settled {
            let mut unsettled = std::mem::take(&mut self.unsettled);
            unsettled.retain(|index| !self.is_settled(*index));
            self.unsettled = unsettled;
        }
    }

    /// The cycles that a later event in order, or the clock, can still change.
    pub(crate) fn unsettled(&self) -> &[usize] {
        &self.unsettled
    }

    /// Gives every verdict that the panes were told to the tally, as told: the fold is about to be replaced.
    pub(crate) fn unsettle(&mut self, tally: &mut impl Tally) {
        for cycle in &mut self.cycles {
            tally_verdict(cycle.counted.take(), cycle.metric, 1, tally);
        }
    }

    fn met(&self, index: usize) -> Option<(i64, crate::tally::Owner, bool)> {
        let stop = self.cycles[index].stop.as_deref()?;
        let decision = &stop.decision;
        decision
            .target_ms
            .map(|_| (decision.at_ms, decision.owner, false))
    }

    pub(super) fn is_newest_over_metric(&self, index: usize) -> bool {
        let metric = self.cycles[index].metric;
        super::OVER_METRICS.contains(&metric) && self.newest[metric.index()] == Some(index)
    }
}

fn tally_verdict(counted: Option<Counted>, metric: Metric, amount: i64, tally: &mut impl Tally) {
    if let Some(counted) = counted {
        let measure = if counted.breached {
            Measure::Breached(metric)
        } else {
            Measure::Met(metric)
        };
        tally.add(counted.at_ms, counted.owner, measure, amount);
    }
}

impl Cycle {
    /// Whether a target was defined at an instant from its start to the last event it has seen, or at its stop.
    pub(crate) fn was_targeted(&self) -> bool {
        let stop = self.stop.as_deref();
        self.targeted || stop.is_some_and(|stop| stop.decision.target_ms.is_some())
    }
}
