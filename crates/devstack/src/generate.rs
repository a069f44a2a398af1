//! Generated traffic on its way out: as JSON lines into anything that can be written to, or as records into a Kafka topic, as
//! fast as possible or in time.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::topic_writer::TopicWriter;
use crate::traffic::{Traffic, Truth};

/// How fast records are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as the broker takes them.
    Unbounded,
    /// So many times as fast as in the traffic's own time; 1 is real time.
    TimesReal(f64),
}

/// Records handed to the producer between two looks at the clock.
const PACED_BATCH: u32 = 64;

/// Writes the records as lines, without their keys and timestamps: what `slawatch replay` reads. Its dead letters of the
/// reason `future_event` need `--until`.
///
/// # Errors
/// The writer's.
pub fn generate_to_writer(
    traffic: &mut Traffic,
    writer: &mut impl Write,
) -> std::io::Result<Truth> {
    for mut record in traffic.by_ref() {
        record.json.push(b'\n');
        writer.write_all(&record.json)?;
    }
    writer.flush()?;
    Ok(traffic.truth().clone())
}

/// Produces the records into a topic, keyed by ticket and with the traffic's own timestamps, and waits until all are
/// acknowledged. Blocks.
///
/// # Errors
/// The cluster cannot be reached or refuses a record: one whose timestamp lies in the future, for instance.
pub fn generate_to_kafka(
    traffic: &mut Traffic,
    bootstrap: &str,
    topic: &str,
    speed: Speed,
) -> Result<Truth> {
    let mut writer = TopicWriter::new(bootstrap, topic)?;
    let mut pace = Pace::new(speed);
    for record in traffic.by_ref() {
        pace.wait_for(record.timestamp_ms);
        writer.write(&record.ticket_id, &record.json, Some(record.timestamp_ms))?;
    }
    writer.finish()?;
    Ok(traffic.truth().clone())
}

/// Holds records back until their time has come.
#[derive(Debug)]
struct Pace {
    speed: Speed,
    /// The first record's timestamp and the instant at which it was sent.
    begun: Option<(i64, Instant)>,
    sent: u32,
}

impl Pace {
    const fn new(speed: Speed) -> Self {
        Self {
            speed,
            begun: None,
            sent: 0,
        }
    }

    fn wait_for(&mut self, timestamp_ms: i64) {
        let Speed::TimesReal(factor) = self.speed else {
            return;
        };
        let now = clock();
        let (first_ms, begun) = *self.begun.get_or_insert((timestamp_ms, now));
        let due = due_after(timestamp_ms - first_ms, factor);
        let elapsed = now.saturating_duration_since(begun);
        self.sent = self.sent.wrapping_add(1);
        if let Some(wait) = due.checked_sub(elapsed)
            && (wait > Duration::from_millis(1) || self.sent.is_multiple_of(PACED_BATCH))
        {
            pause(wait);
        }
    }
}

/// How long after the first record one is due.
fn due_after(span_ms: i64, factor: f64) -> Duration {
    let seconds = span_ms.max(0) as f64 / 1000.0 / factor.max(f64::MIN_POSITIVE);
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[expect(
    clippy::disallowed_methods,
    reason = "records are held back until their time has come"
)]
fn clock() -> Instant {
    Instant::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "records are held back until their time has come"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{DAY_MS, TrafficConfig};

    #[test]
    fn lines_are_the_records() {
        let config = TrafficConfig {
            duration_ms: DAY_MS / 8,
            ..TrafficConfig::week(1, 1_772_409_600_000)
        };
        let mut out = Vec::new();
        let truth =
            generate_to_writer(&mut Traffic::new(config.clone()), &mut out).expect("written");
        let lines: Vec<&[u8]> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.last(), Some(&[].as_slice()), "the last line ends too");
        assert_eq!(lines.len() as u64 - 1, truth.records);
        assert!(
            Traffic::new(config)
                .zip(lines)
                .all(|(record, line)| record.json == line)
        );
    }

    #[test]
    fn time_runs_faster_by_the_factor() {
        assert_eq!(due_after(60_000, 1.0), Duration::from_secs(60));
        assert_eq!(due_after(3_600_000, 600.0), Duration::from_secs(6));
        assert_eq!(due_after(-5, 2.0), Duration::ZERO);
    }
}
