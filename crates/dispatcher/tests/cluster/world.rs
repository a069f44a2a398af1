//! The receivers: one process's queues, and what the people behind them believe.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use slawatch_dispatcher::DispatcherConfig;
use slawatch_dispatcher::delivery::{Answer, LedgerId, Order};
use slawatch_dispatcher::kind::webhook::idempotency_key;
use slawatch_dispatcher::queue::{Item, Next, Queue};
use slawatch_dispatcher::receiver::{Outbox, Reported};
use slawatch_stream::{Clock, ConsumerEvent, LogReader, ManualClock, PollHandler, Record};
use slawatch_wire::Message;
use slawatch_wire::v1::{AlertState, Notification, NotificationBatch, NotificationState};

use slawatch_stream::faults::Dice;

use crate::REFUSED;

/// The receivers' queues of one process, which dies with it.
#[derive(Debug)]
pub struct Desk {
    pub clock: Arc<ManualClock>,
    pub inner: Mutex<DeskInner>,
}

#[derive(Debug)]
pub struct DeskInner {
    pub queues: Vec<Queue>,
    pub ledgers: BTreeMap<LedgerId, mpsc::Sender<Reported>>,
}

impl Desk {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.clock.steady_ms()).unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, DeskInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the requests that are due.
    pub fn pump(&self, world: &mut World, dice: &mut Dice) {
        let mut inner = self.lock();
        let DeskInner { queues, ledgers } = &mut *inner;
        for (number, queue) in queues.iter_mut().enumerate() {
            for _ in 0..dice.roll(4) {
                let Next::Send(request) = queue.next(self.now_ms()) else {
                    break;
                };
                let answer = world.answer(number, &request.items, dice);
                queue.finish(request.number, answer, self.now_ms());
            }
            while let Some(report) = queue.next_report() {
                if let Some(ledger) = ledgers.get(&report.address.ledger) {
                    ledger.send((number, report)).unwrap();
                }
            }
        }
    }
}

impl Outbox for Desk {
    fn join(&self, ledger: LedgerId, reports: &mpsc::Sender<Reported>) {
        self.lock().ledgers.insert(ledger, reports.clone());
    }

    fn order(&self, number: usize, order: Order) {
        self.lock().queues[number].order(order, self.now_ms());
    }

    fn forget(&self, ledger: LedgerId) {
        let mut inner = self.lock();
        inner.ledgers.remove(&ledger);
        inner
            .queues
            .iter_mut()
            .for_each(|queue| queue.forget(ledger));
    }

    fn is_watched(&self) -> bool {
        false
    }

    fn beat(&self, _: LedgerId, _: bool) {}
}

/// Receiver, key, incident, state, revision, and which repetition.
pub type Intent = (String, String, String, AlertState, u64, u32);

/// What the receivers believe.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub notifications: Box<dyn LogReader>,
    pub intents: BTreeSet<Intent>,
    /// The receivers' names; the first is an Alertmanager.
    pub names: Vec<String>,
    pub down: Vec<bool>,
    /// What was recorded, what replaced dispatchers wrote left out.
    pub recorded: Recorded,
    /// Until when the Alertmanager takes a key for firing.
    pub shown_until_ms: BTreeMap<String, i64>,
    /// By the receiver's number, key and incident.
    pub incidents: BTreeMap<(usize, String, String), Incident>,
    /// The incidents of which the Alertmanager was told.
    pub shown: BTreeSet<(String, String)>,
    pub keys_seen: BTreeSet<(usize, String)>,
    pub requests: u64,
    pub repeats: u64,
    pub outdated: u64,
}

#[derive(Default)]
pub struct Incident {
    pub revision: u64,
    pub firing: bool,
    pub acknowledged: bool,
    pub pages: u32,
}

/// All of `slawatch.notifications`, by partition in the order of the log.
#[derive(Default)]
pub struct Recorded {
    epochs: BTreeMap<u32, u64>,
    pub all: Vec<Notification>,
}

impl World {
    pub fn new(
        clock: Arc<ManualClock>,
        notifications: Box<dyn LogReader>,
        config: &DispatcherConfig,
    ) -> Self {
        let receivers = config.receivers.iter();
        Self {
            clock,
            notifications,
            intents: BTreeSet::new(),
            names: receivers.map(|receiver| receiver.name.clone()).collect(),
            down: vec![false; config.receivers.len()],
            recorded: Recorded::default(),
            shown_until_ms: BTreeMap::new(),
            incidents: BTreeMap::new(),
            shown: BTreeSet::new(),
            keys_seen: BTreeSet::new(),
            requests: 0,
            repeats: 0,
            outdated: 0,
        }
    }

    pub fn answer(&mut self, number: usize, items: &[Item], dice: &mut Dice) -> Answer {
        self.requests += 1;
        let retry = |maybe_delivered| Answer::Trouble {
            detail: "down".into(),
            retry_after_ms: None,
            maybe_delivered,
        };
        if self.down[number] && dice.one_in(2) {
            return retry(false);
        }
        let refused = self.names[number] == "hook" && items[0].delivery.transition.key == REFUSED;
        if refused && !self.down[number] {
            return Answer::Refused {
                detail: "404".into(),
            };
        }
        if !refused {
            self.take(number, items);
        }
        if self.down[number] {
            retry(true)
        } else {
            Answer::taken("200 OK")
        }
    }

    fn take(&mut self, number: usize, items: &[Item]) {
        self.read_intents();
        for item in items {
            let intent = &item.delivery.intent;
            let key = &item.delivery.transition.key;
            let written = (
                self.names[number].clone(),
                key.clone(),
                intent.incident.clone(),
                intent.state,
                intent.revision,
                intent.repeat,
            );
            assert!(
                self.intents.contains(&written),
                "sent without an intent: {written:?}"
            );
            if number == 0 {
                let now_ms = self.clock.wall_ms();
                assert_ne!(intent.state, AlertState::Acknowledged);
                let firing = intent.state == AlertState::Firing;
                let ends_ms = if firing {
                    now_ms + 240_000
                } else {
                    now_ms - item.over_for_ms
                };
                self.shown_until_ms.insert(key.clone(), ends_ms);
                self.shown.insert((key.clone(), intent.incident.clone()));
                continue;
            }
            let seen = (number, idempotency_key(key, intent));
            if !self.keys_seen.insert(seen) {
                self.repeats += 1;
                continue;
            }
            let incident = self
                .incidents
                .entry((number, key.clone(), intent.incident.clone()))
                .or_default();
            if intent.revision < incident.revision {
                // From an owner that was replaced; receivers keep what has the highest revision.
                self.outdated += 1;
                continue;
            }
            incident.revision = intent.revision;
            incident.acknowledged = intent.state == AlertState::Acknowledged;
            incident.firing = intent.state == AlertState::Firing || incident.acknowledged;
            incident.pages += u32::from(intent.state == AlertState::Firing);
        }
    }

    pub fn read_intents(&mut self) {
        let mut pages = Pages {
            intents: &mut self.intents,
            recorded: &mut self.recorded,
        };
        while self
            .notifications
            .poll(Duration::ZERO, 1000, &mut pages)
            .unwrap()
            > 0
        {}
    }
}

struct Pages<'a> {
    intents: &'a mut BTreeSet<Intent>,
    recorded: &'a mut Recorded,
}

impl PollHandler for Pages<'_> {
    fn record(&mut self, record: &Record<'_>) {
        let batch = NotificationBatch::decode(record.value.unwrap()).unwrap();
        let epoch = self.recorded.epochs.entry(record.partition).or_default();
        let replaced = batch.epoch < *epoch;
        *epoch = batch.epoch.max(*epoch);
        for one in batch.notifications {
            if one.state() == NotificationState::Intent {
                let told = one.clone();
                let (state, revision, repeat) = (one.alert_state(), one.revision, one.repeat);
                self.intents.insert((
                    told.receiver,
                    told.key,
                    told.incident,
                    state,
                    revision,
                    repeat,
                ));
            }
            if !replaced && one.state() != NotificationState::Takeover {
                self.recorded.all.push(one);
            }
        }
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}
