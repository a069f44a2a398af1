//! Puts the traffic into the log, step by step, and moves the demo's time along with it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use slawatch_devstack::traffic::{Emission, Traffic, TrafficConfig, Truth};
use slawatch_policy::PolicySets;
use slawatch_stream::{Clock, Log, Outgoing, Producer};
use xxhash_rust::xxh3::xxh3_64;

use super::clock::DemoClock;
use super::watch::Watch;
use crate::config::Topics;
use crate::replay::{Replay, ReplayOptions, ReplayResult};

/// How far time moves at once.
const STEP_MS: i64 = 5 * 60_000;
/// Far beyond what any step takes; a role that hangs is told of instead of waited for.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) struct Feed {
    producer: Box<dyn Producer>,
    topic: Arc<str>,
    partitions: u32,
    traffic: Traffic,
    next: Option<Emission>,
    start_ms: i64,
    end_ms: i64,
    /// The same records, computed without any log.
    replay: Replay,
}

/// What was fed, and what must come of it.
pub(super) struct Fed {
    pub(super) truth: Truth,
    pub(super) expected: ReplayResult,
    pub(super) span_ms: i64,
}

impl Feed {
    pub(super) fn new(
        log: &dyn Log,
        topics: &Topics,
        partitions: u32,
        config: TrafficConfig,
        sets: &PolicySets,
    ) -> anyhow::Result<Self> {
        let (start_ms, end_ms) = (config.start_ms, config.start_ms + config.duration_ms);
        let replay = ReplayOptions {
            until_ms: Some(end_ms),
            allowed_delay_ms: 2_000,
            ..ReplayOptions::default()
        };
        let mut traffic = Traffic::new(config);
        Ok(Self {
            producer: log.producer()?,
            topic: topics.ticket_events.as_str().into(),
            partitions,
            next: traffic.next(),
            traffic,
            start_ms,
            end_ms,
            replay: Replay::new(sets, replay),
        })
    }

    /// Plays to the end; false if it was stopped before.
    pub(super) fn play(
        &mut self,
        clock: &DemoClock,
        watch: &Watch,
        speed: f64,
        stop: &dyn Fn() -> bool,
    ) -> anyhow::Result<bool> {
        let began_ms = clock.steady_ms();
        let mut to_ms = self.start_ms;
        while to_ms < self.end_ms {
            if stop() {
                return Ok(false);
            }
            to_ms = (to_ms + STEP_MS).min(self.end_ms);
            self.send_until(to_ms)?;
            clock.set(to_ms);
            if !watch.wait_for(to_ms, PATIENCE, stop) {
                if stop() {
                    return Ok(false);
                }
                bail!("the trackers did not get to {to_ms} in {PATIENCE:?}: {watch:?}");
            }
            let played_ms = (to_ms - self.start_ms) as f64;
            let ahead_ms = (speed > 0.0)
                .then(|| played_ms / speed - (clock.steady_ms() - began_ms) as f64)
                .filter(|ahead_ms| *ahead_ms > 1.0);
            if let Some(ahead_ms) = ahead_ms {
                std::thread::park_timeout(Duration::from_millis(ahead_ms as u64));
            }
        }
        Ok(true)
    }

    fn send_until(&mut self, to_ms: i64) -> anyhow::Result<()> {
        while let Some(emission) = self.next.take_if(|next| next.timestamp_ms <= to_ms) {
            self.replay.line(&emission.json);
            let hash = xxh3_64(emission.ticket_id.as_bytes());
            let partition = (hash % u64::from(self.partitions)) as u32;
            let record = Outgoing::new(Arc::clone(&self.topic), partition, emission.json)
                .with_key(emission.ticket_id)
                .at(emission.timestamp_ms);
            self.producer.send(record)?;
            self.next = self.traffic.next();
        }
        while self.producer.poll(Duration::from_millis(10))? < self.producer.sent() {}
        Ok(())
    }

    pub(super) fn finish(self) -> Fed {
        Fed {
            truth: self.traffic.truth().clone(),
            expected: self.replay.finish(),
            span_ms: self.end_ms - self.start_ms,
        }
    }
}
