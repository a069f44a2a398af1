//! Alerts as they stand: what fires, what may fire soon, and what ended within the last hour.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;
use slawatch_wire::v1::{AlertState, AlertTransition};

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
}

impl Alert {
    fn of(told: AlertTransition, state: Phase) -> Self {
        let fact = |evidence: slawatch_wire::v1::Evidence| Fact {
            name: evidence.name,
            value: evidence.value,
        };
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
        }
    }

    /// Whether it is about a single ticket.
    pub fn is_of_ticket(&self) -> bool {
        !self.ticket_id.is_empty()
    }
}

#[derive(Debug)]
struct Entry {
    /// (row version, revision): one batch may hold several transitions of a key.
    order: (u64, u64),
    alert: Alert,
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
        let state = match told.state() {
            AlertState::Unspecified => return,
            AlertState::Pending => Phase::Pending,
            AlertState::Firing | AlertState::Acknowledged => Phase::Firing,
            AlertState::Resolved => Phase::Resolved,
            AlertState::Retracted => Phase::Retracted,
            AlertState::Expired => Phase::Expired,
        };
        let order = (version, told.revision);
        let is_full = self.by_key.len() >= self.max;
        match self.by_key.get_mut(&told.key) {
            Some(entry) if entry.order > order => {}
            Some(entry) => {
                entry.order = order;
                entry.alert = Alert::of(told, state);
            }
            None if is_full => self.refused += 1,
            None => {
                let key = told.key.clone();
                let alert = Alert::of(told, state);
                self.by_key.insert(key, Entry { order, alert });
            }
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
            Phase::Pending | Phase::Firing => true,
            Phase::Resolved | Phase::Retracted | Phase::Expired => {
                entry.alert.changed_at_ms >= shown_from_ms
            }
        });
    }

    /// Alerts that were not taken in because there were too many.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// What fires: alerts of queues before those of tickets, the gravest first, then the newest.
    pub(crate) fn firing(&self) -> Vec<Alert> {
        let mut firing = self.in_state(|state| state == Phase::Firing);
        firing.sort_by(|one, other| {
            let rank = |alert: &Alert| {
                (
                    alert.is_of_ticket(),
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
        let alerts = self.by_key.values().map(|entry| &entry.alert);
        alerts
            .filter(|alert| wanted(alert.state))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, state: AlertState, at_ms: i64, revision: u64) -> AlertTransition {
        AlertTransition {
            key: key.to_owned(),
            incident: format!("{key}-1"),
            severity: "critical".to_owned(),
            state: state.into(),
            at_ms,
            fired_at_ms: Some(at_ms),
            revision,
            ..AlertTransition::default()
        }
    }

    fn keys(alerts: &[Alert]) -> Vec<&str> {
        alerts.iter().map(|alert| alert.key.as_str()).collect()
    }

    #[test]
    fn the_newest_transition_of_a_key_counts() {
        use AlertState::{Firing, Resolved};
        let mut book = AlertBook::new(10);
        // (state, version, revision) and whether it fires afterwards.
        for (state, version, revision, fires) in [
            (Firing, 7, 1, true),
            (Resolved, 6, 9, true),
            (Resolved, 7, 2, false),
            (Firing, 7, 1, false),
            (Firing, 1 << 40, 3, true),
        ] {
            book.put(told("k", state, 0, revision), version);
            assert_eq!(
                !book.firing().is_empty(),
                fires,
                "{state:?} {version} {revision}"
            );
        }
    }

    #[test]
    fn what_fires_is_sorted_by_how_much_it_matters() {
        let mut book = AlertBook::new(10);
        for (key, severity, ticket, at_ms) in [
            ("old", "critical", "", 1),
            ("ticket", "critical", "T-1", 9),
            ("info", "info", "", 5),
            ("new", "critical", "", 2),
            ("other word", "sev2", "", 3),
            ("error", "error", "", 3),
        ] {
            let mut transition = told(key, AlertState::Firing, at_ms, 1);
            transition.severity = severity.to_owned();
            transition.ticket_id = ticket.to_owned();
            book.put(transition, 1);
        }
        let expected = ["new", "old", "error", "other word", "info", "ticket"];
        assert_eq!(keys(&book.firing()), expected);
    }

    #[test]
    fn ended_alerts_are_shown_for_an_hour_and_withdrawn_ones_not_at_all() {
        let mut book = AlertBook::new(10);
        book.put(told("resolved", AlertState::Resolved, 1_000, 2), 1);
        book.put(told("retracted", AlertState::Retracted, 2_000, 2), 1);
        let mut withdrawn = told("withdrawn", AlertState::Resolved, 3_000, 2);
        withdrawn.incident.clear();
        book.put(withdrawn, 1);
        book.advance(5_000);
        assert_eq!(keys(&book.ended()), ["retracted", "resolved"]);
        book.advance(2_000 + SHOWN_AFTER_END_MS);
        assert_eq!(keys(&book.ended()), ["retracted"]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut book = AlertBook::new(1);
        book.put(told("one", AlertState::Firing, 0, 1), 1);
        book.put(told("two", AlertState::Firing, 0, 1), 1);
        book.put(told("one", AlertState::Pending, 0, 2), 2);
        assert_eq!(book.refused(), 1);
        assert_eq!(keys(&book.pending()), ["one"]);
    }
}
