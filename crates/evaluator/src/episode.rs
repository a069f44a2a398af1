//! The life of one alert about a group: quiet, pending, firing and quiet again, the same for every kind of rule. It decides
//! by what the kind found; wording the decision and knowing the figures is done elsewhere.

use std::sync::Arc;

use crate::counters::Totals;
use crate::measure::Reading;
use crate::minute::Minute;
use crate::rule::{Badge, GroupRule};

/// The state of one (rule, group).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Episode {
    /// The rule's place among the rules of groups.
    pub(crate) rule: usize,
    /// Transitions so far.
    pub(crate) revision: u64,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Quiet,
    /// In trouble since then, for less than `for`.
    Pending {
        since_ms: i64,
    },
    Firing(Firing),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) since_ms: i64,
    /// Since when the trouble is over, while `keep_firing_for` runs.
    pub(crate) left_since_ms: Option<i64>,
    pub(crate) grounds: Grounds,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

/// What a firing rests on: one reading for every window that its kind looks at; none where late events can prove nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grounds {
    /// What the rule saw when it fired.
    pub(crate) seen: Vec<Reading>,
    /// What late events have since changed in the panes that were whole by then.
    pub(crate) corrected: Vec<Reading>,
}

impl Grounds {
    pub(crate) fn new(seen: Vec<Reading>) -> Self {
        let corrected = vec![Reading::default(); seen.len()];
        Self { seen, corrected }
    }

    /// What the rule would have seen, had it known all that is known by now.
    fn in_hindsight(&self) -> Vec<Reading> {
        let pairs = self.seen.iter().zip(&self.corrected);
        pairs
            .map(|(seen, corrected)| seen.plus(*corrected))
            .collect()
    }
}

/// How a group stands, as its rule's kind finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In trouble.
    Entered,
    /// Neither: what fires goes on, what does not stays quiet.
    Between,
    /// Well.
    Left,
    /// There is nothing left by which to tell.
    Empty,
}

impl Standing {
    fn is_over(self) -> bool {
        match self {
            Self::Entered | Self::Between => false,
            Self::Left | Self::Empty => true,
        }
    }
}

/// When and under which circumstances a group is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) now_ms: i64,
    /// A source is out, so nothing is called over.
    pub(crate) incomplete: bool,
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
    Left,
    /// Nothing is there any more by which to tell.
    Empty,
    /// Late events show that there never was trouble.
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

    /// Takes in how the group stands. `grounds` are asked for where it begins to fire.
    pub(crate) fn step(
        &mut self,
        rule: &GroupRule,
        standing: Standing,
        look: Look,
        grounds: impl FnOnce() -> Vec<Reading>,
    ) -> Option<Step> {
        let entered = standing == Standing::Entered;
        let step = match &mut self.phase {
            Phase::Quiet if !entered => return None,
            Phase::Quiet if rule.for_ms > 0 => {
                self.phase = Phase::Pending {
                    since_ms: look.now_ms,
                };
                Step::Pend
            }
            Phase::Quiet => self.fire(grounds(), look.now_ms),
            Phase::Pending { since_ms } if entered => {
                if look.now_ms - *since_ms < rule.for_ms {
                    return None;
                }
                self.fire(grounds(), look.now_ms)
            }
            Phase::Pending { .. } if look.incomplete => return None,
            Phase::Pending { .. } => {
                self.phase = Phase::Quiet;
                Step::Withdraw
            }
            Phase::Firing(firing) => {
                let step = firing.step(rule, standing, look)?;
                self.phase = Phase::Quiet;
                step
            }
        };
        self.revision += 1;
        Some(step)
    }

    fn fire(&mut self, grounds: Vec<Reading>, now_ms: i64) -> Step {
        self.phase = Phase::Firing(Firing {
            since_ms: now_ms,
            left_since_ms: None,
            grounds: Grounds::new(grounds),
            badge: None,
        });
        Step::Fire
    }

    /// A pane's counts have changed: if the alert rests on that pane, it is noted what it would have seen.
    pub(crate) fn note_change(&mut self, rule: &GroupRule, pane: Minute, change: &Totals) {
        let Phase::Firing(firing) = &mut self.phase else {
            return;
        };
        let fired = Minute::of(firing.since_ms);
        if pane < fired {
            let corrected = &mut firing.grounds.corrected;
            rule.watch.note_change(fired, pane, change, corrected);
        }
    }
}

impl Firing {
    fn step(&mut self, rule: &GroupRule, standing: Standing, look: Look) -> Option<Step> {
        if !standing.is_over() {
            self.left_since_ms = None;
            return None;
        }
        let left_since_ms = *self.left_since_ms.get_or_insert(look.now_ms);
        if look.incomplete || look.now_ms - left_since_ms < rule.keep_firing_for_ms {
            return None;
        }
        let why = if !rule.watch.holds(&self.grounds.in_hindsight()) {
            Resolved::NeverEntered
        } else if standing == Standing::Empty {
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
