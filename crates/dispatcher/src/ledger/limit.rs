//! A receiver's limit of an hour: which pages it had, and the one page that sums up what was kept back.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_wire::v1::{AlertState, AlertTransition};

use super::line::{Gate, Step, Told};
use super::{Ledger, LineId, Turn};
use crate::delivery::{IntentKey, Subject};
use crate::instant::rfc3339;
use crate::matching::severity_rank;

/// What `kind` says of a summary, and what its key begins with.
const KIND: &str = "limit";
const HOUR_MS: i64 = 3_600_000;
/// A receiver gets a summary at most this often.
const SUMMARY_EVERY_MS: i64 = 10 * 60_000;
/// How many of what was kept back a summary names.
const NAMED: usize = 5;

/// When a receiver was first told of each incident, for the last hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pages(pub(super) BTreeMap<(String, String), i64>);

impl Pages {
    /// A receiver is told of an incident; of one that it knows nothing changes.
    pub(super) fn note(&mut self, key: &str, incident: &str, at_ms: i64) {
        let of = (key.to_owned(), incident.to_owned());
        self.0.entry(of).or_insert(at_ms);
    }

    pub(super) fn forget_before(&mut self, now_ms: i64) {
        self.0.retain(|_, at_ms| *at_ms > now_ms - HOUR_MS);
    }

    /// When there is room again; `None` if there is now.
    pub(super) fn full_until_ms(&self, limit: usize, now_ms: i64) -> Option<i64> {
        let mut lately: Vec<i64> = self.0.values().copied().collect();
        lately.retain(|at_ms| *at_ms > now_ms - HOUR_MS);
        lately.sort_unstable();
        let leaves_first = lately.len().checked_sub(limit)?;
        lately.get(leaves_first).map(|at_ms| at_ms + HOUR_MS)
    }
}

/// What distinguishes one state of a summary from the others.
struct Said {
    incident: String,
    state: AlertState,
    revision: u64,
    fired_ms: i64,
}

/// Whether a key is that of a summary.
pub(crate) fn is_summary(key: &str) -> bool {
    key.starts_with("slawatch|limit|")
}

impl Ledger {
    fn summary_key(&self, number: usize) -> String {
        let name = &self.directory.receivers[number].name;
        format!("slawatch|{KIND}|{name}|{}", self.partition)
    }

    /// Tells of what limits keep back, where that is due.
    pub(super) fn summarise(&mut self, turn: &mut Turn) {
        for number in 0..self.directory.receivers.len() {
            if self.directory.receivers[number].max_per_hour.is_some() {
                self.summarise_for(number, turn);
            }
        }
    }

    fn summarise_for(&mut self, number: usize, turn: &mut Turn) {
        let held = self.held_back(number);
        let (open, last_ms) = self.summaries(number);
        let next_ms = last_ms.map_or(i64::MIN, |last_ms| last_ms + SUMMARY_EVERY_MS);
        let news = match &open {
            None => !held.is_empty(),
            Some(_) => held.iter().any(|id| self.withheld_at_ms(id) > last_ms),
        };
        match open {
            Some(id) if held.is_empty() => self.end_summary(&id, turn),
            None | Some(_) if !news => {}
            None | Some(_) if turn.now_ms < next_ms => {
                let asks = (number, self.summary_subject(number, ""));
                self.agenda.wake(&asks, Some(next_ms));
            }
            None => self.begin_summary(number, turn),
            Some(id) => self.repeat_summary(&id, turn),
        }
    }

    fn summary_subject(&self, number: usize, incident: &str) -> Subject {
        let by_incident = self.directory.receivers[number].by_incident;
        Subject {
            key: self.summary_key(number),
            incident: if by_incident {
                incident.to_owned()
            } else {
                String::new()
            },
        }
    }

    fn begin_summary(&mut self, number: usize, turn: &mut Turn) {
        let incident = format!("{}|{}", self.summary_key(number), turn.now_ms);
        let id = (number, self.summary_subject(number, &incident));
        let before = self.lines.get(&id).and_then(|line| line.newest.as_ref());
        let said = Said {
            incident,
            state: AlertState::Firing,
            revision: before.map_or(0, |before| before.revision) + 1,
            fired_ms: turn.now_ms,
        };
        let summary = self.summary(&id, said, turn.now_ms);
        self.lines.entry(id.clone()).or_default().renew(summary);
        self.decide_line(&id, turn);
    }

    fn end_summary(&mut self, id: &LineId, turn: &mut Turn) {
        if self
            .renew_summary(id, AlertState::Resolved, turn.now_ms)
            .is_some()
        {
            self.decide_line(id, turn);
        }
    }

    fn repeat_summary(&mut self, id: &LineId, turn: &mut Turn) {
        let Some(summary) = self.renew_summary(id, AlertState::Firing, turn.now_ms) else {
            return;
        };
        let told = self.lines.get(id).and_then(|line| line.told.intent());
        let intent = IntentKey {
            incident: summary.incident.clone(),
            state: AlertState::Firing,
            revision: summary.revision,
            repeat: told.map_or(0, |told| told.repeat + 1),
            step: 0,
        };
        let step = Step::Announce {
            intent,
            transition: summary,
            gate: Gate::None,
            may_be_open: true,
        };
        self.carry_out(id, step, turn);
    }

    fn renew_summary(
        &mut self,
        id: &LineId,
        state: AlertState,
        now_ms: i64,
    ) -> Option<Arc<AlertTransition>> {
        let newest = self.lines.get(id)?.newest.as_deref()?;
        let said = Said {
            incident: newest.incident.clone(),
            state,
            revision: newest.revision + 1,
            fired_ms: newest.fired_at_ms.unwrap_or(now_ms),
        };
        let summary = self.summary(id, said, now_ms);
        self.lines.get_mut(id)?.renew(Arc::clone(&summary));
        Some(summary)
    }

    /// What the limit keeps back, the worst and oldest first.
    fn held_back(&mut self, number: usize) -> Vec<LineId> {
        let mut held = self.relations.limited.remove(&number).unwrap_or_default();
        held.retain(|id| self.is_limited(id));
        let mut ranked: Vec<LineId> = held.iter().cloned().collect();
        self.relations.limited.insert(number, held);
        ranked.sort_by_key(|id| {
            let newest = self.lines.get(id).and_then(|line| line.newest.as_deref());
            newest.map(|newest| {
                let rank = severity_rank(&newest.severity);
                (std::cmp::Reverse(rank), newest.fired_at_ms)
            })
        });
        ranked
    }

    fn withheld_at_ms(&self, id: &LineId) -> Option<i64> {
        match &self.lines.get(id)?.told {
            Told::Withheld { at_ms, .. } => Some(*at_ms),
            Told::Nothing
            | Told::Suppressed(_)
            | Told::Intent { .. }
            | Told::Sent(_)
            | Told::Rejected(_) => None,
        }
    }

    /// The summary that a receiver has open, and when it was last told one.
    fn summaries(&self, number: usize) -> (Option<LineId>, Option<i64>) {
        let first = Subject {
            key: self.summary_key(number),
            incident: String::new(),
        };
        let key = first.key.clone();
        let lines = self
            .lines
            .range((number, first)..)
            .take_while(|(id, _)| id.0 == number && id.1.key == key);
        let (mut open, mut last_ms) = (None, None);
        for (id, line) in lines {
            last_ms = last_ms.max(line.course.last_ms);
            if line.is_on() {
                open = Some(id.clone());
            }
        }
        (open, last_ms)
    }

    fn summary(&mut self, id: &LineId, said: Said, now_ms: i64) -> Arc<AlertTransition> {
        let held = self.held_back(id.0);
        let alerts: Vec<&AlertTransition> = held
            .iter()
            .filter_map(|id| self.lines.get(id)?.newest.as_deref())
            .collect();
        let limit = self.directory.receivers[id.0].max_per_hour.unwrap_or(0);
        let named: Vec<String> = alerts
            .iter()
            .take(NAMED)
            .map(|alert| named(alert))
            .collect();
        let summary = if held.is_empty() {
            format!("no alert is kept back any more by the limit of {limit} an hour")
        } else {
            let alerts = if held.len() == 1 {
                "alert fires that was"
            } else {
                "alerts fire that were"
            };
            format!(
                "{} {alerts} not told, over the limit of {limit} an hour",
                held.len()
            )
        };
        let reason = if held.is_empty() {
            "they are over, or were told as there was room again".to_owned()
        } else {
            format!("the worst: {}", named.join("; "))
        };
        let one_vendor = alerts
            .windows(2)
            .all(|pair| pair[0].vendor == pair[1].vendor);
        let worst = alerts.first();
        Arc::new(AlertTransition {
            key: id.1.key.clone(),
            incident: said.incident,
            rule: "pages over the limit".to_owned(),
            kind: KIND.to_owned(),
            severity: worst.map_or_else(|| "info".to_owned(), |worst| worst.severity.clone()),
            vendor: worst
                .filter(|_| one_vendor)
                .map(|worst| worst.vendor.clone())
                .unwrap_or_default(),
            timezone: worst
                .map(|worst| worst.timezone.clone())
                .unwrap_or_default(),
            state: said.state.into(),
            at_ms: now_ms,
            fired_at_ms: Some(said.fired_ms),
            due_ms: now_ms,
            revision: said.revision,
            summary,
            reason,
            ..AlertTransition::default()
        })
    }

    /// A new owner finds what is kept back, and the summaries that were told of it.
    pub(super) fn recall_summaries(&mut self, now_ms: i64) {
        let limited = self.lines.keys().filter(|id| self.is_limited(id)).cloned();
        let limited: Vec<LineId> = limited.collect();
        for id in limited {
            self.relations.limited.entry(id.0).or_default().insert(id);
        }
        // The log of alerts has none of a summary's states, so what was told of it counts.
        let told: Vec<(LineId, IntentKey)> = self
            .lines
            .iter()
            .filter(|(id, _)| is_summary(&id.1.key))
            .filter_map(|(id, line)| {
                let told = line.told.intent()?;
                let newest = line.newest.as_ref().map(|newest| newest.revision);
                (newest < Some(told.revision)).then(|| (id.clone(), told.clone()))
            })
            .collect();
        for (id, told) in told {
            let said = Said {
                incident: told.incident,
                state: told.state,
                revision: told.revision,
                fired_ms: now_ms,
            };
            let summary = self.summary(&id, said, now_ms);
            if let Some(line) = self.lines.get_mut(&id) {
                line.renew(summary);
            }
        }
    }
}

/// `critical "slow" of acme/refunds since 2026-01-01T00:00:00.000Z`
fn named(alert: &AlertTransition) -> String {
    let mut place = alert.vendor.clone();
    for part in [&alert.queue, &alert.ticket_id] {
        if !part.is_empty() {
            place = format!("{place}/{part}");
        }
    }
    let since_ms = alert.fired_at_ms.unwrap_or(alert.at_ms);
    format!(
        "{} {:?} of {place} since {}",
        alert.severity,
        alert.rule,
        rfc3339(since_ms)
    )
}
