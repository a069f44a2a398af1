//! Tables in memory that behave as ours do in ClickHouse: rows replace each other by key and version, deletions hide, a
//! repeated batch changes nothing. For tests and simulations, with the faults that a server and a network have.
//!
//! It reads what a batch sends from the bytes themselves, by the names and types that stand before the rows, so it checks
//! the writer as well.

mod reader;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use reader::Value;

use crate::Table;
use crate::batch::{Batch, BatchId};
use crate::core::Answer;
use crate::sink::Sink;

/// A row: its columns by name.
pub type ModelRow = BTreeMap<String, Value>;

/// What the next attempts of a table meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server is not there: nothing is inserted.
    Unavailable,
    /// All is inserted, but the answer is lost.
    AnswerLost,
    /// Half of the rows are inserted when the server dies.
    Partial,
    /// The server refuses for good.
    Refused(String),
    /// There is no answer until [`MemoryTables::release`].
    Hang,
}

/// The name and version of a row that was inserted; tables without versions have 0.
pub type Inserted = (Table, Vec<Value>, u64);

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<Table, BTreeMap<Vec<Value>, ModelRow>>,
    tokens: BTreeMap<String, u64>,
    faults: BTreeMap<Table, VecDeque<Fault>>,
    clients: u64,
    answers: BTreeMap<u64, Vec<(BatchId, Answer)>>,
    hanging: Vec<(u64, Batch)>,
    journal: Option<Vec<Inserted>>,
}

/// See the module. Clones share the tables, and the answers too.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    inner: Arc<Mutex<Inner>>,
    /// Whose answers these are.
    client: u64,
}

impl MemoryTables {
    /// Empty tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same tables as another process sees them: it gets the answers to its own batches.
    #[must_use]
    pub fn connect(&self) -> Self {
        let mut inner = self.lock();
        inner.clients += 1;
        Self {
            inner: Arc::clone(&self.inner),
            client: inner.clients,
        }
    }

    /// What was inserted since the last call; the first call begins to note it.
    pub fn take_inserted(&self) -> Vec<Inserted> {
        self.lock().journal.replace(Vec::new()).unwrap_or_default()
    }

    /// The version of the row with this key, 0 if the table has none; `None` if there is no such row.
    pub fn version(&self, table: Table, key: &[Value]) -> Option<u64> {
        let inner = self.lock();
        inner.rows.get(&table)?.get(key).map(version)
    }

    /// The valid rows of a table, by key: of equal keys the highest version, deleted ones left out.
    pub fn rows(&self, table: Table) -> Vec<ModelRow> {
        let inner = self.lock();
        let rows = inner
            .rows
            .get(&table)
            .into_iter()
            .flat_map(BTreeMap::values);
        let is_valid = |row: &&ModelRow| row.get("is_deleted") != Some(&Value::Number(1));
        rows.filter(is_valid).cloned().collect()
    }

    /// How often each deduplication token came.
    pub fn tokens(&self) -> BTreeMap<String, u64> {
        self.lock().tokens.clone()
    }

    /// Puts a fault into the way of a table's next attempt without one.
    pub fn fail_next(&self, table: Table, fault: Fault) {
        self.lock()
            .faults
            .entry(table)
            .or_default()
            .push_back(fault);
    }

    /// Inserts and acknowledges what hangs.
    pub fn release(&self) {
        let mut inner = self.lock();
        for (client, batch) in std::mem::take(&mut inner.hanging) {
            let answer = inner.insert(&batch, usize::MAX);
            inner.answer(client, &batch, answer);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves whole rows or none.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(row: &ModelRow) -> u64 {
    let number = row.get("version").and_then(Value::number);
    number
        .and_then(|number| number.try_into().ok())
        .unwrap_or(0)
}

impl Inner {
    fn answer(&mut self, client: u64, batch: &Batch, answer: Answer) {
        let answers = self.answers.entry(client).or_default();
        answers.push((batch.id(), answer));
    }

    /// Inserts the first `most` rows.
    fn insert(&mut self, batch: &Batch, most: usize) -> Answer {
        let rows = batch
            .raw()
            .and_then(|raw| reader::read_rows(&raw, batch.table()));
        let Some(rows) = rows else {
            return Answer::Refused(format!(
                "Code: 117. DB::Exception: the batch {} cannot be read",
                batch.token()
            ));
        };
        *self.tokens.entry(batch.token().to_owned()).or_default() += 1;
        let table = self.rows.entry(batch.table()).or_default();
        for row in rows.into_iter().take(most) {
            let key = batch.table().key().iter().map(|name| row[*name].clone());
            let key: Vec<Value> = key.collect();
            if let Some(journal) = &mut self.journal {
                journal.push((batch.table(), key.clone(), version(&row)));
            }
            let is_older = table
                .get(&key)
                .is_some_and(|known| version(known) > version(&row));
            if !is_older {
                table.insert(key, row);
            }
        }
        Answer::Acknowledged
    }
}

impl Sink for MemoryTables {
    fn start(&mut self, batch: Batch) {
        let mut inner = self.lock();
        let fault = inner
            .faults
            .get_mut(&batch.table())
            .and_then(VecDeque::pop_front);
        let answer = match fault {
            None => inner.insert(&batch, usize::MAX),
            Some(Fault::Unavailable) => Answer::Later("connection refused".to_owned()),
            Some(Fault::AnswerLost) => {
                inner.insert(&batch, usize::MAX);
                Answer::Later("connection reset by peer".to_owned())
            }
            Some(Fault::Partial) => {
                inner.insert(&batch, usize::try_from(batch.rows() / 2).unwrap_or(0));
                Answer::Later("connection reset by peer".to_owned())
            }
            Some(Fault::Refused(reason)) => Answer::Refused(reason),
            Some(Fault::Hang) => {
                inner.hanging.push((self.client, batch));
                return;
            }
        };
        inner.answer(self.client, &batch, answer);
    }

    fn answers(&mut self, _max_wait: Duration) -> Vec<(BatchId, Answer)> {
        self.lock().answers.remove(&self.client).unwrap_or_default()
    }
}
