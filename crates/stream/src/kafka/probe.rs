//! Where topics end, asked every 50 ms by one thread with a client of its own, however many follow (SEMANTICS 6,
//! "caught up").
//!
//! `offsets_for_times` with the end as the time is one request per leader for all topics together and is never answered
//! from a cache, unlike watermarks. The wall clock is read before the question leaves. The question carries the
//! consumers' `isolation.level`, so the ends are those that a consumer can reach.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::topic_partition_list::Offset;

use crate::clock::Clock;
use crate::error::StreamError;
use crate::probe::{EndOffsets, EndProbe};
use crate::record::TopicPartition;

use super::offsets::{list_at, offset_in};

const EVERY: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(2);

/// The probe thread of one log, as long as anybody follows.
#[derive(Default)]
pub(super) struct Probes(Mutex<Weak<Board>>);

impl Probes {
    /// Follows `topic`; starts the thread if there is none.
    pub(super) fn follow(
        &self,
        topic: &str,
        partitions: u32,
        clock: &Arc<dyn Clock>,
        client: impl FnOnce() -> Result<BaseConsumer, StreamError>,
    ) -> Result<KafkaProbe, StreamError> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let board = match running.upgrade() {
            Some(board) => board,
            None => {
                let (alive, ended) = channel();
                let board = Arc::new(Board {
                    topics: Mutex::default(),
                    _alive: alive,
                });
                let asking = Asking {
                    client: client()?,
                    clock: Arc::clone(clock),
                    board: Arc::downgrade(&board),
                };
                std::thread::spawn(move || asking.run(&ended));
                *running = Arc::downgrade(&board);
                board
            }
        };
        drop(running);
        let topic: Arc<str> = Arc::from(topic);
        let all = (0..partitions).map(|number| TopicPartition::new(Arc::clone(&topic), number));
        let mut topics = board.lock();
        let followed = topics.entry(Arc::clone(&topic)).or_default();
        followed.followers += 1;
        followed.partitions = all.collect();
        drop(topics);
        Ok(KafkaProbe {
            board,
            topic,
            seen: 0,
        })
    }
}

/// One follower's view.
pub(super) struct KafkaProbe {
    board: Arc<Board>,
    topic: Arc<str>,
    /// The number of the last answer that was taken.
    seen: u64,
}

impl fmt::Debug for KafkaProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KafkaProbe({})", self.topic)
    }
}

impl EndProbe for KafkaProbe {
    fn newest(&mut self) -> Option<EndOffsets> {
        let topics = self.board.lock();
        let (number, answer) = topics.get(&self.topic)?.newest.as_ref()?;
        if *number == self.seen {
            return None;
        }
        self.seen = *number;
        Some(answer.clone())
    }
}

impl Drop for KafkaProbe {
    fn drop(&mut self) {
        let mut topics = self.board.lock();
        if let Some(followed) = topics.get_mut(&self.topic) {
            followed.followers -= 1;
            if followed.followers == 0 {
                topics.remove(&self.topic);
            }
        }
    }
}

/// Where the thread lays its answers.
struct Board {
    topics: Mutex<BTreeMap<Arc<str>, Followed>>,
    /// Dropped with the last follower, which ends the thread.
    _alive: Sender<()>,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Followed>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Followed {
    followers: usize,
    partitions: Vec<TopicPartition>,
    /// The newest answer and its number.
    newest: Option<(u64, EndOffsets)>,
}

struct Asking {
    client: BaseConsumer,
    clock: Arc<dyn Clock>,
    board: Weak<Board>,
}

impl Asking {
    fn run(&self, ended: &Receiver<()>) {
        for number in 1.. {
            if self.ask(number).is_none() {
                tracing::debug!("the ends of topics are not known at the moment");
            }
            match ended.recv_timeout(EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// `None` without an answer. No follower waits meanwhile.
    fn ask(&self, number: u64) -> Option<()> {
        let followed: Vec<TopicPartition> = {
            let board = self.board.upgrade()?;
            let topics = board.lock();
            topics
                .values()
                .flat_map(|followed| followed.partitions.iter().cloned())
                .collect()
        };
        if followed.is_empty() {
            return Some(());
        }
        // Nobody else takes in what the client has to tell; it logs it itself.
        while self.client.poll(Duration::ZERO).is_some() {}
        let asked_at_ms = self.clock.wall_ms();
        let question = list_at(&followed, Offset::End).ok()?;
        let answer = self.client.offsets_for_times(question, TIMEOUT).ok()?;
        let board = self.board.upgrade()?;
        for followed in board.lock().values_mut() {
            let ends = followed.partitions.iter();
            let ends = ends.map(|partition| offset_in(&answer, partition));
            let ends = EndOffsets {
                asked_at_ms,
                ends: ends.collect(),
            };
            followed.newest = Some((number, ends));
        }
        Some(())
    }
}
