//! Stories about batches, acknowledgements and offsets, told to the core and to tables in memory.

use std::sync::Arc;
use std::time::Duration;

use slawatch_stream::{Record, TopicPartition};
use slawatch_wire::{Message, v1};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::*;
use crate::model::{Fault, MemoryTables, ModelRow};
use crate::sink::Sink;

fn options() -> BatchOptions {
    BatchOptions {
        max_rows: 3,
        max_age_ms: 1000,
        backoff: Backoff {
            first_ms: 100,
            max_ms: 1000,
            seed: 1,
        },
        ..BatchOptions::default()
    }
}

/// A core, tables in memory and a clock that stands still unless told.
struct Story {
    core: LoaderCore,
    tables: MemoryTables,
    now_ms: u64,
}

impl Story {
    fn new() -> Self {
        Self::with(MemoryTables::new())
    }

    fn with(tables: MemoryTables) -> Self {
        Self {
            core: LoaderCore::new(Topics::default(), IntakeOptions::default(), options()),
            tables,
            now_ms: 0,
        }
    }

    fn assign(&mut self, topic: &str, offset: i64, metadata: &str) {
        let partition = TopicPartition::new(topic, 0);
        self.core.assign(&partition, offset, metadata).unwrap();
    }

    fn read(&mut self, topic: &str, offset: i64, value: &[u8]) {
        let record = Record::plain(topic, 0, offset, 1_000_000, value);
        self.core.apply(&record, self.now_ms);
    }

    /// Lets `ms` pass, then sends what is due and takes in the answers.
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for batch in self.core.due(self.now_ms) {
            self.tables.start(batch);
        }
        self.take_answers();
    }

    fn take_answers(&mut self) {
        for (id, answer) in self.tables.answers(Duration::ZERO) {
            self.core.answer(id, &answer, self.now_ms);
        }
    }

    /// Offsets that can be committed, which they are.
    fn commit(&mut self) -> Vec<(String, i64)> {
        let commits = self.core.commits().unwrap();
        self.core.committed(&commits);
        commits
            .into_iter()
            .map(|commit| (commit.partition.to_string(), commit.offset))
            .collect()
    }

    fn count(&self, table: Table) -> usize {
        self.tables.rows(table).len()
    }
}

const EVENTS: &str = "ticket-events";
const SIGNALS: &str = "slawatch.signals";

fn event(id: &str) -> Vec<u8> {
    format!(r#"{{"event_id":"{id}","ticket_id":"t","type":"updated","occurred_at":1000}}"#)
        .into_bytes()
}

/// A pane and an outcome of `source`, as its writer of `epoch` says in its `batch`.
fn signal(source: u32, epoch: u64, batch: u64, answered: i64) -> Vec<u8> {
    let pane = v1::PaneRow {
        pane_ms: 60_000,
        vendor: "acme".to_owned(),
        measures: Some(v1::Measures {
            answered,
            ..Default::default()
        }),
        ..Default::default()
    };
    let outcome = v1::OutcomeRow {
        ticket_id: format!("t{source}"),
        metric: v1::Metric::Answer.into(),
        cycle: 1,
        state: v1::CycleState::Running.into(),
        ..Default::default()
    };
    let batch = v1::SignalBatch {
        source,
        epoch,
        batch,
        panes: vec![pane],
        outcomes: vec![outcome],
        ..Default::default()
    };
    let kind = Some(v1::signal::Kind::Batch(batch));
    v1::Signal { kind }.encode_to_vec()
}

fn answered(rows: &[ModelRow]) -> Vec<i128> {
    rows.iter()
        .map(|row| row["answered"].number().unwrap())
        .collect()
}

#[test]
fn a_batch_goes_when_it_is_full_or_a_second_old() {
    let mut story = Story::new();
    story.assign(EVENTS, 0, "");
    story.read(EVENTS, 0, &event("a"));
    story.pass(999);
    assert_eq!(story.count(Table::TicketEvents), 0);
    story.pass(1);
    assert_eq!(story.count(Table::TicketEvents), 1);
    for offset in 1..4 {
        story.read(EVENTS, offset, &event("b"));
    }
    story.pass(0);
    assert_eq!(
        story.count(Table::TicketEvents),
        4,
        "full, so it does not wait"
    );
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 4)]);
    assert_eq!(story.commit(), [], "committed once");
}

#[test]
fn an_offset_waits_for_every_table_that_its_record_went_to() {
    let mut story = Story::new();
    story.assign(SIGNALS, 5, "");
    story.tables.fail_next(Table::Outcomes, Fault::Hang);
    story.read(SIGNALS, 5, &signal(0, 1, 1, 1));
    story.pass(1000);
    assert_eq!(story.count(Table::Panes), 1);
    assert_eq!(
        story.commit(),
        [("slawatch.signals/0".to_owned(), 5)],
        "not beyond 5"
    );
    story.tables.release();
    story.take_answers();
    assert_eq!(story.commit(), [("slawatch.signals/0".to_owned(), 6)]);
}

#[test]
fn a_lost_answer_brings_the_same_batch_again_and_changes_nothing() {
    let mut story = Story::new();
    story.assign(EVENTS, 0, "");
    story
        .tables
        .fail_next(Table::TicketEvents, Fault::AnswerLost);
    story
        .tables
        .fail_next(Table::TicketEvents, Fault::Unavailable);
    story.read(EVENTS, 0, &event("a"));
    story.pass(1000);
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 0)]);
    story.read(EVENTS, 1, &event("b"));
    story.pass(100);
    story.pass(200);
    let tokens = story.tables.tokens();
    assert_eq!(
        tokens.values().copied().collect::<Vec<_>>(),
        [2],
        "{tokens:?}"
    );
    assert!(
        tokens
            .keys()
            .all(|token| token.starts_with("ticket_events ticket-events/0:0-0 ")),
        "{tokens:?}"
    );
    assert_eq!(story.count(Table::TicketEvents), 1);
    story.pass(1000);
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 2)]);
}

#[test]
fn a_table_that_refuses_stops_alone_and_its_offsets_stay() {
    let mut story = Story::new();
    story.assign(SIGNALS, 0, "");
    story.assign(EVENTS, 0, "");
    story.read(SIGNALS, 0, &signal(0, 1, 1, 1));
    story.pass(1000);
    let refusal = Fault::Refused("Code: 60. DB::Exception: no such table".to_owned());
    story.tables.fail_next(Table::Outcomes, refusal);
    for offset in 1..9 {
        story.read(SIGNALS, offset, &signal(0, 1, 1 + offset as u64, offset));
        story.read(EVENTS, offset - 1, &event("a"));
        story.pass(1000);
    }
    let stopped = story.core.stopped();
    assert_eq!(
        stopped,
        [(
            Table::Outcomes,
            "Code: 60. DB::Exception: no such table".to_owned()
        )]
    );
    assert_eq!(answered(&story.tables.rows(Table::Panes)), [8]);
    assert!(story.core.has_room(TopicKind::Signals));
    let commits = [
        ("ticket-events/0".to_owned(), 8),
        ("slawatch.signals/0".to_owned(), 1),
    ];
    assert_eq!(story.commit(), commits);
    assert!(!story.core.is_busy());
}

#[test]
fn reading_pauses_while_a_full_batch_cannot_go_and_memory_stays_bounded() {
    let mut story = Story::new();
    story.assign(EVENTS, 0, "");
    for _ in 0..2 {
        story.tables.fail_next(Table::TicketEvents, Fault::Hang);
    }
    for offset in 0..9 {
        assert!(story.core.has_room(TopicKind::TicketEvents), "{offset}");
        story.read(EVENTS, offset, &event("a"));
        story.pass(0);
    }
    assert!(!story.core.has_room(TopicKind::TicketEvents));
    assert!(story.core.has_room(TopicKind::Alerts));
    assert!(story.core.held_bytes() > 0);
    story.tables.release();
    story.take_answers();
    story.pass(0);
    assert!(story.core.has_room(TopicKind::TicketEvents));
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 9)]);
    assert_eq!(story.core.held_bytes(), 0);
}

#[test]
fn a_replaced_writer_is_mute_also_after_a_restart() {
    let mut story = Story::new();
    story.assign(SIGNALS, 0, "");
    story.read(SIGNALS, 0, &signal(0, 1, 9, 1));
    story.read(SIGNALS, 1, &signal(0, 2, 1, 2));
    story.read(SIGNALS, 2, &signal(0, 1, 10, 3));
    story.pass(1000);
    assert_eq!(answered(&story.tables.rows(Table::Panes)), [2]);
    let commits = story.core.commits().unwrap();
    assert_eq!(commits[0].offset, 3);
    let mut again = Story::with(story.tables.clone());
    again.assign(SIGNALS, 3, &commits[0].metadata);
    again.read(SIGNALS, 3, &signal(0, 1, 11, 4));
    assert!(!again.core.is_busy(), "nothing to be sent");
}

#[test]
fn of_two_versions_the_higher_stays_whatever_comes_last() {
    let mut story = Story::new();
    story.assign(SIGNALS, 0, "");
    story.read(SIGNALS, 0, &signal(0, 2, 2, 22));
    story.pass(1000);
    let mut again = Story::with(story.tables.clone());
    again.assign(SIGNALS, 0, "");
    again.read(SIGNALS, 0, &signal(0, 2, 1, 21));
    again.pass(1000);
    assert_eq!(answered(&again.tables.rows(Table::Panes)), [22]);
}

#[test]
fn what_cannot_be_read_becomes_a_dead_letter_and_stops_nothing() {
    let mut story = Story::new();
    for topic in [
        SIGNALS,
        EVENTS,
        "slawatch.alerts",
        "slawatch.notifications",
        "slawatch.dead-letters",
    ] {
        story.assign(topic, 0, "");
        story.read(topic, 0, b"\xff\xff garbage");
    }
    let senseless = v1::Signal { kind: None }.encode_to_vec();
    story.read(SIGNALS, 1, &senseless);
    let too_late = signal(0, 1 << 24, 1, 1);
    story.read(SIGNALS, 2, &too_late);
    story.pass(1000);
    let letters = story.tables.rows(Table::DeadLetters);
    let of = |name: &str| {
        letters
            .iter()
            .map(|row| row[name].text().unwrap())
            .collect::<Vec<_>>()
    };
    assert!(of("reason").iter().all(|reason| *reason == "bad_message"));
    let details = of("detail").join("\n");
    for expected in [
        "not a message of this topic: ",
        "a signal that is neither batch nor action",
        "epoch 16777216, batch 1 do not fit into a row version",
    ] {
        assert!(details.contains(expected), "{details}");
    }
    assert_eq!(
        letters.len(),
        6,
        "ticket-events has the tracker's dead letters"
    );
    assert_eq!(story.count(Table::TicketEvents), 0);
    assert_eq!(story.commit().len(), 5, "all go on");
}

#[test]
fn acknowledgements_of_an_earlier_ownership_move_nothing() {
    let mut story = Story::new();
    story.assign(EVENTS, 0, "");
    story.tables.fail_next(Table::TicketEvents, Fault::Hang);
    story.read(EVENTS, 0, &event("a"));
    story.pass(1000);
    let partition = TopicPartition::new(EVENTS, 0);
    story.core.drop_partition(&partition);
    story.read(EVENTS, 1, &event("not mine"));
    story.assign(EVENTS, 0, "");
    story.tables.release();
    story.take_answers();
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 0)]);
    story.read(EVENTS, 0, &event("a"));
    assert_eq!(story.commit(), [], "the row is not acknowledged again yet");
    story.pass(1000);
    assert_eq!(story.commit(), [("ticket-events/0".to_owned(), 1)]);
    assert_eq!(story.count(Table::TicketEvents), 1);
}

#[test]
fn metadata_that_does_not_fit_is_an_error_with_advice() {
    let mut story = Story::new();
    story.core.options.metadata_max_bytes = 8;
    story.assign(SIGNALS, 0, "");
    for source in 0..5_u32 {
        story.read(SIGNALS, i64::from(source), &signal(source, 1, 1, 1));
    }
    story.pass(1000);
    let text = story.core.commits().unwrap_err().to_string();
    assert!(
        text.starts_with("the metadata for slawatch.signals/0 takes 13 bytes, more than the 8"),
        "{text}"
    );
    assert!(
        text.contains("use fewer partitions of the input topic"),
        "{text}"
    );
}

/// A log of signals in which sources are taken over and zombies speak, and what it means.
fn random_log(seed: u64) -> Vec<Vec<u8>> {
    let mut epochs = [1_u64; 3];
    let mut batches = [0_u64; 3];
    let dice = |step: u64, sides: u64| xxh3_64_with_seed(&step.to_le_bytes(), seed) % sides;
    (0..60)
        .map(|step| {
            let source = dice(step, 3) as usize;
            if dice(step + 1000, 8) == 0 {
                epochs[source] += 1;
                batches[source] = 0;
            }
            batches[source] += 1;
            let zombie = epochs[source] > 1 && dice(step + 2000, 6) == 0;
            let epoch = epochs[source] - u64::from(zombie);
            signal(source as u32, epoch, batches[source], step as i64)
        })
        .collect()
}

/// Reads the log through faults and crashes. Says how far it was committed at each crash.
fn load_through_faults(log: &[Vec<u8>], seed: u64) -> MemoryTables {
    let tables = MemoryTables::new();
    let mut committed = (0_i64, String::new());
    let mut step = 0_u64;
    let mut dice = |sides: u64| {
        step += 1;
        xxh3_64_with_seed(&step.to_le_bytes(), !seed) % sides
    };
    for life in 0..100 {
        let mut story = Story::with(tables.clone());
        story.assign(SIGNALS, committed.0, &committed.1);
        let mut next = committed.0 as usize;
        let last_life = life == 99;
        while last_life || dice(40) != 0 {
            if next < log.len() {
                story.read(SIGNALS, next as i64, &log[next]);
                next += 1;
            }
            let fault = match dice(10) {
                0 => Some(Fault::Unavailable),
                1 => Some(Fault::AnswerLost),
                2 => Some(Fault::Hang),
                3 => Some(Fault::Partial),
                _ => None,
            };
            if let (Some(fault), false) = (fault, last_life) {
                tables.fail_next([Table::Panes, Table::Outcomes][dice(2) as usize], fault);
            }
            story.pass(dice(1500));
            if dice(3) == 0 {
                tables.release();
                story.take_answers();
            }
            if let Some(commit) = story.core.commits().unwrap().pop() {
                committed = (commit.offset, commit.metadata.clone());
                story.core.committed(&[commit]);
            }
            if committed.0 as usize == log.len() {
                return tables;
            }
        }
        // Inserts that hang when the loader dies may still arrive.
        if dice(2) == 0 {
            tables.release();
        }
    }
    tables
}

#[test]
fn whatever_fails_the_rows_are_those_of_a_quiet_run() {
    for seed in 0..200 {
        let log = random_log(seed);
        let mut quiet = Story::new();
        quiet.assign(SIGNALS, 0, "");
        for (offset, value) in log.iter().enumerate() {
            quiet.read(SIGNALS, offset as i64, value);
            quiet.pass(1000);
        }
        let tables = load_through_faults(&log, seed);
        for table in [Table::Panes, Table::Outcomes] {
            assert_eq!(
                tables.rows(table),
                quiet.tables.rows(table),
                "seed {seed}: {table}"
            );
            assert!(!tables.rows(table).is_empty());
        }
    }
}

#[test]
fn long_tokens_are_hashed() {
    let mut open = OpenBatch::new(BatchId(1), Table::Panes, 0);
    for number in 0..40 {
        let tenure = Tenure {
            topic: TopicKind::Signals,
            partition: number,
            number: 1,
        };
        open.append(tenure, 7, 1, b"x");
    }
    let token = open
        .seal(|_| Arc::from("slawatch.signals"))
        .token()
        .to_owned();
    assert_eq!(token.len(), "panes ".len() + 32, "{token}");
}
