//! One receiver's outstanding deliveries: which request goes out next and when, and what an answer means.
//!
//! Pure: instants (of a clock that never goes back) and answers come in, requests and reports go out. Of each subject only the newest state is kept, so a
//! receiver that is down for days costs no more than what is true meanwhile.

mod answers;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use slawatch_wire::v1::AlertTransition;

use crate::backoff::Backoff;
use crate::config::ReceiverConfig;
use crate::delivery::{
    Address, Delivery, DeliveryEnd, LedgerId, Order, Report, is_over, state_word,
};

/// Most alerts in one request to an Alertmanager.
const MAX_BATCH: usize = 200;
/// Most alerts in one message to people.
const MAX_GROUP: usize = 50;
/// How often a receiver that is told again and again is offered what it refused: its configuration may be mended.
const REFUSED_AGAIN_MS: i64 = 5 * 60_000;
/// How long an end is repeated to an Alertmanager that may have been restarted meanwhile (Prometheus does the same).
const REPEAT_END_MS: i64 = 15 * 60_000;
/// No receiver may ask for more silence than this: a page that waits for a day is of no use.
const MAX_RETRY_AFTER_MS: i64 = 10 * 60_000;

/// How a receiver wants its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Many alerts in a request, repeated as long as they hold.
    Repeated { interval_ms: i64 },
    /// One request an alert or, where several can be shown at once, a group; several at once while all is well.
    Single { concurrency: usize, several: bool },
}

/// One alert in a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is told.
    pub delivery: Delivery,
    /// How long ago its end was told, if that is only repeated; otherwise 0.
    pub over_for_ms: i64,
    /// It was told before.
    pub repeated: bool,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// A request to be made now.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// For [`Queue::finish`].
    pub number: u64,
    /// What to tell; one item unless the receiver takes many.
    pub items: Vec<Item>,
}

/// What to do next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// Make this request, then ask again.
    Send(Request),
    /// Nothing before that instant, unless an order or an answer comes.
    Wait {
        /// `None`: nothing at all is planned.
        until_ms: Option<i64>,
    },
}

#[derive(Clone, Debug)]
struct Waiting {
    delivery: Delivery,
    attempts: u32,
    not_before_ms: i64,
    turn: u64,
    /// The request that told it first along with others: they are told together again.
    company: Option<u64>,
    /// It was refused by itself and that is recorded: offered again now and then, in no company.
    refused: bool,
}

impl Waiting {
    /// Both belong into one message. What was tried in one stays in one, so that a repetition is known as such.
    fn goes_with(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.delivery, &other.delivery);
        mine.address == theirs.address
            || (mine.group.is_some()
                && mine.group == theirs.group
                && self.company == other.company
                && self.attempts == other.attempts)
    }
}

#[derive(Clone, Debug)]
struct Standing {
    delivery: Delivery,
    ended_at_ms: Option<i64>,
    repeat_at_ms: i64,
}

#[derive(Debug)]
struct UnderWay {
    told: Vec<Waiting>,
    repeated: Vec<Address>,
    at_ms: i64,
}

/// See the module.
#[derive(Debug)]
pub struct Queue {
    shape: Shape,
    backoff: Backoff,
    waiting: BTreeMap<Address, Waiting>,
    under_way: BTreeMap<u64, UnderWay>,
    /// Most alerts in the next request: halved when one is refused, doubled when one is taken, so that it is found out
    /// which alert it is that is refused, or how large a request may be.
    batch_limit: usize,
    busy: BTreeSet<Address>,
    standing: BTreeMap<Address, Standing>,
    failures: u32,
    gate_ms: i64,
    turns: u64,
    requests: u64,
    reports: VecDeque<Report>,
}

impl Queue {
    /// An empty queue. `seed` spreads retries.
    pub fn new(config: &ReceiverConfig, seed: u64) -> Self {
        let interval_ms = as_ms(config.repost_interval());
        let shape = if config.kind.shows().repeated {
            Shape::Repeated { interval_ms }
        } else {
            Shape::Single {
                concurrency: config.concurrency(),
                several: config.kind.shows().several,
            }
        };
        Self {
            shape,
            backoff: Backoff::new(config.retry_min, config.retry_max, seed),
            waiting: BTreeMap::new(),
            under_way: BTreeMap::new(),
            batch_limit: MAX_BATCH,
            busy: BTreeSet::new(),
            standing: BTreeMap::new(),
            failures: 0,
            gate_ms: i64::MIN,
            turns: 0,
            requests: 0,
            reports: VecDeque::new(),
        }
    }

    /// Takes in an order.
    pub fn order(&mut self, order: Order, now_ms: i64) {
        match order {
            Order::Deliver(delivery) => self.deliver(delivery, now_ms),
            Order::Keep(delivery) => self.keep(delivery, None, now_ms),
            Order::Refresh(delivery) => self.refresh(&delivery),
        }
    }

    /// The ledger's partition has another owner now, who sends what is left; a request under way may still arrive.
    pub fn forget(&mut self, ledger: LedgerId) {
        self.waiting.retain(|address, _| address.ledger != ledger);
        self.standing.retain(|address, _| address.ledger != ledger);
        self.busy.retain(|address| address.ledger != ledger);
        self.reports
            .retain(|report| report.address.ledger != ledger);
        for request in self.under_way.values_mut() {
            request
                .told
                .retain(|entry| entry.delivery.address.ledger != ledger);
            request.repeated.retain(|address| address.ledger != ledger);
        }
    }

    /// The next intent that is done with, in the order of the ends.
    pub fn next_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// How many states wait to be told, those under way included; what was refused is not.
    pub fn outstanding(&self) -> usize {
        let under_way = self.under_way.values().flat_map(|request| &request.told);
        let all = self.waiting.values().chain(under_way);
        all.filter(|entry| !entry.refused).count()
    }

    /// How many requests in a row failed.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn deliver(&mut self, mut delivery: Delivery, now_ms: i64) {
        let over = is_over(delivery.intent.state);
        // Nothing that was said before may be repeated over the newer state.
        self.standing.remove(&delivery.address);
        let under_way = self.told_by_request_under_way(&delivery.address);
        let busy = under_way.is_some();
        // What this queue saw goes before what the ledger must assume; a request under way adds its own end later.
        if let Some(open) = under_way {
            delivery.may_be_open = open;
        }
        if let Some(old) = self.waiting.remove(&delivery.address) {
            delivery.is_called(&old.delivery.reference);
            let known = old.delivery.may_be_open;
            let firing = !is_over(old.delivery.intent.state);
            if over && firing && !known && !busy {
                let why = if old.refused {
                    "what it would end was refused"
                } else {
                    "it was over before it was sent"
                };
                self.supersede(&old, why.to_owned());
                let end = self.entry(delivery, now_ms);
                self.suppress(&end, why.to_owned());
                return;
            }
            self.supersede(
                &old,
                format!(
                    "superseded: {} at revision {}",
                    state_word(delivery.intent.state),
                    delivery.intent.revision
                ),
            );
            delivery.may_be_open = known;
        } else if over && !busy && !delivery.may_be_open {
            let end = self.entry(delivery, now_ms);
            self.suppress(&end, "the receiver was never told that it fired".to_owned());
            return;
        }
        let entry = self.entry(delivery, now_ms);
        self.waiting.insert(entry.delivery.address.clone(), entry);
    }

    /// Whether the receiver may have had something of it open before the request that is under way, if there is one.
    fn told_by_request_under_way(&self, address: &Address) -> Option<bool> {
        if !self.busy.contains(address) {
            return None;
        }
        let mut told = self.under_way.values().flat_map(|request| &request.told);
        told.find(|entry| entry.delivery.address == *address)
            .map(|entry| entry.delivery.may_be_open)
    }

    fn entry(&mut self, delivery: Delivery, now_ms: i64) -> Waiting {
        self.turns += 1;
        Waiting {
            delivery,
            attempts: 0,
            not_before_ms: now_ms,
            turn: self.turns,
            company: None,
            refused: false,
        }
    }

    /// A state that is told no more; of one that was refused its end is recorded already.
    fn supersede(&mut self, entry: &Waiting, reason: String) {
        if !entry.refused {
            self.suppress(entry, reason);
        }
    }

    fn suppress(&mut self, entry: &Waiting, reason: String) {
        self.report(entry, DeliveryEnd::Suppressed, reason);
    }

    fn report(&mut self, entry: &Waiting, end: DeliveryEnd, detail: String) {
        self.report_as(entry, end, detail, String::new());
    }

    fn report_as(&mut self, entry: &Waiting, end: DeliveryEnd, detail: String, reference: String) {
        self.reports.push_back(Report {
            address: entry.delivery.address.clone(),
            intent: entry.delivery.intent.clone(),
            attempts: entry.attempts,
            end,
            detail,
            reference,
        });
    }

    fn keep(&mut self, delivery: Delivery, ended_at_ms: Option<i64>, repeat_at_ms: i64) {
        match self.shape {
            Shape::Repeated { .. } => {
                let address = delivery.address.clone();
                self.standing.insert(
                    address,
                    Standing {
                        delivery,
                        ended_at_ms,
                        repeat_at_ms,
                    },
                );
            }
            Shape::Single { .. } => {}
        }
    }

    fn refresh(&mut self, fresh: &Delivery) {
        let replace = |old: &mut Arc<AlertTransition>| *old = Arc::clone(&fresh.transition);
        if let Some(entry) = self.waiting.get_mut(&fresh.address)
            && entry.delivery.intent == fresh.intent
        {
            replace(&mut entry.delivery.transition);
        }
        if let Some(standing) = self.standing.get_mut(&fresh.address)
            && standing.ended_at_ms.is_none()
        {
            replace(&mut standing.delivery.transition);
        }
        for request in self.under_way.values_mut() {
            for entry in &mut request.told {
                if entry.delivery.address == fresh.address && entry.delivery.intent == fresh.intent
                {
                    replace(&mut entry.delivery.transition);
                }
            }
        }
    }

    /// What to do at this instant.
    pub fn next(&mut self, now_ms: i64) -> Next {
        let limit = match self.shape {
            // After a failure one request at a time finds out whether the receiver is back.
            Shape::Single { concurrency, .. } if self.failures == 0 => concurrency,
            Shape::Single { .. } | Shape::Repeated { .. } => 1,
        };
        if self.under_way.len() >= limit {
            return Next::Wait { until_ms: None };
        }
        self.drop_old_ends(now_ms);
        let Some(planned_ms) = self.planned_ms() else {
            return Next::Wait { until_ms: None };
        };
        let planned_ms = planned_ms.max(self.gate_ms);
        if planned_ms > now_ms {
            return Next::Wait {
                until_ms: Some(planned_ms),
            };
        }
        Next::Send(self.take(now_ms))
    }

    fn drop_old_ends(&mut self, now_ms: i64) {
        self.standing.retain(|_, standing| {
            standing
                .ended_at_ms
                .is_none_or(|ended_ms| now_ms - ended_ms < REPEAT_END_MS)
        });
    }

    /// The earliest instant at which something is to be said, the gate left aside.
    fn planned_ms(&self) -> Option<i64> {
        let waiting = self
            .waiting
            .iter()
            .filter(|(address, _)| !self.busy.contains(*address))
            .map(|(_, entry)| entry.not_before_ms);
        let standing = self.standing.values().map(|standing| standing.repeat_at_ms);
        waiting.chain(standing).min()
    }

    fn take(&mut self, now_ms: i64) -> Request {
        let addresses = self.choose(now_ms);
        let mut told = Vec::new();
        for address in addresses {
            if let Some(mut entry) = self.waiting.remove(&address) {
                entry.attempts += 1;
                self.busy.insert(address);
                told.push(entry);
            }
        }
        if told.len() > 1 {
            for entry in &mut told {
                entry.company.get_or_insert(self.requests + 1);
            }
        }
        let mut items: Vec<Item> = told
            .iter()
            .map(|entry| Item {
                delivery: entry.delivery.clone(),
                over_for_ms: 0,
                repeated: false,
                attempt: entry.attempts,
            })
            .collect();
        let mut repeated = Vec::new();
        if let Shape::Repeated { interval_ms } = self.shape
            && !told.iter().any(|entry| entry.refused)
        {
            self.take_repeats(now_ms, interval_ms, &mut items, &mut repeated);
        }
        self.requests += 1;
        self.under_way.insert(
            self.requests,
            UnderWay {
                told,
                repeated,
                at_ms: now_ms,
            },
        );
        Request {
            number: self.requests,
            items,
        }
    }

    /// Those tried least often come first, so that one that always fails does not stand in the way of the others.
    fn choose(&self, now_ms: i64) -> Vec<Address> {
        let mut ready: Vec<&Waiting> = self
            .waiting
            .values()
            .filter(|entry| {
                entry.not_before_ms <= now_ms && !self.busy.contains(&entry.delivery.address)
            })
            .collect();
        ready.sort_by_key(|entry| (entry.attempts, entry.turn));
        let limit = match self.shape {
            Shape::Single { several: false, .. } => 1,
            Shape::Single { several: true, .. } => {
                if let Some(first) = ready.first().copied() {
                    ready.retain(|entry| first.goes_with(entry));
                }
                self.batch_limit.min(MAX_GROUP)
            }
            Shape::Repeated { .. } if ready.first().is_some_and(|entry| entry.refused) => 1,
            Shape::Repeated { .. } => {
                ready.retain(|entry| !entry.refused);
                self.batch_limit
            }
        };
        ready
            .iter()
            .take(limit)
            .map(|entry| entry.delivery.address.clone())
            .collect()
    }

    fn take_repeats(
        &mut self,
        now_ms: i64,
        interval_ms: i64,
        items: &mut Vec<Item>,
        repeated: &mut Vec<Address>,
    ) {
        if !self
            .standing
            .values()
            .any(|standing| standing.repeat_at_ms <= now_ms)
        {
            return;
        }
        // What is nearly due goes along, so that the repetitions of many alerts share their requests.
        let soon_ms = now_ms + interval_ms / 4;
        for (address, standing) in &mut self.standing {
            if items.len() >= self.batch_limit {
                break;
            }
            let told_anew = items.iter().any(|item| item.delivery.address == *address);
            if told_anew || standing.repeat_at_ms > soon_ms {
                continue;
            }
            standing.repeat_at_ms = now_ms + interval_ms;
            repeated.push(address.clone());
            items.push(Item {
                delivery: standing.delivery.clone(),
                over_for_ms: standing.ended_at_ms.map_or(0, |ended_ms| now_ms - ended_ms),
                repeated: true,
                attempt: 1,
            });
        }
    }
}

fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
