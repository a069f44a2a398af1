//! Calls and chats: offered, waiting for a free agent, answered, handled, given up, offered elsewhere.

use super::record::{Details, Handling};
use super::simulation::{Simulation, Step};
use super::world::{HOUR_MS, MINUTE_MS};

/// Who has waited this long may be offered to another vendor.
const OVERFLOW_AFTER_MS: i64 = 90_000;

impl Simulation {
    /// A new contact of the ticket reaches its owner's agents.
    pub(super) fn offer(&mut self, index: u32) {
        let ticket = &mut self.tickets[index as usize];
        ticket.contact = ticket.contact.saturating_add(1);
        self.queue_up(index);
    }

    fn queue_up(&mut self, index: u32) {
        let ticket = self.tickets[index as usize];
        let owner = usize::from(ticket.owner);
        self.tell(
            index,
            "contact_offered",
            Details {
                contact: Some(ticket.contact),
                ..Details::default()
            },
        );
        let cut_off_share = self.incident_at(owner).map_or(0.0, |cut| cut.cut_off_share);
        if cut_off_share > 0.0 && self.chance.happens(cut_off_share) {
            let after_ms = 6_000 + i64::from(self.chance.below(30_000));
            self.plan(index, self.now_ms + after_ms, Step::GiveUp);
            return;
        }
        if let Some(agent) = self.desks[owner].pool.take_agent() {
            // A free agent still needs to pick up.
            let pick_up_ms = 1_500 + i64::from(self.chance.below(5_000));
            self.answer_after(index, agent, pick_up_ms);
            return;
        }
        // A few hang up at once; the others wait for minutes.
        let patience_ms = if self.chance.happens(0.04) {
            1_000 + i64::from(self.chance.below(5_000))
        } else {
            8_000 + self.quantiles.log_normal(&mut self.chance, 140_000.0, 0.8) as i64
        };
        if patience_ms > OVERFLOW_AFTER_MS
            && self.chance.happens(0.1)
            && self.elsewhere(owner).is_some()
        {
            self.plan(index, self.now_ms + OVERFLOW_AFTER_MS, Step::Overflow);
        } else {
            self.plan(index, self.now_ms + patience_ms, Step::GiveUp);
        }
        let token = self.tickets[index as usize].token;
        self.desks[owner].pool.wait((index, token));
    }

    /// Free agents take who has waited longest.
    pub(super) fn serve_waiting(&mut self, owner: usize) {
        while let Some((index, token)) = self.desks[owner].pool.next_waiting() {
            let ticket = self.tickets[index as usize];
            // Whoever gave up meanwhile is still in line, but has gone on.
            if ticket.token == token
                && let Some(agent) = self.desks[owner].pool.take_agent()
            {
                self.answer_after(index, agent, 0);
            }
        }
    }

    /// The agent is taken already; the answer is told when the phone is picked up.
    fn answer_after(&mut self, index: u32, agent: u16, pick_up_ms: i64) {
        self.tickets[index as usize].agent = agent;
        if pick_up_ms == 0 {
            self.answer(index);
        } else {
            self.plan(index, self.now_ms + pick_up_ms, Step::PickUp);
        }
    }

    pub(super) fn answer(&mut self, index: u32) {
        let ticket = self.tickets[index as usize];
        self.tell(
            index,
            "contact_answered",
            Details {
                agent: Some(ticket.agent),
                contact: Some(ticket.contact),
                ..Details::default()
            },
        );
        let owner = usize::from(ticket.owner);
        let longer = self
            .incident_at(owner)
            .map_or(1.0, |slow| slow.handling_factor);
        let factor = self.owners[owner].handling_factor * longer;
        let mut part = |median_ms: f64, sigma: f64| {
            self.quantiles
                .log_normal(&mut self.chance, median_ms * factor, sigma)
                .min(3.0 * HOUR_MS as f64) as u32
        };
        let (talk_ms, wrap_ms, hold_ms) = (
            part(240_000.0, 0.55),
            part(40_000.0, 0.6),
            part(45_000.0, 0.7),
        );
        let hold_ms = if self.chance.happens(0.3) { hold_ms } else { 0 };
        self.tickets[index as usize].handling = Some(Handling {
            talk_ms,
            hold_ms,
            wrap_ms,
        });
        let total_ms = i64::from(talk_ms) + i64::from(hold_ms) + i64::from(wrap_ms);
        self.plan(index, self.now_ms + total_ms, Step::Handled);
    }

    /// Contact and wrap-up are over: what came of it, and the next in line.
    pub(super) fn handled(&mut self, index: u32) {
        let ticket = self.tickets[index as usize];
        let agent = Details {
            agent: Some(ticket.agent),
            ..Details::default()
        };
        let details = Details {
            contact: Some(ticket.contact),
            handling: ticket.handling,
            ..agent
        };
        self.tell(index, "handled", details);
        let owner = usize::from(ticket.owner);
        self.desks[owner].pool.release(ticket.agent);
        self.serve_waiting(owner);
        // Solved, waiting for the customer, given to others, waiting for a third party.
        match self.chance.weighted(&[0.72, 0.17, 0.07, 0.04]) {
            0 => self.solve(index, agent),
            1 => self.wait_for_customer(index, agent),
            2 => {
                self.tell(
                    index,
                    "agent_replied",
                    Details {
                        status: Some("open"),
                        ..agent
                    },
                );
                self.hand_over(index);
            }
            _ => self.hold(index, agent),
        }
    }

    pub(super) fn give_up(&mut self, index: u32) {
        let contact = self.tickets[index as usize].contact;
        self.tell(
            index,
            "contact_abandoned",
            Details {
                contact: Some(contact),
                ..Details::default()
            },
        );
        self.tickets[index as usize].slow = true;
        let again = contact < 4 && self.chance.happens(0.4);
        if again {
            let pause_ms = self
                .quantiles
                .log_normal(&mut self.chance, 9.0 * MINUTE_MS as f64, 0.9)
                as i64;
            self.plan(index, self.now_ms + pause_ms, Step::CallAgain);
        } else {
            self.plan_reply(index);
        }
    }

    /// Another vendor's agents for the same queue.
    fn elsewhere(&self, owner: usize) -> Option<usize> {
        let queue = self.owners[owner].queue;
        let others = (1..self.owners.len()).map(|step| (owner + step) % self.owners.len());
        others
            .into_iter()
            .find(|other| self.owners[*other].queue == queue)
    }

    /// The same contact is offered to another vendor: here it flowed out.
    pub(super) fn overflow(&mut self, index: u32) {
        let owner = usize::from(self.tickets[index as usize].owner);
        if let Some(other) = self.elsewhere(owner) {
            self.tickets[index as usize].owner = other as u8;
        }
        self.queue_up(index);
    }
}
