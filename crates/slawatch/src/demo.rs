//! `slawatch demo`: every role on generated traffic, in one process, with real ClickHouse and either log.
//!
//! Time is the traffic's: it moves on only when every tracker has proved that it has seen all there was, so a week passes
//! as fast as the roles can follow and nothing depends on how fast that is.

mod clock;
mod feed;
mod receiver;
mod summary;
pub mod verify;
mod watch;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use slawatch_devstack::clickhouse::{ClickHouse, StartOptions};
use slawatch_devstack::kafka::{Broker, BrokerOptions};
use slawatch_devstack::traffic::{DAY_MS, Incident, TrafficConfig};
use slawatch_evaluator::RuleSet;
use slawatch_event::Mapping;
use slawatch_policy::PolicySets;
use slawatch_stream::{
    Clock, KafkaLog, KafkaOptions, Log, MemoryLog, MemoryStore, SystemClock, TimestampKind,
    TopicSpec, WorkerConfig,
};

use crate::commands::{migrate, start_metrics};
use crate::config::Config;
use crate::program::{Program, RuleBooks, World};
use clock::DemoClock;
use feed::Feed;
use receiver::LocalReceiver;
use summary::Summary;
use watch::Watch;

/// The contract of the demo's four vendors.
pub const POLICIES: &str = include_str!("../../../examples/policies/contract.toml");
/// The rules by which it is watched.
pub const RULES: &str = include_str!("../../../examples/rules/operations.toml");

/// How much of what is played.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Everything in the traffic follows from it.
    pub seed: u64,
    /// How many days.
    pub days: u32,
    /// Tickets on an average weekday.
    pub tickets_per_day: f64,
    /// A real broker instead of the in-memory log.
    pub kafka: bool,
    /// Play to the end, check, say what came of it.
    pub once: bool,
    /// Traffic seconds a second at the most; 0 is as fast as the roles follow.
    pub speed: f64,
    /// Where the board listens.
    pub listen: SocketAddr,
}

/// Partitions of the input topic.
const PARTITIONS: u32 = 4;

/// Demo time leaps by whole steps, so sources are far apart for a moment.
const DEMO_BEHIND_MS: i64 = 24 * 3_600_000;

/// What a finished demo found.
#[derive(Debug)]
pub struct DemoResult {
    /// Whether all of it was right.
    pub is_right: bool,
}

/// Runs the demo until it is over (`once`) or `stop` says so.
///
/// # Errors
/// If a part cannot be started or fails.
pub fn run(options: &DemoOptions, stop: &dyn Fn() -> bool) -> anyhow::Result<DemoResult> {
    let started = Timer::start();
    let metrics = start_metrics()?;
    eprintln!("starting ClickHouse (the first time it is fetched, about 180 MB) …");
    let clickhouse = ClickHouse::start(StartOptions::default())?;
    let broker = options
        .kafka
        .then(|| {
            eprintln!("starting a Kafka broker …");
            Broker::start(BrokerOptions::default())
        })
        .transpose()?;
    let receiver = LocalReceiver::start()?;
    let config = config(options, &clickhouse.url(), &receiver.url())?;
    migrate(&config)?;

    let traffic = traffic_config(options);
    let clock = Arc::new(DemoClock::new(traffic.start_ms));
    let log = open_log(broker.as_ref(), &clock);
    let spec = TopicSpec {
        timestamps: TimestampKind::Create,
        ..TopicSpec::new(config.topics.ticket_events.as_str(), PARTITIONS)
    };
    log.create_topic(&spec)?;
    let sets = PolicySets::parse(&[("contract.toml".to_owned(), POLICIES.to_owned())])
        .map_err(|mistakes| anyhow::anyhow!("the demo's policies: {mistakes}"))?;
    let program = Program::start(
        &config,
        RuleBooks {
            sets: sets.clone(),
            rules: rules()?,
            mapping: Mapping::default(),
        },
        World {
            log: Arc::clone(&log),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            store: Arc::new(MemoryStore::default()),
            metrics: Arc::new(move || metrics.render()),
            tune,
            behind_ms: DEMO_BEHIND_MS,
        },
    )?;
    say_where(&program, &clickhouse, broker.as_ref());

    let watch = Watch::start(log.as_ref(), &config.topics, PARTITIONS)?;
    let mut feed = Feed::new(log.as_ref(), &config.topics, PARTITIONS, traffic, &sets)?;
    let is_over = feed.play(&clock, &watch, options.speed, &|| {
        stop() || program.has_failed()
    });
    let played = started.elapsed();
    if program.has_failed() {
        // It is the cause of whatever else went wrong.
        program.stop()?;
        return Ok(DemoResult { is_right: false });
    }
    let is_over = is_over?;
    let mut result = DemoResult {
        is_right: is_over || !options.once,
    };
    if !is_over && options.once {
        eprintln!("stopped before the end: nothing was checked");
    }
    if is_over {
        let summary = Summary::take(feed, &watch, &receiver, &config, played)?;
        println!("{summary}");
        result.is_right = summary.is_right();
        if !options.once {
            eprintln!(
                "the week is over: the wallboard stays, though it says that nothing comes any more, until Ctrl-C"
            );
            while !stop() && !program.has_failed() {
                std::thread::park_timeout(Duration::from_millis(100));
            }
        }
    }
    program.stop()?;
    Ok(result)
}

fn traffic_config(options: &DemoOptions) -> TrafficConfig {
    let mut traffic = TrafficConfig::week(options.seed, last_monday(options.days));
    traffic.duration_ms = i64::from(options.days) * DAY_MS;
    traffic.tickets_per_day = options.tickets_per_day;
    traffic.incident = Some(Incident::mid_week(
        traffic.start_ms,
        traffic.duration_ms,
        traffic.tickets_per_day,
    ));
    traffic
}

/// The last Monday from which so many days are over: tables keep rows for a time only, so the demo's are of late.
fn last_monday(days: u32) -> i64 {
    const MONDAY: i64 = 4 * DAY_MS;
    let latest_ms = SystemClock::new().wall_ms() - i64::from(days) * DAY_MS;
    (latest_ms - MONDAY).div_euclid(7 * DAY_MS) * 7 * DAY_MS + MONDAY
}

fn config(options: &DemoOptions, clickhouse: &str, receiver: &str) -> anyhow::Result<Config> {
    let text = format!(
        r#"
policies = ["contract.toml"]
[clickhouse]
url = "{clickhouse}"
[board]
listen = "{0}"
[board.access]
# A play, in which everybody may take part.
open = true
[health]
listen = "{0}"
[dispatcher]
# Demo time leaps: what is an hour in the traffic passes in a moment.
stale_after = "10000h"
[[dispatcher.receiver]]
name = "demo"
type = "webhook"
url = "{receiver}"
allow_private = true
"#,
        options.listen
    );
    Ok(Config::parse_alone(Path::new("demo.toml"), &text)?)
}

fn rules() -> anyhow::Result<RuleSet> {
    let report = slawatch_evaluator::check_rules("operations.toml", RULES);
    report
        .rules
        .with_context(|| format!("the demo's rules: {}", report.diagnostics))
}

fn open_log(broker: Option<&Broker>, clock: &Arc<DemoClock>) -> Arc<dyn Log> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    match broker {
        None => Arc::new(MemoryLog::new(clock)),
        Some(broker) => {
            let options = KafkaOptions {
                brokers: broker.bootstrap(),
                ..KafkaOptions::default()
            };
            Arc::new(KafkaLog::new(options, clock))
        }
    }
}

/// Latency is what the demo waits for at each step.
fn tune(config: &mut WorkerConfig) {
    config.flush_ms = 2;
    config.progress_ms = 5;
}

fn say_where(program: &Program, clickhouse: &ClickHouse, broker: Option<&Broker>) {
    if let Some(address) = program.board_addr() {
        eprintln!("wallboard   http://{address}/");
    }
    eprintln!(
        "ClickHouse  {}  (database slawatch; try SELECT * FROM slawatch.breaches LIMIT 5)",
        clickhouse.url()
    );
    if let Some(broker) = broker {
        eprintln!("Kafka       {}", broker.bootstrap());
    }
}

/// How long the demo takes, for its summary and for what it waits.
struct Timer(Instant);

impl Timer {
    #[expect(
        clippy::disallowed_methods,
        reason = "measures the demo itself; nothing is decided by it"
    )]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
