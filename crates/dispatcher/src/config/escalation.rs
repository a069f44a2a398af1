//! One `[[escalation]]`: who is told when nobody sees to an alert.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::{duration, optional_duration, setting};
use crate::error::DispatcherError;
use crate::matching::AlertMatch;

/// Steps that are taken until somebody acknowledges the alert or it is over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationConfig {
    /// Its name in messages.
    pub name: String,
    /// Which alerts it is for; default all.
    #[serde(default, rename = "match")]
    pub matching: AlertMatch,
    /// In the order of their delays.
    pub steps: Vec<StepConfig>,
    /// The steps begin anew this long after the last of them; default: they do not.
    #[serde(default, deserialize_with = "optional_duration")]
    pub repeat: Option<Duration>,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// How long after the alert began to fire.
    #[serde(deserialize_with = "duration")]
    pub after: Duration,
    /// Who is told then, by the names of receivers.
    pub receivers: Vec<String>,
}

const SHORTEST_REPEAT: Duration = Duration::from_secs(60);

impl EscalationConfig {
    pub(super) fn mistakes(
        &self,
        position: usize,
        receivers: &BTreeSet<&String>,
    ) -> Vec<DispatcherError> {
        let place = if self.name.is_empty() {
            format!("[[escalation]] number {position}")
        } else {
            format!("escalation {:?}", self.name)
        };
        let mut mistakes = Vec::new();
        if self.name.is_empty() {
            mistakes.push(setting(
                "escalation",
                &place,
                "it has an empty name; name it, messages speak of it by that name",
            ));
        }
        if let Some(mistake) = self.matching.mistake() {
            mistakes.push(setting("escalation", &place, mistake));
        }
        if self.steps.is_empty() {
            let reason = "it has no steps; write steps = [{ after = \"0s\", receivers = [\"…\"] }]";
            mistakes.push(setting("escalation", &place, reason));
        }
        let mut before: Option<Duration> = None;
        for (index, step) in self.steps.iter().enumerate() {
            let place = format!("{place}, step {}", index + 1);
            if let Some(before) = before
                && step.after <= before
            {
                let reason = format!(
                    "after = {:?} is not later than the {before:?} of the step before; let delays grow from step to step",
                    step.after
                );
                mistakes.push(setting("escalation", &place, reason));
            }
            before = Some(step.after);
            mistakes.extend(step.mistakes(&place, receivers));
        }
        if let Some(repeat) = self.repeat
            && repeat < SHORTEST_REPEAT
        {
            let reason = format!("repeat = {repeat:?} is out of range: at least 1m is needed");
            mistakes.push(setting("escalation", &place, reason));
        }
        mistakes
    }
}

impl StepConfig {
    fn mistakes(&self, place: &str, receivers: &BTreeSet<&String>) -> Vec<DispatcherError> {
        let known = || {
            let names: Vec<_> = receivers.iter().map(|name| format!("{name:?}")).collect();
            if names.is_empty() {
                "none; add a [[receiver]]".to_owned()
            } else {
                names.join(", ")
            }
        };
        if self.receivers.is_empty() {
            let reason = format!(
                "nobody is told; name one of the receivers that there are: {}",
                known()
            );
            return vec![setting("escalation", place, reason)];
        }
        let mut mistakes = Vec::new();
        let mut told = BTreeSet::new();
        for name in &self.receivers {
            if !receivers.contains(name) {
                let reason = format!("there is no receiver {name:?}; there are: {}", known());
                mistakes.push(setting("escalation", place, reason));
            } else if !told.insert(name) {
                mistakes.push(setting(
                    "escalation",
                    place,
                    format!("receiver {name:?} stands here twice; write it once"),
                ));
            }
        }
        mistakes
    }
}
