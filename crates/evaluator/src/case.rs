//! One episode together with its rule and group, at a moment: what is looked at, acknowledged and told.

use std::sync::Arc;

use slawatch_wire::v1::{Action, AlertTransition};

use crate::episode::{Episode, Look, Phase, Standing};
use crate::group_alert::{self, Told};
use crate::groups::Moment;
use crate::history::Past;
use crate::identity;
use crate::rule::{Badge, GroupRule};
use crate::view::{Seen, View};

/// One episode with all that is known of its group.
pub(crate) struct Case<'a> {
    pub(crate) rule: &'a GroupRule,
    episode: &'a mut Episode,
    view: View<'a>,
    sources_out: &'a [u32],
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        rule: &'a GroupRule,
        episode: &'a mut Episode,
        (vendor, group): (&'a str, Seen<'a>),
        moment: Moment<'a>,
        past: &'a Past,
    ) -> Self {
        let view = View {
            vendor,
            group,
            past,
            now_ms: moment.now_ms,
            incomplete: !moment.sources_out.is_empty(),
            about: &rule.about,
        };
        Self {
            rule,
            episode,
            view,
            sources_out: moment.sources_out,
        }
    }

    pub(crate) fn look(self) -> Option<AlertTransition> {
        let look = Look {
            now_ms: self.view.now_ms,
            incomplete: self.view.incomplete,
        };
        let badge = self.episode.badge();
        let watch = &self.rule.watch;
        let found = watch.assess(&self.view);
        let grounds = || watch.grounds(&self.view);
        let step = self.episode.step(self.rule, found, look, grounds)?;
        Some(self.told(badge).transition(step))
    }

    /// `None` unless it is this alert that fires; a transition unless that was known.
    pub(crate) fn acknowledge(self, action: &Action) -> Option<Option<AlertTransition>> {
        if !self.is_meant_by(action) {
            return None;
        }
        let badge = self.episode.badge();
        let badness = self.rule.watch.assess(&self.view).badness;
        let step = self.episode.acknowledge(&action.action_id, badness);
        Some(step.map(|step| self.told(badge).acknowledgement(step, action)))
    }

    fn is_meant_by(&self, action: &Action) -> bool {
        let Phase::Firing(firing) = &self.episode.phase else {
            return false;
        };
        let key = group_alert::key(&self.rule.about.name, self.view.vendor, self.view.queue());
        let incident = &action.incident;
        key == action.alert_key
            && (incident.is_empty() || *incident == identity::incident(&key, firing.since_ms))
    }

    fn told(&self, badge: Option<Arc<Badge>>) -> Told<'_> {
        Told {
            rule: self.rule,
            view: self.view,
            revision: self.episode.revision,
            sources_out: self.sources_out,
            badge,
        }
    }

    /// The first instant at which the clock alone may change something.
    pub(crate) fn wakes_ms(&self) -> Option<i64> {
        let (about, now_ms) = (&self.rule.about, self.view.now_ms);
        let own = self.rule.watch.wakes_ms(&self.view);
        let hours = about.hours.as_ref().filter(|_| {
            !self.episode.is_quiet()
                || self.rule.watch.assess(&self.view).standing == Standing::Entered
        });
        let turn = hours.and_then(|hours| hours.calendar.next_change(now_ms));
        let fires = match self.episode.phase {
            Phase::Pending { since_ms } => about.after(since_ms, self.rule.for_ms),
            Phase::Quiet | Phase::Firing(_) => None,
        };
        let ahead = [own, turn, fires].into_iter().flatten();
        ahead.filter(|at_ms| *at_ms > now_ms).min()
    }
}
