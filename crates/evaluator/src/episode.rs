//! The life of one alert about a group: quiet, pending, firing, acknowledged and quiet again, the same for every kind of
//! rule. It decides by what the kind found; wording the decision and knowing the figures is done elsewhere.

use std::sync::Arc;

use crate::counters::{Packed, Totals};
use crate::measure::Reading;
use crate::minute::Minute;
use crate::rule::{Badge, GroupRule};

/// How many acknowledgements of one firing are remembered, so that none is taken twice.
const REMEMBERED_ACTIONS: usize = 16;

/// The firing and the worst moments since, as far as they are remembered.
const REMEMBERED_WITNESSES: usize = 8;

/// Less than any difference that a rule can name: 0.6 - 0.5 is 0.09999… in binary, and 10 % all the same.
const ROUNDING: f64 = 1e-9;

/// The state of one (rule, group).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Episode {
    /// The rule's place among the rules of groups.
    pub(crate) rule: usize,
    /// Transitions so far.
    pub(crate) revision: u64,
    /// When the last firing began: an incident is known by that, so no two begin at one instant.
    pub(crate) last_fired_ms: Option<i64>,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Phase {
    Quiet,
    /// In trouble since then, for less than `for`.
    Pending {
        since_ms: i64,
    },
    Firing(Firing),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Firing {
    pub(crate) since_ms: i64,
    /// Since when the trouble is over, while `keep_firing_for` runs.
    pub(crate) left_since_ms: Option<i64>,
    /// The gravest that was told.
    pub(crate) grade: u8,
    /// What speaks for it: the firing itself, and every moment that was worse than all before.
    pub(crate) witnesses: Vec<Witness>,
    pub(crate) acknowledged: Option<Acknowledged>,
    /// The acknowledgements so far, oldest first.
    pub(crate) actions: Vec<String>,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

/// How bad it was when somebody said that they see to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Acknowledged {
    pub(crate) badness: Option<f64>,
}

/// A moment of trouble and what it rested on: one reading for every window that the kind looks at; none where late events
/// can prove nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Witness {
    pub(crate) at_ms: i64,
    pub(crate) badness: Option<f64>,
    pub(crate) seen: Vec<Reading>,
    /// What late events have since changed in the panes that were whole by then.
    pub(crate) corrected: Vec<Reading>,
    /// What has since changed in the pane of its own minute, be it the rest of that minute or a correction.
    pub(crate) rest: Packed,
}

impl Witness {
    fn new(at_ms: i64, badness: Option<f64>, seen: Vec<Reading>) -> Self {
        let corrected = vec![Reading::default(); seen.len()];
        Self {
            at_ms,
            badness,
            seen,
            corrected,
            rest: Packed::default(),
        }
    }

    fn note_change(&mut self, rule: &GroupRule, pane: Minute, change: &Totals) {
        let seen = Minute::of(self.at_ms);
        if pane < seen {
            let corrected = &mut self.corrected;
            rule.watch.note_change(seen, pane, change, corrected);
        } else if pane == seen {
            self.rest.add(change);
        }
    }

    /// Whether the rule would have seen trouble, had it known all that is known by now. Of the witness's own minute, what
    /// has grown since is the rest of it; what has shrunk was not so.
    fn holds(&self, rule: &GroupRule) -> bool {
        let seen = Minute::of(self.at_ms);
        let mut corrected = self.corrected.clone();
        let mut rest = Totals::ZERO;
        rest.add_packed(&self.rest);
        rule.watch
            .note_change(seen, seen, &rest.decreases(), &mut corrected);
        let pairs = self.seen.iter().zip(&corrected);
        let grounds: Vec<Reading> = pairs
            .map(|(seen, corrected)| seen.plus(*corrected))
            .collect();
        rule.watch.holds(&grounds)
    }
}

/// How a group stands, as its rule's kind finds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Assessment {
    pub(crate) standing: Standing,
    /// In the unit of `worse_by`, larger being worse; `None` where there is no value.
    pub(crate) badness: Option<f64>,
    /// Of a kind that knows more than one trouble: how grave this is. A graver one is told though it fires already.
    pub(crate) grade: u8,
}

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
    /// What the alert is about is no more, for this reason.
    Gone(&'static str),
}

/// When and under which circumstances a group is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) now_ms: i64,
    /// A source is out, so nothing is called over.
    pub(crate) incomplete: bool,
}

/// A decision to be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Pend,
    /// Left again before `for` had passed.
    Withdraw,
    Fire,
    /// It was acknowledged, and has got worse since.
    Worsen {
        firing_since_ms: i64,
        from: f64,
        to: f64,
    },
    /// A graver trouble has come, whether or not it was acknowledged.
    Aggravate {
        firing_since_ms: i64,
    },
    Acknowledge {
        firing_since_ms: i64,
    },
    Resolve {
        firing_since_ms: i64,
        why: Resolved,
    },
    /// Late events show that there never was trouble.
    Retract {
        firing_since_ms: i64,
    },
    Expire {
        firing_since_ms: i64,
        why: Expired,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    Left,
    /// Nothing is there any more by which to tell.
    Empty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    /// The rule's hours are over.
    Closed,
    /// Its subject is gone.
    Gone(&'static str),
}

impl Episode {
    pub(crate) fn new(rule: usize) -> Self {
        Self {
            rule,
            revision: 0,
            last_fired_ms: None,
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

    /// Takes in how the group stands. `grounds` are asked for where they are to be remembered.
    pub(crate) fn step(
        &mut self,
        rule: &GroupRule,
        found: Assessment,
        look: Look,
        grounds: impl FnOnce() -> Vec<Reading>,
    ) -> Option<Step> {
        let begins = found.standing == Standing::Entered
            && rule.about.is_open(look.now_ms)
            && self.last_fired_ms != Some(look.now_ms);
        let step = match &mut self.phase {
            Phase::Quiet if !begins => return None,
            Phase::Quiet if rule.for_ms > 0 => {
                self.phase = Phase::Pending {
                    since_ms: look.now_ms,
                };
                Step::Pend
            }
            Phase::Quiet => self.fire(found, look, grounds()),
            Phase::Pending { since_ms } if found.standing == Standing::Entered => {
                let held_ms = rule.about.elapsed_ms(*since_ms, look.now_ms);
                if !begins || held_ms < rule.for_ms {
                    return None;
                }
                self.fire(found, look, grounds())
            }
            Phase::Pending { .. } if look.incomplete => return None,
            Phase::Pending { .. } => {
                self.phase = Phase::Quiet;
                Step::Withdraw
            }
            Phase::Firing(firing) => {
                let step = firing.step(rule, found, look, grounds)?;
                if !matches!(step, Step::Worsen { .. } | Step::Aggravate { .. }) {
                    self.phase = Phase::Quiet;
                }
                step
            }
        };
        self.revision += 1;
        Some(step)
    }

    fn fire(&mut self, found: Assessment, look: Look, grounds: Vec<Reading>) -> Step {
        self.last_fired_ms = Some(look.now_ms);
        self.phase = Phase::Firing(Firing {
            since_ms: look.now_ms,
            left_since_ms: None,
            grade: found.grade,
            witnesses: vec![Witness::new(look.now_ms, found.badness, grounds)],
            acknowledged: None,
            actions: Vec::new(),
            badge: None,
        });
        Step::Fire
    }

    /// Somebody sees to it. `None` unless it fires and this was not known.
    pub(crate) fn acknowledge(&mut self, action_id: &str, badness: Option<f64>) -> Option<Step> {
        let Phase::Firing(firing) = &mut self.phase else {
            return None;
        };
        if firing.actions.iter().any(|known| known == action_id) {
            return None;
        }
        if firing.actions.len() == REMEMBERED_ACTIONS {
            firing.actions.remove(0);
        }
        firing.actions.push(action_id.to_owned());
        firing.acknowledged = Some(Acknowledged { badness });
        self.revision += 1;
        Some(Step::Acknowledge {
            firing_since_ms: firing.since_ms,
        })
    }

    /// A pane's counts have changed: where the alert rests on that pane, it is noted what it would have seen.
    pub(crate) fn note_change(&mut self, rule: &GroupRule, pane: Minute, change: &Totals) {
        let Phase::Firing(firing) = &mut self.phase else {
            return;
        };
        for witness in &mut firing.witnesses {
            witness.note_change(rule, pane, change);
        }
    }
}

impl Firing {
    fn step(
        &mut self,
        rule: &GroupRule,
        found: Assessment,
        look: Look,
        grounds: impl FnOnce() -> Vec<Reading>,
    ) -> Option<Step> {
        let firing_since_ms = self.since_ms;
        let expire = |why| {
            Some(Step::Expire {
                firing_since_ms,
                why,
            })
        };
        if !rule.about.is_open(look.now_ms) {
            return expire(Expired::Closed);
        }
        let why = match found.standing {
            Standing::Entered => {
                self.left_since_ms = None;
                self.remember_the_worst(found, look, grounds);
                if found.grade > self.grade {
                    self.grade = found.grade;
                    self.acknowledged = None;
                    return Some(Step::Aggravate { firing_since_ms });
                }
                return self.worsen(rule, found);
            }
            Standing::Between => {
                self.left_since_ms = None;
                return None;
            }
            Standing::Left => Resolved::Left,
            Standing::Empty => Resolved::Empty,
            Standing::Gone(why) if !look.incomplete => return expire(Expired::Gone(why)),
            Standing::Gone(_) => return None,
        };
        let left_since_ms = *self.left_since_ms.get_or_insert(look.now_ms);
        if look.incomplete || look.now_ms - left_since_ms < rule.keep_firing_for_ms {
            return None;
        }
        if !self.witnesses.iter().any(|witness| witness.holds(rule)) {
            return Some(Step::Retract { firing_since_ms });
        }
        Some(Step::Resolve {
            firing_since_ms,
            why,
        })
    }

    /// A worse moment than all before also speaks for it; of one minute the last.
    fn remember_the_worst(
        &mut self,
        found: Assessment,
        look: Look,
        grounds: impl FnOnce() -> Vec<Reading>,
    ) {
        let worst = self.witnesses.iter().filter_map(|witness| witness.badness);
        let worst = worst.max_by(f64::total_cmp);
        if found.badness <= worst {
            return;
        }
        let minute = Minute::of(look.now_ms);
        let (_, later) = self.witnesses.split_at(1);
        let same = later.last().map(|witness| Minute::of(witness.at_ms)) == Some(minute);
        if same {
            self.witnesses.pop();
        } else if self.witnesses.len() == REMEMBERED_WITNESSES {
            self.witnesses.remove(1);
        }
        let witness = Witness::new(look.now_ms, found.badness, grounds());
        self.witnesses.push(witness);
    }

    fn worsen(&mut self, rule: &GroupRule, found: Assessment) -> Option<Step> {
        let from = self.acknowledged?.badness?;
        let (to, worse_by) = (found.badness?, rule.worse_by?);
        if to - from < worse_by - ROUNDING {
            return None;
        }
        self.acknowledged = None;
        Some(Step::Worsen {
            firing_since_ms: self.since_ms,
            from,
            to,
        })
    }
}
