//! The records of one partition, in offset order, possibly with gaps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::consumer::OffsetRange;
use crate::record::{Headers, Record};

/// A record as it is kept.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) offset: i64,
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

impl Stored {
    pub(super) fn borrow<'a>(&'a self, topic: &'a str, partition: u32) -> Record<'a> {
        Record {
            topic,
            partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: Headers::new(&self.headers),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    records: VecDeque<Arc<Stored>>,
    low: i64,
    next: i64,
    /// The number of each producer's last record here.
    producers: BTreeMap<u64, u64>,
}

impl PartitionLog {
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    pub(super) fn range(&self) -> OffsetRange {
        OffsetRange {
            low: self.low,
            high: self.next,
        }
    }

    /// Is this not a copy of a record that the producer has sent before? If so, takes note of it.
    pub(super) fn is_new(&mut self, producer: u64, number: u64) -> bool {
        let last = self.producers.entry(producer).or_default();
        let is_new = number > *last;
        *last = number.max(*last);
        is_new
    }

    pub(super) fn append(&mut self, record: Stored) -> i64 {
        let offset = record.offset;
        self.next = offset + 1;
        self.records.push_back(Arc::new(record));
        offset
    }

    pub(super) fn skip(&mut self, count: u32) {
        self.next += i64::from(count);
    }

    pub(super) fn truncate(&mut self, low: i64) {
        self.low = self.low.max(low.min(self.next));
        while self
            .records
            .front()
            .is_some_and(|first| first.offset < self.low)
        {
            self.records.pop_front();
        }
    }

    pub(super) fn expire_before(&mut self, oldest_ms: i64) {
        while let Some(first) = self
            .records
            .front()
            .filter(|first| first.timestamp_ms < oldest_ms)
        {
            self.low = first.offset + 1;
            self.records.pop_front();
        }
    }

    /// Up to `limit` records at or above `offset`.
    pub(super) fn read(&self, offset: i64, limit: usize) -> impl Iterator<Item = &Arc<Stored>> {
        let from = self
            .records
            .partition_point(|record| record.offset < offset);
        self.records.range(from..).take(limit)
    }

    /// Offset of the first record with that timestamp or a later one; the end if there is none.
    pub(super) fn offset_at(&self, timestamp_ms: i64) -> i64 {
        let found = self
            .records
            .iter()
            .find(|record| record.timestamp_ms >= timestamp_ms);
        found.map_or(self.next, |record| record.offset)
    }
}
