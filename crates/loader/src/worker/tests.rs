//! Stories about logs, groups and offsets, on a log and on tables in memory and with a clock of their own.

use std::sync::Arc;
use std::time::Duration;

use slawatch_stream::{
    Log, LogReader, ManualClock, MemoryLog, Outgoing, TopicPartition, TopicSpec,
};
use slawatch_wire::{Message, v1};

use super::*;
use crate::Table;
use crate::model::{Fault, MemoryTables};

const EVENTS: &str = "ticket-events";
const SIGNALS: &str = "slawatch.signals";
const GROUP: &str = "slawatch-loader";

/// A log with our topics in two partitions each, tables, and a clock.
struct World {
    log: MemoryLog,
    tables: MemoryTables,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_767_607_200_000));
        let log = MemoryLog::stepped(Arc::clone(&clock) as Arc<dyn Clock>);
        let topics = Topics::default();
        for kind in TopicKind::ALL {
            let spec = TopicSpec::new(&**topics.name(kind), 2);
            log.create_topic(&spec).unwrap();
        }
        Self {
            log,
            tables: MemoryTables::new(),
            clock,
        }
    }

    fn worker(&self, options: WorkerOptions) -> LoaderWorker {
        let sink = Box::new(self.tables.clone());
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        LoaderWorker::new(&self.log, sink, clock, options).unwrap()
    }

    fn event(&self, partition: u32, id: &str) {
        let value =
            format!(r#"{{"event_id":"{id}","ticket_id":"t","type":"updated","occurred_at":1000}}"#);
        let record = Outgoing::new(EVENTS.into(), partition, value.into_bytes());
        self.log.append(record).unwrap();
    }

    fn signal(&self, epoch: u64, answered: i64) {
        let pane = v1::PaneRow {
            measures: Some(v1::Measures {
                answered,
                ..Default::default()
            }),
            ..Default::default()
        };
        let batch = v1::SignalBatch {
            epoch,
            batch: 1,
            panes: vec![pane],
            ..Default::default()
        };
        let kind = Some(v1::signal::Kind::Batch(batch));
        let value = v1::Signal { kind }.encode_to_vec();
        self.log
            .append(Outgoing::new(SIGNALS.into(), 0, value))
            .unwrap();
    }

    /// Some rounds, 600 ms each.
    fn steps(&self, worker: &mut LoaderWorker, count: usize) {
        for _ in 0..count {
            self.clock.advance(600);
            worker.step(Duration::ZERO).unwrap();
        }
    }

    fn ids(&self) -> Vec<String> {
        let rows = self.tables.rows(Table::TicketEvents);
        let mut ids: Vec<String> = rows
            .iter()
            .map(|row| row["event_id"].text().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    }

    fn committed(&self, topic: &str, partition: u32) -> Option<i64> {
        let partition = TopicPartition::new(topic, partition);
        let committed = self.log.committed(GROUP, &partition)?;
        Some(committed.offset)
    }
}

#[test]
fn what_is_on_the_topics_is_in_the_tables_and_committed() {
    let world = World::new();
    let mut worker = world.worker(WorkerOptions::default());
    world.event(0, "a");
    world.event(1, "b");
    world.event(1, "c");
    world.signal(1, 7);
    world.steps(&mut worker, 6);
    assert_eq!(world.ids(), ["a", "b", "c"]);
    assert_eq!(world.tables.rows(Table::Panes).len(), 1);
    assert_eq!(
        (world.committed(EVENTS, 0), world.committed(EVENTS, 1)),
        (Some(1), Some(2))
    );
    assert_eq!(world.committed(SIGNALS, 0), Some(1));
    assert!(!worker.is_busy());
    let tokens = world.tables.tokens().into_keys().collect::<Vec<_>>();
    let events = tokens
        .iter()
        .find(|token| token.starts_with("ticket_events"))
        .unwrap();
    assert!(
        events.starts_with("ticket_events ticket-events/0:0-0 ticket-events/1:0-1 "),
        "{events}"
    );
}

#[test]
fn a_loader_that_ends_sends_what_it_holds_and_the_next_goes_on_behind_it() {
    let world = World::new();
    let mut first = world.worker(WorkerOptions::default());
    world.event(0, "a");
    world.steps(&mut first, 2);
    world.event(0, "b");
    first.step(Duration::ZERO).unwrap();
    first.finish(1000).unwrap();
    drop(first);
    assert_eq!(world.committed(EVENTS, 0), Some(2));
    world.event(0, "c");
    let mut second = world.worker(WorkerOptions::default());
    world.steps(&mut second, 6);
    assert_eq!(world.ids(), ["a", "b", "c"]);
    let batches = world.tables.tokens();
    assert!(batches.values().all(|count| *count == 1), "{batches:?}");
}

#[test]
fn a_loader_that_is_killed_loses_nothing_and_a_fence_survives_it() {
    let world = World::new();
    let mut first = world.worker(WorkerOptions::default());
    world.signal(2, 1);
    world.steps(&mut first, 6);
    world.event(0, "a");
    world
        .tables
        .fail_next(Table::TicketEvents, Fault::Unavailable);
    world.steps(&mut first, 2);
    first.consumer.leave();
    drop(first);
    assert_eq!(world.ids(), [""; 0]);
    world.signal(1, 99);
    let mut second = world.worker(WorkerOptions::default());
    world.steps(&mut second, 6);
    assert_eq!(world.ids(), ["a"]);
    let panes = world.tables.rows(Table::Panes);
    assert_eq!(panes[0]["answered"].number(), Some(1), "the zombie is mute");
}

#[test]
fn two_loaders_share_the_partitions_and_take_over_from_each_other() {
    let world = World::new();
    let mut first = world.worker(WorkerOptions::default());
    world.event(0, "a");
    world.event(1, "b");
    first.step(Duration::ZERO).unwrap();
    let mut second = world.worker(WorkerOptions::default());
    for _ in 0..4 {
        world.steps(&mut first, 2);
        world.steps(&mut second, 2);
    }
    let shared = first.partitions.len() + second.partitions.len();
    assert_eq!((shared, first.partitions.len()), (10, 5));
    world.event(0, "c");
    world.event(1, "d");
    second.finish(1000).unwrap();
    drop(second);
    world.steps(&mut first, 6);
    assert_eq!(first.partitions.len(), 10);
    assert_eq!(world.ids(), ["a", "b", "c", "d"]);
    assert_eq!(
        (world.committed(EVENTS, 0), world.committed(EVENTS, 1)),
        (Some(2), Some(2))
    );
}

#[test]
fn a_member_that_was_expelled_commits_nothing_and_joins_again() {
    let world = World::new();
    let topics = Topics::default();
    let names = TopicKind::ALL.map(|kind| topics.name(kind).to_string());
    let consumer = world.log.join(GROUP, &names.each_ref().map(String::as_str));
    let session = consumer.session().unwrap();
    let sink = Box::new(world.tables.clone());
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let mut worker =
        LoaderWorker::with_consumer(Box::new(consumer), sink, clock, WorkerOptions::default());
    world.event(0, "a");
    worker.step(Duration::ZERO).unwrap();
    worker.step(Duration::ZERO).unwrap();
    session.expire();
    world.clock.advance(2000);
    worker.exchange(Duration::ZERO);
    worker.commit().unwrap();
    assert_eq!(world.committed(EVENTS, 0), None, "refused");
    world.steps(&mut worker, 6);
    assert_eq!(world.committed(EVENTS, 0), Some(1));
    assert_eq!(world.ids(), ["a"]);
}

#[test]
fn reading_waits_for_clickhouse_and_nothing_is_lost_meanwhile() {
    let world = World::new();
    let options = WorkerOptions {
        batches: BatchOptions {
            max_rows: 1,
            in_flight: 1,
            ..BatchOptions::default()
        },
        ..WorkerOptions::default()
    };
    let mut worker = world.worker(options);
    worker.step(Duration::ZERO).unwrap();
    world.tables.fail_next(Table::TicketEvents, Fault::Hang);
    for number in 0..5 {
        world.event(0, &format!("e{number}"));
        world.steps(&mut worker, 1);
    }
    world.signal(1, 5);
    world.steps(&mut worker, 4);
    assert_eq!(
        worker.paused.iter().copied().collect::<Vec<_>>(),
        [TopicKind::TicketEvents]
    );
    assert_eq!(
        world.tables.rows(Table::Panes).len(),
        1,
        "other topics go on"
    );
    let partition = TopicPartition::new(EVENTS, 0);
    let position = worker.consumer.position(&partition);
    assert!(position < Some(5), "{position:?}");
    world.tables.release();
    world.steps(&mut worker, 10);
    assert!(worker.paused.is_empty());
    assert_eq!(world.ids(), ["e0", "e1", "e2", "e3", "e4"]);
    assert_eq!(world.committed(EVENTS, 0), Some(5));
}

#[test]
fn records_that_retention_removed_unread_stop_their_partition_unless_accepted() {
    for accept_gap in [false, true] {
        let world = World::new();
        let options = WorkerOptions {
            accept_gap,
            ..WorkerOptions::default()
        };
        let mut first = world.worker(options.clone());
        world.event(0, "a");
        world.steps(&mut first, 6);
        first.finish(1000).unwrap();
        drop(first);
        for id in ["lost", "b"] {
            world.event(0, id);
        }
        world.event(1, "c");
        world
            .log
            .truncate(&TopicPartition::new(EVENTS, 0), 2)
            .unwrap();
        let mut second = world.worker(options);
        world.steps(&mut second, 6);
        let gaps = second.health().problems();
        if accept_gap {
            assert_eq!(gaps, [""; 0]);
            assert_eq!(world.ids(), ["a", "b", "c"]);
        } else {
            assert_eq!(
                gaps,
                [
                    "ticket-events/0: the records from 1 to 2 were removed by the topic's retention before they were loaded. Raise \
                     retention.ms of the topic; to go on without them set tracker.accept_gap"
                ]
            );
            assert_eq!(world.ids(), ["a", "c"]);
        }
    }
}

#[test]
fn a_table_that_stopped_shows_in_the_loaders_health() {
    let world = World::new();
    let mut worker = world.worker(WorkerOptions::default());
    let health = worker.health();
    world.event(0, "a");
    let refusal = Fault::Refused("Code: 497. DB::Exception: not enough privileges".to_owned());
    world.tables.fail_next(Table::TicketEvents, refusal);
    assert_eq!(health.problems(), [""; 0]);
    world.steps(&mut worker, 6);
    assert_eq!(
        health.problems(),
        [
            "table ticket_events takes no rows until it is repaired and the loader restarted: Code: 497. DB::Exception: not \
             enough privileges"
        ]
    );
    assert_eq!(world.committed(EVENTS, 0), Some(0));
}

/// Commits as another program, or an operator's tool, would.
fn commit_as_a_stranger(world: &World, topic: &str, offset: i64, metadata: &str) {
    let mut stranger = world.log.join(GROUP, &[topic]);
    let mut nothing = Handler {
        core: &mut LoaderCore::new(
            Topics::default(),
            IntakeOptions::default(),
            BatchOptions::default(),
        ),
        now_ms: 0,
        events: Events::default(),
    };
    stranger.poll(Duration::ZERO, 1, &mut nothing).unwrap();
    let commit = slawatch_stream::Commit {
        partition: TopicPartition::new(topic, 0),
        offset,
        metadata: metadata.to_owned(),
    };
    assert_eq!(stranger.commit(&[commit]), CommitOutcome::Committed);
    stranger.leave();
}

#[test]
fn a_topic_that_was_made_anew_is_named() {
    let world = World::new();
    world.event(0, "a");
    commit_as_a_stranger(&world, EVENTS, 9, "");
    let mut worker = world.worker(WorkerOptions::default());
    world.steps(&mut worker, 6);
    assert_eq!(
        worker.health().problems(),
        [
            "ticket-events/0 ends at 1, but was loaded up to 9: the topic was made anew or lost records. Load it into a \
             database of another name, having deleted the loader's consumer group (kafka-consumer-groups.sh --delete)"
        ]
    );
    assert!(world.ids().is_empty());
}

#[test]
fn a_group_that_others_commit_for_is_refused() {
    let world = World::new();
    commit_as_a_stranger(&world, SIGNALS, 0, "mine");
    let mut worker = world.worker(WorkerOptions::default());
    let mut steps = (0..6).map(|_| worker.step(Duration::ZERO));
    let error = steps.find_map(Result::err).unwrap();
    assert_eq!(
        error.to_string(),
        "the metadata committed for slawatch.signals/0 cannot be read: it does not begin with f1:. Another program commits for \
         this consumer group: give the loader a group of its own"
    );
}
