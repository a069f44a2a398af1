//! Where a topic ends, asked every 50 ms by a thread and a client of their own (SEMANTICS 6, "caught up").
//!
//! `offsets_for_times` with the end as the time is one request per leader and is never answered from a cache, unlike
//! watermarks. The wall clock is read before the question leaves.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::clock::Clock;
use crate::probe::{EndOffsets, EndProbe};

const EVERY: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct KafkaProbe {
    newest: Arc<Mutex<Option<EndOffsets>>>,
    /// Dropped with the probe, which ends the thread.
    _alive: Sender<()>,
}

impl fmt::Debug for KafkaProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KafkaProbe")
    }
}

impl KafkaProbe {
    pub(super) fn start(
        client: BaseConsumer,
        topic: &str,
        partitions: u32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let newest = Arc::new(Mutex::new(None));
        let (alive, ended) = channel();
        let asking = Asking {
            client,
            topic: topic.to_owned(),
            partitions,
            clock,
            newest: Arc::clone(&newest),
        };
        std::thread::spawn(move || asking.run(&ended));
        Self {
            newest,
            _alive: alive,
        }
    }
}

impl EndProbe for KafkaProbe {
    fn newest(&mut self) -> Option<EndOffsets> {
        self.newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

struct Asking {
    client: BaseConsumer,
    topic: String,
    partitions: u32,
    clock: Arc<dyn Clock>,
    newest: Arc<Mutex<Option<EndOffsets>>>,
}

impl Asking {
    fn run(&self, ended: &Receiver<()>) {
        loop {
            if let Some(answer) = self.ask() {
                *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            }
            match ended.recv_timeout(EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn ask(&self) -> Option<EndOffsets> {
        let mut question = TopicPartitionList::with_capacity(self.partitions as usize);
        for partition in 0..self.partitions {
            question
                .add_partition_offset(&self.topic, partition as i32, Offset::End)
                .ok()?;
        }
        let asked_at_ms = self.clock.wall_ms();
        let answer = self.client.offsets_for_times(question, TIMEOUT).ok()?;
        let ends = (0..self.partitions).map(|partition| {
            let element = answer.find_partition(&self.topic, partition as i32)?;
            element.error().ok()?;
            match element.offset() {
                Offset::Offset(end) => Some(end),
                Offset::Beginning
                | Offset::End
                | Offset::Stored
                | Offset::Invalid
                | Offset::OffsetTail(_) => None,
            }
        });
        Some(EndOffsets {
            asked_at_ms,
            ends: ends.collect(),
        })
    }
}
