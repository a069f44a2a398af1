//! The life of one alert of a threshold rule: quiet, pending, firing and quiet again. It decides; wording the decision
//! and knowing the windows is done elsewhere.

use std::sync::Arc;

use crate::counters::Totals;
use crate::measure::Reading;
use crate::minute::Minute;
use crate::rule::{Badge, ThresholdRule};

/// The state of one (rule, group).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Episode {
    /// The rule's place among the threshold rules.
    pub(crate) rule: usize,
    /// Transitions so far.
    pub(crate) revision: u64,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Quiet,
    /// Beyond `enter` since then, for less than `for`.
    Pending {
        since_ms: i64,
    },
    Firing(Firing),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) since_ms: i64,
    /// Since when the level has been left, while `keep_firing_for` runs.
    pub(crate) left_since_ms: Option<i64>,
    /// What the rule saw when it fired.
    pub(crate) seen: Reading,
    /// What late events have since changed in the panes that were whole by then.
    pub(crate) corrected: Reading,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

/// A decision to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Pend,
    /// Left again before `for` had passed.
    Withdraw,
    Fire,
    Resolve {
        firing_since_ms: i64,
        why: Resolved,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// The level to leave was reached.
    Left,
    /// Nothing is in the window any more.
    Empty,
    /// Late events show that the level was never entered.
    NeverEntered,
}

impl Episode {
    pub(crate) fn new(rule: usize) -> Self {
        Self {
            rule,
            revision: 0,
            phase: Phase::Quiet,
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.phase, Phase::Quiet)
    }

    /// What the end of this firing must be known by, where the rule says something else by now.
    pub(crate) fn badge(&self) -> Option<Arc<Badge>> {
        match &self.phase {
            Phase::Quiet | Phase::Pending { .. } => None,
            Phase::Firing(firing) => firing.badge.clone(),
        }
    }

    /// Looks at a reading at an instant of the clock. `incomplete`: a source is out, so nothing is called over.
    pub(crate) fn step(
        &mut self,
        rule: &ThresholdRule,
        reading: Reading,
        now_ms: i64,
        incomplete: bool,
    ) -> Option<Step> {
        let step = match &mut self.phase {
            Phase::Quiet => {
                if !rule.is_entered(reading) {
                    return None;
                }
                if rule.for_ms > 0 {
                    self.phase = Phase::Pending { since_ms: now_ms };
                    Step::Pend
                } else {
                    self.fire(reading, now_ms)
                }
            }
            Phase::Pending { since_ms } => {
                if rule.is_entered(reading) {
                    if now_ms - *since_ms < rule.for_ms {
                        return None;
                    }
                    self.fire(reading, now_ms)
                } else if incomplete {
                    return None;
                } else {
                    self.phase = Phase::Quiet;
                    Step::Withdraw
                }
            }
            Phase::Firing(firing) => {
                let step = firing.step(rule, reading, now_ms, incomplete)?;
                self.phase = Phase::Quiet;
                step
            }
        };
        self.revision += 1;
        Some(step)
    }

    fn fire(&mut self, reading: Reading, now_ms: i64) -> Step {
        self.phase = Phase::Firing(Firing {
            since_ms: now_ms,
            left_since_ms: None,
            seen: reading,
            corrected: Reading::default(),
            badge: None,
        });
        Step::Fire
    }

    /// A pane's counts have changed: if the alert rests on that pane, it is noted what it would have seen.
    pub(crate) fn note_change(&mut self, rule: &ThresholdRule, pane: Minute, change: &Totals) {
        let Phase::Firing(firing) = &mut self.phase else {
            return;
        };
        let fired = Minute::of(firing.since_ms);
        if pane < fired && pane > fired.minus(rule.window) {
            firing.corrected = firing.corrected.plus(rule.measure.difference(change));
        }
    }
}

impl Firing {
    fn step(
        &mut self,
        rule: &ThresholdRule,
        reading: Reading,
        now_ms: i64,
        incomplete: bool,
    ) -> Option<Step> {
        if !rule.is_left(reading) {
            self.left_since_ms = None;
            return None;
        }
        let left_since_ms = *self.left_since_ms.get_or_insert(now_ms);
        if incomplete || now_ms - left_since_ms < rule.keep_firing_for_ms {
            return None;
        }
        let why = if !rule.is_entered(self.seen.plus(self.corrected)) {
            Resolved::NeverEntered
        } else if reading.value().is_none() {
            Resolved::Empty
        } else {
            Resolved::Left
        };
        Some(Step::Resolve {
            firing_since_ms: self.since_ms,
            why,
        })
    }
}
