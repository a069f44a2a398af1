//! One cycle of one clock (SEMANTICS 3): what it has measured, where it fell due, how it stopped.
//!
//! A cycle knows neither events nor attributes; the fold tells it what holds (a [`Standing`]) between which instants.

use slawatch_policy::{AttributeTo, Metric};

use crate::rules::{PolicyIndex, Rules, SetIndex};
use crate::symbol::Symbol;
use crate::tally::Owner;

/// A due further behind the ticket's last event than this is none (SEMANTICS 3).
const HORIZON_MS: i64 = 7305 * 86_400_000;

/// What holds for a cycle at a place or an instant: the ticket's owner and priority, and what the policy in force in
/// the cycle's set makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) owner: Owner,
    pub(crate) priority: Symbol,
    pub(crate) policy: Option<PolicyIndex>,
    pub(crate) target_ms: Option<i64>,
    pub(crate) paused: bool,
}

/// A verdict's instant and all that was in force there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) at_ms: i64,
    /// After `attribute_to`.
    pub(crate) owner: Owner,
    pub(crate) priority: Symbol,
    pub(crate) policy: Option<PolicyIndex>,
    pub(crate) target_ms: Option<i64>,
    pub(crate) shares: Vec<(Owner, i64)>,
}

/// How a cycle came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopKind {
    Fulfilled,
    Cancelled,
    Abandoned,
    FlowedOut,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) kind: StopKind,
    pub(crate) decision: Decision,
    pub(crate) elapsed_ms: i64,
    /// As projected just before the stop; `None` when stopped out of a pause or without a target.
    pub(crate) due_at_ms: Option<i64>,
}

/// What the panes were told of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) at_ms: i64,
    pub(crate) owner: Owner,
    pub(crate) breached: bool,
}

/// The row last published: a hash of it, and the vendor it was published under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) row_hash: u64,
    pub(crate) vendor: Symbol,
}

#[derive(Clone, Debug)]
pub(crate) struct Cycle {
    pub(crate) metric: Metric,
    pub(crate) number: u32,
    pub(crate) contact: Option<Box<str>>,
    pub(crate) set: Option<SetIndex>,
    pub(crate) started_at_ms: i64,
    start_owner: Option<Owner>,
    elapsed_ms: i64,
    /// In the order in which the owners first had the ticket since the start.
    shares: Vec<(Owner, i64)>,
    /// A target was defined at an instant since the start.
    pub(crate) targeted: bool,
    /// Where it fell due, once an event lies behind that.
    pub(crate) due: Option<Box<Decision>>,
    pub(crate) stop: Option<Box<Stop>>,
    /// The stop is final whatever reopens the ticket.
    pub(crate) is_final: bool,
    while_over: Vec<Owner>,
    targeted_while_over: bool,
    pub(crate) counted: Option<Counted>,
    /// Its row may differ from the one last published.
    pub(crate) row_changed: bool,
    /// What was last published of it.
    pub(crate) published: Option<Published>,
    /// The `warn_at` levels announced, as written.
    pub(crate) announced: Vec<Box<str>>,
}

impl Cycle {
    pub(crate) fn start(
        metric: Metric,
        number: u32,
        at_ms: i64,
        set: Option<SetIndex>,
        contact: Option<Box<str>>,
    ) -> Self {
        Self {
            metric,
            number,
            contact,
            set,
            started_at_ms: at_ms,
            start_owner: None,
            elapsed_ms: 0,
            shares: Vec::new(),
            targeted: false,
            due: None,
            stop: None,
            is_final: false,
            while_over: Vec::new(),
            targeted_while_over: false,
            counted: None,
            row_changed: true,
            published: None,
            announced: Vec::new(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.stop.is_none()
    }

    /// Goes through `[from_ms, to_ms)`, in which `standing` held.
    pub(crate) fn advance(&mut self, from_ms: i64, to_ms: i64, standing: &Standing, rules: &Rules) {
        // A stop at the very start leaves open who has the ticket there: a resume forgets it.
        self.start_owner.get_or_insert(standing.owner);
        if self.stop.is_some() {
            if !self.while_over.contains(&standing.owner) {
                self.while_over.push(standing.owner);
            }
            self.targeted_while_over |= standing.target_ms.is_some();
            return;
        }
        self.targeted |= standing.target_ms.is_some();
        let share = self.share_of(standing.owner);
        let delta_ms = if standing.paused {
            0
        } else {
            rules.elapsed(self.set, standing.policy, from_ms, to_ms)
        };
        if self.due.is_none() {
            let reaches = standing
                .target_ms
                .is_some_and(|target_ms| self.elapsed_ms + delta_ms >= target_ms);
            self.due = reaches
                .then(|| self.project(from_ms, standing, rules))
                .flatten()
                .filter(|due_ms| *due_ms < to_ms)
                .map(|due_ms| Box::new(self.decide_due(due_ms, standing, rules)));
        }
        self.elapsed_ms += delta_ms;
        self.shares[share].1 += delta_ms;
    }

    /// The due if nothing happens after `from_ms`, at which `standing` holds.
    pub(crate) fn project(&self, from_ms: i64, standing: &Standing, rules: &Rules) -> Option<i64> {
        let target_ms = standing.target_ms?;
        self.reach(target_ms, from_ms, standing, rules)
    }

    /// When `elapsed` reaches `level_ms` if nothing happens after `from_ms`.
    pub(crate) fn reach(
        &self,
        level_ms: i64,
        from_ms: i64,
        standing: &Standing,
        rules: &Rules,
    ) -> Option<i64> {
        let left_ms = level_ms - self.elapsed_ms;
        if left_ms <= 0 {
            return Some(from_ms);
        }
        if standing.paused {
            return None;
        }
        let latest_ms = from_ms.saturating_add(HORIZON_MS);
        rules.add(self.set, standing.policy, from_ms, left_ms, latest_ms)
    }

    /// The breach at `due_ms`, found from `standing`.
    pub(crate) fn decide_due(&self, due_ms: i64, standing: &Standing, rules: &Rules) -> Decision {
        let missing_ms = standing
            .target_ms
            .map_or(0, |target_ms| (target_ms - self.elapsed_ms).max(0));
        let mut shares = self.shares.clone();
        match shares
            .iter_mut()
            .find(|(owner, _)| *owner == standing.owner)
        {
            Some((_, ms)) => *ms += missing_ms,
            None => shares.push((standing.owner, missing_ms)),
        }
        self.decide(due_ms, standing, shares, rules)
    }

    /// Stops or ends at `at_ms`; `standing` is what held just before.
    pub(crate) fn stop(&mut self, at_ms: i64, kind: StopKind, standing: &Standing, rules: &Rules) {
        let due_at_ms = if standing.paused {
            None
        } else {
            self.project(at_ms, standing, rules)
        };
        let decision = self.decide(at_ms, standing, self.shares.clone(), rules);
        self.stop = Some(Box::new(Stop {
            kind,
            decision,
            elapsed_ms: self.elapsed_ms,
            due_at_ms,
        }));
        self.while_over.clear();
        self.targeted_while_over = false;
    }

    /// Forgets the stop: the ticket was reopened under `resume`.
    pub(crate) fn resume(&mut self) {
        self.stop = None;
        self.targeted |= self.targeted_while_over;
        for owner in std::mem::take(&mut self.while_over) {
            self.share_of(owner);
        }
    }

    fn decide(
        &self,
        at_ms: i64,
        standing: &Standing,
        shares: Vec<(Owner, i64)>,
        rules: &Rules,
    ) -> Decision {
        let start_owner = self.start_owner.unwrap_or(standing.owner);
        let owner = match rules.attribute_to(self.set, standing.policy) {
            AttributeTo::Due => standing.owner,
            AttributeTo::Start => start_owner,
            AttributeTo::Longest => longest(&shares).unwrap_or(start_owner),
        };
        Decision {
            at_ms,
            owner,
            priority: standing.priority,
            policy: standing.policy,
            target_ms: standing.target_ms,
            shares,
        }
    }

    fn share_of(&mut self, owner: Owner) -> usize {
        if let Some(position) = self.shares.iter().position(|share| share.0 == owner) {
            return position;
        }
        self.shares.push((owner, 0));
        self.shares.len() - 1
    }
}

/// The owner with the largest share, of equals the first.
fn longest(shares: &[(Owner, i64)]) -> Option<Owner> {
    let mut best: Option<(Owner, i64)> = None;
    for share in shares {
        if best.is_none_or(|best| share.1 > best.1) {
            best = Some(*share);
        }
    }
    best.map(|(owner, _)| owner)
}
