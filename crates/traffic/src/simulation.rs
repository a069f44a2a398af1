//! The run of the simulation: the agenda of what happens next, arrivals and staff by the quarter of an hour, and the way of an
//! event to the channel. What contacts do is in `contacts`, what tickets do in `life`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::tz::TimeZoneDatabase;

use super::chance::{Chance, Quantiles};
use super::faults::{Channel, Event};
use super::incident::Incident;
use super::pool::{Pool, agents_needed};
use super::record::{Creation, Details, Subject, Writer, ticket_id};
use super::truth::Truth;
use super::world::{LocalTime, Owner, SLOT_MS, VENDORS, categories, owners};
use super::{DAY_MS, Emission, TrafficConfig};

/// Talk, hold and wrap-up of a contact of the usual kind, on average.
const MEAN_HANDLING_MS: f64 = 345_000.0;
/// Staff is planned so that this share is answered within the time below.
const PLANNED_SHARE: f64 = 0.86;
const PLANNED_WITHIN_MS: f64 = 20_000.0;
/// Contacts per ticket: who calls or chats, and who calls again.
const CONTACTS_PER_TICKET: f64 = 0.58;

/// What comes next in a ticket's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A free agent picks up.
    PickUp,
    /// The customer hangs up.
    GiveUp,
    /// The wait is too long here: the contact is offered elsewhere.
    Overflow,
    /// Contact and wrap-up are over.
    Handled,
    CallAgain,
    Reply,
    Escalate,
    HandOver,
    Merge,
    Cancel,
    CustomerReply,
    Unhold,
    SolveSilently,
    Rate,
    Audit,
    Reopen,
    Close,
}

/// What comes next at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// A quarter of an hour begins for an owner.
    Slot { owner: u8 },
    /// A ticket arrives; void once a newer slot has drawn anew.
    Arrival { owner: u8, slot: u32 },
    /// A step; void once the ticket has gone on otherwise.
    Ticket { ticket: u32, step: Step, token: u16 },
}

/// A ticket alive. Freed places are used again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ticket {
    pub(super) number: u64,
    /// Events so far.
    pub(super) sequence: u16,
    /// Goes up whenever what was on the agenda becomes void.
    pub(super) token: u16,
    pub(super) owner: u8,
    /// Index into [`super::life::PRIORITIES`].
    pub(super) priority: u8,
    pub(super) contact: u8,
    pub(super) rounds: u8,
    pub(super) agent: u16,
    /// Somebody waited too long; ratings suffer.
    pub(super) slow: bool,
    pub(super) handling: Option<super::record::Handling>,
}

/// Arrivals and staff of an owner in the present quarter of an hour.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) pool: Pool,
    rate_per_ms: f64,
    slot: u32,
}

#[derive(Debug)]
pub(super) struct Simulation {
    config: TrafficConfig,
    end_ms: i64,
    pub(super) now_ms: i64,
    pub(super) chance: Chance,
    pub(super) quantiles: Quantiles,
    pub(super) owners: Vec<Owner>,
    pub(super) local: Vec<LocalTime>,
    pub(super) desks: Vec<Desk>,
    pub(super) tickets: Vec<Ticket>,
    vacant: Vec<u32>,
    created: u64,
    agenda: BinaryHeap<Reverse<(i64, u64, Entry)>>,
    entries: u64,
    writer: Writer,
    channel: Channel,
    truth: Truth,
}

impl Simulation {
    pub(super) fn new(config: TrafficConfig) -> Self {
        let end_ms = config.start_ms + config.duration_ms;
        let database = TimeZoneDatabase::bundled();
        let owners = owners();
        let mut chance = Chance::new(config.seed);
        let channel = Channel::new(config.faults.clone(), Chance::new(chance.next()), end_ms);
        let mut simulation = Self {
            end_ms,
            now_ms: config.start_ms,
            quantiles: Quantiles::new(),
            local: VENDORS
                .iter()
                .map(|vendor| LocalTime::new(&database, vendor, config.start_ms, end_ms))
                .collect(),
            desks: owners.iter().map(|_| Desk::default()).collect(),
            owners,
            tickets: Vec::new(),
            vacant: Vec::new(),
            created: 0,
            agenda: BinaryHeap::new(),
            entries: 0,
            writer: Writer::default(),
            channel,
            truth: Truth {
                incident: config.incident.clone(),
                ..Truth::default()
            },
            chance,
            config,
        };
        for owner in 0..simulation.owners.len() {
            simulation.enter(simulation.now_ms, Entry::Slot { owner: owner as u8 });
        }
        simulation
    }

    pub(super) const fn truth(&self) -> &Truth {
        &self.truth
    }

    pub(super) fn next_emission(&mut self) -> Option<Emission> {
        loop {
            if let Some(emission) = self.channel.next(self.now_ms, &mut self.truth) {
                return Some(emission);
            }
            let next = self.agenda.pop().map(|Reverse(next)| next);
            match next.filter(|(at_ms, ..)| *at_ms <= self.end_ms) {
                Some((at_ms, _, entry)) => {
                    self.now_ms = at_ms;
                    self.perform(entry);
                }
                None if self.now_ms == i64::MAX => return None,
                // Nothing more happens; what is under way may still arrive.
                None => {
                    self.agenda.clear();
                    self.now_ms = i64::MAX;
                }
            }
        }
    }

    fn perform(&mut self, entry: Entry) {
        match entry {
            Entry::Slot { owner } => self.begin_slot(usize::from(owner)),
            Entry::Arrival { owner, slot } => {
                if self.desks[usize::from(owner)].slot == slot {
                    self.expect_arrival(usize::from(owner));
                    self.create(owner);
                }
            }
            Entry::Ticket {
                ticket,
                step,
                token,
            } => {
                if self.tickets[ticket as usize].token == token {
                    self.live(ticket, step);
                }
            }
        }
    }

    fn enter(&mut self, at_ms: i64, entry: Entry) {
        self.entries += 1;
        self.agenda.push(Reverse((at_ms, self.entries, entry)));
    }

    /// Puts the ticket's one next step on the agenda; what was there before is void.
    pub(super) fn plan(&mut self, ticket: u32, at_ms: i64, step: Step) {
        let token = self.void(ticket);
        self.enter(
            at_ms.max(self.now_ms),
            Entry::Ticket {
                ticket,
                step,
                token,
            },
        );
    }

    /// Voids what is planned for the ticket, and says by which token it is known from now on.
    pub(super) fn void(&mut self, ticket: u32) -> u16 {
        let ticket = &mut self.tickets[ticket as usize];
        ticket.token = ticket.token.wrapping_add(1);
        ticket.token
    }

    /// The ticket's place is free for another.
    pub(super) fn forget(&mut self, ticket: u32) {
        self.void(ticket);
        self.vacant.push(ticket);
    }

    pub(super) fn incident_at(&self, owner: usize) -> Option<&Incident> {
        let Owner { vendor, queue, .. } = self.owners[owner];
        let mut incidents = self.config.incident.iter().chain(&self.config.further);
        incidents.find(|incident| {
            incident.covers(self.now_ms)
                && incident.vendor == VENDORS[vendor].name
                && (incident.queue.is_empty() || incident.queue == queue)
        })
    }

    fn begin_slot(&mut self, owner: usize) {
        let Owner {
            vendor,
            share,
            handling_factor,
            ..
        } = self.owners[owner];
        let per_ms = self.config.tickets_per_day * share / DAY_MS as f64;
        let expected = per_ms * self.local[vendor].intensity(self.now_ms);
        let handling_ms = MEAN_HANDLING_MS * handling_factor;
        let load = expected * CONTACTS_PER_TICKET * handling_ms;
        let mut staff = agents_needed(load, handling_ms, PLANNED_WITHIN_MS, PLANNED_SHARE);
        // Plans are never met exactly.
        if staff > 4 && self.chance.happens(0.15) {
            staff -= staff / 12 + 1;
        }
        let mut rate = expected;
        if let Some(incident) = self.incident_at(owner) {
            staff = (f64::from(staff) * incident.staff_factor) as u16;
            rate *= incident.surge_factor;
        }
        let desk = &mut self.desks[owner];
        desk.rate_per_ms = rate;
        desk.slot += 1;
        desk.pool.set_staff(staff);
        self.expect_arrival(owner);
        self.serve_waiting(owner);
        let next_slot = (self.now_ms.div_euclid(SLOT_MS) + 1) * SLOT_MS;
        self.enter(next_slot, Entry::Slot { owner: owner as u8 });
    }

    /// Draws the next arrival; one beyond the present slot is drawn again there.
    fn expect_arrival(&mut self, owner: usize) {
        let wait = self.quantiles.exponential(&mut self.chance);
        let desk = &self.desks[owner];
        let at_ms = self.now_ms + (wait / desk.rate_per_ms).min(SLOT_MS as f64 * 2.0) as i64;
        if at_ms.div_euclid(SLOT_MS) == self.now_ms.div_euclid(SLOT_MS) {
            let slot = desk.slot;
            self.enter(
                at_ms,
                Entry::Arrival {
                    owner: owner as u8,
                    slot,
                },
            );
        }
    }

    fn create(&mut self, owner: u8) {
        self.created += 1;
        let queue = self.owners[usize::from(owner)].queue;
        let category = categories(queue)[self.chance.below(4) as usize];
        let ticket = Ticket {
            number: self.created,
            owner,
            priority: self.chance.weighted(&[0.05, 0.15, 0.60, 0.20]) as u8,
            ..Ticket::default()
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                let token = self.tickets[index as usize].token;
                self.tickets[index as usize] = Ticket { token, ..ticket };
                index
            }
            None => {
                self.tickets.push(ticket);
                (self.tickets.len() - 1) as u32
            }
        };
        let channel = self.chance.weighted(&[0.42, 0.13, 0.38, 0.07]);
        let spoken = channel < 2;
        let creation = Creation {
            channel: ["phone", "chat", "email", "web"][channel],
            category,
            requester: self.chance.below(200_000),
            region: ["apac", "emea", "amer"][self.chance.weighted(&[0.4, 0.3, 0.3])],
        };
        let details = Details {
            status: Some(if spoken { "open" } else { "new" }),
            priority: Some(super::life::PRIORITIES[usize::from(ticket.priority)]),
            creation: Some(creation),
            ..Details::default()
        };
        self.tell(index, "created", details);
        if spoken {
            self.offer(index);
        } else {
            self.plan_reply(index);
        }
    }

    /// Emits an event of the ticket, now.
    pub(super) fn tell(&mut self, index: u32, kind: &'static str, details: Details) {
        let ticket = &mut self.tickets[index as usize];
        ticket.sequence = ticket.sequence.saturating_add(1);
        let owner = &self.owners[usize::from(ticket.owner)];
        let subject = Subject {
            ticket: ticket.number,
            sequence: ticket.sequence,
            vendor: VENDORS[owner.vendor].name,
            queue: owner.queue,
        };
        let json = self.writer.event(kind, self.now_ms, &subject, &details);
        let mut key = Vec::with_capacity(12);
        ticket_id(&mut key, subject.ticket);
        let key = String::from_utf8_lossy(&key).into_owned();
        let owner = usize::from(self.tickets[index as usize].owner);
        let silence = self.incident_at(owner).filter(|silence| silence.is_silent);
        let event = Event {
            kind,
            at_ms: self.now_ms,
            held_until_ms: silence.map(Incident::end_ms),
        };
        self.channel.send(&self.quantiles, event, key, json);
    }
}
