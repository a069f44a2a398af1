//! Workers whose processor does what none should: the process hears of it.

use std::sync::Barrier;

use slawatch_stream::{
    ManualClock, MemoryLog, MemoryStore, Outgoing, Processor, Record, RestoreError, SnapshotView,
    Source, Stamp, SystemClock, TopicSpec,
};

use super::*;

const TOPIC: &str = "ticket-events";

/// Panics at `poison`, and at `stone` stands still until told to go on.
struct Brittle(Arc<Barrier>);

impl Processor for Brittle {
    fn apply(&mut self, record: &Record<'_>) {
        match record.value {
            Some(b"poison") => panic!("cannot digest offset {}", record.offset),
            Some(b"stone") => {
                // Once to say that it stands, once to go on.
                self.0.wait();
                self.0.wait();
            }
            _ => {}
        }
    }

    fn flush(&mut self, _stamp: &Stamp, _out: &mut Vec<Outgoing>) {}

    fn snapshot(&self, _out: &mut Vec<u8>) {}

    fn fingerprint(&self) -> u64 {
        0
    }
}

struct Factory(Arc<Barrier>);

impl ProcessorFactory for Factory {
    type Processor = Brittle;

    fn create(&self, _source: &Source) -> Brittle {
        Brittle(Arc::clone(&self.0))
    }

    fn restore(&self, _: &Source, _: &SnapshotView<'_>) -> Result<Brittle, RestoreError> {
        Ok(Brittle(Arc::clone(&self.0)))
    }
}

struct Role {
    log: MemoryLog,
    clock: Arc<ManualClock>,
    barrier: Arc<Barrier>,
    stop: Arc<AtomicBool>,
    failures: Failures,
    started: WorkerThreads,
}

impl Role {
    fn start() -> Self {
        let log = MemoryLog::new(Arc::new(SystemClock::new()));
        log.create_topic(&TopicSpec::new(TOPIC, 1)).unwrap();
        // Health is asked by a clock of its own: the threads' steps are not to be timed.
        let clock = Arc::new(ManualClock::new(0));
        let workplace = Workplace {
            log: Arc::new(log.clone()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            store: Arc::new(MemoryStore::default()),
            stop: Arc::default(),
            failures: Failures::default(),
        };
        let barrier = Arc::new(Barrier::new(2));
        let factory = Arc::new(Factory(Arc::clone(&barrier)));
        let config = WorkerConfig::new("tracker", "group", TOPIC);
        let started = WorkerThreads::start(&workplace, factory, &config, 1).unwrap();
        Self {
            log,
            clock,
            barrier,
            stop: workplace.stop,
            failures: workplace.failures,
            started,
        }
    }

    fn append(&self, value: &[u8]) {
        let record = Outgoing::new(TOPIC.into(), 0, value.to_vec());
        self.log.append(record).unwrap();
    }

    fn join(self) -> Option<String> {
        for thread in self.started.threads {
            thread.join().unwrap();
        }
        self.failures.take().map(|failure| format!("{failure:#}"))
    }
}

#[test]
fn a_processor_that_panics_ends_the_process_and_is_named() {
    let role = Role::start();
    role.append(b"bread");
    role.append(b"poison");
    let told = role.join().unwrap();
    assert!(
        told.starts_with("tracker-0 panicked: cannot digest offset 1; this is a defect"),
        "{told}"
    );
}

#[test]
fn a_processor_that_hangs_makes_its_role_unready_and_at_last_not_alive() {
    let role = Role::start();
    role.append(b"stone");
    role.barrier.wait();
    role.clock.advance(20_000);
    let health = role.started.health.clone();
    assert!(
        health.not_ready()[0].starts_with("thread tracker-0 has not come round for 20 s"),
        "{:?}",
        health.not_ready()
    );
    assert_eq!(health.not_alive(), Vec::<String>::new());
    role.clock.advance(300_000);
    assert_eq!(health.not_alive().len(), 1);
    role.stop.store(true, Ordering::SeqCst);
    role.barrier.wait();
    assert_eq!(role.join(), None);
    assert_eq!(health.not_alive(), Vec::<String>::new());
}
