//! The roles of one process at work: threads over a log, started together and ended in good order.

mod failures;
mod listening;
mod loader;
mod workers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use slawatch_board::{Board, BoardOptions, Zone};
use slawatch_dispatcher::{DispatcherFactory, Receivers};
use slawatch_evaluator::RuleSet;
use slawatch_event::Mapping;
use slawatch_health::{HttpServer, Probes, RoleHealth};
use slawatch_loader::{IntakeOptions, WorkerOptions};
use slawatch_policy::PolicySets;
use slawatch_stream::{Clock, Log, SnapshotStore, TimestampKind, TopicSpec, WorkerConfig};
use tokio::runtime::Runtime;

use crate::config::{Config, Role};
use crate::policies;
use crate::roles::evaluator::{EvaluatorFactory, EvaluatorSettings};
use crate::roles::tracker::{TrackerFactory, TrackerSettings};
use failures::Failures;
use loader::LoaderRunner;
use workers::{WorkerThreads, Workplace};

/// What the roles work with: real parts, or those of the demo.
pub struct World {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Snapshots.
    pub store: Arc<dyn SnapshotStore>,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Changes a worker's intervals. Nothing does in production.
    pub tune: fn(&mut WorkerConfig),
    /// How far behind the median a source is out.
    pub behind_ms: i64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// How far behind the median a source is out (DESIGN 2.7).
pub const BEHIND_MS: i64 = 30_000;

/// The largest record of slawatch's own topics: as large as its client sends, so that none fails for its size on the way.
const RECORD_BYTES: u32 = 16 << 20;

/// The generation of everything written: nothing recomputes the past yet beside what runs.
pub(crate) const GENERATION: u32 = 0;

/// How long before a further policy set takes effect it must be accepted, beside the time by which events may lie ahead
/// of their records: processes that know it start within that time, and clocks differ.
const POLICY_NOTICE_MS: i64 = 60_000;

/// How often it is looked whether threads have ended, and how many times: longer than a worker's farewell takes.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS_AT_THE_END: u32 = 1_250;

/// What files beside the configuration say.
#[derive(Clone, Debug)]
pub struct RuleBooks {
    /// What contracts ask for.
    pub sets: PolicySets,
    /// What is alerted.
    pub rules: RuleSet,
    /// How the source's records become events.
    pub mapping: Mapping,
}

/// A process's roles, running.
#[derive(Debug)]
pub struct Program {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    failures: Failures,
    board: Option<Board>,
    /// None where the board's server does it.
    server: Option<HttpServer>,
    probes: Probes,
    /// Dropped last: receivers and ClickHouse's requests run on it.
    _runtime: Runtime,
}

impl Program {
    /// Makes slawatch's own topics where they are missing and starts the roles that `config` names.
    ///
    /// # Errors
    /// If the input topic is missing, a topic has another shape, or a role cannot start.
    pub fn start(config: &Config, books: RuleBooks, world: World) -> anyhow::Result<Self> {
        let RuleBooks {
            sets,
            rules,
            mapping,
        } = books;
        make_topics(config, world.log.as_ref())?;
        let runtime = Runtime::new().context("cannot start the asynchronous runtime")?;
        let mut starting = Starting {
            config,
            world,
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
            health: Vec::new(),
            failures: Failures::default(),
        };
        for role in &config.roles {
            match role {
                Role::Tracker => starting.tracker(sets.clone(), &mapping)?,
                Role::Evaluator => starting.evaluator(rules.clone())?,
                Role::Dispatcher => starting.dispatcher(&runtime)?,
                Role::Loader => starting.loader(&runtime, &mapping)?,
                Role::Board => {}
            }
        }
        let board = config
            .roles
            .contains(&Role::Board)
            .then(|| starting.board())
            .transpose()?;
        let mut probes = starting.probes();
        probes.roles.extend(board.as_ref().map(Board::health));
        Ok(Self {
            server: listening::serve(config, board.is_some(), probes.clone())?,
            stop: starting.stop,
            threads: starting.threads,
            failures: starting.failures,
            board,
            probes,
            _runtime: runtime,
        })
    }

    /// Where the board listens.
    pub fn board_addr(&self) -> Option<SocketAddr> {
        self.board.as_ref().map(Board::local_addr)
    }

    /// Whether a role has failed for good; [`Program::stop`] says which and why.
    pub fn has_failed(&self) -> bool {
        let served = self
            .server
            .as_ref()
            .is_none_or(|server| !server.has_ended());
        self.failures.any() || !served || self.board.as_ref().is_some_and(Board::has_ended)
    }

    /// Why the process is not ready; empty if it is.
    pub fn not_ready(&self) -> Vec<String> {
        self.probes.not_ready()
    }

    /// Ends every role in good order: what was concluded is published, positions are committed, snapshots kept.
    ///
    /// # Errors
    /// The first failure of a role, if any.
    pub fn stop(self) -> anyhow::Result<()> {
        if !self.failures.any() && self.has_failed() {
            self.failures.tell(anyhow::anyhow!(
                "a thread of the board or of the health server ended by itself; the log before this line says why"
            ));
        }
        self.stop.store(true, Ordering::SeqCst);
        for _ in 0..LOOKS_AT_THE_END {
            if self.threads.iter().all(JoinHandle::is_finished) {
                break;
            }
            std::thread::park_timeout(LOOK);
        }
        let hanging: Vec<_> = self
            .threads
            .iter()
            .filter(|thread| !thread.is_finished())
            .collect();
        let names: Vec<_> = hanging
            .iter()
            .filter_map(|thread| thread.thread().name())
            .collect();
        if !names.is_empty() {
            self.failures.tell(anyhow::anyhow!(
                "{} did not end and is left behind; what it had not committed is done again by the next owner",
                names.join(", ")
            ));
        }
        self.failures.take().map_or(Ok(()), Err)
    }
}

fn make_topics(config: &Config, log: &dyn Log) -> anyhow::Result<()> {
    let topics = &config.topics;
    log.partitions(&topics.ticket_events)
        .context("the input topic cannot be used")?;
    if let Some(trouble) = log.timestamp_trouble(&topics.ticket_events) {
        anyhow::bail!(trouble);
    }
    let kept = &topics.retention;
    for (name, kept) in [
        (&topics.signals, kept.signals),
        (&topics.alerts, kept.alerts),
        (&topics.notifications, kept.notifications),
        (&topics.dead_letters, kept.dead_letters),
    ] {
        let spec = TopicSpec {
            replication: topics.replication,
            timestamps: TimestampKind::Create,
            retention_ms: Some(kept.as_ms().unsigned_abs()),
            max_record_bytes: RECORD_BYTES,
            ..TopicSpec::new(name.as_str(), topics.partitions)
        };
        log.create_topic(&spec)?;
    }
    Ok(())
}

/// A program half started.
struct Starting<'a> {
    config: &'a Config,
    world: World,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    health: Vec<RoleHealth>,
    failures: Failures,
}

impl Starting<'_> {
    fn tracker(&mut self, sets: PolicySets, mapping: &Mapping) -> anyhow::Result<()> {
        let topics = &self.config.topics;
        let tracker = &self.config.tracker;
        policies::accept(
            self.world.store.as_ref(),
            &sets,
            self.world.clock.wall_ms(),
            tracker.max_future_skew.as_ms() + POLICY_NOTICE_MS,
        )?;
        let settings = TrackerSettings {
            decode: tracker.decode(mapping),
            options: tracker.options(),
            generation: GENERATION,
            signals_topic: topics.signals.as_str().into(),
            signals_partitions: topics.partitions,
            dead_letters_topic: topics.dead_letters.as_str().into(),
            dead_letters_partitions: topics.partitions,
        };
        let config = WorkerConfig::new("tracker", "slawatch-tracker", &topics.ticket_events);
        self.workers(TrackerFactory::new(sets, settings), config, tracker.workers)
    }

    fn evaluator(&mut self, rules: RuleSet) -> anyhow::Result<()> {
        let topics = &self.config.topics;
        let settings = EvaluatorSettings {
            alerts_topic: topics.alerts.as_str().into(),
            alerts_partitions: topics.partitions,
            behind_ms: self.world.behind_ms,
        };
        let config = WorkerConfig::new("evaluator", "slawatch-evaluator", &topics.signals);
        self.workers(EvaluatorFactory::new(rules, settings), config, 1)
    }

    fn dispatcher(&mut self, runtime: &Runtime) -> anyhow::Result<()> {
        let topics = &self.config.topics;
        let receivers =
            Receivers::start(&self.config.dispatcher, &self.world.clock, runtime.handle())?;
        let factory = DispatcherFactory::new(
            Arc::clone(&self.world.log),
            slawatch_dispatcher::Topics {
                alerts: topics.alerts.as_str().into(),
                notifications: topics.notifications.as_str().into(),
            },
            &self.config.dispatcher,
            Arc::new(receivers),
        )?;
        let config = WorkerConfig::new("dispatcher", "slawatch-dispatcher", &topics.alerts);
        self.workers(factory, config, 1)
    }

    fn workers<F>(
        &mut self,
        factory: F,
        mut config: WorkerConfig,
        threads: usize,
    ) -> anyhow::Result<()>
    where
        F: slawatch_stream::ProcessorFactory + 'static,
    {
        let snapshots = &self.config.snapshots;
        config.snapshot_ms = snapshots.every.as_ms().unsigned_abs();
        config.keep_snapshots = snapshots.keep;
        config.accept_gap = self.config.tracker.accept_gap;
        config.snapshot_folder = format!("generation-{GENERATION}/{}", config.role);
        (self.world.tune)(&mut config);
        let workplace = Workplace {
            log: Arc::clone(&self.world.log),
            clock: Arc::clone(&self.world.clock),
            store: Arc::clone(&self.world.store),
            stop: Arc::clone(&self.stop),
            failures: self.failures.clone(),
        };
        let started = WorkerThreads::start(&workplace, Arc::new(factory), &config, threads)?;
        self.threads.extend(started.threads);
        self.health.push(started.health);
        Ok(())
    }

    fn loader(&mut self, runtime: &Runtime, mapping: &Mapping) -> anyhow::Result<()> {
        let topics = &self.config.topics;
        let tracker = &self.config.tracker;
        let options = WorkerOptions {
            topics: slawatch_loader::Topics {
                ticket_events: topics.ticket_events.as_str().into(),
                signals: topics.signals.as_str().into(),
                alerts: topics.alerts.as_str().into(),
                notifications: topics.notifications.as_str().into(),
                dead_letters: topics.dead_letters.as_str().into(),
            },
            intake: IntakeOptions {
                decode: tracker.decode(mapping),
                generation: GENERATION,
            },
            accept_gap: tracker.accept_gap,
            ..WorkerOptions::default()
        };
        let runner = LoaderRunner {
            log: Arc::clone(&self.world.log),
            clock: Arc::clone(&self.world.clock),
            stop: Arc::clone(&self.stop),
            clickhouse: self.config.clickhouse.options(),
            runtime: runtime.handle().clone(),
            options,
        };
        let (work, health) = runner.prepare();
        self.threads
            .push(self.failures.spawn(Role::Loader.name(), work)?);
        self.health.push(health);
        Ok(())
    }

    /// What is known of the roles started so far.
    fn probes(&self) -> Probes {
        Probes {
            roles: self.health.clone(),
            metrics: Arc::clone(&self.world.metrics),
        }
    }

    fn board(&mut self) -> anyhow::Result<Board> {
        let listen = listening::address("board.listen", &self.config.board.listen)?;
        let options = BoardOptions {
            listen,
            zone: Zone::named(&self.config.board.time_zone)?,
            signals_topic: self.config.topics.signals.clone(),
            alerts_topic: self.config.topics.alerts.clone(),
            probes: self.probes(),
            clock: Arc::clone(&self.world.clock),
            access: self.config.board.access_options(&self.config.dispatcher)?,
        };
        Ok(Board::start(options, Arc::clone(&self.world.log))?)
    }
}
