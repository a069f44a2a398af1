//! What an operator reads when a partition stops, and that nothing else than the cause makes it stop.

use std::sync::Arc;
use std::time::Duration;

use super::toy::{OUTPUTS, ToyFactory};
use crate::{
    Commit, CommitOutcome, Consumer as _, Log as _, LogReader as _, ManualClock, MemoryLog,
    MemoryStore, Outgoing, PartitionState, SnapshotStore as _, StartAt, TopicPartition, TopicSpec,
    Worker, WorkerConfig, WorkerParts,
};

struct Place {
    log: MemoryLog,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    accept_gap: bool,
}

fn source() -> TopicPartition {
    TopicPartition::new("in", 0)
}

impl Place {
    /// A source of one partition holding `records` records.
    fn with_records(records: u32) -> Self {
        let clock = Arc::new(ManualClock::new(1_000));
        let log = MemoryLog::stepped(clock.clone());
        log.create_topic(&TopicSpec::new("in", 1)).unwrap();
        log.create_topic(&TopicSpec::new("out", OUTPUTS)).unwrap();
        for _ in 0..records {
            log.append(Outgoing::new(Arc::from("in"), 0, b"k note".to_vec()))
                .unwrap();
        }
        Self {
            log,
            store: Arc::default(),
            clock,
            accept_gap: false,
        }
    }

    fn worker(&self) -> Worker<ToyFactory> {
        let config = WorkerConfig {
            snapshot_ms: 10,
            commit_ms: 10,
            report_ms: 0,
            accept_gap: self.accept_gap,
            ..WorkerConfig::new("toy", "toy", "in")
        };
        let factory = Arc::new(ToyFactory { sparing: false });
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Worker::new(
            WorkerParts::open(&self.log, &config, store, clock, factory).unwrap(),
            config,
        )
    }

    /// Runs a worker for a while: how its partition ends up, and the offset of its snapshot's key.
    fn run(&self) -> (PartitionState, String) {
        let mut worker = self.worker();
        for _ in 0..60 {
            self.clock.advance(10);
            worker.step(Duration::ZERO).unwrap();
        }
        let status = worker
            .status()
            .partitions()
            .remove(&0)
            .expect("the partition is owned");
        (status.state, status.note.unwrap_or_default())
    }

    fn snapshots(&self) -> Vec<String> {
        self.store.list("toy/in/00000").unwrap()
    }

    /// Commits as somebody else's program, or an operator's tool, would.
    fn commit(&self, offset: i64, metadata: &str) {
        let mut consumer = self.log.join("toy", &["in"]);
        consumer.poll(Duration::ZERO, 0, &mut Nothing).unwrap();
        let commit = Commit {
            partition: source(),
            offset,
            metadata: metadata.to_owned(),
        };
        assert_eq!(consumer.commit(&[commit]), CommitOutcome::Committed);
    }

    fn assert_stops(&self, expected: &[&str]) {
        let (state, note) = self.run();
        assert_eq!(state, PartitionState::Stopped, "{note}");
        for part in expected {
            assert!(note.contains(part), "{part:?} is not in {note:?}");
        }
    }
}

const AFRESH: &str = "To begin anew, stop all workers, delete the consumer group toy (kafka-consumer-groups.sh --delete) \
                      and the snapshots below toy, and give slawatch's own topics and its database new names";

struct Nothing;

impl crate::PollHandler for Nothing {
    fn record(&mut self, _record: &crate::Record<'_>) {}
    fn event(&mut self, _event: crate::ConsumerEvent<'_>) {}
}

#[test]
fn undisturbed_nothing_stops() {
    let place = Place::with_records(5);
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
    assert!(!place.snapshots().is_empty());
    assert_eq!(
        place.run(),
        (PartitionState::Live, String::new()),
        "taken over"
    );
}

#[test]
fn what_a_source_begins_under_is_kept_before_anything_is_said() {
    let place = Place::with_records(5);
    let mut out = (place.log)
        .reader(&[TopicPartition::new("out", 0)], StartAt::Beginning)
        .unwrap();
    let mut worker = place.worker();
    while place.snapshots().is_empty() {
        place.clock.advance(1);
        worker.step(Duration::ZERO).unwrap();
        assert_eq!(out.poll(Duration::ZERO, 10, &mut Nothing).unwrap(), 0);
    }
    let first = place.snapshots();
    let claimed = place.log.committed("toy", &source()).unwrap().metadata;
    assert!(
        first[0].contains("00000-0000000001-0000000000000."),
        "{first:?}"
    );
    assert!(
        claimed.contains("epoch=1 ") && claimed.contains("snapshot="),
        "{claimed}"
    );
    drop(worker);
    for _ in 0..4 {
        for _ in 0..5 {
            let record = Outgoing::new(Arc::from("in"), 0, b"k note".to_vec());
            place.log.append(record).unwrap();
        }
        assert_eq!(place.run(), (PartitionState::Live, String::new()));
    }
    let kept = place.snapshots();
    assert_eq!(kept[0], first[0], "the first is kept whatever comes later");
    assert_eq!(kept.len(), 4, "{kept:?}");
}

#[test]
fn a_store_without_the_named_snapshot_is_not_shared() {
    let place = Place::with_records(5);
    place.run();
    for key in place.snapshots() {
        place.store.delete(&key).unwrap();
    }
    place.assert_stops(&[
        "names the snapshot toy/in/00000/",
        "the same store",
        "Put it back",
        "delete the consumer group toy",
    ]);
}

#[test]
fn an_offset_set_by_hand_is_refused() {
    let place = Place::with_records(5);
    place.commit(2, "");
    place.assert_stops(&[
        "in/0 was not committed by slawatch",
        "reads \"\"",
        "delete the consumer group toy",
        "the newest snapshot is gone on from",
    ]);
}

#[test]
fn a_changed_partition_count_stops_the_partition() {
    let place = Place::with_records(5);
    place.commit(2, "slawatch/1 epoch=1 clock=0 base=0 partitions=12");
    place.assert_stops(&[
        "in had 12 partitions and has 1 now",
        "Read a topic of 12 partitions",
        AFRESH,
    ]);
}

#[test]
fn an_offset_beyond_the_end_means_a_topic_made_anew() {
    let place = Place::with_records(5);
    place.commit(9, "slawatch/1 epoch=1 clock=0 base=0 partitions=1");
    place.assert_stops(&["the group's offset 9 of in/0 lies beyond its end 5", AFRESH]);
}

#[test]
fn records_removed_unread_stop_the_partition_unless_that_is_accepted() {
    let mut place = Place::with_records(5);
    place.commit(1, "slawatch/1 epoch=1 clock=0 base=1 partitions=1");
    place.log.truncate(&source(), 3).unwrap();
    place.assert_stops(&[
        "in/0 begins at offset 3",
        "from 1 on",
        "2 offsets",
        "accept_gap = true for the toy",
    ]);
    place.accept_gap = true;
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
    assert_eq!(place.log.committed("toy", &source()).unwrap().offset, 5);
}

#[test]
fn a_damaged_snapshot_falls_back_to_the_log_without_stopping() {
    let place = Place::with_records(5);
    place.run();
    for key in place.snapshots() {
        place.store.damage(&key, |bytes| bytes[30] ^= 1);
    }
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
}

#[test]
fn where_the_groups_offset_is_gone_the_newest_snapshot_is_gone_on_from_under_a_higher_epoch() {
    let place = Place::with_records(5);
    place.run();
    let epoch = |place: &Place| {
        let committed = place.log.committed("toy", &source()).unwrap();
        assert_eq!(committed.offset, 5);
        let state: crate::snapshot::GroupState = committed.metadata.parse().unwrap();
        state.epoch
    };
    let before = epoch(&place);
    place.log.forget_group("toy");
    // All before the snapshot may be gone by then.
    place.log.truncate(&source(), 5).unwrap();
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
    let leapt = epoch(&place);
    assert!(
        leapt > before + 1_000,
        "claims without snapshots in between are overtaken: {before} {leapt}"
    );
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
    assert_eq!(epoch(&place), leapt + 1, "only once");
}

#[test]
fn where_the_groups_offset_is_gone_a_damaged_snapshot_falls_back_to_the_log() {
    let place = Place::with_records(5);
    place.run();
    for key in place.snapshots() {
        place.store.damage(&key, |bytes| bytes[30] ^= 1);
    }
    place.log.forget_group("toy");
    assert_eq!(place.run(), (PartitionState::Live, String::new()));
}

#[test]
fn where_the_groups_offset_is_gone_a_snapshot_beyond_the_end_means_a_topic_made_anew() {
    let place = Place::with_records(5);
    place.run();
    let elsewhere = Place {
        store: place.store,
        ..Place::with_records(2)
    };
    elsewhere.assert_stops(&[
        "the newest snapshot's offset 5 of in/0 lies beyond its end 2",
        AFRESH,
    ]);
}

#[test]
fn a_topic_that_has_grown_stops_what_is_read_of_it() {
    let place = Place::with_records(5);
    let mut worker = place.worker();
    let mut states = |steps: u32| {
        for _ in 0..steps {
            place.clock.advance(10);
            worker.step(Duration::ZERO).unwrap();
        }
        worker.status().partitions()
    };
    assert_eq!(states(20)[&0].state, PartitionState::Live);
    place.log.add_partitions("in", 1).unwrap();
    let found = states(20).remove(&0).expect("it is owned");
    assert_eq!(found.state, PartitionState::Stopped);
    let note = found.note.unwrap_or_default();
    for part in ["in had 1 partitions and has 2 now", AFRESH] {
        assert!(note.contains(part), "{part:?} is not in {note:?}");
    }
}
