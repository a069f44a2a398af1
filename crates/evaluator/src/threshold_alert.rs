//! Puts a threshold rule's decision into an alert transition: the words, the counts, the key.

use std::borrow::Cow;
use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition, Evidence};

use crate::counters::Totals;
use crate::identity;
use crate::measure::{Measure, Reading, Trouble};
use crate::minute::PANE_MS;
use crate::rule::{Badge, ThresholdRule};
use crate::summary::Field;
use crate::threshold::{Resolved, Step};
use crate::wording;

/// Everything that the words need.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) rule: &'a ThresholdRule,
    pub(crate) vendor: &'a str,
    /// `None` for an alert of the whole vendor.
    pub(crate) queue: Option<&'a str>,
    pub(crate) reading: Reading,
    /// The sums that the reading was made of.
    pub(crate) totals: &'a Totals,
    /// Creation of the oldest open ticket, where the rule is about open tickets.
    pub(crate) oldest_created_at_ms: Option<i64>,
    pub(crate) now_ms: i64,
    pub(crate) revision: u64,
    pub(crate) sources_out: &'a [u32],
    /// Of the firing that ends, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
    /// For a vendor: its worst queues, worst first.
    pub(crate) worst: Vec<(&'a str, f64)>,
}

/// The key of (rule, group).
pub(crate) fn key(rule: &str, vendor: &str, queue: Option<&str>) -> String {
    identity::key([rule, vendor].into_iter().chain(queue))
}

impl Told<'_> {
    /// The transition for a decision.
    pub(crate) fn transition(&self, step: Step) -> AlertTransition {
        let key = key(&self.rule.about.name, self.vendor, self.queue);
        let (state, fired_at_ms) = match step {
            Step::Pend => (AlertState::Pending, None),
            Step::Withdraw => (AlertState::Resolved, None),
            Step::Fire => (AlertState::Firing, Some(self.now_ms)),
            Step::Resolve {
                firing_since_ms, ..
            } => (AlertState::Resolved, Some(firing_since_ms)),
        };
        let about = &self.rule.about;
        let badge = self
            .badge
            .as_deref()
            .cloned()
            .unwrap_or_else(|| about.badge());
        AlertTransition {
            incident: fired_at_ms.map_or_else(String::new, |at| identity::incident(&key, at)),
            key,
            rule: about.name.clone(),
            severity: badge.severity,
            vendor: self.vendor.to_owned(),
            queue: self.queue.unwrap_or_default().to_owned(),
            ticket_id: String::new(),
            state: state as i32,
            at_ms: self.now_ms,
            fired_at_ms,
            summary: self.summary(),
            reason: self.reason(step),
            evidence: self.evidence(),
            labels: badge.labels,
            runbook_url: about.runbook_url.clone(),
            due_ms: self.now_ms,
            revision: self.revision,
            ..AlertTransition::default()
        }
    }

    fn measure(&self) -> &Measure {
        &self.rule.measure
    }

    fn value(&self) -> String {
        match self.reading.value() {
            Some(value) => wording::value(self.measure().unit, value),
            None => "no value".to_owned(),
        }
    }

    fn level(&self, level: f64) -> String {
        wording::level(self.measure().unit, level)
    }

    fn window_ms(&self) -> i64 {
        self.rule.window * PANE_MS
    }

    /// " over 15m"; nothing for what is open now, whatever the window.
    fn over_window(&self) -> String {
        if self.has_window() {
            format!(" over {}", wording::duration(self.window_ms()))
        } else {
            String::new()
        }
    }

    fn has_window(&self) -> bool {
        !self.measure().counts_open_tickets()
    }

    fn summary(&self) -> String {
        let mut text = match &self.rule.about.summary {
            Some(own) => own.render(|field| self.placeholder(field)),
            None => self.standard_summary(),
        };
        text.push_str(&wording::without(self.sources_out));
        text
    }

    fn standard_summary(&self) -> String {
        let measure = self.measure();
        let group = match self.queue {
            Some(queue) => format!("{} / {queue}", self.vendor),
            None => self.vendor.to_owned(),
        };
        let (title, value) = (&measure.title, self.value());
        let (window, exit) = (self.over_window(), self.level(self.rule.exit));
        let mut text = format!("{group}: {title} {value}{window} (target to leave: {exit})");
        let Reading {
            numerator,
            denominator,
        } = self.reading;
        if measure.is_quotient() {
            let samples = &measure.samples;
            if measure.did.is_empty() {
                text.push_str(&format!(", {denominator} {samples}"));
            } else {
                let did = measure.did;
                text.push_str(&format!(", {numerator} of {denominator} {samples} {did}"));
            }
        }
        if let Some((queue, value)) = self.worst.first() {
            let value = wording::value(measure.unit, *value);
            text.push_str(&format!(", worst queue {queue} {value}"));
        }
        text
    }

    fn placeholder(&self, field: Field) -> Cow<'_, str> {
        match field {
            Field::Rule => self.rule.about.name.as_str().into(),
            Field::Severity => self.rule.about.severity.as_str().into(),
            Field::Vendor => self.vendor.into(),
            Field::Queue => self.queue.unwrap_or_default().into(),
            Field::Value => self.value().into(),
            Field::Window => wording::duration(self.window_ms()).into(),
            Field::Enter => self.level(self.rule.enter).into(),
            Field::Exit => self.level(self.rule.exit).into(),
            Field::Numerator => self.reading.numerator.to_string().into(),
            Field::Denominator => self.reading.denominator.to_string().into(),
            // Refused in the templates of threshold rules.
            Field::Ticket | Field::Metric | Field::Priority | Field::Level | Field::Target => {
                "".into()
            }
        }
    }

    fn reason(&self, step: Step) -> String {
        let side = match self.rule.trouble_is() {
            Trouble::Below => "below",
            Trouble::Above | Trouble::Both => "above",
        };
        let (enter, exit) = (self.level(self.rule.enter), self.level(self.rule.exit));
        let held = wording::duration(self.rule.for_ms);
        match step {
            Step::Pend => format!("{side} {enter}; fires if it stays so for {held}"),
            Step::Withdraw => format!("no longer {side} {enter} before {held} had passed"),
            Step::Fire if self.rule.for_ms > 0 => format!("{side} {enter} for {held}"),
            Step::Fire => format!("{side} {enter}"),
            Step::Resolve { why, .. } => match why {
                Resolved::Left => {
                    let kept = match self.rule.keep_firing_for_ms {
                        0 => String::new(),
                        ms => format!(" for {}", wording::duration(ms)),
                    };
                    format!("back at {}: {exit} or better{kept}", self.value())
                }
                Resolved::Empty => {
                    format!("no {} left in the window", self.measure().samples)
                }
                Resolved::NeverEntered => {
                    format!("late events show that it was never {side} {enter}")
                }
            },
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut list = Vec::new();
        let mut add = |name: &str, value: f64| {
            list.push(Evidence {
                name: name.to_owned(),
                value,
            });
        };
        if let Some(value) = self.reading.value() {
            add("value", value);
        }
        if self.measure().is_quotient() {
            add("numerator", self.reading.numerator as f64);
            add("denominator", self.reading.denominator as f64);
            add("min_samples", self.rule.min_samples as f64);
        }
        add("enter", self.rule.enter);
        add("exit", self.rule.exit);
        if self.has_window() {
            add("window_ms", self.window_ms() as f64);
        }
        for counter in self.measure().counters() {
            add(&counter.name(), self.totals.get(counter) as f64);
        }
        if let Some(created_at_ms) = self.oldest_created_at_ms {
            add("oldest_age_ms", (self.now_ms - created_at_ms) as f64);
        }
        for (queue, value) in &self.worst {
            add(&format!("queue.{queue}"), *value);
        }
        if !self.sources_out.is_empty() {
            add("sources_out", self.sources_out.len() as f64);
        }
        list
    }
}
