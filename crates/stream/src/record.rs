//! What travels on a log: a borrowed record on the way in, an owned one on the way out.
//!
//! Reading allocates nothing: a [`Record`] points into the client's receive buffer and lives as long as the callback
//! that gets it. Keys, values and headers are bytes; what they mean is the roles' business.

use std::fmt;
use std::sync::Arc;

/// One partition of one topic. Partitions are `u32` and offsets `i64` throughout, so that the two cannot be mixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// Its partition, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// Partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: u32) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// Where a record's headers come from; looked up only when somebody asks.
pub trait HeaderSource {
    /// The value of the last header of that name; `None` if there is none or its value is null.
    fn header(&self, name: &str) -> Option<&[u8]>;
}

/// A record without headers.
#[derive(Clone, Copy, Debug)]
pub struct NoHeaders;

impl HeaderSource for NoHeaders {
    fn header(&self, _name: &str) -> Option<&[u8]> {
        None
    }
}

/// Headers as owned pairs, in the order in which they were written.
impl HeaderSource for [(String, Vec<u8>)] {
    fn header(&self, name: &str) -> Option<&[u8]> {
        let (_, value) = self.iter().rev().find(|(key, _)| key == name)?;
        Some(value)
    }
}

impl HeaderSource for Vec<(String, Vec<u8>)> {
    fn header(&self, name: &str) -> Option<&[u8]> {
        self.as_slice().header(name)
    }
}

/// The headers of a [`Record`], decoded lazily: a record whose headers nobody reads pays nothing for them.
#[derive(Clone, Copy)]
pub struct Headers<'a>(&'a (dyn HeaderSource + 'a));

impl<'a> Headers<'a> {
    /// No headers at all.
    pub const NONE: Headers<'static> = Headers(&NoHeaders);

    /// Headers read from `source` on demand.
    pub fn new(source: &'a (dyn HeaderSource + 'a)) -> Self {
        Self(source)
    }

    /// The value of the last header named `name`.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.0.header(name)
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Headers(..)")
    }
}

/// One record as it was read: borrowed from the client, nothing copied.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The topic it was read from.
    pub topic: &'a str,
    /// The partition it was read from.
    pub partition: u32,
    /// Its offset. Offsets grow by one or more (compaction and transactions leave gaps).
    pub offset: i64,
    /// The record's timestamp in UTC milliseconds: the broker's at appending or the producer's, as the topic says.
    pub timestamp_ms: i64,
    /// The key, if there is one.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: Headers<'a>,
}

impl<'a> Record<'a> {
    /// A record without headers, for tests and for sources that are no log (`replay`).
    pub fn plain(
        topic: &'a str,
        partition: u32,
        offset: i64,
        timestamp_ms: i64,
        value: &'a [u8],
    ) -> Self {
        Self {
            topic,
            partition,
            offset,
            timestamp_ms,
            key: None,
            value: Some(value),
            headers: Headers::NONE,
        }
    }
}

/// One record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: Arc<str>,
    /// Which partition; always chosen by the writer, never by the client library.
    pub partition: u32,
    /// The key, if any.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Vec<u8>,
    /// UTC milliseconds; `None` takes the writer's wall clock. Topics with log-append time overrule it.
    pub timestamp_ms: Option<i64>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    /// A record with neither key nor headers, stamped by the wall clock.
    pub fn new(topic: Arc<str>, partition: u32, value: Vec<u8>) -> Self {
        Self {
            topic,
            partition,
            key: None,
            value,
            timestamp_ms: None,
            headers: Vec::new(),
        }
    }

    /// The same record with a key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same record with a timestamp of its own.
    #[must_use]
    pub fn at(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// Key, value and headers together: what counts against a topic's size limit.
    pub fn payload_bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(k, v)| k.len() + v.len()).sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.len() + headers
    }
}
