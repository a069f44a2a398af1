//! Somebody who reads every topic as it grows and holds, after each turn, what was said and committed against the
//! promises: nothing is committed ahead of what it says, nothing fenced is believed, nothing is said that does not follow
//! from the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use slawatch_loader::Table;
use slawatch_loader::model::{Inserted, Value};
use slawatch_stream::{
    ConsumerEvent, Log, LogReader, PollHandler, Record, StartAt, TopicPartition,
};
use slawatch_wire::{Message, row_version, v1};

use crate::believed::Fence;
use crate::input::SOURCES;
use crate::process::{PARTITIONS, Role, Site};
use crate::reference::{Alerting, Judged, PaneHistory};

/// A record as it was read.
#[derive(Clone, Debug)]
pub struct Seen {
    pub partition: u32,
    pub offset: i64,
    pub timestamp_ms: i64,
    pub value: Vec<u8>,
}

impl Seen {
    pub fn record<'a>(&'a self, topic: &'a str) -> Record<'a> {
        Record::plain(
            topic,
            self.partition,
            self.offset,
            self.timestamp_ms,
            &self.value,
        )
    }
}

/// Follows all partitions of a topic.
#[derive(Debug)]
struct Tail {
    reader: Box<dyn LogReader>,
    new: Vec<Seen>,
}

struct Collect<'a>(&'a mut Vec<Seen>);

impl PollHandler for Collect<'_> {
    fn record(&mut self, record: &Record<'_>) {
        self.0.push(Seen {
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            value: record.value.unwrap_or_default().to_vec(),
        });
    }

    fn event(&mut self, _event: ConsumerEvent<'_>) {}
}

impl Tail {
    fn new(site: &Site, topic: &str, partitions: u32) -> Self {
        let all: Vec<_> = (0..partitions)
            .map(|partition| TopicPartition::new(topic, partition))
            .collect();
        let mut tail = Self {
            reader: site.log.reader(&all, StartAt::Beginning).unwrap(),
            new: Vec::new(),
        };
        // The first poll tells of the assignment alone.
        tail.read();
        tail
    }

    fn read(&mut self) -> Vec<Seen> {
        let mut collect = Collect(&mut self.new);
        while self
            .reader
            .poll(Duration::ZERO, 1000, &mut collect)
            .unwrap()
            > 0
        {}
        std::mem::take(&mut self.new)
    }
}

const TOPICS: [(&str, u32); 5] = [
    ("ticket-events", SOURCES),
    ("slawatch.signals", PARTITIONS),
    ("slawatch.alerts", PARTITIONS),
    ("slawatch.notifications", PARTITIONS),
    ("slawatch.dead-letters", PARTITIONS),
];

/// A row that the loader owes to a table once it has committed what lies below `offset`.
#[derive(Debug)]
struct Owed {
    offset: i64,
    table: Table,
    key: Vec<Value>,
    version: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Observer {
    tails: Vec<Tail>,
    fence: Fence,
    /// The input, by partition and offset, and what a record alone says of whether it counts.
    pub input: Vec<BTreeMap<i64, Judged>>,
    panes: Vec<PaneHistory>,
    pub alerting: Vec<Alerting>,
    /// Rows of batches that count: a table has no other. Without a key where the batch is all that matters.
    admitted: BTreeSet<(Table, Vec<Value>, u64)>,
    owed: BTreeMap<(&'static str, u32), VecDeque<Owed>>,
    /// Dead letters by partition and offset.
    pub letters: BTreeMap<(u32, i64), String>,
    committed: BTreeMap<(Role, &'static str, u32), i64>,
    /// Sources of which retention ate what was not read yet.
    pub gapped: BTreeSet<u32>,
    pub fenced: u64,
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn number(number: impl Into<i128>) -> Value {
    Value::Number(number.into())
}

impl Observer {
    pub fn new(site: &Site) -> Self {
        Self {
            tails: TOPICS
                .iter()
                .map(|(topic, partitions)| Tail::new(site, topic, *partitions))
                .collect(),
            fence: Fence::default(),
            input: vec![BTreeMap::new(); SOURCES as usize],
            panes: (0..SOURCES)
                .map(|source| PaneHistory::new(site, source))
                .collect(),
            alerting: (0..PARTITIONS)
                .map(|partition| Alerting::new(site, partition))
                .collect(),
            admitted: BTreeSet::new(),
            owed: BTreeMap::new(),
            letters: BTreeMap::new(),
            committed: BTreeMap::new(),
            gapped: BTreeSet::new(),
            fenced: 0,
        }
    }

    /// Takes in what is new. `told` gets every record, for the trace.
    pub fn look(&mut self, site: &Site, told: &mut dyn FnMut(&'static str, &Seen)) {
        for (place, (topic, _)) in TOPICS.iter().enumerate() {
            for seen in self.tails[place].read() {
                told(topic, &seen);
                match place {
                    0 => self.event(seen),
                    1 => self.signal(&seen),
                    2 => self.alerts(&seen),
                    3 => self.notifications(&seen),
                    _ => self.dead_letters(&seen),
                }
            }
        }
        self.inserted(&site.tables.take_inserted());
        self.commits(site);
    }

    fn event(&mut self, seen: Seen) {
        let judged = Judged::new(seen);
        let (partition, offset) = (judged.seen.partition, judged.seen.offset);
        self.panes[partition as usize].apply(&judged.seen);
        if judged.rejected.is_none() {
            let key = judged.row_key();
            self.owe("ticket-events", &judged.seen, Table::TicketEvents, key, 0);
        }
        self.input[partition as usize].insert(offset, judged);
    }

    fn owe(
        &mut self,
        topic: &'static str,
        seen: &Seen,
        table: Table,
        key: Vec<Value>,
        version: u64,
    ) {
        let owed = Owed {
            offset: seen.offset,
            table,
            key: key.clone(),
            version,
        };
        self.owed
            .entry((topic, seen.partition))
            .or_default()
            .push_back(owed);
        self.admitted.insert((table, key, version));
    }

    fn signal(&mut self, seen: &Seen) {
        let signal = v1::Signal::decode(&*seen.value).unwrap();
        if let Some(v1::signal::Kind::Batch(batch)) = &signal.kind {
            let speaker = (seen.partition, batch.source);
            if !self.fence.admits("signals", speaker, batch.epoch) {
                self.fenced += 1;
                return;
            }
            self.rows(seen, batch);
        }
        self.alerting[seen.partition as usize].apply(seen);
    }

    fn rows(&mut self, seen: &Seen, batch: &v1::SignalBatch) {
        let version = row_version(batch.epoch, batch.batch);
        let generation = number(batch.generation);
        for row in &batch.panes {
            let key = vec![
                generation.clone(),
                text(&row.vendor),
                text(&row.queue),
                number(row.pane_ms),
                number(batch.source),
                number(row.part),
            ];
            self.owe("slawatch.signals", seen, Table::Panes, key, version);
            self.panes[batch.source as usize].published(row, version);
        }
        for row in &batch.outcomes {
            let key = vec![
                generation.clone(),
                text(&row.ticket_id),
                text(slawatch::replay::metric_name(row.metric())),
                number(row.cycle),
            ];
            self.owe("slawatch.signals", seen, Table::Outcomes, key, version);
        }
        self.admitted
            .insert((Table::Gauges, vec![number(batch.source)], version));
    }

    fn alerts(&mut self, seen: &Seen) {
        let batch = v1::AlertBatch::decode(&*seen.value).unwrap();
        let counts = self
            .fence
            .admits("alerts", (seen.partition, batch.source), batch.epoch);
        self.fenced += u64::from(!counts);
        let version = row_version(batch.epoch, batch.batch);
        for alert in batch.alerts {
            self.alerting[seen.partition as usize].published(&alert, counts);
            if counts {
                let key = vec![
                    text(&alert.key),
                    number(alert.at_ms),
                    number(alert.revision),
                ];
                self.owe("slawatch.alerts", seen, Table::Alerts, key, version);
            }
        }
    }

    fn notifications(&mut self, seen: &Seen) {
        let batch = v1::NotificationBatch::decode(&*seen.value).unwrap();
        let speaker = (seen.partition, batch.source);
        if self.fence.admits("notifications", speaker, batch.epoch) {
            let version = row_version(batch.epoch, batch.batch);
            self.admitted
                .insert((Table::Notifications, Vec::new(), version));
        } else {
            self.fenced += 1;
        }
    }

    fn dead_letters(&mut self, seen: &Seen) {
        let batch = v1::DeadLetterBatch::decode(&*seen.value).unwrap();
        for letter in batch.dead_letters {
            let key = vec![
                text(&letter.topic),
                number(letter.generation),
                number(letter.partition),
                number(letter.offset),
            ];
            self.owe("slawatch.dead-letters", seen, Table::DeadLetters, key, 0);
            let before = self
                .letters
                .insert((letter.partition, letter.offset), letter.reason.clone());
            assert!(
                before.is_none_or(|before| before == letter.reason),
                "a dead letter was told with two reasons: {letter:?}"
            );
        }
    }

    /// No table takes a row of a fenced epoch, or one that nobody said.
    fn inserted(&self, inserted: &[Inserted]) {
        for (table, key, version) in inserted {
            let key = match table {
                Table::Gauges => vec![key[3].clone()],
                Table::Notifications => Vec::new(),
                Table::TicketEvents
                | Table::Panes
                | Table::Outcomes
                | Table::Alerts
                | Table::Actions
                | Table::DeadLetters => key.clone(),
            };
            let row = (*table, key, *version);
            assert!(
                self.admitted.contains(&row),
                "FENCE: the loader took a row that no batch says that counts: {row:?}"
            );
        }
    }

    /// Whatever is committed has been said, and has arrived.
    fn commits(&mut self, site: &Site) {
        for role in Role::ALL {
            for (topic, partitions) in TOPICS {
                if role != Role::Loader && role.topic() != topic {
                    continue;
                }
                for partition in 0..partitions {
                    let at = TopicPartition::new(topic, partition);
                    let Some(committed) = site.log.committed(role.group(), &at) else {
                        continue;
                    };
                    let known = self
                        .committed
                        .insert((role, topic, partition), committed.offset);
                    if known != Some(committed.offset) {
                        self.commit(site, role, (topic, partition), committed.offset);
                    }
                }
            }
        }
    }

    fn commit(&mut self, site: &Site, role: Role, at: (&'static str, u32), offset: i64) {
        let source = at.1 as usize;
        match role {
            Role::Tracker if self.gapped.contains(&at.1) => {}
            Role::Tracker => {
                self.panes[source].check_committed(offset);
                for (at, judged) in self.input[source].range(..offset) {
                    let told = self.letters.contains_key(&(judged.seen.partition, *at));
                    assert!(
                        told || judged.rejected.is_none(),
                        "COMMIT: {source}/{offset} is committed, and of {at} there is no dead letter"
                    );
                }
            }
            Role::Evaluator => self.alerting[source].check_committed(offset),
            // Its receivers check that an intent is durable before they hear of it.
            Role::Dispatcher => {}
            Role::Loader => self.check_loaded(site, at, offset),
        }
    }

    fn check_loaded(&mut self, site: &Site, at: (&'static str, u32), offset: i64) {
        let Some(owed) = self.owed.get_mut(&at) else {
            return;
        };
        while let Some(row) = owed.pop_front_if(|owed| owed.offset < offset) {
            let held = site.tables.version(row.table, &row.key);
            let eaten = at.0 == "ticket-events" && self.gapped.contains(&at.1);
            assert!(
                eaten || held.is_some_and(|held| held >= row.version),
                "COMMIT: {at:?} is committed up to {offset}, and {row:?} is in no table ({held:?})"
            );
        }
    }

    /// The states that the log gives to alerts now, by key.
    pub fn states(&self) -> BTreeMap<String, v1::AlertTransition> {
        let all = self.alerting.iter().flat_map(Alerting::states);
        all.map(|alert| (alert.key.clone(), alert.clone()))
            .collect()
    }
}
