//! `slawatch bench tracker`: the tracker role reading from a real broker, beside a bare consumer loop on the same topic.
//!
//! Quote the ratio: both run in one process, one after the other, on the same machine with the same broker beside them.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::time::{ClockId, clock_gettime};
use slawatch_devstack::generate::{Speed, generate_to_kafka};
use slawatch_devstack::kafka::{Broker, BrokerOptions, Tuning};
use slawatch_devstack::traffic::{DAY_MS, Traffic, TrafficConfig};
use slawatch_event::DecodeOptions;
use slawatch_policy::PolicySets;
use slawatch_stream::{
    Clock, ConsumerEvent, KafkaLog, KafkaOptions, Log, MemoryStore, PollHandler, Record, StartAt,
    SystemClock, TopicPartition, TopicSpec, Worker, WorkerConfig, WorkerParts,
};

use crate::demo::POLICIES;
use crate::roles::tracker::{TrackerFactory, TrackerSettings};

const TOPIC: &str = "ticket-events";
const PARTITIONS: u32 = 4;
const WAIT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(600);

/// What one run over the topic cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    records: u64,
    wall: Duration,
    /// User and system time of this process; the broker's is not in it.
    cpu: Duration,
}

impl Cost {
    fn per_cpu_second(&self) -> f64 {
        self.records as f64 / self.cpu.as_secs_f64()
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>9} records  {:>7.2} s wall  {:>7.2} s CPU  {:>9.0} a CPU second  {:>6.2} µs CPU each",
            self.records,
            self.wall.as_secs_f64(),
            self.cpu.as_secs_f64(),
            self.per_cpu_second(),
            self.cpu.as_secs_f64() * 1e6 / self.records as f64
        )
    }
}

/// Fills a topic with generated traffic and reads it twice.
///
/// # Errors
/// If the broker cannot be started or a client fails.
pub fn tracker(days: u32, tickets_per_day: f64) -> anyhow::Result<()> {
    let broker = Broker::start(BrokerOptions {
        tuning: Tuning::Throughput,
        ..BrokerOptions::default()
    })?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let options = KafkaOptions {
        brokers: broker.bootstrap(),
        ..KafkaOptions::default()
    };
    let log = KafkaLog::new(options, Arc::clone(&clock));
    for topic in [TOPIC, "signals", "dead-letters"] {
        let timestamps = slawatch_stream::TimestampKind::Create;
        log.create_topic(&TopicSpec {
            timestamps,
            ..TopicSpec::new(topic, PARTITIONS)
        })?;
    }
    let duration_ms = i64::from(days) * DAY_MS;
    let mut config = TrafficConfig::week(1, clock.wall_ms() - duration_ms - DAY_MS);
    config.duration_ms = duration_ms;
    config.tickets_per_day = tickets_per_day;
    let mut traffic = Traffic::new(config);
    let truth = generate_to_kafka(&mut traffic, &broker.bootstrap(), TOPIC, Speed::Unbounded)?;
    eprintln!(
        "{} records of generated traffic in {PARTITIONS} partitions",
        truth.records
    );

    let bare = bare(&log, truth.records)?;
    println!("bare consumer  {bare}");
    let tracked = track(&log, &clock, truth.records)?;
    println!("tracker        {tracked}");
    println!(
        "tracker / bare {:.2} of the events a CPU second",
        tracked.per_cpu_second() / bare.per_cpu_second()
    );
    Ok(())
}

#[derive(Default)]
struct Counting {
    records: u64,
    bytes: u64,
}

impl PollHandler for Counting {
    fn record(&mut self, record: &Record<'_>) {
        self.records += 1;
        self.bytes += record.value.map_or(0, <[u8]>::len) as u64;
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

fn bare(log: &KafkaLog, records: u64) -> anyhow::Result<Cost> {
    let partitions: Vec<_> = (0..PARTITIONS)
        .map(|number| TopicPartition::new(TOPIC, number))
        .collect();
    let meter = Meter::start()?;
    let mut reader = log.reader(&partitions, StartAt::Beginning)?;
    let mut counting = Counting::default();
    while counting.records < records {
        reader.poll(WAIT, 10_000, &mut counting)?;
        meter.check()?;
    }
    ensure!(counting.bytes > 0, "the records are empty");
    meter.stop(counting.records)
}

fn track(log: &KafkaLog, clock: &Arc<dyn Clock>, records: u64) -> anyhow::Result<Cost> {
    let sets = PolicySets::parse(&[("contract.toml".to_owned(), POLICIES.to_owned())])
        .map_err(|mistakes| anyhow::anyhow!("the demo's policies: {mistakes}"))?;
    let settings = TrackerSettings {
        decode: DecodeOptions::default(),
        options: slawatch_tracker::Options::default(),
        generation: 0,
        signals_topic: "signals".into(),
        signals_partitions: PARTITIONS,
        dead_letters_topic: "dead-letters".into(),
        dead_letters_partitions: PARTITIONS,
    };
    let mut config = WorkerConfig::new("tracker", "bench-tracker", TOPIC);
    // The end is learnt from the status.
    config.report_ms = 10;
    let meter = Meter::start()?;
    let parts = WorkerParts::open(
        log,
        &config,
        Arc::new(MemoryStore::default()),
        Arc::clone(clock),
        Arc::new(TrackerFactory::new(sets, settings)),
    )?;
    let mut worker = Worker::new(parts, config);
    let status = worker.status();
    let read = || -> u64 {
        let partitions = status.partitions();
        let positions = partitions.values().filter_map(|status| status.position);
        positions.map(i64::unsigned_abs).sum()
    };
    while read() < records {
        worker.step(WAIT)?;
        meter.check()?;
    }
    // All outputs acknowledged, positions committed, snapshots kept.
    worker.close(Duration::from_secs(60))?;
    meter.stop(records)
}

/// Wall and CPU time of this process from a moment on.
struct Meter {
    started: Instant,
    cpu: Duration,
}

impl Meter {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
    fn start() -> anyhow::Result<Self> {
        Ok(Self {
            started: Instant::now(),
            cpu: cpu_time()?,
        })
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.started.elapsed() < PATIENCE,
            "the topic was not read in {PATIENCE:?}"
        );
        Ok(())
    }

    fn stop(&self, records: u64) -> anyhow::Result<Cost> {
        Ok(Cost {
            records,
            wall: self.started.elapsed(),
            cpu: cpu_time()? - self.cpu,
        })
    }
}

/// User and system time of all threads of this process.
fn cpu_time() -> anyhow::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).context("the process's CPU time is no duration")
}
