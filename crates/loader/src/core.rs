//! The loader's decisions: what goes into which batch, when a batch is sent and sent again, how far an offset may be
//! committed, and when reading must pause. No I/O, no clock, no thread: the worker calls in and carries out.
//!
//! An offset is committed once every row of every record below it is acknowledged, in every table that it went to. A
//! table that refuses rows for good stops alone: its rows are dropped, its offsets never acknowledged, so that a
//! restart after the repair reads them again, and the other tables go on.

use std::collections::BTreeMap;
use std::sync::Arc;

use slawatch_stream::{Commit, Record, TopicPartition};

use crate::backoff::Backoff;
use crate::batch::{Batch, BatchId, OpenBatch, Tenure};
use crate::fence::{Fence, MAX_METADATA_BYTES};
use crate::intake::{Intake, IntakeOptions, Taken, TopicKind, Topics};
use crate::metrics;
use crate::{LoaderError, Table};

/// When batches are sent.
#[derive(Clone, Debug)]
pub struct BatchOptions {
    /// A batch of so many rows is full.
    pub max_rows: u64,
    /// A batch of so many bytes before compression is full.
    pub max_bytes: usize,
    /// A batch is sent this long after its first row, full or not.
    pub max_age_ms: u64,
    /// How many batches of one table may be under way; with one more growing, reading for the table pauses.
    pub in_flight: usize,
    /// Waiting between attempts.
    pub backoff: Backoff,
    /// What the brokers take beside an offset.
    pub metadata_max_bytes: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            max_rows: 100_000,
            max_bytes: 16 << 20,
            max_age_ms: 1000,
            in_flight: 2,
            backoff: Backoff::default(),
            metadata_max_bytes: MAX_METADATA_BYTES,
        }
    }
}

/// What a sink says of an attempt to insert a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All rows are in the table.
    Acknowledged,
    /// Nobody knows, or not now: the same again later.
    Later(String),
    /// Never: the table, the rights or the rows are wrong, and a person must repair it.
    Refused(String),
}

/// A batch on its way.
#[derive(Debug)]
struct Sealed {
    batch: Batch,
    attempts: u32,
    /// When to send; `None` while an attempt is under way.
    send_at_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct TableState {
    open: Option<OpenBatch>,
    sealed: Vec<Sealed>,
    /// Why it stopped.
    stopped: Option<String>,
}

#[derive(Debug)]
struct PartitionState {
    tenure: Tenure,
    /// The next offset to be read.
    position: i64,
    committed: Option<i64>,
    fence: Fence,
    /// The first offset with rows that a stopped table never took.
    held_at: Option<i64>,
}

/// See the module.
#[derive(Debug)]
pub struct LoaderCore {
    topics: Topics,
    options: BatchOptions,
    intake: Intake,
    tables: [TableState; Table::ALL.len()],
    partitions: BTreeMap<(TopicKind, u32), PartitionState>,
    last_batch: u64,
    last_tenure: u64,
}

impl LoaderCore {
    /// A loader that has read nothing.
    pub fn new(topics: Topics, intake: IntakeOptions, options: BatchOptions) -> Self {
        Self {
            topics,
            options,
            intake: Intake::new(intake),
            tables: Default::default(),
            partitions: BTreeMap::new(),
            last_batch: 0,
            last_tenure: 0,
        }
    }

    /// Takes a partition: it will be read from `position`, where `metadata` was committed (empty if nothing was).
    ///
    /// # Errors
    /// [`LoaderError::Metadata`] if another program wrote it.
    pub fn assign(
        &mut self,
        partition: &TopicPartition,
        position: i64,
        metadata: &str,
    ) -> Result<(), LoaderError> {
        let Some(kind) = self.topics.kind(&partition.topic) else {
            return Ok(());
        };
        let fence = Fence::restore(metadata, &partition.to_string())?;
        self.last_tenure += 1;
        let state = PartitionState {
            tenure: Tenure {
                topic: kind,
                partition: partition.partition,
                number: self.last_tenure,
            },
            position,
            committed: None,
            fence,
            held_at: None,
        };
        self.partitions.insert((kind, partition.partition), state);
        Ok(())
    }

    /// Gives a partition up. Its rows on the way still arrive, which is harmless, and nothing is committed for it.
    pub fn drop_partition(&mut self, partition: &TopicPartition) {
        if let Some(kind) = self.topics.kind(&partition.topic) {
            self.partitions.remove(&(kind, partition.partition));
        }
    }

    /// Takes in one record of an assigned partition.
    pub fn apply(&mut self, record: &Record<'_>, now_ms: u64) {
        let Some(kind) = self.topics.kind(record.topic) else {
            return;
        };
        let Some(partition) = self.partitions.get_mut(&(kind, record.partition)) else {
            return;
        };
        let taken = self.intake.take(kind, record, &mut partition.fence);
        report(&taken, record);
        partition.position = record.offset + 1;
        for (table, rows, bytes) in self.intake.staged.rows() {
            let state = &mut self.tables[table as usize];
            if state.stopped.is_some() {
                partition.held_at.get_or_insert(record.offset);
                continue;
            }
            let open = state.open.get_or_insert_with(|| {
                self.last_batch += 1;
                OpenBatch::new(BatchId(self.last_batch), table, now_ms)
            });
            open.append(partition.tenure, record.offset, rows, bytes);
        }
    }

    /// The batches to be sent now: full or old ones, and those whose wait after a failed attempt is over.
    pub fn due(&mut self, now_ms: u64) -> Vec<Batch> {
        let mut due = Vec::new();
        for table in &mut self.tables {
            let options = &self.options;
            let ripe = table.open.take_if(|open| {
                table.sealed.len() < options.in_flight && is_ripe(open, options, now_ms)
            });
            if let Some(open) = ripe {
                table.sealed.push(Sealed {
                    batch: open.seal(|kind| Arc::clone(self.topics.name(kind))),
                    attempts: 0,
                    send_at_ms: Some(now_ms),
                });
            }
            for sealed in &mut table.sealed {
                if sealed.send_at_ms.take_if(|at| *at <= now_ms).is_some() {
                    sealed.attempts += 1;
                    due.push(sealed.batch.clone());
                }
            }
        }
        due
    }

    /// Makes every open batch ripe, for a loader that is about to end.
    pub fn hurry(&mut self) {
        for open in self
            .tables
            .iter_mut()
            .filter_map(|table| table.open.as_mut())
        {
            open.hurried = true;
        }
    }

    /// Whether rows are waiting to be sent or acknowledged.
    pub fn is_busy(&self) -> bool {
        self.tables
            .iter()
            .any(|table| table.open.is_some() || !table.sealed.is_empty())
    }

    /// Takes in what became of an attempt.
    pub fn answer(&mut self, id: BatchId, answer: &Answer, now_ms: u64) {
        let found = self.tables.iter_mut().find_map(|table| {
            let place = table
                .sealed
                .iter()
                .position(|sealed| sealed.batch.id == id)?;
            Some((table, place))
        });
        let Some((table, place)) = found else {
            // Its table has stopped meanwhile.
            return;
        };
        match answer {
            Answer::Acknowledged => {
                let done = table.sealed.swap_remove(place);
                metrics::batch_done(done.batch.table(), done.batch.rows());
            }
            Answer::Later(reason) => {
                let sealed = &mut table.sealed[place];
                let wait_ms = self.options.backoff.wait_ms(id.0, sealed.attempts);
                sealed.send_at_ms = Some(now_ms + wait_ms);
                metrics::retried(sealed.batch.table());
                tracing::warn!(
                    table = %sealed.batch.table(), rows = sealed.batch.rows(), attempts = sealed.attempts, wait_ms, reason,
                    "inserting failed; the same batch is sent again"
                );
            }
            Answer::Refused(reason) => {
                let name = table.sealed[place].batch.table();
                self.stop_table(name, reason);
            }
        }
    }

    /// How far each partition may be committed now, where that is further than before.
    ///
    /// # Errors
    /// [`LoaderError::MetadataTooLong`].
    pub fn commits(&mut self) -> Result<Vec<Commit>, LoaderError> {
        let pending = self.pending();
        let mut commits = Vec::new();
        for state in self.partitions.values_mut() {
            let pending = pending.get(&state.tenure).copied();
            let held = pending.into_iter().chain(state.held_at).min();
            let offset = held.map_or(state.position, |held| held.min(state.position));
            if state.committed.is_some_and(|committed| offset <= committed) {
                continue;
            }
            let partition = TopicPartition {
                topic: Arc::clone(self.topics.name(state.tenure.topic)),
                partition: state.tenure.partition,
            };
            let metadata = state.fence.metadata_at(offset);
            if metadata.len() > self.options.metadata_max_bytes {
                return Err(LoaderError::MetadataTooLong {
                    partition: partition.to_string(),
                    bytes: metadata.len(),
                    limit: self.options.metadata_max_bytes,
                });
            }
            commits.push(Commit {
                partition,
                offset,
                metadata,
            });
        }
        Ok(commits)
    }

    /// These commits were accepted.
    pub fn committed(&mut self, commits: &[Commit]) {
        for commit in commits {
            let kind = self.topics.kind(&commit.partition.topic);
            let key = kind.map(|kind| (kind, commit.partition.partition));
            if let Some(state) = key.and_then(|key| self.partitions.get_mut(&key)) {
                state.committed = Some(commit.offset);
            }
        }
    }

    /// Whether a topic's records can be taken in: false while one of its tables has a full batch that cannot be sent.
    pub fn has_room(&self, kind: TopicKind) -> bool {
        kind.tables().iter().all(|table| {
            let state = &self.tables[*table as usize];
            let full = state
                .open
                .as_ref()
                .is_some_and(|open| is_full(open, &self.options));
            !(full && state.sealed.len() >= self.options.in_flight)
        })
    }

    /// Tables that take no more rows, and why.
    pub fn stopped(&self) -> Vec<(Table, String)> {
        let stopped = Table::ALL.into_iter().zip(&self.tables);
        stopped
            .filter_map(|(table, state)| Some((table, state.stopped.clone()?)))
            .collect()
    }

    /// What batches hold in memory.
    pub fn held_bytes(&self) -> usize {
        let open = self.tables.iter().flat_map(|table| &table.open);
        let sealed = self.tables.iter().flat_map(|table| &table.sealed);
        open.map(OpenBatch::held_bytes).sum::<usize>()
            + sealed
                .map(|sealed| sealed.batch.compressed_bytes())
                .sum::<usize>()
    }

    /// The names of the topics.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// The first offset of each tenure with rows that are not acknowledged.
    fn pending(&self) -> BTreeMap<Tenure, i64> {
        let mut pending = BTreeMap::new();
        let open = self.tables.iter().flat_map(|table| &table.open);
        let sealed = self.tables.iter().flat_map(|table| &table.sealed);
        let spans = open
            .map(|open| &open.spans)
            .chain(sealed.map(|sealed| &*sealed.batch.spans));
        for (tenure, span) in spans.flatten() {
            let first = pending.entry(*tenure).or_insert(span.first);
            *first = span.first.min(*first);
        }
        pending
    }

    fn stop_table(&mut self, table: Table, reason: &str) {
        let state = &mut self.tables[table as usize];
        let mut lost = BTreeMap::new();
        let sealed = std::mem::take(&mut state.sealed);
        let open = state.open.take();
        state.stopped = Some(reason.to_owned());
        let spans = sealed
            .iter()
            .map(|sealed| &*sealed.batch.spans)
            .chain(open.iter().map(|open| &open.spans));
        for spans in spans {
            for (tenure, span) in spans {
                let first = lost.entry(*tenure).or_insert(span.first);
                *first = span.first.min(*first);
            }
        }
        for partition in self.partitions.values_mut() {
            if let Some(first) = lost.get(&partition.tenure) {
                partition.held_at = Some(partition.held_at.map_or(*first, |held| held.min(*first)));
            }
        }
        metrics::stopped(table);
        tracing::error!(
            %table, reason,
            "ClickHouse refuses rows of this table for good. It takes no more; its offsets stay uncommitted. Repair the cause and \
             restart the loader, which reads them again"
        );
    }
}

fn is_full(open: &OpenBatch, options: &BatchOptions) -> bool {
    open.rows() >= options.max_rows || open.raw_bytes() >= options.max_bytes
}

fn is_ripe(open: &OpenBatch, options: &BatchOptions, now_ms: u64) -> bool {
    open.hurried
        || is_full(open, options)
        || now_ms.saturating_sub(open.opened_ms) >= options.max_age_ms
}

fn report(taken: &Taken, record: &Record<'_>) {
    match taken {
        Taken::Rows => {}
        Taken::NotAccepted => metrics::not_accepted(),
        Taken::Fenced { source, epoch } => {
            metrics::fenced(record.topic);
            tracing::warn!(
                topic = record.topic,
                partition = record.partition,
                offset = record.offset,
                source,
                epoch,
                "a batch of a writer that was replaced is not loaded"
            );
        }
        Taken::Senseless(reason) => {
            metrics::senseless(record.topic);
            tracing::error!(
                topic = record.topic,
                partition = record.partition,
                offset = record.offset,
                reason,
                "a message cannot be read; it is kept in dead_letters as bad_message"
            );
        }
    }
}

#[cfg(test)]
mod tests;
