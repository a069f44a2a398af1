//! What people silenced: kept until its end, whether it was ended early or not, so that a repetition changes nothing.

use std::collections::BTreeMap;

use slawatch_wire::v1::{Action, ActionKind, AlertTransition};

use crate::matching::glob_matches;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Silences(pub(super) BTreeMap<String, Silence>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Silence {
    /// As it was asked for.
    pub(super) asked: Action,
    /// Its end as asked for, or earlier.
    pub(super) until_ms: i64,
}

/// What an action means here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    /// The silence of that id has another end.
    Ended(String),
    /// A silence without an end or an id silences nothing.
    Unusable,
}

impl Silences {
    pub(super) fn act(&mut self, action: &Action) -> Effect {
        match action.kind() {
            ActionKind::Silence => {
                let Some(until_ms) = action.until_ms.filter(|_| !action.action_id.is_empty())
                else {
                    return Effect::Unusable;
                };
                self.0
                    .entry(action.action_id.clone())
                    .or_insert_with(|| Silence {
                        asked: action.clone(),
                        until_ms,
                    });
                Effect::Nothing
            }
            ActionKind::ExpireSilence => match self.0.get_mut(&action.silence_id) {
                Some(silence) => {
                    silence.until_ms = silence.until_ms.min(action.at_ms);
                    Effect::Ended(action.silence_id.clone())
                }
                None => Effect::Nothing,
            },
            ActionKind::Unspecified | ActionKind::Acknowledge | ActionKind::MarkChange => {
                Effect::Nothing
            }
        }
    }

    /// The one that silences an alert for the longest.
    pub(super) fn of(&self, alert: &AlertTransition, now_ms: i64) -> Option<&Silence> {
        let holding = self.0.values().filter(|silence| {
            silence.starts_ms() <= now_ms && now_ms < silence.until_ms && silence.matches(alert)
        });
        holding.max_by_key(|silence| silence.until_ms)
    }

    pub(super) fn forget_before(&mut self, now_ms: i64) {
        self.0
            .retain(|_, silence| silence.asked.until_ms.unwrap_or(silence.until_ms) > now_ms);
    }
}

impl Silence {
    fn starts_ms(&self) -> i64 {
        self.asked.starts_ms.unwrap_or(self.asked.at_ms)
    }

    fn matches(&self, alert: &AlertTransition) -> bool {
        let fields = [
            (&self.asked.vendor, &alert.vendor),
            (&self.asked.queue, &alert.queue),
            (&self.asked.rule, &alert.rule),
            (&self.asked.ticket_id, &alert.ticket_id),
        ];
        fields
            .iter()
            .all(|(glob, value)| glob.is_empty() || glob_matches(glob, value))
    }
}
