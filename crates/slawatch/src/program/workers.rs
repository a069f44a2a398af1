//! Worker threads of a role, each with a consumer and partitions of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use slawatch_board::Health;
use slawatch_loader::LoaderHealth;
use slawatch_stream::{
    Clock, Log, PartitionState, ProcessorFactory, SnapshotStore, StreamError, Worker, WorkerConfig,
    WorkerParts, WorkerStatus,
};

const MAX_WAIT: Duration = Duration::from_millis(20);
const FAREWELL: Duration = Duration::from_secs(10);
/// Pause before a worker that failed is replaced by a new one.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// What all workers of a process share.
pub(super) struct Workplace {
    pub(super) log: Arc<dyn Log>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Arc<dyn SnapshotStore>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) failed: Sender<anyhow::Error>,
}

/// The threads of one role, started.
pub(super) struct WorkerThreads {
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) health: Health,
}

type Statuses = Arc<Mutex<Vec<Option<WorkerStatus>>>>;

impl WorkerThreads {
    pub(super) fn start<F: ProcessorFactory + 'static>(
        workplace: &Workplace,
        factory: Arc<F>,
        config: &WorkerConfig,
        count: usize,
    ) -> anyhow::Result<Self> {
        let statuses: Statuses = Arc::new(Mutex::new(vec![None; count.max(1)]));
        let mut threads = Vec::new();
        for number in 0..count.max(1) {
            let runner = Runner {
                log: Arc::clone(&workplace.log),
                clock: Arc::clone(&workplace.clock),
                store: Arc::clone(&workplace.store),
                stop: Arc::clone(&workplace.stop),
                factory: Arc::clone(&factory),
                config: config.clone(),
                statuses: Arc::clone(&statuses),
                number,
            };
            let failed = workplace.failed.clone();
            let name = format!("{}-{number}", config.role);
            let thread = std::thread::Builder::new()
                .name(name.clone())
                .spawn(move || {
                    if let Err(error) = runner.run() {
                        let error = anyhow::Error::new(error);
                        // Fails only if nobody listens any more: the process is ending.
                        failed.send(error.context(format!("{name} stopped"))).ok();
                    }
                })
                .with_context(|| format!("cannot start a thread for {}", config.role))?;
            threads.push(thread);
        }
        let health = health(&config.role, statuses);
        Ok(Self { threads, health })
    }
}

struct Runner<F> {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    store: Arc<dyn SnapshotStore>,
    stop: Arc<AtomicBool>,
    factory: Arc<F>,
    config: WorkerConfig,
    statuses: Statuses,
    number: usize,
}

impl<F: ProcessorFactory> Runner<F> {
    /// Runs workers until told to stop: one that hits trouble which may pass is replaced by a new one, which takes the
    /// partitions over as any other would.
    fn run(&self) -> Result<(), StreamError> {
        while !self.is_stopping() {
            match self.run_worker() {
                Ok(()) => {}
                Err(error @ (StreamError::Fatal { .. } | StreamError::TooLarge { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(role = self.config.role, %error, "the worker starts again");
                    self.tell(None);
                    std::thread::park_timeout(RESTART_PAUSE);
                }
            }
        }
        Ok(())
    }

    fn run_worker(&self) -> Result<(), StreamError> {
        let parts = WorkerParts::open(
            self.log.as_ref(),
            &self.config,
            Arc::clone(&self.store),
            Arc::clone(&self.clock),
            Arc::clone(&self.factory),
        )?;
        let mut worker = Worker::new(parts, self.config.clone());
        self.tell(Some(worker.status()));
        while !self.is_stopping() {
            worker.step(MAX_WAIT)?;
        }
        worker.close(FAREWELL)
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn tell(&self, status: Option<WorkerStatus>) {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        statuses[self.number] = status;
    }
}

/// Ready when every worker runs and none of its partitions waits or has stopped.
fn health(role: &str, statuses: Statuses) -> Health {
    let check = move || {
        let statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
        for status in statuses.iter() {
            let Some(status) = status else {
                return Err("a worker is starting".to_owned());
            };
            for (partition, status) in status.partitions() {
                let what = match status.state {
                    PartitionState::Live => continue,
                    PartitionState::Claiming => "is being claimed",
                    PartitionState::Replaying => "is catching up with its snapshot",
                    PartitionState::Stopped => "has stopped",
                };
                let why = status.note.map(|note| format!(": {note}"));
                return Err(format!(
                    "partition {partition} {what}{}",
                    why.unwrap_or_default()
                ));
            }
        }
        Ok(())
    };
    Health {
        role: role.to_owned(),
        check: Arc::new(check),
    }
}

pub(super) fn loader_health(loader: LoaderHealth) -> Health {
    let check = move || match loader.problems().first() {
        None => Ok(()),
        Some(problem) => Err(problem.clone()),
    };
    Health {
        role: "loader".to_owned(),
        check: Arc::new(check),
    }
}
