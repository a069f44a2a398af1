//! The loader's thread: it is for the tables, and must not take those along who page people.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slawatch_health::{Heartbeat, RoleHealth, Thread};
use slawatch_loader::{
    ClickHouseOptions, ClickHouseSink, LoaderError, LoaderHealth, LoaderWorker, WorkerOptions,
};
use slawatch_stream::{Clock, Log};
use tokio::runtime::Handle;

use crate::config::Role;

/// Pause before a loader that failed is replaced by a new one.
const RESTART_PAUSE: Duration = Duration::from_secs(5);

/// What a loader is made of, again and again.
pub(super) struct LoaderRunner {
    pub(super) log: Arc<dyn Log>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) clickhouse: ClickHouseOptions,
    pub(super) runtime: Handle,
    pub(super) options: WorkerOptions,
}

#[derive(Debug)]
enum State {
    Starting,
    Running(LoaderHealth),
    Failed(String),
}

type Shared = Arc<Mutex<State>>;

impl LoaderRunner {
    /// What to run on a thread of its own, and how it fares there.
    pub(super) fn prepare(
        self,
    ) -> (
        impl FnOnce() -> anyhow::Result<()> + Send + 'static,
        RoleHealth,
    ) {
        let state = Arc::new(Mutex::new(State::Starting));
        let heartbeat = Heartbeat::new(Arc::clone(&self.clock));
        let health = health(&state, &heartbeat);
        let work = move || {
            self.run(&state, &heartbeat);
            Ok(())
        };
        (work, health)
    }

    /// Runs loaders until told to stop. One that fails is replaced: what it had not committed is read again.
    fn run(&self, state: &Shared, heartbeat: &Heartbeat) {
        while !self.stop.load(Ordering::SeqCst) {
            heartbeat.beat();
            let Err(error) = self.run_one(state, heartbeat) else {
                return;
            };
            tracing::error!(%error, "the loader failed; it starts again in {RESTART_PAUSE:?}");
            *lock(state) = State::Failed(format!("it failed and starts again: {error}"));
            std::thread::park_timeout(RESTART_PAUSE);
        }
    }

    fn run_one(&self, state: &Shared, heartbeat: &Heartbeat) -> Result<(), LoaderError> {
        let sink = ClickHouseSink::new(&self.clickhouse, self.runtime.clone())?;
        let clock = Arc::clone(&self.clock);
        let options = self.options.clone();
        let mut loader = LoaderWorker::new(self.log.as_ref(), Box::new(sink), clock, options)?;
        let running = loader.health();
        loader.run(&self.stop, || {
            heartbeat.beat();
            let mut state = lock(state);
            if !matches!(*state, State::Running(_)) {
                *state = State::Running(running.clone());
            }
        })
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn health(state: &Shared, heartbeat: &Heartbeat) -> RoleHealth {
    let state = Arc::clone(state);
    let name = Role::Loader.name();
    RoleHealth {
        role: name.to_owned(),
        problems: Arc::new(move || match &*lock(&state) {
            State::Starting => vec!["it is starting".to_owned()],
            State::Running(health) => health.problems(),
            State::Failed(why) => vec![why.clone()],
        }),
        threads: vec![Thread {
            name: name.to_owned(),
            heartbeat: heartbeat.clone(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use slawatch_loader::Topics;
    use slawatch_stream::{
        Commit, CommitOutcome, Consumer as _, ConsumerEvent, LogReader as _, MemoryLog,
        PollHandler, Record, SystemClock, TopicPartition, TopicSpec,
    };

    use super::*;

    struct Deaf;

    impl PollHandler for Deaf {
        fn record(&mut self, _record: &Record<'_>) {}
        fn event(&mut self, _event: ConsumerEvent<'_>) {}
    }

    #[test]
    fn a_loader_that_fails_is_told_and_starts_again() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let log = MemoryLog::new(Arc::clone(&clock));
        let options = WorkerOptions::default();
        let Topics {
            ticket_events,
            signals,
            alerts,
            notifications,
            dead_letters,
        } = &options.topics;
        for topic in [ticket_events, signals, alerts, notifications, dead_letters] {
            log.create_topic(&TopicSpec::new(&**topic, 1)).unwrap();
        }
        // Somebody has moved the group's offsets with a tool of his own.
        let mut other = log.join(&options.group, &[&**signals]);
        let commit = Commit {
            partition: TopicPartition::new(Arc::clone(signals), 0),
            offset: 0,
            metadata: "by hand".to_owned(),
        };
        loop {
            other.poll(Duration::from_millis(1), 1, &mut Deaf).unwrap();
            if other.commit(std::slice::from_ref(&commit)) == CommitOutcome::Committed {
                break;
            }
        }
        other.leave();

        let runtime = tokio::runtime::Runtime::new().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let runner = LoaderRunner {
            log: Arc::new(log),
            clock,
            stop: Arc::clone(&stop),
            clickhouse: ClickHouseOptions::default(),
            runtime: runtime.handle().clone(),
            options,
        };
        let (work, health) = runner.prepare();
        let thread = std::thread::spawn(work);
        let mut told = Vec::new();
        for _ in 0..1_000 {
            told = health.not_ready();
            if told.iter().any(|why| why.contains("it failed")) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let [why] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(
            why.starts_with("it failed and starts again: the metadata committed for slawatch.signals/0 cannot be read"),
            "{why}"
        );
        stop.store(true, Ordering::SeqCst);
        thread.thread().unpark();
        thread.join().unwrap().unwrap();
    }
}
