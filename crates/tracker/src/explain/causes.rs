//! Which changes of attributes brought another policy or target.

use slawatch_event::Attribute;

use super::story::{Cause, EventStory};
use crate::fold::{Cycle, Standing};
use crate::rules::Rules;

/// Changes between two standings: those of the events from `first` to `last`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between<'a> {
    pub(super) events: &'a [EventStory],
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Between<'_> {
    /// The changes of attributes that the cycle's set matches on.
    pub(super) fn of_policy(&self, cycle: &Cycle, rules: &Rules) -> Vec<Cause> {
        let sets = rules.sets().sets();
        let matched = cycle
            .set
            .map_or(&[][..], |set| sets[usize::from(set)].attributes());
        self.causes(|attribute| matched.contains(attribute))
    }

    /// The changes that made one target of another.
    pub(super) fn of_target(
        &self,
        cycle: &Cycle,
        from: &Standing,
        to: &Standing,
        rules: &Rules,
    ) -> Vec<Cause> {
        let is_same_policy = from.policy == to.policy;
        let at_former_priority = rules.target_ms(cycle.set, to.policy, cycle.metric, from.priority);
        let by_priority = is_same_policy || at_former_priority != to.target_ms;
        let mut causes = if is_same_policy {
            Vec::new()
        } else {
            self.of_policy(cycle, rules)
        };
        if by_priority {
            for cause in self.causes(|attribute| *attribute == Attribute::Priority) {
                if !causes.contains(&cause) {
                    causes.push(cause);
                }
            }
        }
        causes
    }

    fn causes(&self, counts: impl Fn(&Attribute) -> bool) -> Vec<Cause> {
        let mut causes = Vec::new();
        for event in self.first..=self.last {
            let changes = self.events[event].changes.iter();
            for change in changes.filter(|change| counts(&change.attribute)) {
                causes.push(Cause {
                    event,
                    change: change.clone(),
                });
            }
        }
        causes
    }
}
