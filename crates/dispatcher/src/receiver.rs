//! One asynchronous task a receiver: it takes orders, makes the requests its [`Queue`] asks for and reports the ends.
//!
//! Receivers share nothing, so one that hangs or fails keeps no other waiting.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use slawatch_stream::Clock;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};
use tokio::time::sleep;

use crate::config::{DispatcherConfig, ReceiverConfig};
use crate::delivery::{Answer, LedgerId, Order, Report};
use crate::error::DispatcherError;
use crate::kind::Receiver;
use crate::links::Links;
use crate::metrics as names;
use crate::queue::{Item, Next, Queue, Request};
use crate::watchdog::{self, Heart, Pulse};

/// A report and the number of the receiver it comes from.
pub type Reported = (usize, Report);

/// Where a ledger's orders go. None of these calls waits.
pub trait Outbox: Send + Sync + fmt::Debug {
    /// Reports on this ledger's deliveries go to `reports`.
    fn join(&self, ledger: LedgerId, reports: &blocking::Sender<Reported>);
    /// Hands an order to receiver `number` (in the order of the configuration).
    fn order(&self, number: usize, order: Order);
    /// Drops everything of this ledger.
    fn forget(&self, ledger: LedgerId);
    /// Whether anybody asks for signs of life.
    fn is_watched(&self) -> bool;
    /// The ledger's owner is alive; whether it also has caught up with the alerts and speaks.
    fn beat(&self, ledger: LedgerId, is_well: bool);
}

/// The running receivers of this process. Cheap to clone; they end when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Receivers {
    commands: Arc<[mpsc::UnboundedSender<Command>]>,
    watched: bool,
    pulse: Pulse,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
enum Command {
    Join {
        ledger: LedgerId,
        reports: blocking::Sender<Reported>,
    },
    Order(Order),
    Forget {
        ledger: LedgerId,
    },
}

impl Receivers {
    /// Starts a task for each configured receiver. `clock` is the real one: its wall time goes into requests.
    ///
    /// # Errors
    /// If the configuration cannot work; nothing runs then.
    pub fn start(
        config: &DispatcherConfig,
        clock: &Arc<dyn Clock>,
        runtime: &Handle,
    ) -> Result<Self, DispatcherError> {
        config.check()?;
        let links = Arc::new(Links::new(config)?);
        let all = config.receivers.iter();
        let made: Result<Vec<_>, _> = all.map(|one| Receiver::new(one, &links)).collect();
        let pulse = Pulse::default();
        let mut commands = Vec::new();
        for (number, (told, receiver)) in made?.into_iter().zip(&config.receivers).enumerate() {
            let (sender, inbox) = mpsc::unbounded_channel();
            let heart = Heart::of(receiver, config.watchdog.as_ref(), &pulse);
            let task = Task::new(number, told, receiver, heart, Arc::clone(clock));
            drop(runtime.spawn(task.run(inbox)));
            commands.push(sender);
        }
        Ok(Self {
            commands: commands.into(),
            watched: config.watchdog.is_some(),
            pulse,
            clock: Arc::clone(clock),
        })
    }
}

impl Outbox for Receivers {
    fn join(&self, ledger: LedgerId, reports: &blocking::Sender<Reported>) {
        for receiver in self.commands.iter() {
            let reports = reports.clone();
            tell(receiver, Command::Join { ledger, reports });
        }
    }

    fn order(&self, number: usize, order: Order) {
        if let Some(receiver) = self.commands.get(number) {
            tell(receiver, Command::Order(order));
        }
    }

    fn is_watched(&self) -> bool {
        self.watched
    }

    fn beat(&self, ledger: LedgerId, is_well: bool) {
        self.pulse.beat(ledger, is_well, self.clock.steady_ms());
    }

    fn forget(&self, ledger: LedgerId) {
        self.pulse.forget(ledger);
        for receiver in self.commands.iter() {
            tell(receiver, Command::Forget { ledger });
        }
    }
}

/// A task ends with the runtime, at the end of the process, or by a defect. What it did not send has no result and is sent
/// by the next owner.
fn tell(receiver: &mpsc::UnboundedSender<Command>, command: Command) {
    if receiver.send(command).is_err() {
        tracing::error!(
            "a receiver's task has ended; what it was to send stays without result until the next takeover"
        );
    }
}

struct Task {
    number: usize,
    name: String,
    receiver: Arc<Receiver>,
    queue: Queue,
    heart: Option<Heart>,
    clock: Arc<dyn Clock>,
    ledgers: BTreeMap<LedgerId, blocking::Sender<Reported>>,
    requests: JoinSet<Answer>,
    under_way: BTreeMap<Id, Request>,
}

impl Task {
    fn new(
        number: usize,
        receiver: Receiver,
        config: &ReceiverConfig,
        heart: Option<Heart>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // Any seed does, as long as processes and receivers differ.
        let seed = clock
            .wall_ms()
            .unsigned_abs()
            .wrapping_mul(31)
            .wrapping_add(number as u64);
        Self {
            number,
            name: config.name.clone(),
            receiver: Arc::new(receiver),
            queue: Queue::new(config, seed),
            heart,
            clock,
            ledgers: BTreeMap::new(),
            requests: JoinSet::new(),
            under_way: BTreeMap::new(),
        }
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        loop {
            self.hand_out_reports();
            let heart_pause = self.let_heart_beat();
            let pause = match self.queue.next(self.steady_ms()) {
                Next::Send(request) => {
                    self.begin(request);
                    continue;
                }
                Next::Wait { until_ms } => until_ms.map(|until_ms| self.until(until_ms)),
            };
            let pause = pause.into_iter().chain(heart_pause).min();
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => {
                        self.obey(command);
                        // All at once, so that of many states only the newest is sent.
                        while let Ok(command) = inbox.try_recv() {
                            self.obey(command);
                        }
                    }
                    None => return,
                },
                Some(done) = self.requests.join_next_with_id() => {
                    let (id, answer) = done.unwrap_or_else(|failed| (failed.id(), broken()));
                    self.end(id, answer);
                }
                () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    /// Sends the watchdog's message if its time has come, beside all other requests, and says how long until the next.
    fn let_heart_beat(&mut self) -> Option<Duration> {
        let (steady_ms, wall_ms) = (self.clock.steady_ms(), self.clock.wall_ms());
        let heart = self.heart.as_mut()?;
        if let Some(item) = heart.due(steady_ms, wall_ms) {
            let (receiver, name) = (Arc::clone(&self.receiver), self.name.clone());
            drop(tokio::spawn(async move {
                watchdog::send(&receiver, &name, item, wall_ms).await;
            }));
        }
        Some(heart.pause(steady_ms))
    }

    fn steady_ms(&self) -> i64 {
        i64::try_from(self.clock.steady_ms()).unwrap_or(i64::MAX)
    }

    fn until(&self, until_ms: i64) -> Duration {
        Duration::from_millis(u64::try_from(until_ms - self.steady_ms()).unwrap_or(0))
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join { ledger, reports } => {
                self.ledgers.insert(ledger, reports);
            }
            Command::Order(order) => self.queue.order(order, self.steady_ms()),
            Command::Forget { ledger } => {
                self.ledgers.remove(&ledger);
                self.queue.forget(ledger);
            }
        }
    }

    fn begin(&mut self, request: Request) {
        let receiver = Arc::clone(&self.receiver);
        let items = request.items.clone();
        let now_ms = self.clock.wall_ms();
        let task = self
            .requests
            .spawn(async move { receiver.send(&items, now_ms).await });
        self.under_way.insert(task.id(), request);
    }

    fn end(&mut self, id: Id, answer: Answer) {
        let Some(request) = self.under_way.remove(&id) else {
            return;
        };
        self.observe(&request.items, &answer);
        self.queue.finish(request.number, answer, self.steady_ms());
        gauge!(names::FAILURES.name, "receiver" => self.name.clone())
            .set(f64::from(self.queue.failures()));
    }

    fn observe(&self, items: &[Item], answer: &Answer) {
        let word = match answer {
            Answer::Taken { .. } => {
                let now_ms = self.clock.wall_ms();
                for item in items.iter().filter(|item| !item.repeated) {
                    let delay_ms = now_ms.saturating_sub(item.delivery.transition.at_ms).max(0);
                    histogram!(names::DELAY.name, "receiver" => self.name.clone())
                        .record(delay_ms as f64 / 1000.0);
                }
                "taken"
            }
            Answer::Refused { detail } if items.len() > 1 => {
                tracing::warn!(receiver = %self.name, alerts = items.len(), answer = %detail, "a receiver refused a request; it is made again in smaller ones");
                "split"
            }
            Answer::Refused { detail } => {
                tracing::error!(receiver = %self.name, alerts = items.len(), answer = %detail, "a receiver refused a request");
                "refused"
            }
            Answer::Trouble { detail, .. } => {
                let attempt = items.iter().map(|item| item.attempt).max().unwrap_or(0);
                tracing::warn!(receiver = %self.name, attempt, answer = %detail, "a request failed and is made again");
                "trouble"
            }
        };
        counter!(names::REQUESTS.name, "receiver" => self.name.clone(), "answer" => word)
            .increment(1);
    }

    fn hand_out_reports(&mut self) {
        while let Some(report) = self.queue.next_report() {
            if let Some(ledger) = self.ledgers.get(&report.address.ledger)
                && ledger.send((self.number, report)).is_err()
            {
                tracing::debug!(receiver = %self.name, "a ledger is gone; its result is left to the next owner");
            }
        }
        gauge!(names::OUTSTANDING.name, "receiver" => self.name.clone())
            .set(self.queue.outstanding() as f64);
    }
}

fn broken() -> Answer {
    Answer::Trouble {
        detail: "the request's task broke off; this is a defect of slawatch".to_owned(),
        retry_after_ms: None,
        maybe_delivered: true,
    }
}
