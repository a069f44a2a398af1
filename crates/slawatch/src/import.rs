//! `slawatch import`: events of files onto the input topic, such as the tickets that were open before the installation,
//! or a history to try rules on. Generic over the log; files and their positions are the command's business.

mod partitioner;
mod state;

use std::sync::Arc;
use std::time::Duration;

use slawatch_event::{DecodeOptions, Encoding, Reason, parse};
use slawatch_stream::{Log, Outgoing, Producer, StreamError};

pub use partitioner::Partitioner;
pub use state::{FileState, ImportState, StateError};

/// How long one look for acknowledgements lasts.
const WAIT: Duration = Duration::from_millis(100);

/// What an import depends on beside the log.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The input topic.
    pub topic: String,
    /// How lines become events: as the tracker reads the topic.
    pub decode: DecodeOptions,
    /// How the topic's other producers choose partitions.
    pub partitioner: Partitioner,
    /// A ticket that is not known is not begun by an event this far behind the newest one (SEMANTICS 2).
    pub forget_after_ms: i64,
    /// No record is stamped later, UTC ms.
    pub wall_ms: i64,
}

/// Where the lines went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Lines that are not only white space.
    pub lines: u64,
    /// Events sent.
    pub sent: u64,
    /// Lines that are no event, and were not sent.
    pub rejected: u64,
    /// Events so far behind an earlier line that they count only where their ticket is known.
    pub old: u64,
}

/// A line that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub reason: Reason,
    /// What was wrong, for a person.
    pub detail: String,
}

/// An import under way.
#[derive(Debug)]
pub struct Import {
    options: ImportOptions,
    topic: Arc<str>,
    partitions: u32,
    producer: Box<dyn Producer>,
    counts: ImportCounts,
    timestamp_ms: i64,
}

impl Import {
    /// Opens the topic. `timestamp_ms`: the stamp of the last record of an import that this one goes on with, or
    /// `i64::MIN`.
    ///
    /// # Errors
    /// If the topic is not there or the log cannot be reached.
    pub fn open(
        log: &dyn Log,
        options: ImportOptions,
        timestamp_ms: i64,
    ) -> Result<Self, StreamError> {
        Ok(Self {
            partitions: log.partitions(&options.topic)?,
            producer: log.producer()?,
            topic: options.topic.as_str().into(),
            options,
            counts: ImportCounts::default(),
            timestamp_ms,
        })
    }

    /// Sends one line, without its line end. A line that is no event is given back with the reason and is not sent.
    ///
    /// Records are stamped with the largest `occurred_at` so far, so that on a topic with `CreateTime` history passes as it
    /// did when it was new.
    ///
    /// # Errors
    /// If the log does not take it.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Rejected>, StreamError> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        self.counts.lines += 1;
        let event = match parse(line, Encoding::Json, &self.options.decode) {
            Ok(event) => event,
            Err(rejection) => {
                self.counts.rejected += 1;
                return Ok(Some(Rejected {
                    reason: rejection.reason,
                    detail: rejection.detail,
                }));
            }
        };
        let at_ms = event.occurred_at_ms;
        let oldest_ms = self
            .timestamp_ms
            .saturating_sub(self.options.forget_after_ms);
        self.counts.old += u64::from(at_ms < oldest_ms);
        self.timestamp_ms = self.timestamp_ms.max(at_ms.min(self.options.wall_ms));
        let key = event.ticket_id.as_bytes();
        let partition = self.options.partitioner.partition(key, self.partitions);
        let record = Outgoing::new(Arc::clone(&self.topic), partition, line.to_vec())
            .with_key(key)
            .at(self.timestamp_ms);
        self.producer.send(record)?;
        self.counts.sent += 1;
        Ok(None)
    }

    /// Waits until everything sent is acknowledged.
    ///
    /// # Errors
    /// If the log gave a record up.
    pub fn settle(&mut self) -> Result<(), StreamError> {
        while self.producer.poll(WAIT).map_err(StreamError::Delivery)? < self.producer.sent() {}
        Ok(())
    }

    /// Where the lines went.
    pub fn counts(&self) -> ImportCounts {
        self.counts
    }

    /// The stamp of the last record sent.
    pub fn timestamp_ms(&self) -> i64 {
        self.timestamp_ms
    }
}

#[cfg(test)]
mod tests {
    use slawatch_stream::{
        ConsumerEvent, ManualClock, MemoryLog, PollHandler, Record, StartAt, TimestampKind,
        TopicPartition, TopicSpec,
    };

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn options() -> ImportOptions {
        ImportOptions {
            topic: "events".into(),
            decode: DecodeOptions::default(),
            partitioner: Partitioner::Murmur2,
            forget_after_ms: 30 * DAY_MS,
            wall_ms: 100 * DAY_MS,
        }
    }

    fn event(ticket: &str, at_ms: i64) -> String {
        format!(
            r#"{{"event_id":"{at_ms}","ticket_id":"{ticket}","type":"created","occurred_at":{at_ms}}}"#
        )
    }

    #[derive(Default)]
    struct Heard(Vec<(u32, String, i64)>);

    impl PollHandler for Heard {
        fn record(&mut self, record: &Record<'_>) {
            let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
            self.0.push((record.partition, key, record.timestamp_ms));
        }

        fn event(&mut self, _event: ConsumerEvent<'_>) {}
    }

    #[test]
    fn events_go_where_other_producers_put_their_tickets() {
        let log = MemoryLog::new(Arc::new(ManualClock::new(100 * DAY_MS)));
        let spec = TopicSpec {
            timestamps: TimestampKind::Create,
            ..TopicSpec::new("events", 4)
        };
        log.create_topic(&spec).unwrap();
        let mut import = Import::open(&log, options(), i64::MIN).unwrap();
        let lines = [
            event("kafka", DAY_MS),
            "  ".to_owned(),
            event("4", 50 * DAY_MS),
            "{".to_owned(),
            // Older than the line before, and so old that it would begin no ticket.
            event("kafka", 2 * DAY_MS),
            event("kafka", 400 * DAY_MS),
        ];
        let rejected: Vec<_> = lines
            .iter()
            .filter_map(|line| import.line(line.as_bytes()).unwrap())
            .map(|rejected| rejected.reason)
            .collect();
        import.settle().unwrap();
        assert_eq!(rejected, [Reason::BadJson]);
        assert_eq!(
            import.counts(),
            ImportCounts {
                lines: 5,
                sent: 4,
                rejected: 1,
                old: 1
            }
        );
        let partitions: Vec<_> = (0..4)
            .map(|number| TopicPartition::new("events", number))
            .collect();
        let mut reader = log.reader(&partitions, StartAt::Beginning).unwrap();
        let mut heard = Heard::default();
        while heard.0.len() < 4 {
            reader.poll(Duration::ZERO, 100, &mut heard).unwrap();
        }
        heard.0.sort_by_key(|(_, _, timestamp_ms)| *timestamp_ms);
        let at = |partition, key: &str, days: i64| (partition, key.to_owned(), days * DAY_MS);
        assert_eq!(
            heard.0,
            [
                at(0, "kafka", 1),
                at(1, "4", 50),
                at(0, "kafka", 50),
                at(0, "kafka", 100),
            ]
        );
    }

    #[test]
    fn a_topic_that_is_not_there_is_named() {
        let log = MemoryLog::new(Arc::new(ManualClock::new(0)));
        let error = Import::open(&log, options(), i64::MIN).unwrap_err();
        assert!(error.to_string().contains("events"), "{error}");
    }
}
