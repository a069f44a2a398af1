//! What a reader was handed, and polling until it was what a case waits for.

use std::time::Duration;

use slawatch_stream::{
    Consumer, ConsumerEvent, LogReader, OffsetRange, PollHandler, Record, TopicPartition,
};

use crate::place::{PATIENCE, Place};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: String,
    pub(crate) header: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Assigned(u32),
    Revoked(u32),
    Lost(u32),
    End(u32, i64),
    Gone {
        partition: u32,
        position: i64,
        low: i64,
    },
    Ahead {
        partition: u32,
        position: i64,
        range: OffsetRange,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) got: Vec<Got>,
    pub(crate) told: Vec<Told>,
}

impl PollHandler for Seen {
    fn record(&mut self, record: &Record<'_>) {
        let value = record.value.unwrap_or_default();
        self.got.push(Got {
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: String::from_utf8_lossy(value).into_owned(),
            header: record.headers.get("header").map(<[u8]>::to_vec),
        });
    }

    fn event(&mut self, event: ConsumerEvent<'_>) {
        let numbers = |partitions: &[TopicPartition], told: fn(u32) -> Told| {
            let all = partitions.iter().map(|at| told(at.partition));
            all.collect::<Vec<_>>()
        };
        self.told.extend(match event {
            ConsumerEvent::Assigned(partitions) => numbers(partitions, Told::Assigned),
            ConsumerEvent::Revoked(partitions) => numbers(partitions, Told::Revoked),
            ConsumerEvent::Lost(partitions) => numbers(partitions, Told::Lost),
            ConsumerEvent::EndReached { partition, end } => {
                vec![Told::End(partition.partition, end)]
            }
            ConsumerEvent::OffsetsGone {
                partition,
                position,
                low,
            } => vec![Told::Gone {
                partition: partition.partition,
                position,
                low,
            }],
            ConsumerEvent::OffsetsAhead {
                partition,
                position,
                range,
            } => vec![Told::Ahead {
                partition: partition.partition,
                position,
                range,
            }],
        });
    }
}

impl Seen {
    pub(crate) fn values(&self) -> Vec<&str> {
        self.got.iter().map(|got| got.value.as_str()).collect()
    }

    pub(crate) fn offsets(&self, partition: u32) -> Vec<i64> {
        let of = self.got.iter().filter(|got| got.partition == partition);
        of.map(|got| got.offset).collect()
    }

    /// Which partitions are its own, as far as it was told.
    pub(crate) fn owned(&self) -> Vec<u32> {
        let mut owned = Vec::new();
        for told in &self.told {
            match told {
                Told::Assigned(partition) => owned.push(*partition),
                Told::Revoked(gone) | Told::Lost(gone) => owned.retain(|at| at != gone),
                Told::End(..) | Told::Gone { .. } | Told::Ahead { .. } => {}
            }
        }
        owned.sort_unstable();
        owned
    }

    /// Polls once.
    pub(crate) fn poll<R: LogReader + ?Sized>(
        &mut self,
        place: &dyn Place,
        reader: &mut R,
        max_records: usize,
    ) {
        let wait = Duration::from_millis(place.look_ms());
        place.pass();
        reader.poll(wait, max_records, self).expect("polled");
    }

    /// Polls until `done`.
    pub(crate) fn until<R: LogReader + ?Sized>(
        &mut self,
        place: &dyn Place,
        reader: &mut R,
        what: &str,
        done: impl Fn(&Self) -> bool,
    ) {
        for _ in 0..PATIENCE {
            if done(self) {
                return;
            }
            self.poll(place, reader, 1000);
        }
        panic!("waited for {what} and saw {self:?}; {reader:?}");
    }

    /// Polls until so many records were handed over in all.
    pub(crate) fn until_got<R: LogReader + ?Sized>(
        &mut self,
        place: &dyn Place,
        reader: &mut R,
        count: usize,
    ) {
        let what = format!("{count} records");
        self.until(place, reader, &what, |seen| seen.got.len() >= count);
    }
}

/// A member that owns `partitions` partitions and has started none.
pub(crate) fn joined(
    place: &dyn Place,
    mut member: Box<dyn Consumer>,
    partitions: usize,
) -> (Box<dyn Consumer>, Seen) {
    let mut seen = Seen::default();
    seen.until(place, member.as_mut(), "an assignment", |seen| {
        seen.owned().len() == partitions
    });
    (member, seen)
}
