//! A process of one role: the real one, wired as the program wires it, over a log, a store and a sink that fail on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slawatch::roles::evaluator::{EvaluatorFactory, EvaluatorSettings};
use slawatch::roles::tracker::{TrackerFactory, TrackerSettings};
use slawatch_dispatcher::queue::Queue;
use slawatch_dispatcher::{DispatcherConfig, DispatcherFactory};
use slawatch_evaluator::RuleSet;
use slawatch_event::DecodeOptions;
use slawatch_loader::model::MemoryTables;
use slawatch_loader::{Backoff, BatchOptions, IntakeOptions, LoaderWorker, WorkerOptions};
use slawatch_policy::PolicySets;
use slawatch_stream::faults::{Dice, Fault, FaultPlan, Faults, Operation, RandomFaults, Trouble};
use slawatch_stream::{
    Clock, Consumer, EndProbe, Log, LogReader, ManualClock, MemoryLog, MemorySession, MemoryStore,
    PartitionState, ProcessorFactory, Producer, StartAt, StreamError, TopicPartition, TopicSpec,
    Worker, WorkerConfig, WorkerParts,
};
use slawatch_tracker::Options;

use crate::world::{Desk, DeskInner, World};

/// Partitions of each of slawatch's own topics.
pub const PARTITIONS: u32 = 2;
const GENERATION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Tracker,
    Evaluator,
    Dispatcher,
    Loader,
}

impl Role {
    pub const ALL: [Self; 4] = [
        Self::Tracker,
        Self::Evaluator,
        Self::Dispatcher,
        Self::Loader,
    ];

    pub fn group(self) -> &'static str {
        match self {
            Self::Tracker => "slawatch-tracker",
            Self::Evaluator => "slawatch-evaluator",
            Self::Dispatcher => "slawatch-dispatcher",
            Self::Loader => "slawatch-loader",
        }
    }

    /// The topic that its workers read; the loader reads all.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Tracker | Self::Loader => "ticket-events",
            Self::Evaluator => "slawatch.signals",
            Self::Dispatcher => "slawatch.alerts",
        }
    }
}

/// What all processes of a cluster share.
#[derive(Debug)]
pub struct Site {
    pub log: MemoryLog,
    pub clock: Arc<ManualClock>,
    pub store: Arc<MemoryStore>,
    /// The store takes nothing any more.
    pub store_full: Arc<AtomicBool>,
    pub trouble: Trouble,
    pub tables: MemoryTables,
    pub sets: PolicySets,
    /// What processes that start now are configured with.
    pub rules: RuleSet,
    pub options: Options,
    pub receivers: DispatcherConfig,
    /// Go on behind what retention removed unread.
    pub accept_gap: bool,
}

impl Site {
    pub fn tracker_factory(&self) -> TrackerFactory {
        let settings = TrackerSettings {
            decode: DecodeOptions::default(),
            options: self.options.clone(),
            generation: GENERATION,
            signals_topic: "slawatch.signals".into(),
            signals_partitions: PARTITIONS,
            dead_letters_topic: "slawatch.dead-letters".into(),
            dead_letters_partitions: PARTITIONS,
        };
        TrackerFactory::new(self.sets.clone(), settings)
    }

    pub fn evaluator_factory(&self) -> EvaluatorFactory {
        let settings = EvaluatorSettings {
            alerts_topic: "slawatch.alerts".into(),
            alerts_partitions: PARTITIONS,
            behind_ms: 30_000,
        };
        EvaluatorFactory::new(self.rules.clone(), settings)
    }

    pub fn loader_options(&self, seed: u64) -> WorkerOptions {
        WorkerOptions {
            group: Role::Loader.group().to_owned(),
            intake: IntakeOptions {
                decode: DecodeOptions::default(),
                generation: GENERATION,
            },
            batches: BatchOptions {
                max_rows: 40,
                max_age_ms: 700,
                backoff: Backoff {
                    first_ms: 200,
                    max_ms: 3_000,
                    seed,
                },
                ..BatchOptions::default()
            },
            commit_interval_ms: 900,
            accept_gap: self.accept_gap,
            ..WorkerOptions::default()
        }
    }

    fn worker_config(&self, role: Role, name: &str) -> WorkerConfig {
        WorkerConfig {
            snapshot_folder: format!("generation-{GENERATION}/{name}"),
            max_poll_records: 20,
            flush_records: 5,
            flush_ms: 150,
            progress_ms: 1_000,
            commit_ms: 700,
            snapshot_ms: 12_000,
            keep_snapshots: 2,
            catch_up_ms: 4_000,
            hold_ms: 1_500,
            retry_ms: 1_500,
            max_unacknowledged_bytes: 20_000,
            accept_gap: self.accept_gap,
            ..WorkerConfig::new(name, role.group(), role.topic())
        }
    }
}

/// The log as one process sees it: its calls fail as its faults say, and it can be put out of its group.
#[derive(Debug)]
struct ProcessLog {
    log: MemoryLog,
    faults: Faults,
    session: Mutex<Option<MemorySession>>,
}

impl Log for ProcessLog {
    fn partitions(&self, topic: &str) -> Result<u32, StreamError> {
        self.log.partitions(topic)
    }

    fn create_topic(&self, spec: &TopicSpec) -> Result<(), StreamError> {
        self.log.create_topic(spec)
    }

    fn member(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, StreamError> {
        let consumer = self.log.join(group, topics);
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = consumer.session();
        Ok(self.faults.consumer(Box::new(consumer)))
    }

    fn reader(
        &self,
        partitions: &[TopicPartition],
        from: StartAt,
    ) -> Result<Box<dyn LogReader>, StreamError> {
        self.log.reader(partitions, from)
    }

    fn producer(&self) -> Result<Box<dyn Producer>, StreamError> {
        Ok(self.faults.producer(self.log.producer()?))
    }

    fn end_probe(&self, topic: &str) -> Result<Box<dyn EndProbe>, StreamError> {
        self.log.end_probe(topic)
    }
}

/// Random faults, and a store that is full while the whole site's is.
struct Plan {
    random: RandomFaults,
    store_full: Arc<AtomicBool>,
}

impl FaultPlan for Plan {
    fn next(&mut self, operation: Operation) -> Fault {
        let fault = self.random.next(operation);
        if operation == Operation::Store && self.store_full.load(Ordering::Relaxed) {
            return Fault::Fails;
        }
        fault
    }
}

enum Body {
    Tracker(Box<Worker<TrackerFactory>>),
    Evaluator(Box<Worker<EvaluatorFactory>>),
    Dispatcher(Box<Worker<DispatcherFactory>>, Arc<Desk>),
    Loader(Box<LoaderWorker>),
}

/// See the module.
pub struct Process {
    pub role: Role,
    pub faults: Faults,
    session: MemorySession,
    /// For so many turns it does nothing, as a process that is stopped or hangs.
    pub asleep: u32,
    /// It was sent its last signal and is not to be woken.
    pub dead: bool,
    body: Body,
}

impl Process {
    pub fn start(role: Role, site: &Site, dice: &mut Dice) -> Self {
        let faults = Faults::new(Plan {
            random: RandomFaults::new(Dice::new(dice.roll(u64::MAX)), site.trouble.clone()),
            store_full: Arc::clone(&site.store_full),
        });
        let log = Arc::new(ProcessLog {
            log: site.log.clone(),
            faults: faults.clone(),
            session: Mutex::new(None),
        });
        let body = match role {
            Role::Tracker => {
                let config = site.worker_config(role, "tracker");
                Body::Tracker(worker(site, &log, config, site.tracker_factory()))
            }
            Role::Evaluator => {
                let config = site.worker_config(role, "evaluator");
                Body::Evaluator(worker(site, &log, config, site.evaluator_factory()))
            }
            Role::Dispatcher => {
                let desk = desk(site, dice);
                let topics = slawatch_dispatcher::Topics::default();
                let factory = DispatcherFactory::new(
                    Arc::clone(&log) as Arc<dyn Log>,
                    topics,
                    &site.receivers,
                    Arc::clone(&desk) as _,
                );
                let config = site.worker_config(role, "dispatcher");
                Body::Dispatcher(worker(site, &log, config, factory.unwrap()), desk)
            }
            Role::Loader => {
                let sink = Box::new(site.tables.connect());
                let clock = Arc::clone(&site.clock) as Arc<dyn Clock>;
                let options = site.loader_options(dice.roll(u64::MAX));
                let loader = LoaderWorker::new(log.as_ref(), sink, clock, options).unwrap();
                Body::Loader(Box::new(loader))
            }
        };
        let session = log.session.lock().unwrap().clone().unwrap();
        Self {
            role,
            faults,
            session,
            asleep: 0,
            dead: false,
            body,
        }
    }

    /// One step of its loop. False if the process is at its end.
    pub fn step(&mut self) -> bool {
        let ended = match &mut self.body {
            Body::Tracker(worker) => worker.step(Duration::ZERO).is_err(),
            Body::Evaluator(worker) => worker.step(Duration::ZERO).is_err(),
            Body::Dispatcher(worker, _) => worker.step(Duration::ZERO).is_err(),
            Body::Loader(loader) => loader.step(Duration::ZERO).is_err(),
        };
        !ended && !self.faults.crashed()
    }

    /// What its receivers' tasks do meanwhile, also while the worker sleeps.
    pub fn deliver(&self, receivers: &mut World, dice: &mut Dice) {
        if let Body::Dispatcher(_, desk) = &self.body {
            desk.pump(receivers, dice);
        }
    }

    /// Ends it in good order, as far as that goes without waiting.
    pub fn close(self) {
        // What a failing farewell leaves undone the next owner does.
        let _ended = match self.body {
            Body::Tracker(worker) => worker.close(Duration::ZERO).is_ok(),
            Body::Evaluator(worker) => worker.close(Duration::ZERO).is_ok(),
            Body::Dispatcher(worker, _) => worker.close(Duration::ZERO).is_ok(),
            Body::Loader(mut loader) => loader.finish(0).is_ok(),
        };
    }

    /// Puts it out of its group, as the coordinator does with one that is silent for too long.
    pub fn expel(&self) {
        self.session.expire();
    }

    /// Partitions that stand still until a person acts, and why.
    pub fn stopped(&self) -> Vec<String> {
        let status = match &self.body {
            Body::Tracker(worker) => worker.status(),
            Body::Evaluator(worker) => worker.status(),
            Body::Dispatcher(worker, _) => worker.status(),
            Body::Loader(loader) => return loader.health().problems(),
        };
        let partitions = status.partitions().into_values();
        partitions
            .filter(|status| status.state == PartitionState::Stopped)
            .map(|status| status.note.unwrap_or_default())
            .collect()
    }
}

fn worker<F: ProcessorFactory>(
    site: &Site,
    log: &Arc<ProcessLog>,
    config: WorkerConfig,
    factory: F,
) -> Box<Worker<F>> {
    let clock = Arc::clone(&site.clock) as Arc<dyn Clock>;
    let mut parts = WorkerParts::open(
        log.as_ref(),
        &config,
        Arc::clone(&site.store) as _,
        clock,
        Arc::new(factory),
    )
    .unwrap();
    parts.store = log.faults.store(parts.store);
    Box::new(Worker::new(parts, config))
}

fn desk(site: &Site, dice: &mut Dice) -> Arc<Desk> {
    let receivers = site.receivers.receivers.iter();
    let queues = receivers.map(|receiver| Queue::new(receiver, dice.roll(1000)));
    let inner = DeskInner {
        queues: queues.collect(),
        ledgers: BTreeMap::new(),
    };
    Arc::new(Desk {
        clock: Arc::clone(&site.clock),
        inner: Mutex::new(inner),
    })
}
