//! The events of one ticket among the lines of files, under the clock of a replay.

use slawatch_event::{Rejection, TicketEvent};
use slawatch_policy::PolicySets;
use slawatch_tracker::{Applied, Explainer};

use super::{Amount, Explained};
use crate::replay::{DeadLetterLine, Intake, IntakeOptions};

/// Lines that go by, and the events of one ticket kept from them.
#[derive(Debug)]
pub struct Lines {
    ticket_id: String,
    sets: PolicySets,
    explainer: Explainer,
    intake: Intake,
    /// Events of the ticket, copies among them.
    heard: u64,
    /// Dead letters in which the ticket's id stands.
    mentions: Vec<DeadLetterLine>,
    /// The ticket of the first event.
    first_ticket: Option<String>,
}

/// No event of the ticket was read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no event of ticket {ticket} is among the {read} read from {source_name}{hint}")]
pub struct UnknownTicket {
    ticket: String,
    read: String,
    source_name: String,
    hint: String,
}

impl Lines {
    /// Before the first line.
    pub fn new(ticket_id: &str, sets: PolicySets, options: IntakeOptions) -> Self {
        Self {
            ticket_id: ticket_id.to_owned(),
            explainer: Explainer::new(ticket_id, &sets),
            sets,
            intake: Intake::new(options),
            heard: 0,
            mentions: Vec::new(),
            first_ticket: None,
        }
    }

    /// Takes the next line, without its line end.
    pub fn line(&mut self, line: &[u8]) {
        let Self {
            ticket_id,
            explainer,
            intake,
            heard,
            mentions,
            first_ticket,
            ..
        } = self;
        let dead_before = intake.dead_letters().len();
        intake.line(line, |event, _| {
            if first_ticket.is_none() {
                *first_ticket = Some(event.ticket_id.clone().into_owned());
            }
            if event.ticket_id != *ticket_id {
                return Ok(());
            }
            *heard += 1;
            tell(explainer, event)
        });
        let dead = intake.dead_letters().get(dead_before);
        if let Some(letter) = dead.filter(|_| contains(line, ticket_id.as_bytes())) {
            mentions.push(letter.clone());
        }
    }

    /// Explains the ticket at the end of the clock. `source_name` names the files.
    ///
    /// # Errors
    /// Nothing is known of the ticket.
    pub fn finish(
        mut self,
        allowed_delay_ms: i64,
        source_name: &str,
    ) -> Result<Explained, UnknownTicket> {
        let lines = self.intake.texts();
        let dead = self.intake.dead_letters().len() as u64;
        if self.explainer.events() == 0 {
            return Err(UnknownTicket {
                ticket: self.ticket_id.clone(),
                read: Amount(lines - dead, "event").to_string(),
                source_name: source_name.to_owned(),
                hint: self.hint(dead),
            });
        }
        let now_ms = self.intake.end_ms().saturating_sub(allowed_delay_ms);
        Ok(Explained {
            explanation: self.explainer.explain(now_ms),
            sets: self.sets,
            source: format!(
                "{} of this ticket among {} of {source_name}",
                Amount(self.heard, "event"),
                Amount(lines, "line")
            ),
            dead_letters: self.mentions,
        })
    }

    fn hint(&self, dead: u64) -> String {
        if let Some(letter) = self.mentions.first() {
            return format!(
                "; line {}, in which that id stands, is a dead letter: {}: {}",
                letter.line, letter.reason, letter.detail
            );
        }
        match &self.first_ticket {
            Some(first) => format!("; the first of them is of ticket {first}"),
            None if dead > 0 => format!(
                "; {} cannot count at all, which `slawatch replay` lists",
                Amount(dead, "line")
            ),
            None => "; the files hold no event".to_owned(),
        }
    }
}

fn tell(explainer: &mut Explainer, event: &TicketEvent<'_>) -> Result<(), Rejection> {
    match explainer.tell(event) {
        Applied::Counted | Applied::Duplicate | Applied::Conflicting => Ok(()),
        Applied::Rejected(reason) => Err(Rejection {
            reason,
            detail: "the ticket's history is full".to_owned(),
        }),
    }
}

fn contains(line: &[u8], id: &[u8]) -> bool {
    !id.is_empty() && line.windows(id.len()).any(|window| window == id)
}
