//! What a case needs beside the log's own traits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use slawatch_stream::{Clock, Consumer, Log, Outgoing, Producer, TopicPartition, TopicSpec};

/// How often a case looks before it gives up; on the broker a look may last [`Place::look_ms`].
pub(crate) const PATIENCE: u32 = 600;

/// A log, and hands to do to it what happens to logs.
pub(crate) trait Place {
    fn log(&self) -> Arc<dyn Log>;

    fn clock(&self) -> Arc<dyn Clock>;

    /// How long one poll may wait.
    fn look_ms(&self) -> u64;

    /// Lets a moment pass, where time does not by itself.
    fn pass(&self);

    /// Appends a record, and waits until it is there.
    fn append(&self, record: Outgoing);

    /// Appends records in a transaction that is committed. Takes one offset more than there are records.
    fn append_committed(&self, partition: &TopicPartition, values: &[&str]);

    /// Appends records in a transaction that is given up. Takes one offset more than there are records.
    fn append_aborted(&self, partition: &TopicPartition, records: u32);

    /// Removes every record below `low`, as retention does.
    fn remove_below(&self, partition: &TopicPartition, low: i64);

    /// A process of its own, whose way to the log can be disturbed.
    fn process(&self) -> Box<dyn Process>;
}

/// A process among those that use the log.
pub(crate) trait Process {
    fn log(&self) -> Arc<dyn Log>;

    fn member(&self, group: &str, topics: &[&str]) -> Box<dyn Consumer>;

    /// Loses the answers to the next `count` sends that arrive; the sends are done.
    fn lose_answers(&self, count: u32);

    /// How many answers have not been lost yet of those that were to be.
    fn answers_left_to_lose(&self) -> u32;

    /// Nothing is heard of it any more; the log is to take it for dead, sooner or later.
    fn silence(&self);

    /// It is back.
    fn wake(&self);

    /// Does something while this process cannot read, too short to be taken for dead.
    fn behind_its_back(&self, act: &mut dyn FnMut());
}

impl dyn Place + '_ {
    /// A name that nobody else uses.
    pub(crate) fn fresh(&self, what: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{number}")
    }

    pub(crate) fn topic(&self, partitions: u32) -> Arc<str> {
        self.topic_with(partitions, |_| {})
    }

    pub(crate) fn topic_with(
        &self,
        partitions: u32,
        shape: impl FnOnce(&mut TopicSpec),
    ) -> Arc<str> {
        let mut spec = TopicSpec::new(self.fresh("topic"), partitions);
        shape(&mut spec);
        self.log().create_topic(&spec).expect("a topic");
        Arc::from(spec.name)
    }

    pub(crate) fn append_all(&self, partition: &TopicPartition, values: &[&str]) {
        for value in values {
            let topic = Arc::clone(&partition.topic);
            let value = value.as_bytes().to_vec();
            self.append(Outgoing::new(topic, partition.partition, value));
        }
    }

    /// Polls the producer until everything sent is acknowledged.
    pub(crate) fn delivered(&self, producer: &mut dyn Producer) {
        let wait = std::time::Duration::from_millis(self.look_ms());
        for _ in 0..PATIENCE {
            let acknowledged = producer.poll(wait).expect("delivered");
            if acknowledged == producer.sent() {
                return;
            }
        }
        panic!("{producer:?} has no answer to what it sent");
    }
}
