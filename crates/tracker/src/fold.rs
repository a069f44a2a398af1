//! One ticket as a function of its events: SEMANTICS 2, 3 and 5.
//!
//! A [`Fold`] takes a ticket's events one after another in their order and keeps the attributes in force and every cycle
//! that has started. Contributions that no later event in order can change go to the tally at once; verdicts, which one
//! can (a reopen) or which wait for the clock (a breach), are settled by [`Fold::settle`]. A late event means a new fold.

mod cycle;
mod step;
mod verdict;

pub(crate) use cycle::{Counted, Cycle, Decision, Published, Standing, StopKind};
pub(crate) use verdict::Verdict;

use slawatch_event::Status;
use slawatch_policy::Metric;

use crate::rules::{PolicyIndex, Rules, SetIndex, Values, owner, priority};
use crate::tally::Owner;

/// The metrics that stop when the ticket is over and can be resumed.
pub(crate) const OVER_METRICS: [Metric; 3] =
    [Metric::RequesterWait, Metric::AgentWork, Metric::Resolution];

/// A ticket after some of its events.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    values: Values,
    status: Status,
    pub(crate) created_at_ms: Option<i64>,
    ended: bool,
    /// Instant of the last event.
    pub(crate) last_at_ms: i64,
    pub(crate) cycles: Vec<Cycle>,
    started: [u32; Metric::ALL.len()],
    /// The newest cycle of each metric but `answer`.
    newest: [Option<usize>; Metric::ALL.len()],
    /// Cycles that a later event in order, or the clock, can still change.
    unsettled: Vec<usize>,
    /// Answer cycles that wait.
    waiting: Vec<usize>,
    /// A `customer_replied` came since the ticket is over, and no `agent_replied` since that.
    customer_waits: bool,
    /// At the last settling, events were known that lie after the clock.
    is_ahead: bool,
    /// Goes up with every change of what is in force.
    version: u32,
    /// The policies that hold for the values in force, by set.
    in_force: Vec<(SetIndex, Option<PolicyIndex>)>,
}

impl Fold {
    pub(crate) fn new(rules: &Rules) -> Self {
        Self {
            values: rules.unset(),
            status: Status::New,
            created_at_ms: None,
            ended: false,
            last_at_ms: i64::MIN,
            cycles: Vec::new(),
            started: [0; Metric::ALL.len()],
            newest: [None; Metric::ALL.len()],
            unsettled: Vec::new(),
            waiting: Vec::new(),
            customer_waits: false,
            is_ahead: false,
            version: 1,
            in_force: Vec::new(),
        }
    }

    /// Created, not over, not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.created_at_ms.is_some() && !self.ended && !self.status.is_over()
    }

    /// Over or ended: a ticket that can be forgotten.
    pub(crate) fn is_finished(&self) -> bool {
        self.ended || self.status.is_over()
    }

    pub(crate) fn owner(&self) -> Owner {
        owner(&self.values)
    }

    /// The attribute values in force.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// Merged or cancelled after it was created.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What holds now, after the last event taken, for a cycle of this set and metric.
    pub(crate) fn standing(
        &mut self,
        set: Option<SetIndex>,
        metric: Metric,
        rules: &mut Rules,
    ) -> Standing {
        let policy = set.and_then(|set| self.policy(set, rules));
        let priority = priority(&self.values);
        Standing {
            owner: self.owner(),
            priority,
            policy,
            target_ms: rules.target_ms(set, policy, metric, priority),
            paused: rules.is_paused(set, policy, metric, self.status),
        }
    }

    fn policy(&mut self, set: SetIndex, rules: &mut Rules) -> Option<PolicyIndex> {
        if let Some((_, policy)) = self.in_force.iter().find(|(known, _)| *known == set) {
            return *policy;
        }
        let policy = rules.find(set, &self.values, self.status);
        self.in_force.push((set, policy));
        policy
    }

    /// Whether whatever comes next does the same to both.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let Self {
            values,
            status,
            created_at_ms,
            ended,
            last_at_ms,
            cycles,
            started,
            newest,
            waiting,
            customer_waits,
            // Of settling, and what is remembered for speed.
            unsettled: _,
            is_ahead: _,
            version: _,
            in_force: _,
        } = self;
        *values == other.values
            && *status == other.status
            && *created_at_ms == other.created_at_ms
            && *ended == other.ended
            && *last_at_ms == other.last_at_ms
            && *started == other.started
            && *newest == other.newest
            && *waiting == other.waiting
            && *customer_waits == other.customer_waits
            && cycles.len() == other.cycles.len()
            && cycles
                .iter()
                .zip(&other.cycles)
                .rev()
                .all(|(a, b)| a.agrees(b))
    }

    /// Rows show more of the history than the fold keeps, and that has changed.
    pub(crate) fn reconsider_rows(&mut self) {
        for cycle in &mut self.cycles {
            cycle.row_changed = true;
        }
    }

    /// Whether the ticket is over at this point of the fold, so that its stopped clocks may yet resume.
    fn may_resume(&self) -> bool {
        !self.ended && self.status.is_over()
    }
}
