//! Puts what happened to one clock into an alert transition: the words, the counts, the key.

use std::borrow::Cow;

use slawatch_wire::v1::{Action, AlertState, AlertTransition, Evidence};

use crate::clock_alert::{BREACHED, ClockAlert, ClockPhase};
use crate::identity;
use crate::rule::TicketRule;
use crate::summary::Field;
use crate::tickets::Arrival;
use crate::wording;

/// What happens to an alert, with the reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change<'a> {
    Fire,
    /// Somebody sees to it.
    Acknowledge(&'a Action),
    /// Somebody saw to it, and it is still so.
    Worsen,
    Resolve(Over),
    /// Late events proved it false.
    Retract(&'static str),
    /// Its subject is gone.
    Expire(&'static str),
    /// The hours of its rule are over; it waits for the next.
    Close,
}

/// How a clock came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Too late, but done.
    Fulfilled { at_ms: i64, elapsed_ms: Option<i64> },
    /// In other words.
    Said(&'static str),
}

/// Whose alert it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) rule: &'a TicketRule,
    pub(crate) ticket: &'a str,
}

/// The key of one clock's alert.
pub(crate) fn key(rule: &str, ticket: &str, alert: &ClockAlert) -> String {
    let cycle = alert.cycle.to_string();
    let metric = alert.metric.name();
    identity::key([rule, &alert.vendor, ticket, metric, &cycle, &alert.level])
}

/// The episode that an alert is in: one that comes back after it was over is another, though its due is the same.
pub(crate) fn incident(key: &str, alert: &ClockAlert) -> String {
    match alert.fired_after {
        0 => identity::incident(key, alert.fired_at_ms),
        before => identity::incident(&format!("{key}\n{before}"), alert.fired_at_ms),
    }
}

impl Subject<'_> {
    /// Carries out a change on the alert; a transition unless nobody was told of it.
    pub(crate) fn tell(
        &self,
        alert: &mut ClockAlert,
        change: Change<'_>,
        arrival: Arrival<'_>,
    ) -> Option<AlertTransition> {
        let untold = match (alert.phase, change) {
            (_, Change::Fire) => false,
            (ClockPhase::Waiting | ClockPhase::Held, _) => true,
            (ClockPhase::Over { .. }, _) => alert.revision == alert.fired_after,
            (ClockPhase::Firing | ClockPhase::TakenBack { .. }, _) => false,
        };
        let now_ms = arrival.source_clock_ms;
        let (state, at_ms, reason) = match change {
            Change::Fire => (AlertState::Firing, alert.fired_at_ms, self.cause(alert)),
            Change::Acknowledge(action) => (
                AlertState::Acknowledged,
                now_ms,
                wording::acknowledged(action),
            ),
            Change::Worsen => (AlertState::Firing, now_ms, self.worse()),
            Change::Resolve(Over::Fulfilled { at_ms, elapsed_ms }) => {
                let after = elapsed_ms.map_or_else(String::new, |elapsed_ms| {
                    format!(" after {}", wording::duration(elapsed_ms))
                });
                (
                    AlertState::Resolved,
                    at_ms,
                    format!("the clock stopped{after}"),
                )
            }
            Change::Resolve(Over::Said(why)) => (AlertState::Resolved, now_ms, why.to_owned()),
            Change::Retract(why) => (AlertState::Retracted, now_ms, why.to_owned()),
            Change::Expire(why) => (AlertState::Expired, now_ms, why.to_owned()),
            Change::Close => (AlertState::Expired, now_ms, self.rule.about.closed()),
        };
        alert.phase = match change {
            Change::Fire | Change::Acknowledge(_) | Change::Worsen => ClockPhase::Firing,
            // Remembered from now on, however long ago the clock stopped.
            Change::Resolve(_) | Change::Expire(_) => ClockPhase::Over { at_ms: now_ms },
            Change::Retract(_) => ClockPhase::TakenBack { at_ms: now_ms },
            Change::Close => ClockPhase::Waiting,
        };
        if change == Change::Fire {
            // Whoever saw to the incident before did not say so of this one.
            alert.acknowledged_at_ms = None;
        }
        if untold {
            return None;
        }
        alert.revision += 1;
        let about = &self.rule.about;
        let key = key(&about.name, self.ticket, alert);
        let badge = alert
            .badge
            .as_deref()
            .cloned()
            .unwrap_or_else(|| about.badge());
        Some(AlertTransition {
            incident: incident(&key, alert),
            key,
            rule: about.name.clone(),
            severity: badge.severity,
            vendor: alert.vendor.clone(),
            queue: alert.queue.clone(),
            ticket_id: self.ticket.to_owned(),
            state: state as i32,
            at_ms,
            fired_at_ms: Some(alert.fired_at_ms),
            summary: self.summary(alert, arrival.sources_out),
            reason,
            evidence: evidence(alert, change, arrival.sources_out),
            labels: badge.labels,
            runbook_url: about.runbook_url.clone(),
            due_ms: at_ms,
            revision: alert.revision,
            kind: TicketRule::KIND.to_owned(),
            author: match change {
                Change::Acknowledge(action) => action.author.clone(),
                Change::Fire
                | Change::Worsen
                | Change::Resolve(_)
                | Change::Retract(_)
                | Change::Expire(_)
                | Change::Close => String::new(),
            },
            timezone: about.timezone.clone(),
            ..AlertTransition::default()
        })
    }

    /// Whether a person's words are about this alert.
    pub(crate) fn is_meant_by(&self, alert: &ClockAlert, action: &Action) -> bool {
        let key = key(&self.rule.about.name, self.ticket, alert);
        let incident = &action.incident;
        key == action.alert_key && (incident.is_empty() || *incident == self::incident(&key, alert))
    }

    fn worse(&self) -> String {
        let waited = wording::duration(self.rule.worse_by_ms.unwrap_or(0));
        format!("got worse: nothing has ended it within {waited} of being acknowledged")
    }

    fn cause(&self, alert: &ClockAlert) -> String {
        let target = wording::duration(alert.target_ms);
        if alert.level == BREACHED {
            format!("not fulfilled within {target}")
        } else {
            format!("reached the warning level {} of {target}", alert.level)
        }
    }

    fn summary(&self, alert: &ClockAlert, sources_out: &[u32]) -> String {
        let mut text = match &self.rule.about.summary {
            Some(own) => own.render(|field| self.placeholder(alert, field)),
            None => self.standard_summary(alert),
        };
        text.push_str(&wording::without(sources_out));
        text
    }

    fn standard_summary(&self, alert: &ClockAlert) -> String {
        let (vendor, queue, metric) = (&alert.vendor, &alert.queue, alert.metric.name());
        let ticket = self.ticket;
        let priority = match alert.priority.as_str() {
            "" => String::new(),
            priority => format!(" ({priority})"),
        };
        let what = if alert.level == BREACHED {
            "breached"
        } else {
            "about to be breached"
        };
        let cause = self.cause(alert);
        format!("{vendor} / {queue}: ticket {ticket}{priority} {metric} {what}, {cause}")
    }

    fn placeholder<'a>(&'a self, alert: &'a ClockAlert, field: Field) -> Cow<'a, str> {
        match field {
            Field::Rule => self.rule.about.name.as_str().into(),
            Field::Severity => self.rule.about.severity.as_str().into(),
            Field::Vendor => alert.vendor.as_str().into(),
            Field::Queue => alert.queue.as_str().into(),
            Field::Ticket => self.ticket.into(),
            Field::Metric => alert.metric.name().into(),
            Field::Priority => alert.priority.as_str().into(),
            Field::Level => alert.level.as_str().into(),
            Field::Target => wording::duration(alert.target_ms).into(),
            // Refused in the templates of ticket rules.
            Field::Value
            | Field::Window
            | Field::Enter
            | Field::Exit
            | Field::Numerator
            | Field::Denominator
            | Field::After => "".into(),
        }
    }
}

fn evidence(alert: &ClockAlert, change: Change<'_>, sources_out: &[u32]) -> Vec<Evidence> {
    let mut list = vec![
        ("target_ms", alert.target_ms),
        ("cycle", i64::from(alert.cycle)),
    ];
    if let Change::Resolve(Over::Fulfilled {
        elapsed_ms: Some(elapsed_ms),
        ..
    }) = change
    {
        list.push(("elapsed_ms", elapsed_ms));
    }
    if !sources_out.is_empty() {
        list.push(("sources_out", sources_out.len() as i64));
    }
    let named = |(name, value): (&str, i64)| Evidence {
        name: name.to_owned(),
        value: value as f64,
    };
    list.into_iter().map(named).collect()
}
