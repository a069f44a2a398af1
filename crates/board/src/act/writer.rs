//! The thread that writes actions: a producer of its own, and an answer only once the log has acknowledged.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use slawatch_stream::{Clock, DeliveryFailed, Log, Outgoing, Producer, StreamError};
use slawatch_wire::v1::{Action, ActionKind, Signal, signal};
use slawatch_wire::{Message, vendor_partition};
use tokio::sync::oneshot;

use super::plain_vendor;
use crate::metrics;

/// How long the log may take to acknowledge.
const PATIENCE_MS: u64 = 10_000;
const POLL: Duration = Duration::from_millis(100);
/// Ids that are remembered.
const KNOWN: usize = 20_000;

/// What became of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The log has it.
    Written,
    /// The same action was written before; nothing was written now.
    Known,
}

/// Why an action is not known to be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its id stands for something else.
    #[error(
        "the action_id {0} was used for something else; leave it out, or write one that was not used yet"
    )]
    OtherAction(String),
    /// The log does not take it.
    #[error(
        "it could not be written to Kafka: {0}; repeat it with the same action_id: it then happens once, whatever arrived"
    )]
    Refused(String),
    /// The log says nothing.
    #[error(
        "Kafka did not acknowledge it within {} s; look at its brokers, then repeat it with the same action_id: it then \
         happens once, whatever arrived",
        PATIENCE_MS / 1_000
    )]
    Unanswered,
}

/// What was written of late, here or elsewhere, by id.
#[derive(Debug, Default)]
pub(crate) struct KnownActions {
    by_id: BTreeMap<String, Action>,
    order: VecDeque<String>,
}

impl KnownActions {
    pub(crate) fn note(&mut self, action: &Action) {
        if self.by_id.contains_key(&action.action_id) {
            return;
        }
        if self.order.len() >= KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
        self.order.push_back(action.action_id.clone());
        self.by_id.insert(action.action_id.clone(), action.clone());
    }

    /// What was written before under this id; an error if that is something else.
    fn judge(&self, action: &Action) -> Result<Option<&Action>, WriteError> {
        let Some(known) = self.by_id.get(&action.action_id) else {
            return Ok(None);
        };
        if is_repeat(known, action) {
            Ok(Some(known))
        } else {
            Err(WriteError::OtherAction(action.action_id.clone()))
        }
    }
}

/// Whoever repeats says the same a moment later, and the board may know less or more of its subject by then.
fn is_repeat(known: &Action, again: &Action) -> bool {
    let mut as_then = Action {
        at_ms: known.at_ms,
        ..again.clone()
    };
    match known.kind() {
        ActionKind::Acknowledge => {
            as_then.vendor.clone_from(&known.vendor);
            as_then.incident.clone_from(&known.incident);
        }
        ActionKind::ExpireSilence => as_then.vendor.clone_from(&known.vendor),
        // Asked for as "from now on for an hour", they end a moment later too.
        ActionKind::Silence => as_then.until_ms = known.until_ms,
        ActionKind::MarkChange | ActionKind::Unspecified => {}
    }
    as_then == *known
}

struct Job {
    action: Action,
    answer: oneshot::Sender<Result<Receipt, WriteError>>,
}

/// Writes actions from any thread; dropping the last of its handles ends it.
#[derive(Clone)]
pub struct ActionWriter {
    jobs: Sender<Job>,
    known: Arc<Mutex<KnownActions>>,
}

impl fmt::Debug for ActionWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActionWriter")
    }
}

impl ActionWriter {
    /// Starts the thread. The log is spoken to when there is something to write.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(
        log: Arc<dyn Log>,
        signals_topic: &str,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel();
        let known = Arc::new(Mutex::new(KnownActions::default()));
        let mut desk = Desk {
            log,
            topic: signals_topic.into(),
            clock,
            known: Arc::clone(&known),
            open: None,
        };
        let thread = std::thread::Builder::new()
            .name("board-actions".to_owned())
            .spawn(move || desk.run(&queue))?;
        Ok((Self { jobs, known }, thread))
    }

    /// Writes an action, and waits until the log has it: in the partition of its vendor, or if it names none or several in
    /// every partition.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn write(&self, action: Action) -> Result<Receipt, WriteError> {
        self.hand_over(action)
            .await
            .unwrap_or_else(|_| Err(ended()))
    }

    /// The same for callers outside of any asynchronous runtime.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_blocking(&self, action: Action) -> Result<Receipt, WriteError> {
        let answer = self.hand_over(action);
        answer.blocking_recv().unwrap_or_else(|_| Err(ended()))
    }

    fn hand_over(&self, action: Action) -> oneshot::Receiver<Result<Receipt, WriteError>> {
        let (answer, answered) = oneshot::channel();
        // A thread that is gone drops the answer, which is then told.
        self.jobs.send(Job { action, answer }).ok();
        answered
    }

    /// The action that this one repeats, if it does.
    ///
    /// # Errors
    /// [`WriteError::OtherAction`].
    pub(crate) fn repeated(&self, action: &Action) -> Result<Option<Action>, WriteError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.judge(action)?.cloned())
    }

    pub(crate) fn known(&self) -> Arc<Mutex<KnownActions>> {
        Arc::clone(&self.known)
    }
}

fn ended() -> WriteError {
    WriteError::Refused("the board is stopping".to_owned())
}

struct Open {
    producer: Box<dyn Producer>,
    partitions: u32,
}

struct Desk {
    log: Arc<dyn Log>,
    topic: Arc<str>,
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<KnownActions>>,
    open: Option<Open>,
}

impl Desk {
    fn run(&mut self, queue: &Receiver<Job>) {
        while let Ok(job) = queue.recv() {
            let result = self.write(&job.action);
            match &result {
                Ok(receipt) => tracing::info!(
                    action_id = job.action.action_id,
                    kind = job.action.kind().as_str_name(),
                    author = job.action.author,
                    ?receipt,
                    "somebody acted"
                ),
                Err(error) => {
                    metrics::ACTIONS_FAILED.increment(1);
                    tracing::warn!(action_id = job.action.action_id, %error, "an action was not written");
                }
            }
            // Whoever asked may have gone.
            job.answer.send(result).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, KnownActions> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&mut self, action: &Action) -> Result<Receipt, WriteError> {
        if self.lock().judge(action)?.is_some() {
            return Ok(Receipt::Known);
        }
        match self.deliver(action) {
            Ok(()) => {
                metrics::ACTIONS_WRITTEN.increment(1);
                self.lock().note(action);
                Ok(Receipt::Written)
            }
            Err(error) => {
                // What is still under way shall not arrive an hour late; the next one starts afresh.
                self.open = None;
                Err(error)
            }
        }
    }

    fn deliver(&mut self, action: &Action) -> Result<(), WriteError> {
        let (log, topic) = (Arc::clone(&self.log), Arc::clone(&self.topic));
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(open_log(log.as_ref(), &topic).map_err(refused)?),
        };
        let partitions = match plain_vendor(action) {
            Some(vendor) => {
                let own = vendor_partition(vendor, open.partitions);
                own..own + 1
            }
            None => 0..open.partitions,
        };
        let kind = Some(signal::Kind::Action(action.clone()));
        let value = Signal { kind }.encode_to_vec();
        let mut last = 0;
        for partition in partitions {
            let record = Outgoing::new(Arc::clone(&topic), partition, value.clone());
            last = open.producer.send(record).map_err(refused)?;
        }
        let give_up_ms = self.clock.steady_ms().saturating_add(PATIENCE_MS);
        loop {
            let acknowledged = open.producer.poll(POLL);
            if acknowledged.map_err(|error: DeliveryFailed| refused(error.into()))? >= last {
                return Ok(());
            }
            if self.clock.steady_ms() >= give_up_ms {
                return Err(WriteError::Unanswered);
            }
        }
    }
}

fn open_log(log: &dyn Log, topic: &str) -> Result<Open, StreamError> {
    Ok(Open {
        partitions: log.partitions(topic)?,
        producer: log.producer()?,
    })
}

fn refused(error: StreamError) -> WriteError {
    WriteError::Refused(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use slawatch_stream::{
        ConsumerEvent, ManualClock, MemoryLog, PollHandler, Record, StartAt, TopicPartition,
        TopicSpec,
    };

    const TOPIC: &str = "slawatch.signals";

    #[derive(Default)]
    struct Read(Vec<(u32, Action)>);

    impl PollHandler for Read {
        fn record(&mut self, record: &Record<'_>) {
            let signal = Signal::decode(record.value.unwrap()).unwrap();
            let Some(signal::Kind::Action(action)) = signal.kind else {
                panic!("{signal:?}")
            };
            self.0.push((record.partition, action));
        }

        fn event(&mut self, _event: ConsumerEvent<'_>) {}
    }

    struct World {
        log: MemoryLog,
        clock: Arc<ManualClock>,
        writer: ActionWriter,
        thread: JoinHandle<()>,
    }

    impl World {
        fn new(partitions: Option<u32>) -> Self {
            let clock = Arc::new(ManualClock::new(1_000));
            let log = MemoryLog::new(Arc::clone(&clock) as Arc<dyn Clock>);
            if let Some(partitions) = partitions {
                log.create_topic(&TopicSpec::new(TOPIC, partitions))
                    .unwrap();
            }
            let (writer, thread) = ActionWriter::start(
                Arc::new(log.clone()),
                TOPIC,
                Arc::clone(&clock) as Arc<dyn Clock>,
            )
            .unwrap();
            Self {
                log,
                clock,
                writer,
                thread,
            }
        }

        fn read(&self, partitions: u32) -> Vec<(u32, Action)> {
            let all: Vec<_> = (0..partitions)
                .map(|number| TopicPartition::new(TOPIC, number))
                .collect();
            let mut reader = self.log.reader(&all, StartAt::Beginning).unwrap();
            let mut read = Read::default();
            // The first says only where it begins.
            for _ in 0..3 {
                reader.poll(Duration::ZERO, 100, &mut read).unwrap();
            }
            read.0.sort_by_key(|(partition, _)| *partition);
            read.0
        }
    }

    fn action(id: &str, vendor: &str) -> Action {
        Action {
            action_id: id.to_owned(),
            kind: ActionKind::Silence.into(),
            vendor: vendor.to_owned(),
            author: "ana".to_owned(),
            ..Action::default()
        }
    }

    #[test]
    fn an_action_travels_with_its_vendor_or_everywhere() {
        let world = World::new(Some(3));
        for (id, vendor) in [("1", "acme"), ("2", "ac*"), ("3", "")] {
            let receipt = world.writer.write_blocking(action(id, vendor)).unwrap();
            assert_eq!(receipt, Receipt::Written);
        }
        let places = |id: &str| -> Vec<u32> {
            let read = world.read(3).into_iter();
            read.filter(|(_, action)| action.action_id == id)
                .map(|(partition, _)| partition)
                .collect()
        };
        assert_eq!(places("1"), [vendor_partition("acme", 3)]);
        assert_eq!(places("2"), [0, 1, 2]);
        assert_eq!(places("3"), [0, 1, 2]);
        drop(world.writer);
        world.thread.join().unwrap();
    }

    #[test]
    fn a_repeat_writes_nothing_and_an_id_stands_for_one_action() {
        let world = World::new(Some(1));
        world.writer.write_blocking(action("1", "acme")).unwrap();
        let later = Action {
            at_ms: 99,
            ..action("1", "acme")
        };
        assert_eq!(world.writer.write_blocking(later).unwrap(), Receipt::Known);
        let other = world.writer.write_blocking(action("1", "nova"));
        assert_eq!(
            other.unwrap_err().to_string(),
            "the action_id 1 was used for something else; leave it out, or write one that was not used yet"
        );
        assert_eq!(world.read(1).len(), 1);
        // Another board wrote it.
        world.writer.known().lock().unwrap().note(&action("2", ""));
        assert_eq!(
            world.writer.write_blocking(action("2", "")).unwrap(),
            Receipt::Known
        );
    }

    #[test]
    fn a_lost_answer_doubles_nothing() {
        let world = World::new(Some(1));
        world.log.lose_answers(2);
        world.writer.write_blocking(action("1", "")).unwrap();
        assert_eq!(world.log.answers_left_to_lose(), 0);
        assert_eq!(world.read(1).len(), 1);
    }

    #[test]
    fn what_the_log_does_not_take_is_told_and_tried_again_afterwards() {
        let world = World::new(None);
        let told = world.writer.write_blocking(action("1", "")).unwrap_err();
        assert_eq!(
            told.to_string(),
            "it could not be written to Kafka: topic slawatch.signals does not exist: create it, or correct its name in the \
             configuration; repeat it with the same action_id: it then happens once, whatever arrived"
        );
        world.log.create_topic(&TopicSpec::new(TOPIC, 1)).unwrap();
        assert_eq!(
            world.writer.write_blocking(action("1", "")).unwrap(),
            Receipt::Written
        );
        assert_eq!(world.clock.wall_ms(), 1_000);
    }

    #[test]
    fn only_so_many_ids_are_remembered() {
        let mut known = KnownActions::default();
        for number in 0..=KNOWN {
            known.note(&action(&number.to_string(), ""));
        }
        assert_eq!(known.judge(&action("0", "")), Ok(None));
        assert_eq!(known.judge(&action("1", "")), Ok(Some(&action("1", ""))));
        assert_eq!(known.by_id.len(), KNOWN);
    }
}
