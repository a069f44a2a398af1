//! Who may be told what, and how: the configuration as the ledger needs it.

use std::time::Duration;

use slawatch_wire::v1::AlertTransition;

use crate::config::{DispatcherConfig, GroupBy, ReceiverConfig, Times};
use crate::matching::AlertMatch;

/// Who may be told what; shared by all partitions.
#[derive(Debug)]
pub struct Directory {
    pub(super) receivers: Vec<Listed>,
    pub(super) escalations: Vec<Escalation>,
    pub(super) maintenance: Vec<Window>,
    pub(super) stale_after_ms: i64,
    pub(super) inhibits: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) matching: AlertMatch,
    /// Its incidents are things of their own.
    pub(super) by_incident: bool,
    /// It is told again and again as long as something holds.
    pub(super) repeated: bool,
    /// It can show that somebody sees to an alert.
    pub(super) tells_acknowledged: bool,
    pub(super) group_wait_ms: i64,
    pub(super) group_by: GroupBy,
    pub(super) repeat_ms: Option<i64>,
    pub(super) max_per_hour: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Escalation {
    pub(super) name: String,
    matching: AlertMatch,
    pub(super) steps: Vec<Step>,
    /// From the first step to the same step of the next round.
    pub(super) round_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) after_ms: i64,
    pub(super) receivers: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Window {
    pub(super) matching: AlertMatch,
    pub(super) times: Times,
    pub(super) author: String,
    pub(super) reason: String,
}

impl Directory {
    /// Receivers are numbered in the order of the configuration, which has been checked.
    pub fn new(config: &DispatcherConfig) -> Self {
        let position = |name: &String| {
            let mut receivers = config.receivers.iter();
            receivers.position(|receiver| receiver.name == *name)
        };
        let escalations = config.escalations.iter().map(|escalation| {
            let steps: Vec<Step> = escalation
                .steps
                .iter()
                .map(|step| Step {
                    after_ms: as_ms(step.after),
                    receivers: step.receivers.iter().filter_map(position).collect(),
                })
                .collect();
            let last_ms = steps.last().map_or(0, |step| step.after_ms);
            Escalation {
                name: escalation.name.clone(),
                matching: escalation.matching.clone(),
                steps,
                round_ms: escalation.repeat.map(|repeat| last_ms + as_ms(repeat)),
            }
        });
        let maintenance = config.maintenance.iter().filter_map(|window| {
            Some(Window {
                matching: window.matching.clone(),
                times: window.times().ok()?,
                author: window.author.clone(),
                reason: window.reason.clone(),
            })
        });
        Self {
            receivers: config.receivers.iter().map(listed).collect(),
            escalations: escalations.collect(),
            maintenance: maintenance.collect(),
            stale_after_ms: as_ms(config.stale_after),
            inhibits: config.inhibit,
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.receivers
            .iter()
            .position(|receiver| receiver.name == name)
    }

    /// The escalation by whose steps that receiver hears of an alert: the first in the file that is for it and names them.
    pub(super) fn escalation(
        &self,
        receiver: usize,
        alert: &AlertTransition,
    ) -> Option<&Escalation> {
        self.escalations
            .iter()
            .find(|escalation| escalation.names(receiver) && escalation.matching.holds(alert))
    }
}

impl Escalation {
    fn names(&self, receiver: usize) -> bool {
        self.steps
            .iter()
            .any(|step| step.receivers.contains(&receiver))
    }

    /// The steps that tell a receiver, from 1, and their delays.
    pub(super) fn steps_of(&self, receiver: usize) -> Vec<(u32, i64)> {
        let steps = (1..).zip(&self.steps);
        steps
            .filter(|(_, step)| step.receivers.contains(&receiver))
            .map(|(number, step)| (number, step.after_ms))
            .collect()
    }

    /// Whom the steps before that one tell.
    pub(super) fn told_before(&self, step: u32) -> impl Iterator<Item = usize> {
        let steps = (1..).zip(&self.steps);
        let before = steps.take_while(move |(number, _)| *number < step);
        before.flat_map(|(_, step)| step.receivers.iter().copied())
    }

    /// Everybody it may tell.
    pub(super) fn receivers(&self) -> impl Iterator<Item = usize> {
        self.steps
            .iter()
            .flat_map(|step| step.receivers.iter().copied())
    }
}

impl Listed {
    /// What is told in one message with others of the same name.
    pub(super) fn group(&self, alert: &AlertTransition) -> Option<String> {
        match self.group_by {
            GroupBy::Vendor => Some(alert.vendor.clone()),
            GroupBy::VendorQueue => Some(format!("{}\n{}", alert.vendor, alert.queue)),
            GroupBy::Rule => Some(alert.rule.clone()),
            GroupBy::Nothing => None,
        }
    }
}

fn listed(receiver: &ReceiverConfig) -> Listed {
    let shows = receiver.kind.shows();
    Listed {
        name: receiver.name.clone(),
        matching: receiver.matching.clone(),
        by_incident: shows.by_incident,
        repeated: shows.repeated,
        tells_acknowledged: shows.acknowledged,
        group_wait_ms: receiver.group_wait.map_or(0, as_ms),
        group_by: receiver.group_by.unwrap_or_default(),
        repeat_ms: receiver.repeat_interval.map(as_ms),
        max_per_hour: receiver.max_per_hour,
    }
}

fn as_ms(duration: Duration) -> i64 {
    // Far beyond any configuration that makes sense, and safe to add to an instant.
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 8)
}
