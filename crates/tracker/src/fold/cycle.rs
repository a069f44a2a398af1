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
    /// Of all but the attributes.
    pub(crate) row_hash: u64,
    /// Of the attributes; 0 if it says none, or if they were others then by configuration.
    pub(crate) attributes_hash: u32,
    pub(crate) vendor: Symbol,
}

impl Published {
    /// Whether `after` tells readers something that this does not.
    pub(crate) fn differs(&self, after: &Self) -> bool {
        let has_attributes = self.attributes_hash != 0;
        self.row_hash != after.row_hash
            || self.vendor != after.vendor
            || (has_attributes && self.attributes_hash != after.attributes_hash)
    }
}

/// A stretch of time under one standing, up to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    from_ms: i64,
    standing: Standing,
    /// Whether any time has passed in it.
    is_held: bool,
    /// The due if nothing more happens.
    due_at_ms: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cycle {
    pub(crate) metric: Metric,
    pub(crate) number: u32,
    pub(crate) contact: Option<Box<str>>,
    pub(crate) set: Option<SetIndex>,
    pub(crate) started_at_ms: i64,
    start_owner: Option<Owner>,
    /// Up to the present stretch.
    elapsed_ms: i64,
    stretch: Stretch,
    /// The fold's version of what is in force that the stretch is under.
    pub(super) seen: u32,
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
        standing: Standing,
        rules: &Rules,
    ) -> Self {
        let mut cycle = Self {
            metric,
            number,
            contact,
            set,
            started_at_ms: at_ms,
            start_owner: None,
            elapsed_ms: 0,
            stretch: Stretch {
                from_ms: at_ms,
                standing,
                is_held: false,
                due_at_ms: None,
            },
            seen: 0,
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
        };
        cycle.stretch.due_at_ms = cycle.project(rules);
        cycle
    }

    /// Whether whatever comes next does the same to both.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let Self {
            metric,
            number,
            contact,
            set,
            started_at_ms,
            start_owner,
            elapsed_ms,
            stretch,
            shares,
            targeted,
            due,
            stop,
            is_final,
            while_over,
            targeted_while_over,
            // What was told, and what is remembered for speed.
            seen: _,
            counted: _,
            row_changed: _,
            published: _,
            announced: _,
        } = self;
        *metric == other.metric
            && *number == other.number
            && *contact == other.contact
            && *set == other.set
            && *started_at_ms == other.started_at_ms
            && *start_owner == other.start_owner
            && *elapsed_ms == other.elapsed_ms
            && *stretch == other.stretch
            && *shares == other.shares
            && *targeted == other.targeted
            && *due == other.due
            && *stop == other.stop
            && *is_final == other.is_final
            && *while_over == other.while_over
            && *targeted_while_over == other.targeted_while_over
    }

    pub(crate) fn is_running(&self) -> bool {
        self.stop.is_none()
    }

    /// What holds while it runs.
    pub(crate) fn standing(&self) -> &Standing {
        &self.stretch.standing
    }

    /// Where it falls due if nothing more happens than is known.
    pub(crate) fn due_at_ms(&self) -> Option<i64> {
        match &self.due {
            Some(due) => Some(due.at_ms),
            None => self.stretch.due_at_ms,
        }
    }

    /// From `at_ms` on `standing` holds for the running cycle.
    pub(crate) fn stand(&mut self, at_ms: i64, standing: Standing, rules: &Rules) {
        if standing == self.stretch.standing && !self.may_come_into_reach() {
            return;
        }
        self.measure_until(at_ms, rules);
        self.stretch = Stretch {
            from_ms: at_ms,
            standing,
            is_held: false,
            due_at_ms: None,
        };
        self.stretch.due_at_ms = self.project(rules);
        self.row_changed = true;
    }

    /// Whether a due that is too far away for now may be near enough for a later event.
    pub(super) fn may_come_into_reach(&self) -> bool {
        let stretch = &self.stretch;
        stretch.due_at_ms.is_none()
            && stretch.standing.target_ms.is_some()
            && !stretch.standing.paused
    }

    /// Ends the present stretch: what it measured is elapsed.
    fn measure_until(&mut self, at_ms: i64, rules: &Rules) {
        let Stretch {
            from_ms, standing, ..
        } = self.stretch;
        if self.stretch.is_held && !standing.paused {
            let delta_ms = rules.elapsed(self.set, standing.policy, from_ms, at_ms);
            let share = self.share_of(standing.owner);
            self.elapsed_ms += delta_ms;
            self.shares[share].1 += delta_ms;
        }
        self.stretch.from_ms = at_ms;
        self.stretch.is_held = false;
    }

    /// The running cycle goes on until `to_ms`, later than everything so far.
    pub(crate) fn pass(&mut self, to_ms: i64, rules: &Rules) {
        if !self.stretch.is_held {
            let standing = self.stretch.standing;
            self.stretch.is_held = true;
            self.start_owner.get_or_insert(standing.owner);
            self.targeted |= standing.target_ms.is_some();
            self.share_of(standing.owner);
        }
        let due_ms = self.stretch.due_at_ms.filter(|due_ms| *due_ms < to_ms);
        if let Some(due_ms) = due_ms
            && self.due.is_none()
        {
            self.due = Some(Box::new(self.decide_due(due_ms, rules)));
            self.row_changed = true;
        }
    }

    /// Time goes by while it is over, with `standing`; a resume makes that part of it.
    pub(crate) fn pass_over(&mut self, standing: &Standing) {
        // A stop at the very start leaves open who has the ticket there: a resume forgets it.
        self.start_owner.get_or_insert(standing.owner);
        if !self.while_over.contains(&standing.owner) {
            self.while_over.push(standing.owner);
        }
        self.targeted_while_over |= standing.target_ms.is_some();
    }

    fn project(&self, rules: &Rules) -> Option<i64> {
        self.reach(self.stretch.standing.target_ms?, rules)
    }

    /// When `elapsed` reaches `level_ms` if nothing more happens.
    pub(crate) fn reach(&self, level_ms: i64, rules: &Rules) -> Option<i64> {
        let Stretch {
            from_ms, standing, ..
        } = self.stretch;
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

    /// The breach at `due_ms`, in the present stretch.
    pub(crate) fn decide_due(&self, due_ms: i64, rules: &Rules) -> Decision {
        let standing = &self.stretch.standing;
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
        self.stand(at_ms, *standing, rules);
        self.measure_until(at_ms, rules);
        let due_at_ms = self
            .stretch
            .due_at_ms
            .filter(|_| !standing.paused)
            .map(|due_ms| due_ms.max(at_ms));
        let decision = self.decide(at_ms, standing, self.shares.clone(), rules);
        self.stop = Some(Box::new(Stop {
            kind,
            decision,
            elapsed_ms: self.elapsed_ms,
            due_at_ms,
        }));
        self.while_over.clear();
        self.targeted_while_over = false;
        self.row_changed = true;
    }

    /// Forgets the stop: the ticket was reopened at `at_ms` under `resume`, into `standing`.
    pub(crate) fn resume(&mut self, at_ms: i64, standing: Standing, rules: &Rules) {
        self.stop = None;
        self.targeted |= self.targeted_while_over;
        for owner in std::mem::take(&mut self.while_over) {
            self.share_of(owner);
        }
        self.stretch = Stretch {
            from_ms: at_ms,
            standing,
            is_held: false,
            due_at_ms: None,
        };
        self.stretch.due_at_ms = self.project(rules);
        self.row_changed = true;
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
