//! Puts what happens to a crowd of clocks into alert transitions: the words, the counts, the key.

use std::collections::{BTreeMap, BTreeSet};

use slawatch_wire::v1::{Action, AlertState, AlertTransition, Evidence, WorstTicket};

use crate::clock_alert::ClockAlert;
use crate::crowd::{ClockName, Crowd, CrowdFiring, CrowdKey, CrowdLimits};
use crate::groups::Moment;
use crate::identity;
use crate::rule::TicketRule;
use crate::wording;

/// How many of its tickets an alert names.
const WORST_TICKETS: usize = 5;

/// Everything that the words need.
pub(crate) struct Told<'a> {
    rule: &'a TicketRule,
    of: &'a CrowdKey,
    alerts: &'a BTreeMap<String, Vec<ClockAlert>>,
    moment: Moment<'a>,
}

/// The key of the alert about a queue.
pub(crate) fn key(rule: &str, of: &CrowdKey) -> String {
    identity::key([rule, &of.vendor, &of.queue])
}

impl<'a> Told<'a> {
    pub(crate) fn new(
        rule: &'a TicketRule,
        of: &'a CrowdKey,
        alerts: &'a BTreeMap<String, Vec<ClockAlert>>,
        moment: Moment<'a>,
    ) -> Self {
        Self {
            rule,
            of,
            alerts,
            moment,
        }
    }

    /// What has become of it.
    pub(crate) fn look(&self, crowd: &mut Crowd, is_open: bool) -> Option<AlertTransition> {
        let limits = self.rule.crowd?;
        crowd.settle(limits, self.moment.now_ms);
        let mut firing = crowd.firing.take()?;
        let (over, calm) = (limits.over, limits.calm());
        let within = wording::duration(limits.within_ms);
        let is_over = !firing.gathering && firing.held.is_empty();
        let (state, reason) = if !is_open {
            (AlertState::Expired, self.rule.about.closed())
        } else if is_over && firing.count() <= over as i64 {
            let reason =
                format!("late events show that no more than {over} breached within {within}");
            (AlertState::Retracted, reason)
        } else if is_over {
            let reason = format!(
                "no more than {calm} breached within the last {within}, and none of those told together is open"
            );
            (AlertState::Resolved, reason)
        } else if let Some(before) = firing.worse_than(limits) {
            firing.acknowledged = None;
            let now = firing.count();
            let reason =
                format!("got worse: {before} breached when it was acknowledged, {now} now");
            (AlertState::Firing, reason)
        } else if firing.since_ms.is_some() {
            crowd.firing = Some(firing);
            return None;
        } else {
            firing.since_ms = Some(crowd.fires_at_ms(self.moment.now_ms));
            let reason = format!("more than {over} breached within {within}");
            (AlertState::Firing, reason)
        };
        // What is over before it was told is not told.
        let since_ms = firing.since_ms?;
        crowd.revision += 1;
        let told = self.transition(limits, (crowd.revision, since_ms), &firing, (state, reason));
        if state == AlertState::Firing {
            crowd.firing = Some(firing);
        }
        Some(told)
    }

    /// `None` unless it is this alert that fires; a transition unless that was known.
    pub(crate) fn acknowledge(
        &self,
        crowd: &mut Crowd,
        action: &Action,
    ) -> Option<Option<AlertTransition>> {
        let limits = self.rule.crowd?;
        let firing = crowd.firing.as_mut()?;
        let since_ms = firing.since_ms?;
        let key = key(&self.rule.about.name, self.of);
        let incident = &action.incident;
        let is_meant = key == action.alert_key
            && (incident.is_empty() || *incident == identity::incident(&key, since_ms));
        if !is_meant {
            return None;
        }
        if firing.actions.contains(&action.action_id) {
            return Some(None);
        }
        firing.actions.push(action.action_id.clone());
        firing.acknowledged = Some(firing.count());
        crowd.revision += 1;
        let said = (AlertState::Acknowledged, wording::acknowledged(action));
        Some(Some(AlertTransition {
            author: action.author.clone(),
            ..self.transition(limits, (crowd.revision, since_ms), firing, said)
        }))
    }

    fn transition(
        &self,
        limits: CrowdLimits,
        (revision, since_ms): (u64, i64),
        firing: &CrowdFiring,
        (state, reason): (AlertState, String),
    ) -> AlertTransition {
        let about = &self.rule.about;
        let now_ms = self.moment.now_ms;
        let key = key(&about.name, self.of);
        let badge = firing.badge.as_deref().cloned();
        let badge = badge.unwrap_or_else(|| about.badge());
        let worst = self.worst(&firing.held);
        AlertTransition {
            incident: identity::incident(&key, since_ms),
            key,
            rule: about.name.clone(),
            severity: badge.severity,
            vendor: self.of.vendor.clone(),
            queue: self.of.queue.clone(),
            state: state as i32,
            at_ms: now_ms,
            fired_at_ms: Some(since_ms),
            summary: self.summary(limits, firing, &worst),
            reason,
            evidence: self.evidence(limits, firing),
            labels: badge.labels,
            runbook_url: about.runbook_url.clone(),
            due_ms: now_ms,
            revision,
            kind: TicketRule::KIND.to_owned(),
            worst_tickets: worst,
            timezone: about.timezone.clone(),
            ..AlertTransition::default()
        }
    }

    fn summary(&self, limits: CrowdLimits, firing: &CrowdFiring, worst: &[WorstTicket]) -> String {
        let CrowdKey { vendor, queue, .. } = self.of;
        let breached = firing.count();
        let open = firing.held.len();
        let (over, within) = (limits.over, wording::duration(limits.within_ms));
        let mut text = format!(
            "{vendor} / {queue}: {breached} clocks breached together (more than {over} within {within}), {open} of them \
             open and not told one by one"
        );
        if let Some(worst) = worst.first() {
            let (ticket, metric) = (&worst.ticket_id, &worst.metric);
            text.push_str(&format!(", longest overdue {ticket} ({metric})"));
        }
        text.push_str(&wording::without(self.moment.sources_out));
        text
    }

    fn evidence(&self, limits: CrowdLimits, firing: &CrowdFiring) -> Vec<Evidence> {
        let mut list = vec![
            ("breached", firing.count()),
            ("held", firing.held.len() as i64),
            ("over", limits.over as i64),
            ("within_ms", limits.within_ms),
        ];
        if !self.moment.sources_out.is_empty() {
            list.push(("sources_out", self.moment.sources_out.len() as i64));
        }
        let named = |(name, value): (&str, i64)| Evidence {
            name: name.to_owned(),
            value: value as f64,
        };
        list.into_iter().map(named).collect()
    }

    /// Those that are open, longest overdue first.
    fn worst(&self, held: &BTreeSet<ClockName>) -> Vec<WorstTicket> {
        let clock = |(ticket, metric, cycle): &ClockName| {
            let alerts = self.alerts.get(ticket)?.iter();
            let mut same = alerts.filter(|alert| {
                alert.rule == self.of.rule
                    && alert.is_breach()
                    && alert.metric == *metric
                    && alert.cycle == *cycle
            });
            let alert = same.next()?;
            Some(WorstTicket {
                ticket_id: ticket.clone(),
                metric: metric.name().to_owned(),
                due_ms: Some(alert.due_ms),
                elapsed_ms: None,
                target_ms: Some(alert.target_ms),
            })
        };
        let mut worst: Vec<WorstTicket> = held.iter().filter_map(clock).collect();
        worst.sort_by_key(|ticket| ticket.due_ms);
        worst.truncate(WORST_TICKETS);
        worst
    }
}
