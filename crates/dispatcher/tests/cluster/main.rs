//! Two workers, their receivers and an evaluator in one thread, disturbed by seed: crashes, rebalances, receivers that
//! are down, half-done requests, replaced evaluators. When all is calm again, every receiver must believe what is true,
//! nobody may have been paged twice for one incident, and nothing may have been sent without a durable intent.

#![allow(clippy::unwrap_used, unreachable_pub)]

mod evaluator;
mod people;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evaluator::{Cast, Evaluator};
use slawatch_dispatcher::queue::Queue;
use slawatch_dispatcher::{DispatcherConfig, DispatcherFactory, Topics};
use slawatch_stream::faults::Dice;
use slawatch_stream::{
    Clock, Log, ManualClock, MemoryLog, MemorySession, MemoryStore, StartAt, TopicPartition,
    TopicSpec, Worker, WorkerConfig, WorkerParts,
};
use slawatch_wire::v1::{AlertState, AlertTransition};
use world::{Desk, DeskInner, World};

const PARTITIONS: u32 = 2;
const KEYS: u64 = 6;
const HOUR_MS: i64 = 3_600_000;
const REFUSED: &str = "k3";
/// Once nothing is disturbed any more, sessions, sleepers and pauses are over after this long.
const SETTLED_MS: i64 = 120_000;
/// What fires for longer than this while all is calm must have been told.
const PROMPT_MS: i64 = 20_000;
const CONFIG: &str = r#"
    [[receiver]]
    name = "am"
    type = "alertmanager"
    url = "http://unused"
    [[receiver]]
    name = "hook"
    type = "webhook"
    url = "http://unused"
"#;

struct Process {
    worker: Worker<DispatcherFactory>,
    session: MemorySession,
    desk: Arc<Desk>,
    asleep: u64,
}

struct Cluster {
    dice: Dice,
    clock: Arc<ManualClock>,
    log: Arc<MemoryLog>,
    store: Arc<MemoryStore>,
    config: DispatcherConfig,
    evaluator: Evaluator,
    world: World,
    processes: Vec<Process>,
    crashes: u32,
    calm_from_ms: i64,
    /// Incidents that had to be told while all was calm.
    owed: usize,
}

fn worker_config() -> WorkerConfig {
    WorkerConfig {
        snapshot_ms: 20_000,
        commit_ms: 300,
        flush_ms: 20,
        ..WorkerConfig::new("dispatcher", "dispatcher", "slawatch.alerts")
    }
}

impl Cluster {
    fn new(seed: u64, config: &str, cast: Cast) -> Self {
        let config: DispatcherConfig = toml::from_str(config).unwrap();
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let log = Arc::new(MemoryLog::stepped(clock.clone()));
        for topic in ["slawatch.alerts", "slawatch.notifications"] {
            log.create_topic(&TopicSpec::new(topic, PARTITIONS))
                .unwrap();
        }
        let all: Vec<_> = (0..PARTITIONS)
            .map(|p| TopicPartition::new("slawatch.notifications", p))
            .collect();
        let notifications = log.reader(&all, StartAt::Beginning).unwrap();
        let mut world = World::new(clock.clone(), notifications, &config);
        // The first poll tells of the assignment, and of no record yet.
        world.read_intents();
        let mut cluster = Self {
            dice: Dice::new(seed),
            clock,
            log,
            store: Arc::new(MemoryStore::default()),
            config,
            evaluator: Evaluator {
                cast,
                epochs: [1; 2],
                ..Evaluator::default()
            },
            world,
            processes: Vec::new(),
            crashes: 0,
            calm_from_ms: i64::MAX,
            owed: 0,
        };
        cluster.processes = (0..2).map(|_| cluster.process()).collect();
        cluster
    }

    fn process(&mut self) -> Process {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let queues = self
            .config
            .receivers
            .iter()
            .map(|r| Queue::new(r, self.dice.roll(1000)));
        let inner = DeskInner {
            queues: queues.collect(),
            ledgers: BTreeMap::new(),
        };
        let desk = Arc::new(Desk {
            clock: self.clock.clone(),
            inner: Mutex::new(inner),
        });
        let log: Arc<dyn Log> = self.log.clone();
        let factory =
            DispatcherFactory::new(log, Topics::default(), &self.config, desk.clone()).unwrap();
        let consumer = self.log.join("dispatcher", &["slawatch.alerts"]);
        let session = consumer.session().unwrap();
        let parts = WorkerParts {
            consumer: Box::new(consumer),
            producer: self.log.producer().unwrap(),
            probe: self.log.end_probe("slawatch.alerts").unwrap(),
            store: self.store.clone(),
            clock,
            factory: Arc::new(factory),
            partitions: PARTITIONS,
        };
        Process {
            worker: Worker::new(parts, worker_config()),
            session,
            desk,
            asleep: 0,
        }
    }

    fn round(&mut self, pause_ms: u32) {
        self.clock.advance(pause_ms);
        for process in &mut self.processes {
            if process.asleep > 0 {
                process.asleep -= 1;
                // A receiver's task does not know that its worker is not heard of any more.
                if self.dice.one_in(2) {
                    process.desk.pump(&mut self.world, &mut self.dice);
                }
                continue;
            }
            process.worker.step(Duration::ZERO).unwrap();
            process.desk.pump(&mut self.world, &mut self.dice);
        }
    }

    fn disturb(&mut self) {
        let index = self.dice.roll(2) as usize;
        match self.dice.roll(60) {
            0 => {
                let fresh = self.process();
                self.processes[index].session.expire();
                self.processes[index] = fresh;
                self.crashes += 1;
            }
            1 => {
                self.processes[index].asleep = self.dice.roll(40);
                self.processes[index].session.expire();
            }
            2..8 => {
                let receiver = self.dice.roll(self.world.down.len() as u64) as usize;
                self.world.down[receiver] = !self.world.down[receiver];
            }
            _ => {}
        }
    }

    fn run(&mut self) {
        for _ in 0..600 {
            if self.dice.one_in(3) {
                self.evaluator
                    .speak(&self.log, self.clock.wall_ms(), &mut self.dice);
            }
            self.people_act(40);
            self.disturb();
            let pause_ms = 10 + self.dice.roll(1500);
            self.round(u32::try_from(pause_ms).unwrap());
        }
        self.world.down.fill(false);
        self.calm_from_ms = self.clock.wall_ms() + SETTLED_MS;
        for _ in 0..400 {
            if self.dice.one_in(8) {
                self.evaluator
                    .speak(&self.log, self.clock.wall_ms(), &mut self.dice);
            }
            self.people_act(60);
            self.round(1_000);
        }
        for _ in 0..600 {
            self.round(1_000);
        }
    }

    fn people_act(&mut self, seldom: u64) {
        if self.evaluator.cast == Cast::Families && self.dice.one_in(seldom) {
            self.evaluator
                .silence(&self.log, self.clock.wall_ms(), &mut self.dice);
        }
    }

    /// Told while it fired: what comes only with the end of the run is no page.
    fn check_promptness(&mut self, seed: u64) {
        for (id, (from_ms, to_ms)) in &self.evaluator.firing_ms {
            let alert = &self.evaluator.by_incident[id];
            let ends_ms = (*to_ms).min(self.clock.wall_ms());
            if *from_ms < self.calm_from_ms || ends_ms - from_ms < PROMPT_MS || is_stale(alert) {
                continue;
            }
            self.owed += 1;
            let context = format!("seed {seed}: {id:?} fired for {} ms", ends_ms - from_ms);
            assert!(
                self.world.shown.contains(id),
                "{context}: not at the Alertmanager"
            );
            let paged = self
                .world
                .incidents
                .get(&(1, id.0.clone(), id.1.clone()))
                .is_some_and(|told| told.pages == 1);
            assert!(paged || id.0 == REFUSED, "{context}: nobody was paged");
        }
    }

    fn check(&self, seed: u64) {
        let now_ms = self.clock.wall_ms();
        for ((key, incident), alert) in &self.evaluator.by_incident {
            let id = (1, key.clone(), incident.clone());
            let told = self.world.incidents.get(&id);
            let firing = alert.state() == AlertState::Firing;
            let context = format!("seed {seed}: {key} {incident} {:?}", alert.state());
            if is_stale(alert) || key == REFUSED {
                assert!(told.is_none(), "{context}: was sent");
            } else if firing {
                assert!(
                    told.is_some_and(|told| told.firing),
                    "{context}: is not known"
                );
            } else {
                assert!(
                    told.is_none_or(|told| !told.firing),
                    "{context}: its end is not known"
                );
            }
            assert!(
                told.is_none_or(|told| told.pages <= 1),
                "{context}: paged twice"
            );
        }
        for (_, key, incident) in self.world.incidents.keys() {
            assert_ne!(
                incident, "zombie",
                "seed {seed}: {key}: a replaced evaluator was believed"
            );
        }
        for (key, alert) in &self.evaluator.newest {
            let shown = self
                .world
                .shown_until_ms
                .get(key)
                .is_some_and(|until| *until > now_ms);
            let firing = alert.state() == AlertState::Firing;
            if !is_stale(alert) || !firing {
                assert_eq!(shown, firing, "seed {seed}: {key} at the Alertmanager");
            }
        }
    }
}

/// The verdict of a ticket that came too late.
fn is_stale(alert: &AlertTransition) -> bool {
    !alert.ticket_id.is_empty() && alert.fired_at_ms.unwrap_or(alert.at_ms) - alert.due_ms > HOUR_MS
}

#[test]
fn whatever_happens_receivers_end_up_believing_what_is_true() {
    let (mut crashes, mut requests, mut repeats, mut incidents, mut owed) = (0, 0, 0, 0, 0);
    for seed in 0..60 {
        let mut cluster = Cluster::new(seed, CONFIG, Cast::Strangers);
        cluster.run();
        cluster.check(seed);
        cluster.check_promptness(seed);
        owed += cluster.owed;
        crashes += cluster.crashes;
        requests += cluster.world.requests;
        repeats += cluster.world.repeats;
        incidents += cluster.world.incidents.len();
    }
    // The run was as rough as it means to be.
    assert!(
        crashes > 100 && requests > 10_000,
        "{crashes} crashes, {requests} requests"
    );
    assert!(
        repeats > 100 && incidents > 1_000,
        "{repeats} repeats, {incidents} incidents"
    );
    assert!(owed > 200, "{owed} pages were due while all was calm");
}
