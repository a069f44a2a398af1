//! Batches: rows of one table from one or several partitions, built once and sent as they are until acknowledged.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use crate::Table;
use crate::frame::{FrameWriter, decompress};
use crate::intake::TopicKind;
use crate::rowbinary::put_varint;

/// Identity of a batch within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub(crate) u64);

/// One ownership of one partition: rows read under an earlier one hold nothing back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tenure {
    pub(crate) topic: TopicKind,
    pub(crate) partition: u32,
    pub(crate) number: u64,
}

/// First and last offset of the records whose rows are in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Rows of one table, ready to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) id: BatchId,
    table: Table,
    rows: u64,
    raw_bytes: usize,
    token: Arc<str>,
    frames: Arc<[Bytes]>,
    pub(crate) spans: Arc<BTreeMap<Tenure, Span>>,
}

impl Batch {
    /// Which batch.
    pub fn id(&self) -> BatchId {
        self.id
    }

    /// Which table its rows belong to.
    pub fn table(&self) -> Table {
        self.table
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// `insert_deduplication_token`: the same for every attempt, and for the same rows of the same records after a
    /// restart.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// `RowBinaryWithNamesAndTypes` in ClickHouse's compressed frames.
    pub fn frames(&self) -> &[Bytes] {
        &self.frames
    }

    /// Size after compression.
    pub fn compressed_bytes(&self) -> usize {
        self.frames.iter().map(Bytes::len).sum()
    }

    /// Size before compression.
    pub fn raw_bytes(&self) -> usize {
        self.raw_bytes
    }

    /// The rows as `RowBinaryWithNamesAndTypes`; `None` if a frame is damaged, which only a fault of the machine does.
    pub fn raw(&self) -> Option<Vec<u8>> {
        let frames: Option<Vec<_>> = self.frames.iter().map(|frame| decompress(frame)).collect();
        Some(frames?.concat())
    }
}

/// A batch that still grows.
pub(crate) struct OpenBatch {
    pub(crate) id: BatchId,
    pub(crate) opened_ms: u64,
    /// To be sent although it is neither full nor old.
    pub(crate) hurried: bool,
    table: Table,
    rows: u64,
    content: FrameWriter,
    hash: Xxh3Default,
    pub(crate) spans: BTreeMap<Tenure, Span>,
}

impl fmt::Debug for OpenBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBatch")
            .field("table", &self.table)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl OpenBatch {
    pub(crate) fn new(id: BatchId, table: Table, opened_ms: u64) -> Self {
        let mut content = FrameWriter::default();
        content.append(&header(table));
        Self {
            id,
            opened_ms,
            hurried: false,
            table,
            rows: 0,
            content,
            hash: Xxh3Default::new(),
            spans: BTreeMap::new(),
        }
    }

    /// Adds the rows of one record.
    pub(crate) fn append(&mut self, tenure: Tenure, offset: i64, rows: u64, bytes: &[u8]) {
        self.rows += rows;
        self.content.append(bytes);
        self.hash.update(bytes);
        self.spans
            .entry(tenure)
            .and_modify(|span| span.last = offset)
            .or_insert(Span {
                first: offset,
                last: offset,
            });
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn raw_bytes(&self) -> usize {
        self.content.raw_bytes()
    }

    pub(crate) fn held_bytes(&self) -> usize {
        self.content.held_bytes()
    }

    pub(crate) fn seal(self, topic_names: impl Fn(TopicKind) -> Arc<str>) -> Batch {
        let token = token(self.table, &self.spans, self.hash.digest(), topic_names);
        let raw_bytes = self.content.raw_bytes();
        Batch {
            id: self.id,
            table: self.table,
            rows: self.rows,
            raw_bytes,
            token: token.into(),
            frames: self.content.finish().into(),
            spans: Arc::new(self.spans),
        }
    }
}

/// The longest token that is sent in words.
const MAX_TOKEN_BYTES: usize = 200;

/// Table, records and a hash of the rows: the same records give the same token unless what they mean was changed by
/// the configuration in between.
fn token(
    table: Table,
    spans: &BTreeMap<Tenure, Span>,
    content: u64,
    topic_names: impl Fn(TopicKind) -> Arc<str>,
) -> String {
    let mut token = format!("{table}");
    for (tenure, span) in spans {
        let topic = topic_names(tenure.topic);
        // Writing to a String cannot fail.
        let _ = write!(
            token,
            " {topic}/{}:{}-{}",
            tenure.partition, span.first, span.last
        );
    }
    let _ = write!(token, " {content:016x}");
    if token.len() > MAX_TOKEN_BYTES {
        token = format!("{table} {:032x}", xxh3_128(token.as_bytes()));
    }
    token
}

/// What stands before the rows: how many columns, their names, their types.
fn header(table: Table) -> Vec<u8> {
    let columns = table.columns();
    let mut out = Vec::new();
    let put_text = |out: &mut Vec<u8>, text: &str| {
        put_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    };
    put_varint(&mut out, columns.len() as u64);
    for (name, _) in columns {
        put_text(&mut out, name);
    }
    for (_, kind) in columns {
        put_text(&mut out, kind);
    }
    out
}
