//! Alerts as they stand: what fires, what may fire soon, and what ended within the last hour.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use slawatch_wire::v1::{self, AlertState, AlertTransition};

/// How long an ended alert is still shown.
const SHOWN_AFTER_END_MS: i64 = 3_600_000;

/// How grave, from the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody must act now.
    Critical,
    /// Somebody must act soon.
    Error,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Info,
}

impl Severity {
    /// Rules know four words; any other, of another writer, is shown as a warning.
    fn of(word: &str) -> Self {
        match word {
            "critical" => Self::Critical,
            "error" => Self::Error,
            "info" => Self::Info,
            _ => Self::Warning,
        }
    }

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Will fire if it stays so.
    Pending,
    /// Fires.
    Firing,
    /// Fires, and somebody sees to it.
    Acknowledged,
    /// Is over.
    Resolved,
    /// Never was, as late events showed.
    Retracted,
    /// Lost its subject or its rule.
    Expired,
}

/// One of the numbers behind an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fact {
    /// Its name; `…_ms` are durations.
    pub name: String,
    /// Its value.
    pub value: f64,
}

impl Phase {
    fn of(state: AlertState) -> Option<Self> {
        Some(match state {
            AlertState::Unspecified => return None,
            AlertState::Pending => Self::Pending,
            AlertState::Firing => Self::Firing,
            AlertState::Acknowledged => Self::Acknowledged,
            AlertState::Resolved => Self::Resolved,
            AlertState::Retracted => Self::Retracted,
            AlertState::Expired => Self::Expired,
        })
    }

    /// Whether it fires, seen to or not.
    pub const fn fires(self) -> bool {
        match self {
            Self::Firing | Self::Acknowledged => true,
            Self::Pending | Self::Resolved | Self::Retracted | Self::Expired => false,
        }
    }

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Retracted => "retracted",
            Self::Expired => "expired",
        }
    }
}

/// A ticket that an alert over many rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ticket {
    /// The ticket.
    pub ticket_id: String,
    /// Of the clock; empty where it is about none.
    pub metric: String,
    /// When it was due; created, where it is about open tickets.
    pub due_ms: Option<i64>,
    /// Business time used.
    pub elapsed_ms: Option<i64>,
    /// Business time that there was.
    pub target_ms: Option<i64>,
}

/// How many of those tickets have one value of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// The attribute.
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// How many tickets.
    pub tickets: i64,
}

/// Who sees to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// Since when.
    pub at_ms: i64,
    /// In their words.
    pub reason: String,
}

/// A transition of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// To which state.
    pub state: Phase,
    /// When.
    pub at_ms: i64,
    /// Why.
    pub reason: String,
    /// Who did it; empty if nobody.
    pub author: String,
}

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alert {
    /// Stable for rule and group.
    pub key: String,
    /// This episode; empty while pending.
    pub incident: String,
    /// The rule.
    pub rule: String,
    /// How grave.
    pub severity: Severity,
    /// Whom it concerns.
    pub vendor: String,
    /// Which queue; empty: all of the vendor's.
    pub queue: String,
    /// The ticket, if it is an alert of one ticket; else empty.
    pub ticket_id: String,
    /// Where it is in its life.
    pub state: Phase,
    /// Since when it fires (or fired), or is pending.
    pub since_ms: i64,
    /// When it came to this state.
    pub changed_at_ms: i64,
    /// What happened.
    pub summary: String,
    /// Why it came to this state.
    pub reason: String,
    /// The numbers behind it.
    pub evidence: Vec<Fact>,
    /// What to do about it.
    pub runbook_url: String,
    /// Kind of its rule.
    pub kind: String,
    /// Labels of its rule and group.
    pub labels: BTreeMap<String, String>,
    /// The tickets it rests on, the worst first.
    pub worst_tickets: Vec<Ticket>,
    /// What those have in common, the largest part first.
    pub contributions: Vec<Part>,
    /// Who sees to it; `null` if nobody does, or it got worse since.
    pub acknowledged: Option<Acknowledged>,
    /// Its last transitions, the newest first.
    pub history: Vec<Step>,
}

impl Alert {
    fn of(told: AlertTransition, state: Phase) -> Self {
        let fact = |evidence: v1::Evidence| Fact {
            name: evidence.name,
            value: evidence.value,
        };
        let ticket = |ticket: v1::WorstTicket| Ticket {
            ticket_id: ticket.ticket_id,
            metric: ticket.metric,
            due_ms: ticket.due_ms,
            elapsed_ms: ticket.elapsed_ms,
            target_ms: ticket.target_ms,
        };
        let part = |part: v1::Contribution| Part {
            attribute: part.attribute,
            value: part.value,
            tickets: part.tickets,
        };
        let acknowledged = (state == Phase::Acknowledged).then(|| Acknowledged {
            by: told.author,
            at_ms: told.at_ms,
            reason: told.reason.clone(),
        });
        Self {
            key: told.key,
            incident: told.incident,
            rule: told.rule,
            severity: Severity::of(&told.severity),
            vendor: told.vendor,
            queue: told.queue,
            ticket_id: told.ticket_id,
            state,
            since_ms: told.fired_at_ms.unwrap_or(told.at_ms),
            changed_at_ms: told.at_ms,
            summary: told.summary,
            reason: told.reason,
            evidence: told.evidence.into_iter().map(fact).collect(),
            runbook_url: told.runbook_url,
            kind: told.kind,
            labels: told.labels,
            worst_tickets: told.worst_tickets.into_iter().map(ticket).collect(),
            contributions: told.contributions.into_iter().map(part).collect(),
            acknowledged,
            history: Vec::new(),
        }
    }

    /// Whether it is about a single ticket.
    pub fn is_of_ticket(&self) -> bool {
        !self.ticket_id.is_empty()
    }
}

/// Steps of one alert that are kept.
const STEPS: usize = 20;

#[derive(Debug)]
struct Entry {
    /// (row version, revision): one batch may hold several transitions of a key.
    order: (u64, u64),
    alert: Alert,
    steps: BTreeMap<(u64, u64), Step>,
}

impl Entry {
    fn note(&mut self, order: (u64, u64), step: Step) {
        self.steps.insert(order, step);
        if self.steps.len() > STEPS {
            self.steps.pop_first();
        }
    }

    fn shown(&self) -> Alert {
        Alert {
            history: self.steps.values().rev().cloned().collect(),
            ..self.alert.clone()
        }
    }
}

/// All alerts by key.
#[derive(Debug)]
pub(crate) struct AlertBook {
    by_key: BTreeMap<String, Entry>,
    max: usize,
    refused: u64,
    clock_ms: i64,
}

impl AlertBook {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            by_key: BTreeMap::new(),
            max,
            refused: 0,
            clock_ms: i64::MIN,
        }
    }

    /// Takes a transition in unless a newer one of its key is known.
    pub(crate) fn put(&mut self, told: AlertTransition, version: u64) {
        let Some(state) = Phase::of(told.state()) else {
            return;
        };
        let order = (version, told.revision);
        let step = Step {
            state,
            at_ms: told.at_ms,
            reason: told.reason.clone(),
            author: told.author.clone(),
        };
        if let Some(entry) = self.by_key.get_mut(&told.key) {
            entry.note(order, step);
            if entry.order <= order {
                entry.order = order;
                entry.alert = Alert::of(told, state);
            }
        } else if self.by_key.len() >= self.max {
            self.refused += 1;
        } else {
            let key = told.key.clone();
            let entry = Entry {
                order,
                alert: Alert::of(told, state),
                steps: BTreeMap::from([(order, step)]),
            };
            self.by_key.insert(key, entry);
        }
    }

    /// The evaluators' clock; what ended long before it is forgotten.
    pub(crate) fn advance(&mut self, clock_ms: i64) {
        // Looking through all of them at every batch would be dear, and nobody sees the difference of a second.
        if clock_ms < self.clock_ms.saturating_add(1_000) {
            return;
        }
        self.clock_ms = clock_ms;
        let shown_from_ms = clock_ms.saturating_sub(SHOWN_AFTER_END_MS);
        self.by_key.retain(|_, entry| match entry.alert.state {
            Phase::Pending | Phase::Firing | Phase::Acknowledged => true,
            Phase::Resolved | Phase::Retracted | Phase::Expired => {
                entry.alert.changed_at_ms >= shown_from_ms
            }
        });
    }

    /// Alerts that were not taken in because there were too many.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// What fires: alerts of queues before those of tickets, what nobody sees to before the rest, the gravest first, then
    /// the newest.
    pub(crate) fn firing(&self) -> Vec<Alert> {
        let mut firing = self.in_state(Phase::fires);
        firing.sort_by(|one, other| {
            let rank = |alert: &Alert| {
                (
                    alert.is_of_ticket(),
                    alert.acknowledged.is_some(),
                    alert.severity,
                    Reverse(alert.since_ms),
                )
            };
            rank(one)
                .cmp(&rank(other))
                .then_with(|| one.key.cmp(&other.key))
        });
        firing
    }

    /// What will fire if it stays so, the newest first.
    pub(crate) fn pending(&self) -> Vec<Alert> {
        let mut pending = self.in_state(|state| state == Phase::Pending);
        pending.sort_by_key(|alert| Reverse(alert.since_ms));
        pending
    }

    /// What fired and ended within the last hour, the newest end first.
    pub(crate) fn ended(&self) -> Vec<Alert> {
        let mut ended = self
            .in_state(|state| matches!(state, Phase::Resolved | Phase::Retracted | Phase::Expired));
        // One that was withdrawn while pending never had an episode.
        ended.retain(|alert| !alert.incident.is_empty());
        ended.sort_by_key(|alert| Reverse(alert.changed_at_ms));
        ended
    }

    fn in_state(&self, wanted: impl Fn(Phase) -> bool) -> Vec<Alert> {
        let entries = self.by_key.values();
        entries
            .filter(|entry| wanted(entry.alert.state))
            .map(Entry::shown)
            .collect()
    }
}

#[cfg(test)]
mod tests;
