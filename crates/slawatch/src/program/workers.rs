//! Worker threads of a role, each with a consumer and partitions of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use slawatch_health::{Heartbeat, RoleHealth, Thread};
use slawatch_stream::{
    Clock, Log, PartitionState, ProcessorFactory, SnapshotStore, StreamError, Worker, WorkerConfig,
    WorkerParts, WorkerStatus,
};

use super::failures::Failures;

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
    pub(super) failures: Failures,
}

/// The threads of one role, started.
pub(super) struct WorkerThreads {
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) health: RoleHealth,
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
        let mut signs = Vec::new();
        for number in 0..count.max(1) {
            let heartbeat = Heartbeat::new(Arc::clone(&workplace.clock));
            let runner = Runner {
                log: Arc::clone(&workplace.log),
                clock: Arc::clone(&workplace.clock),
                store: Arc::clone(&workplace.store),
                stop: Arc::clone(&workplace.stop),
                factory: Arc::clone(&factory),
                config: config.clone(),
                statuses: Arc::clone(&statuses),
                heartbeat: heartbeat.clone(),
                number,
            };
            let name = format!("{}-{number}", config.role);
            let work = move || runner.run().map_err(anyhow::Error::new);
            threads.push(workplace.failures.spawn(&name, work)?);
            signs.push(Thread { name, heartbeat });
        }
        let health = health(&config.role, statuses, signs);
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
    heartbeat: Heartbeat,
    number: usize,
}

impl<F: ProcessorFactory> Runner<F> {
    /// Runs workers until told to stop: one that hits trouble which may pass is replaced by a new one, which takes the
    /// partitions over as any other would.
    fn run(&self) -> Result<(), StreamError> {
        while !self.is_stopping() {
            self.heartbeat.beat();
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
            self.heartbeat.beat();
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
fn health(role: &str, statuses: Statuses, threads: Vec<Thread>) -> RoleHealth {
    let problems = move || {
        let statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut problems = Vec::new();
        for status in statuses.iter() {
            match status {
                None => problems.push("a worker is starting".to_owned()),
                Some(status) => problems.extend(waiting(status)),
            }
        }
        problems
    };
    RoleHealth {
        role: role.to_owned(),
        problems: Arc::new(problems),
        threads,
    }
}

/// The partitions that are not at work, and why.
fn waiting(status: &WorkerStatus) -> Vec<String> {
    let partitions = status.partitions().into_iter();
    let waiting = partitions.filter_map(|(partition, status)| {
        let what = match status.state {
            PartitionState::Live => return None,
            PartitionState::Claiming => "is being claimed",
            PartitionState::Replaying => "is catching up with its snapshot",
            PartitionState::Stopped => "has stopped",
        };
        let why = status.note.map(|note| format!(": {note}"));
        Some(format!(
            "partition {partition} {what}{}",
            why.unwrap_or_default()
        ))
    });
    waiting.collect()
}

#[cfg(test)]
mod tests;
