//! Steps of escalations: when a receiver is told by them. Every instant follows from the lines; no timer is kept.

use slawatch_wire::v1::{AlertState, AlertTransition, Suppression};

use super::directory::Escalation;
use super::line::{Line, Told};
use super::{Ledger, LineId};
use crate::delivery::Subject;

/// Where an incident stands for one receiver whose turn has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// From 1; 0 without an escalation.
    pub(super) step: u32,
    /// Somebody was told by an earlier step, in time.
    pub(super) goes_on: bool,
}

/// A telling once more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repetition {
    pub(super) at_ms: i64,
    pub(super) step: u32,
}

impl Ledger {
    /// The step by which a receiver is told now, or when it may be its turn.
    pub(super) fn stage(
        &self,
        id: &LineId,
        alert: &AlertTransition,
        now_ms: i64,
    ) -> Result<Stage, Option<i64>> {
        let directory = &self.directory;
        let Some(escalation) = directory.escalation(id.0, alert) else {
            let (step, goes_on) = (0, false);
            return Ok(Stage { step, goes_on });
        };
        if alert.state() == AlertState::Acknowledged {
            return Err(None);
        }
        let steps = escalation.steps_of(id.0);
        let Some(&(first, after_ms)) = steps.first() else {
            return Err(None);
        };
        let started_ms = self.started_ms(escalation, alert);
        // What reached nobody by the steps before, since it is quieted or stale, does not escalate.
        let mut before = escalation.told_before(first);
        if started_ms.is_none() && before.any(|number| self.line_of(number, alert).is_some()) {
            return Err(None);
        }
        let base_ms = self.base_ms(id, escalation, started_ms, now_ms);
        if after_ms > 0 && base_ms.saturating_add(after_ms) > now_ms {
            return Err(Some(base_ms.saturating_add(after_ms)));
        }
        let due = steps.iter().rev();
        let due = due
            .map(|(step, after_ms)| (*step, *after_ms))
            .find(|(_, after_ms)| base_ms.saturating_add(*after_ms) <= now_ms);
        Ok(Stage {
            step: due.map_or(first, |(step, _)| step),
            goes_on: started_ms.is_some(),
        })
    }

    /// When a receiver that was told that the alert fires is told so again, if nobody acknowledges.
    pub(super) fn repetition(&self, id: &LineId, line: &Line, now_ms: i64) -> Option<Repetition> {
        let listed = &self.directory.receivers[id.0];
        let newest = line.newest.as_deref()?;
        let Told::Sent(told) = &line.told else {
            return None;
        };
        let fires = newest.state() == AlertState::Firing && told.state == AlertState::Firing;
        if !fires || listed.repeated || told.incident != newest.incident {
            return None;
        }
        let last_ms = line.course.last_ms?;
        let Some(escalation) = self.directory.escalation(id.0, newest) else {
            let at_ms = last_ms.saturating_add(listed.repeat_ms?);
            return Some(Repetition { at_ms, step: 0 });
        };
        let base_ms = self.base_ms(id, escalation, self.started_ms(escalation, newest), now_ms);
        let steps = escalation.steps_of(id.0);
        let round_ms = escalation.round_ms.unwrap_or(i64::MAX / 8);
        // Of what is due by now the newest stands for those before it.
        let mut found: Option<Repetition> = None;
        let mut round = (last_ms.max(now_ms) - base_ms).max(0) / round_ms - 1;
        let rounds = if escalation.round_ms.is_some() {
            i64::MAX
        } else {
            1
        };
        round = round.max(0);
        while round < rounds {
            for &(step, after_ms) in &steps {
                let at_ms = base_ms + round * round_ms + after_ms;
                if at_ms <= last_ms {
                    continue;
                }
                if at_ms > now_ms {
                    return Some(found.unwrap_or(Repetition { at_ms, step }));
                }
                found = Some(Repetition { at_ms, step });
            }
            round += 1;
        }
        found
    }

    /// The instant that the delays of its steps are counted from: when it began to fire, but after an outage when somebody
    /// was told first.
    fn base_ms(
        &self,
        id: &LineId,
        escalation: &Escalation,
        started_ms: Option<i64>,
        now_ms: i64,
    ) -> i64 {
        let line = self.lines.get(id);
        let began = line.and_then(|line| line.course.began);
        let began_ms = began.map_or(now_ms, |began| began.at_ms.min(now_ms));
        let first_ms = escalation.steps.first().map_or(0, |step| step.after_ms);
        started_ms.map_or(began_ms, |started_ms| began_ms.max(started_ms - first_ms))
    }

    /// When it was told first to anybody by these steps, or kept from them only by their limit.
    fn started_ms(&self, escalation: &Escalation, alert: &AlertTransition) -> Option<i64> {
        let lines = escalation
            .receivers()
            .filter_map(|number| self.line_of(number, alert));
        let started = lines.filter_map(|line| match &line.told {
            Told::Withheld {
                why: Suppression::Limited,
                at_ms,
                ..
            } => Some(*at_ms),
            Told::Nothing
            | Told::Suppressed(_)
            | Told::Withheld { .. }
            | Told::Intent { .. }
            | Told::Sent(_)
            | Told::Rejected(_) => line.course.first_ms(),
        });
        started.min()
    }

    fn line_of(&self, number: usize, alert: &AlertTransition) -> Option<&Line> {
        self.lines
            .get(&self.id_of(number, alert))
            .filter(|line| line.course.incident == alert.incident)
    }

    fn id_of(&self, number: usize, alert: &AlertTransition) -> LineId {
        let incident = if self.directory.receivers[number].by_incident {
            alert.incident.clone()
        } else {
            String::new()
        };
        let key = alert.key.clone();
        (number, Subject { key, incident })
    }

    /// Somebody was told by a step: those of the later ones have their instants now.
    pub(super) fn revisit_steps(&mut self, id: &LineId, alert: &AlertTransition) {
        let Some(escalation) = self.directory.escalation(id.0, alert) else {
            return;
        };
        let others: Vec<LineId> = escalation
            .receivers()
            .filter(|number| *number != id.0)
            .map(|number| self.id_of(number, alert))
            .collect();
        for other in others {
            self.revisit(other);
        }
    }

    /// Why nobody was told of what is over, as far as its steps say.
    pub(super) fn missed_reason(&self, id: &LineId, missed: &AlertTransition) -> String {
        let escalation = self.directory.escalation(id.0, missed);
        let step = escalation.and_then(|escalation| {
            let (step, after_ms) = escalation.steps_of(id.0).into_iter().next()?;
            (after_ms > 0).then(|| (step, escalation.name.clone()))
        });
        match step {
            Some((step, name)) => {
                format!("it was over before step {step} of the escalation {name:?} was due")
            }
            None => "it was over before it was told".to_owned(),
        }
    }
}
