//! Whether a receiver is told now, later, or for the time being not, and why: each rule by itself, in the order in which
//! they are asked.

use slawatch_wire::v1::{AlertTransition, Suppression};

use super::relations::Scope;
use super::{Ledger, LineId, limit};
use crate::delivery::Subject;
use crate::instant::rfc3339;
use crate::ledger::line::Told;
use crate::matching::severity_rank;

/// The answer.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Told now, as this step of an escalation.
    Now { step: u32 },
    /// Not before that instant, or before something else changes. Nothing is recorded.
    Later { at_ms: Option<i64> },
    /// Not for now, and that is recorded.
    Withheld(Withheld),
    /// Not at all, and that is recorded.
    Never { why: Suppression, reason: String },
}

#[derive(Debug, PartialEq)]
pub(super) struct Withheld {
    pub(super) why: Suppression,
    pub(super) cause: String,
    pub(super) reason: String,
    /// When to ask again, if no line's change tells.
    pub(super) until_ms: Option<i64>,
}

impl Ledger {
    /// Of an incident that the receiver knows nothing of.
    pub(super) fn ask_first(
        &mut self,
        id: &LineId,
        alert: &AlertTransition,
        now_ms: i64,
    ) -> Answer {
        let stage = match self.stage(id, alert, now_ms) {
            Ok(stage) => stage,
            Err(at_ms) => return Answer::Later { at_ms },
        };
        if !stage.goes_on
            && let Some(reason) = self.stale(alert, now_ms)
        {
            let why = Suppression::Stale;
            return Answer::Never { why, reason };
        }
        if let Some(withheld) = self.quieted(id, alert, now_ms) {
            return Answer::Withheld(withheld);
        }
        if let Some(at_ms) = self.group_wait(id, alert, now_ms) {
            return Answer::Later { at_ms: Some(at_ms) };
        }
        if let Some(withheld) = self.over_limit(id.0, now_ms) {
            return Answer::Withheld(withheld);
        }
        Answer::Now { step: stage.step }
    }

    /// Of one that it is to be told once more.
    pub(super) fn ask_again(&self, id: &LineId, alert: &AlertTransition, now_ms: i64) -> Answer {
        let stage = match self.stage(id, alert, now_ms) {
            Ok(stage) => stage,
            Err(at_ms) => return Answer::Later { at_ms },
        };
        match self.quieted(id, alert, now_ms) {
            Some(withheld) => Answer::Withheld(withheld),
            None => Answer::Now { step: stage.step },
        }
    }

    /// What a rule watches still holds and is news whenever it is learnt of; a ticket's verdict is not.
    fn stale(&self, alert: &AlertTransition, now_ms: i64) -> Option<String> {
        let age_ms = now_ms.saturating_sub(alert.due_ms);
        let stale_after_ms = self.directory.stale_after_ms;
        (!alert.ticket_id.is_empty() && age_ms > stale_after_ms).then(|| {
            format!(
                "stale: due at {} and dispatched {} s later, more than the {} s of stale_after",
                rfc3339(alert.due_ms),
                age_ms / 1000,
                stale_after_ms / 1000
            )
        })
    }

    /// Whether people or a greater alert keep it from the receiver.
    pub(super) fn quieted(
        &self,
        id: &LineId,
        alert: &AlertTransition,
        now_ms: i64,
    ) -> Option<Withheld> {
        self.silenced(alert, now_ms)
            .or_else(|| self.in_maintenance(alert, now_ms))
            .or_else(|| self.inhibited(id, alert))
    }

    fn silenced(&self, alert: &AlertTransition, now_ms: i64) -> Option<Withheld> {
        let silence = self.silences.of(alert, now_ms)?;
        let asked = &silence.asked;
        Some(Withheld {
            why: Suppression::Silenced,
            cause: asked.action_id.clone(),
            reason: format!(
                "silenced by {} until {}: {} (silence {})",
                asked.author,
                rfc3339(silence.until_ms),
                asked.reason,
                asked.action_id
            ),
            until_ms: Some(silence.until_ms),
        })
    }

    fn in_maintenance(&self, alert: &AlertTransition, now_ms: i64) -> Option<Withheld> {
        let windows = self.directory.maintenance.iter().zip(1..);
        let open = windows.filter_map(|(window, number): (_, u32)| {
            let until_ms = window.times.until_ms(now_ms)?;
            window
                .matching
                .holds(alert)
                .then_some((until_ms, number, window))
        });
        let (until_ms, number, window) = open.max_by_key(|(until_ms, ..)| *until_ms)?;
        Some(Withheld {
            why: Suppression::Maintenance,
            cause: format!("maintenance {number}"),
            reason: format!(
                "maintenance by {} until {}: {}",
                window.author,
                rfc3339(until_ms),
                window.reason
            ),
            until_ms: Some(until_ms),
        })
    }

    /// A vendor's alert stands for those of its queues, and a queue's for those of its tickets, if it is at least as severe
    /// and the receiver hears of it.
    fn inhibited(&self, id: &LineId, alert: &AlertTransition) -> Option<Withheld> {
        if !self.directory.inhibits {
            return None;
        }
        let greater = match Scope::of(alert) {
            Scope::Vendor => return None,
            Scope::Queue => Scope::Vendor,
            Scope::Ticket => Scope::Queue,
        };
        let candidates = self.relations.great.get(&(id.0, alert.vendor.clone()))?;
        let by = candidates.iter().find_map(|candidate| {
            let line = self.lines.get(candidate)?;
            let by = line.newest.as_ref()?;
            let stands_for = Scope::of(by) == greater
                && (greater == Scope::Vendor || by.queue == alert.queue)
                && severity_rank(&by.severity) >= severity_rank(&alert.severity);
            (stands_for && line.is_heard()).then_some((candidate, by))
        });
        by.map(|(_, by)| Withheld {
            why: Suppression::Inhibited,
            cause: by.key.clone(),
            reason: format!(
                "inhibited by {}: the {} alert {:?} of {} tells of it",
                by.key,
                by.severity,
                by.rule,
                if by.queue.is_empty() {
                    by.vendor.clone()
                } else {
                    format!("{}/{}", by.vendor, by.queue)
                }
            ),
            until_ms: None,
        })
    }

    /// Until when the incident waits for others of its group.
    fn group_wait(&mut self, id: &LineId, alert: &AlertTransition, now_ms: i64) -> Option<i64> {
        let listed = &self.directory.receivers[id.0];
        let wait_ms = listed.group_wait_ms;
        if wait_ms == 0 {
            return None;
        }
        let group = listed.group(alert).unwrap_or_else(|| {
            let Subject { key, incident } = &id.1;
            format!("{key}\n{incident}")
        });
        let resuming = self.resuming;
        let line = self.lines.get_mut(id)?;
        let due_ms = match line.group_due_ms {
            Some(due_ms) => due_ms,
            None => {
                // An owner who comes later waits no longer than the one before would have.
                let since_ms = line
                    .course
                    .began
                    .filter(|_| resuming)
                    .map_or(now_ms, |began| began.at_ms.min(now_ms));
                let own_ms = since_ms + wait_ms;
                let forming = self.relations.groups.entry((id.0, group)).or_insert(own_ms);
                if *forming <= now_ms {
                    *forming = own_ms;
                }
                *forming
            }
        };
        if due_ms <= now_ms {
            line.group_due_ms = None;
            return None;
        }
        line.group_due_ms = Some(due_ms);
        Some(due_ms)
    }

    fn over_limit(&self, number: usize, now_ms: i64) -> Option<Withheld> {
        let limit = self.directory.receivers[number].max_per_hour?;
        let free_ms = self.pages.get(&number)?.full_until_ms(limit, now_ms)?;
        Some(Withheld {
            why: Suppression::Limited,
            cause: String::new(),
            reason: format!("over the limit of {limit} an hour"),
            until_ms: Some(free_ms),
        })
    }

    /// Whether a line is kept back by its receiver's limit.
    pub(super) fn is_limited(&self, id: &LineId) -> bool {
        self.lines.get(id).is_some_and(|line| {
            line.is_on()
                && matches!(
                    line.told,
                    Told::Withheld {
                        why: Suppression::Limited,
                        ..
                    }
                )
        }) && !limit::is_summary(&id.1.key)
    }
}
