//! One line after the other: what follows from its state, whether the rules let it through, and what is done then.

use std::collections::BTreeSet;
use std::sync::Arc;

use slawatch_wire::v1::{
    AlertState, AlertTransition, Notification, NotificationState, Suppression,
};

use super::gates::{Answer, Withheld};
use super::limit::is_summary;
use super::line::{Gate, Phase, Step, Terms, Told};
use super::relations::Scope;
use super::{Ledger, LineId, Outputs, REMEMBER_MS, Turn, record};
use crate::delivery::{IntentKey, Order, is_over};

impl Ledger {
    /// Decides everything undecided. The records belong into batch `batch`; once that is acknowledged,
    /// [`Ledger::durable`] gives the deliveries of its intents.
    pub fn decide(&mut self, now_ms: i64, batch: u64) -> Outputs {
        let mut turn = Turn {
            now_ms,
            batch,
            outputs: Outputs::default(),
        };
        for id in self.agenda.take_due(now_ms) {
            self.revisit(id);
        }
        while let Some(id) = self.agenda.next() {
            self.decide_line(&id, &mut turn);
        }
        self.summarise(&mut turn);
        self.silences.forget_before(now_ms);
        for pages in self.pages.values_mut() {
            pages.forget_before(now_ms);
        }
        self.relations.groups.retain(|_, due_ms| *due_ms > now_ms);
        self.prune();
        turn.outputs
    }

    /// Something that it depends on has changed.
    pub(super) fn revisit(&mut self, id: LineId) {
        let line = self.lines.get(&id);
        let newest = line.and_then(|line| line.newest.clone());
        self.agenda.rank(id, newest.as_deref());
    }

    pub(super) fn decide_line(&mut self, id: &LineId, turn: &mut Turn) {
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        let listed = &self.directory.receivers[id.0];
        let terms = Terms {
            by_incident: listed.by_incident,
            repeated: listed.repeated,
            tells_acknowledged: listed.tells_acknowledged,
        };
        let missed = line.take_missed();
        let step = line.next(terms);
        for (intent, missed) in missed {
            let reason = self.missed_reason(id, &missed);
            let why = Suppression::Missed;
            self.record_suppressed(id, &intent, why, reason, Some(&missed), turn);
        }
        let (step, wake_ms) = self.let_through(id, step, turn.now_ms);
        self.agenda.wake(id, wake_ms);
        self.carry_out(id, step, turn);
        self.relate(id);
    }

    /// What is left of a step when the rules have been asked, and when to look again.
    fn let_through(&mut self, id: &LineId, step: Step, now_ms: i64) -> (Step, Option<i64>) {
        match step {
            Step::Announce {
                intent,
                transition,
                gate: gate @ (Gate::First | Gate::Again),
                may_be_open,
            } if !is_summary(&id.1.key) => {
                let answer = match gate {
                    Gate::First => self.ask_first(id, &transition, now_ms),
                    Gate::None | Gate::Again => self.ask_again(id, &transition, now_ms),
                };
                self.heed(id, answer, gate, intent, transition, may_be_open)
            }
            Step::Nothing | Step::Refresh { .. } => self.let_repeat(id, step, now_ms),
            Step::Forget
            | Step::Suppress { .. }
            | Step::Withhold { .. }
            | Step::Announce { .. }
            | Step::Resend { .. } => (step, None),
        }
    }

    fn heed(
        &mut self,
        id: &LineId,
        answer: Answer,
        gate: Gate,
        mut intent: IntentKey,
        transition: Arc<AlertTransition>,
        may_be_open: bool,
    ) -> (Step, Option<i64>) {
        match answer {
            Answer::Now { step } => {
                intent.step = if intent.state == AlertState::Firing {
                    step
                } else {
                    0
                };
                let announce = Step::Announce {
                    intent,
                    transition,
                    gate,
                    may_be_open,
                };
                (announce, None)
            }
            Answer::Later { at_ms } => (Step::Nothing, at_ms),
            Answer::Never { why, reason } => {
                let suppress = Step::Suppress {
                    intent,
                    reason,
                    suppression: why,
                };
                (suppress, None)
            }
            Answer::Withheld(withheld) => self.withhold(id, withheld, gate, intent),
        }
    }

    /// It is recorded once for each cause; what was told before is only not repeated meanwhile.
    fn withhold(
        &mut self,
        id: &LineId,
        withheld: Withheld,
        gate: Gate,
        intent: IntentKey,
    ) -> (Step, Option<i64>) {
        let Withheld {
            why,
            cause,
            reason,
            until_ms,
        } = withheld;
        self.note_cause(id, why, &cause);
        let known = self.lines.get(id).is_some_and(|line| {
            matches!(&line.told, Told::Withheld { why: known_why, cause: known, .. } if *known_why == why && *known == cause)
        });
        if known || gate != Gate::First {
            return (Step::Nothing, until_ms);
        }
        let withhold = Step::Withhold {
            intent,
            why,
            cause,
            reason,
        };
        (withhold, until_ms)
    }

    /// So that the line is looked at again when the cause is gone.
    fn note_cause(&mut self, id: &LineId, why: Suppression, cause: &str) {
        match why {
            Suppression::Inhibited => {
                let by = (id.0, cause.to_owned());
                self.relations
                    .hushed
                    .entry(by)
                    .or_default()
                    .insert(id.clone());
            }
            Suppression::Limited => {
                self.relations
                    .limited
                    .entry(id.0)
                    .or_default()
                    .insert(id.clone());
            }
            Suppression::Unspecified
            | Suppression::Superseded
            | Suppression::Missed
            | Suppression::Stale
            | Suppression::Lost
            | Suppression::Silenced
            | Suppression::Maintenance => {}
        }
    }

    /// What was told and still fires may be told again.
    fn let_repeat(&mut self, id: &LineId, step: Step, now_ms: i64) -> (Step, Option<i64>) {
        let Some(line) = self.lines.get(id).filter(|_| !is_summary(&id.1.key)) else {
            return (step, None);
        };
        let (Some(repetition), Some(newest), Some(told)) = (
            self.repetition(id, line, now_ms),
            line.newest.clone(),
            line.told.intent(),
        ) else {
            return (step, None);
        };
        if repetition.at_ms > now_ms {
            return (step, Some(repetition.at_ms));
        }
        let intent = IntentKey {
            revision: newest.revision,
            repeat: told.repeat + 1,
            step: repetition.step,
            ..told.clone()
        };
        if let Some(withheld) = self.quieted(id, &newest, now_ms) {
            let (_, until_ms) = self.withhold(id, withheld, Gate::Again, intent);
            return (step, until_ms);
        }
        let announce = Step::Announce {
            intent,
            transition: newest,
            gate: Gate::Again,
            may_be_open: true,
        };
        (announce, None)
    }

    pub(super) fn carry_out(&mut self, id: &LineId, step: Step, turn: &mut Turn) {
        let now_ms = turn.now_ms;
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        match step {
            Step::Nothing => {}
            Step::Forget => {
                self.lines.remove(id);
            }
            Step::Suppress {
                intent,
                reason,
                suppression,
            } => {
                let about = line.newest.clone();
                line.told = Told::Suppressed(intent.clone());
                line.group_due_ms = None;
                self.record_suppressed(id, &intent, suppression, reason, about.as_deref(), turn);
            }
            Step::Withhold {
                intent,
                why,
                cause,
                reason,
            } => {
                let about = line.newest.clone();
                line.told = Told::Withheld {
                    intent: intent.clone(),
                    why,
                    cause: cause.clone(),
                    at_ms: now_ms,
                };
                line.group_due_ms = None;
                self.record_suppressed(id, &intent, why, reason, about.as_deref(), turn);
                if let Some(withheld) = turn.outputs.records.last_mut() {
                    withheld.cause = cause;
                }
                if let Some(about) = about.filter(|_| why == Suppression::Limited) {
                    self.revisit_steps(id, &about);
                }
            }
            Step::Announce {
                intent,
                transition,
                gate,
                may_be_open,
            } => self.write_intent(id, intent, transition, gate, may_be_open, turn),
            Step::Resend { intent, transition } => {
                line.told = Told::Intent {
                    intent: intent.clone(),
                    transition: Some(Arc::clone(&transition)),
                    phase: Phase::Posted,
                };
                let delivery = self.delivery(id, &transition, intent, true);
                turn.outputs.orders.push((id.0, Order::Deliver(delivery)));
            }
            Step::Refresh { intent, transition } => {
                let delivery = self.delivery(id, &transition, intent, true);
                turn.outputs.orders.push((id.0, Order::Refresh(delivery)));
            }
        }
    }

    fn write_intent(
        &mut self,
        id: &LineId,
        intent: IntentKey,
        transition: Arc<AlertTransition>,
        gate: Gate,
        may_be_open: bool,
        turn: &mut Turn,
    ) {
        let Some(line) = self.lines.get_mut(id) else {
            return;
        };
        let notification = record(
            &id.1.key,
            &self.directory.receivers[id.0].name,
            &intent,
            NotificationState::Intent,
            turn.now_ms,
            String::new(),
            Some(&transition),
        );
        turn.outputs.records.push(notification);
        line.course.tell(&intent, turn.now_ms);
        line.group_due_ms = None;
        let fires = intent.state == AlertState::Firing;
        if !is_over(intent.state) && !is_summary(&id.1.key) {
            let pages = self.pages.entry(id.0).or_default();
            pages.note(&id.1.key, &intent.incident, turn.now_ms);
        }
        line.told = Told::Intent {
            intent,
            transition: Some(Arc::clone(&transition)),
            phase: Phase::Written {
                batch: turn.batch,
                may_be_open,
            },
        };
        self.in_writing
            .entry(turn.batch)
            .or_default()
            .push(id.clone());
        if fires && gate != Gate::None {
            self.revisit_steps(id, &transition);
        }
    }

    fn record_suppressed(
        &self,
        id: &LineId,
        intent: &IntentKey,
        why: Suppression,
        reason: String,
        about: Option<&AlertTransition>,
        turn: &mut Turn,
    ) {
        let mut notification: Notification = record(
            &id.1.key,
            &self.directory.receivers[id.0].name,
            intent,
            NotificationState::Suppressed,
            turn.now_ms,
            reason,
            about,
        );
        notification.set_suppression(why);
        turn.outputs.records.push(notification);
    }

    /// Keeps in mind which alert quiets lesser ones, and looks at those again if it does no more.
    fn relate(&mut self, id: &LineId) {
        let line = self.lines.get(id);
        let newest = line.and_then(|line| line.newest.as_ref());
        let is_great = newest.is_some_and(|newest| Scope::of(newest) != Scope::Ticket);
        let was_heard = line.is_none_or(|line| line.was_heard);
        let is_on = line.is_some_and(|line| line.is_on());
        let is_heard = is_great && line.is_some_and(|line| line.is_heard());
        if let Some(newest) = newest.filter(|_| is_great && !is_summary(&id.1.key)) {
            let place = (id.0, newest.vendor.clone());
            if is_on {
                self.relations
                    .great
                    .entry(place)
                    .or_default()
                    .insert(id.clone());
            } else if let Some(great) = self.relations.great.get_mut(&place) {
                great.remove(id);
                if great.is_empty() {
                    self.relations.great.remove(&place);
                }
            }
        }
        if let Some(line) = self.lines.get_mut(id) {
            line.was_heard = is_heard;
        }
        if was_heard && !is_heard {
            let by = (id.0, id.1.key.clone());
            for lesser in self.relations.hushed.remove(&by).unwrap_or_default() {
                self.revisit(lesser);
            }
        }
    }

    /// Once an hour of the evaluator's clock.
    fn prune(&mut self) {
        let horizon_ms = self.clock_ms.saturating_sub(REMEMBER_MS);
        if horizon_ms < self.pruned_to_ms.saturating_add(3_600_000) {
            return;
        }
        self.pruned_to_ms = horizon_ms;
        self.lines
            .retain(|_, line| !line.is_settled_before(horizon_ms));
        let live: BTreeSet<&str> = self
            .lines
            .keys()
            .map(|(_, subject)| subject.key.as_str())
            .collect();
        self.seen
            .retain(|key, seen| seen.at_ms >= horizon_ms || live.contains(key.as_str()));
    }
}
