//! Puts a decision about a group into an alert transition: the key, the reason, and what the rule's kind has to say.

use std::borrow::Cow;
use std::sync::Arc;

use slawatch_wire::v1::{Action, AlertState, AlertTransition, Evidence};

use crate::episode::{Expired, Resolved, Step};
use crate::identity;
use crate::rule::{Badge, GroupRule};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::wording;

/// Everything that the words need.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) rule: &'a GroupRule,
    pub(crate) view: View<'a>,
    pub(crate) revision: u64,
    pub(crate) sources_out: &'a [u32],
    /// Of the firing that ends, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

/// The key of (rule, group).
pub(crate) fn key(rule: &str, vendor: &str, queue: Option<&str>) -> String {
    identity::key([rule, vendor].into_iter().chain(queue))
}

impl Told<'_> {
    /// The transition for a decision.
    pub(crate) fn transition(&self, step: Step) -> AlertTransition {
        let about = &self.rule.about;
        let (vendor, queue) = (self.view.vendor, self.view.queue());
        let now_ms = self.view.now_ms;
        let key = key(&about.name, vendor, queue);
        let (state, fired_at_ms) = match step {
            Step::Pend => (AlertState::Pending, None),
            Step::Withdraw => (AlertState::Resolved, None),
            Step::Fire => (AlertState::Firing, Some(now_ms)),
            Step::Worsen {
                firing_since_ms, ..
            }
            | Step::Aggravate { firing_since_ms } => (AlertState::Firing, Some(firing_since_ms)),
            Step::Acknowledge { firing_since_ms } => {
                (AlertState::Acknowledged, Some(firing_since_ms))
            }
            Step::Resolve {
                firing_since_ms, ..
            } => (AlertState::Resolved, Some(firing_since_ms)),
            Step::Retract { firing_since_ms } => (AlertState::Retracted, Some(firing_since_ms)),
            Step::Expire {
                firing_since_ms, ..
            } => (AlertState::Expired, Some(firing_since_ms)),
        };
        let badge = self.badge.as_deref().cloned();
        let badge = badge.unwrap_or_else(|| about.badge());
        let words = self.rule.watch.words(&self.view);
        AlertTransition {
            incident: fired_at_ms.map_or_else(String::new, |at| identity::incident(&key, at)),
            key,
            rule: about.name.clone(),
            severity: badge.severity,
            vendor: vendor.to_owned(),
            queue: queue.unwrap_or_default().to_owned(),
            ticket_id: String::new(),
            state: state as i32,
            at_ms: now_ms,
            fired_at_ms,
            summary: self.summary(&words),
            reason: self.reason(step, &words),
            evidence: self.evidence(words.evidence),
            labels: badge.labels,
            runbook_url: about.runbook_url.clone(),
            due_ms: now_ms,
            revision: self.revision,
            kind: self.rule.watch.kind().to_owned(),
            worst_tickets: words.worst_tickets,
            contributions: words.contributions,
            timezone: about.timezone.clone(),
            ..AlertTransition::default()
        }
    }

    /// The transition for what a person said.
    pub(crate) fn acknowledgement(&self, step: Step, action: &Action) -> AlertTransition {
        AlertTransition {
            author: action.author.clone(),
            reason: wording::acknowledged(action),
            ..self.transition(step)
        }
    }

    fn summary(&self, words: &Words) -> String {
        let mut text = match &self.rule.about.summary {
            Some(own) => own.render(|field| self.placeholder(field, words)),
            None => words.summary.clone(),
        };
        text.push_str(&wording::without(self.sources_out));
        text
    }

    fn placeholder<'a>(&'a self, field: Field, words: &'a Words) -> Cow<'a, str> {
        let about = &self.rule.about;
        let common = match field {
            Field::Rule => Some(about.name.as_str()),
            Field::Severity => Some(about.severity.as_str()),
            Field::Vendor => Some(self.view.vendor),
            Field::Queue => Some(self.view.queue().unwrap_or_default()),
            Field::Value
            | Field::Window
            | Field::Enter
            | Field::Exit
            | Field::Numerator
            | Field::Denominator
            | Field::Ticket
            | Field::Metric
            | Field::Priority
            | Field::Level
            | Field::Target
            | Field::After => None,
        };
        let own = || words.fields.iter().find(|(known, _)| *known == field);
        common
            .or_else(|| own().map(|(_, text)| text.as_str()))
            // Refused in the templates of this kind.
            .unwrap_or_default()
            .into()
    }

    fn reason(&self, step: Step, words: &Words) -> String {
        let trouble = &words.trouble;
        let held = wording::duration(self.rule.for_ms);
        match step {
            Step::Pend => format!("{trouble}; fires if it stays so for {held}"),
            Step::Withdraw => format!("no longer {trouble} before {held} had passed"),
            Step::Fire if self.rule.for_ms > 0 => format!("{trouble} for {held}"),
            Step::Fire => trouble.clone(),
            Step::Resolve { why, .. } => match why {
                Resolved::Left => {
                    let kept = match self.rule.keep_firing_for_ms {
                        0 => String::new(),
                        ms => format!(" for {}", wording::duration(ms)),
                    };
                    format!("{}{kept}", words.over)
                }
                Resolved::Empty => words.empty.clone(),
            },
            Step::Worsen { from, to, .. } => {
                let (from, to) = (self.value(from), self.value(to));
                format!("got worse: {from} when it was acknowledged, {to} now")
            }
            Step::Aggravate { .. } => format!("got worse: {trouble}"),
            // Said by the person.
            Step::Acknowledge { .. } => String::new(),
            Step::Retract { .. } => format!("late events show that it was never {trouble}"),
            Step::Expire { why, .. } => match why {
                Expired::Closed => self.rule.about.closed(),
                Expired::Gone(why) => why.to_owned(),
            },
        }
    }

    fn value(&self, badness: f64) -> String {
        let watch = &self.rule.watch;
        wording::value(watch.unit(), watch.value_of(badness))
    }

    fn evidence(&self, mut evidence: Vec<Evidence>) -> Vec<Evidence> {
        if !self.sources_out.is_empty() {
            evidence.push(Evidence {
                name: "sources_out".to_owned(),
                value: self.sources_out.len() as f64,
            });
        }
        evidence
    }
}
