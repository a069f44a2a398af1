//! A ticket's life beyond its contacts: replies back and forth, holds, hand-overs, escalations, the end, and what follows it.

use super::record::Details;
use super::simulation::{Simulation, Step};
use super::world::{DAY_MS, HOUR_MS, MINUTE_MS, VENDORS};

pub(super) const PRIORITIES: [&str; 4] = ["urgent", "high", "normal", "low"];
/// The working time in which agents are expected to reply, by priority.
const REPLY_WITHIN_MS: [i64; 4] = [15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS];
/// The median of replies, of the time expected. With this spread about nine of ten are in time.
const REPLY_MEDIAN: f64 = 0.33;
const REPLY_SPREAD: f64 = 0.85;
/// After so many rounds a ticket is solved.
const MAX_ROUNDS: u8 = 6;

impl Simulation {
    /// Performs the step that was planned.
    pub(super) fn live(&mut self, index: u32, step: Step) {
        match step {
            Step::PickUp => self.answer(index),
            Step::GiveUp => self.give_up(index),
            Step::Overflow => self.overflow(index),
            Step::Handled => self.handled(index),
            Step::CallAgain => self.offer(index),
            Step::Reply => self.reply(index),
            Step::Escalate => self.escalate(index),
            Step::HandOver => self.hand_over(index),
            Step::Merge => self.merge(index),
            Step::Cancel => {
                self.tell(index, "cancelled", Details::default());
                self.forget(index);
            }
            Step::CustomerReply => self.customer_reply(index),
            Step::Unhold => {
                self.tell(index, "updated", status("open"));
                self.plan_reply(index);
            }
            Step::SolveSilently => {
                let details = Details {
                    root_cause: Some("no_answer"),
                    ..status("solved")
                };
                self.tell(index, "updated", details);
                self.plan_afterwards(index);
            }
            Step::Rate => self.rate(index),
            Step::Audit => {
                let passed = self.chance.happens(0.9);
                self.tell(
                    index,
                    "audited",
                    Details {
                        passed: Some(passed),
                        ..Details::default()
                    },
                );
                self.plan_close(index);
            }
            Step::Reopen => {
                self.tell(index, "customer_replied", status("open"));
                self.plan_reply(index);
            }
            Step::Close => {
                self.tell(index, "updated", status("closed"));
                self.forget(index);
            }
        }
    }

    /// When the next reply comes, or what comes instead of it or before it.
    pub(super) fn plan_reply(&mut self, index: u32) {
        let ticket = self.tickets[index as usize];
        let owner = usize::from(ticket.owner);
        let median = REPLY_WITHIN_MS[usize::from(ticket.priority)] as f64 * REPLY_MEDIAN;
        let mut work_ms = self
            .quantiles
            .log_normal(&mut self.chance, median, REPLY_SPREAD);
        if let Some(incident) = self.incident_at(owner) {
            work_ms *= incident.reply_factor;
        }
        let within_ms = REPLY_WITHIN_MS[usize::from(ticket.priority)] as f64;
        let late = work_ms > within_ms;
        self.tickets[index as usize].slow |= late;
        // Reply, hand-over, merge, cancellation, and escalation, which impatience makes likelier.
        let weights = [1.0, 0.05, 0.015, 0.012, if late { 0.5 } else { 0.02 }];
        let (step, share) = match self.chance.weighted(&weights) {
            1 => (Step::HandOver, 0.4),
            2 => (Step::Merge, 0.5),
            3 => (Step::Cancel, 0.6),
            4 => (Step::Escalate, 0.7),
            _ => (Step::Reply, 1.0),
        };
        let vendor = self.owners[owner].vendor;
        let at_ms =
            self.local[vendor].add_working_time(self.now_ms, (work_ms * share) as i64 + 1_000);
        self.plan(index, at_ms, step);
    }

    fn any_agent(&mut self) -> Details {
        Details {
            agent: Some(self.chance.below(60) as u16),
            ..Details::default()
        }
    }

    fn reply(&mut self, index: u32) {
        let agent = self.any_agent();
        let ticket = &mut self.tickets[index as usize];
        ticket.rounds = ticket.rounds.saturating_add(1);
        let solves = match ticket.rounds {
            1 => 0.35,
            MAX_ROUNDS.. => 20.0,
            _ => 0.6,
        };
        match self.chance.weighted(&[solves, 0.4, 0.06, 0.08]) {
            0 => self.solve(index, agent),
            1 => self.wait_for_customer(index, agent),
            2 => self.hold(index, agent),
            // A word that it takes longer; the next one follows.
            _ => {
                self.tell(
                    index,
                    "agent_replied",
                    Details {
                        status: Some("open"),
                        ..agent
                    },
                );
                self.plan_reply(index);
            }
        }
    }

    pub(super) fn solve(&mut self, index: u32, agent: Details) {
        let sop = self.chance.happens(0.5).then_some("standard");
        let causes = [
            "customer_error",
            "product_defect",
            "process_gap",
            "third_party",
        ];
        let details = Details {
            status: Some("solved"),
            root_cause: Some(causes[self.chance.weighted(&[0.4, 0.3, 0.2, 0.1])]),
            sop,
            ..agent
        };
        self.tell(index, "agent_replied", details);
        self.plan_afterwards(index);
    }

    pub(super) fn wait_for_customer(&mut self, index: u32, agent: Details) {
        self.tell(
            index,
            "agent_replied",
            Details {
                status: Some("pending"),
                ..agent
            },
        );
        if self.chance.happens(0.78) {
            let pause_ms =
                self.quantiles
                    .log_normal(&mut self.chance, 2.0 * HOUR_MS as f64, 1.2) as i64;
            self.plan(
                index,
                self.now_ms + pause_ms.min(4 * DAY_MS),
                Step::CustomerReply,
            );
        } else {
            self.plan(index, self.now_ms + 2 * DAY_MS, Step::SolveSilently);
        }
    }

    pub(super) fn hold(&mut self, index: u32, agent: Details) {
        self.tell(
            index,
            "agent_replied",
            Details {
                status: Some("on_hold"),
                ..agent
            },
        );
        let pause_ms = self
            .quantiles
            .log_normal(&mut self.chance, 3.0 * HOUR_MS as f64, 0.8) as i64;
        self.plan(index, self.now_ms + pause_ms, Step::Unhold);
    }

    fn customer_reply(&mut self, index: u32) {
        self.tell(index, "customer_replied", status("open"));
        if self.chance.happens(0.04) {
            let ticket = &mut self.tickets[index as usize];
            ticket.priority = ticket.priority.saturating_sub(1);
            let priority = PRIORITIES[usize::from(ticket.priority)];
            self.tell(
                index,
                "updated",
                Details {
                    priority: Some(priority),
                    ..Details::default()
                },
            );
        }
        self.plan_reply(index);
    }

    fn escalate(&mut self, index: u32) {
        let (level, reason) = match self.chance.below(3) {
            0 => ("team_lead", "customer_request"),
            1 => ("team_lead", "sla_risk"),
            _ => ("vendor_manager", "repeat_contact"),
        };
        self.tell(
            index,
            "escalated",
            Details {
                escalation: Some((level, reason)),
                ..Details::default()
            },
        );
        let vendor = self.owners[usize::from(self.tickets[index as usize].owner)].vendor;
        let left_ms =
            self.quantiles
                .log_normal(&mut self.chance, 20.0 * MINUTE_MS as f64, 0.7) as i64;
        let at_ms = self.local[vendor].add_working_time(self.now_ms, left_ms);
        self.plan(index, at_ms, Step::Reply);
    }

    /// To the vendor's second line where it has one, else to another owner of the same queue, else to the next one.
    pub(super) fn hand_over(&mut self, index: u32) {
        let owner = usize::from(self.tickets[index as usize].owner);
        let from = self.owners[owner];
        let second_line = self.owners.iter().position(|other| {
            from.queue == "tech.l1" && other.queue == "tech.l2" && other.vendor == from.vendor
        });
        let colleague = (1..self.owners.len())
            .map(|step| (owner + step) % self.owners.len())
            .find(|other| self.owners[*other].queue == from.queue);
        let next = (owner + 1) % self.owners.len();
        self.tickets[index as usize].owner = second_line.or(colleague).unwrap_or(next) as u8;
        self.tell(index, "updated", Details::default());
        self.plan_reply(index);
    }

    fn merge(&mut self, index: u32) {
        let number = self.tickets[index as usize].number;
        let into = number
            .saturating_sub(u64::from(1 + self.chance.below(40)))
            .max(1);
        self.tell(
            index,
            "merged",
            Details {
                into: Some(into),
                ..Details::default()
            },
        );
        self.forget(index);
    }

    /// What follows a solution: reopened, rated, audited or nothing; at last most are closed.
    fn plan_afterwards(&mut self, index: u32) {
        let rounds = self.tickets[index as usize].rounds;
        if rounds < MAX_ROUNDS && self.chance.happens(0.06) {
            let pause_ms =
                self.quantiles
                    .log_normal(&mut self.chance, 5.0 * HOUR_MS as f64, 1.0) as i64;
            self.plan(index, self.now_ms + pause_ms.min(3 * DAY_MS), Step::Reopen);
        } else if self.chance.happens(0.3) {
            let pause_ms = self
                .quantiles
                .log_normal(&mut self.chance, 40.0 * MINUTE_MS as f64, 1.2)
                as i64;
            self.plan(index, self.now_ms + pause_ms.min(2 * DAY_MS), Step::Rate);
        } else {
            self.plan_audit(index);
        }
    }

    fn plan_audit(&mut self, index: u32) {
        if self.chance.happens(0.05) {
            let pause_ms = 4 * HOUR_MS + i64::from(self.chance.below(DAY_MS as u32));
            self.plan(index, self.now_ms + pause_ms, Step::Audit);
        } else {
            self.plan_close(index);
        }
    }

    fn plan_close(&mut self, index: u32) {
        if self.chance.happens(0.6) {
            let pause_ms = DAY_MS + i64::from(self.chance.below(HOUR_MS as u32));
            self.plan(index, self.now_ms + pause_ms, Step::Close);
        } else {
            self.forget(index);
        }
    }

    fn rate(&mut self, index: u32) {
        let ticket = self.tickets[index as usize];
        let weights = if ticket.slow {
            [0.28, 0.22, 0.20, 0.18, 0.12]
        } else {
            [0.03, 0.04, 0.08, 0.30, 0.55]
        };
        let stars = self.chance.weighted(&weights) as u32 + 1;
        let score_max = VENDORS[self.owners[usize::from(ticket.owner)].vendor].score_max;
        let details = Details {
            score: Some((stars * score_max / 5, score_max)),
            ..Details::default()
        };
        self.tell(index, "rated", details);
        self.plan_audit(index);
    }
}

fn status(name: &'static str) -> Details {
    Details {
        status: Some(name),
        ..Details::default()
    }
}
