//! What a poll brings, taken in: records to their processors, ownership to the slots.

use crate::clock::Clock;
use crate::consumer::{ConsumerEvent, PollHandler};
use crate::processor::Processor;
use crate::record::{Record, TopicPartition};

use super::slot::{Phase, Slot, Wall};

/// A partition whose next offset the log does not hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum OutOfRange {
    /// Retention came first.
    Gone { position: i64, low: i64 },
    /// The log is shorter than it was.
    Ahead { position: i64, high: i64 },
}

pub(super) struct Intake<'a, P> {
    slots: &'a mut [Slot<P>],
    wall: Wall<'a>,
    out_of_range: Vec<(u32, OutOfRange)>,
    unknown: Option<u32>,
}

/// What a poll told that the worker has to see to.
#[derive(Debug)]
pub(super) struct Troubles {
    /// Partitions that cannot go on.
    pub(super) out_of_range: Vec<(u32, OutOfRange)>,
    /// A partition that the topic did not have when the worker began.
    pub(super) unknown: Option<u32>,
}

impl<'a, P: Processor> Intake<'a, P> {
    pub(super) fn new(slots: &'a mut [Slot<P>], clock: &'a dyn Clock) -> Self {
        Self {
            slots,
            wall: Wall::new(clock),
            out_of_range: Vec::new(),
            unknown: None,
        }
    }

    /// Ends replays that have come far enough.
    pub(super) fn finish(self) -> Troubles {
        for running in self.slots.iter_mut().filter_map(Slot::running_mut) {
            running.finish_replay();
        }
        Troubles {
            out_of_range: self.out_of_range,
            unknown: self.unknown,
        }
    }

    fn drop_all(&mut self, partitions: &[TopicPartition], why: &str) {
        for partition in partitions {
            tracing::info!(%partition, "{why}");
            if let Some(slot) = self.slots.get_mut(partition.partition as usize) {
                slot.phase = Phase::Absent;
            }
        }
    }
}

impl<P: Processor> PollHandler for Intake<'_, P> {
    fn record(&mut self, record: &Record<'_>) {
        let slot = self.slots.get_mut(record.partition as usize);
        if let Some(running) = slot.and_then(Slot::running_mut) {
            running.take(record, &mut self.wall);
        }
    }

    fn event(&mut self, event: ConsumerEvent<'_>) {
        match event {
            ConsumerEvent::Assigned(partitions) => {
                for partition in partitions {
                    tracing::info!(%partition, "assigned");
                    let Some(slot) = self.slots.get_mut(partition.partition as usize) else {
                        self.unknown = Some(partition.partition);
                        continue;
                    };
                    slot.phase = Phase::Claiming {
                        retry_at_ms: 0,
                        note: None,
                    };
                }
            }
            ConsumerEvent::Revoked(partitions) => self.drop_all(partitions, "revoked"),
            ConsumerEvent::Lost(partitions) => self.drop_all(partitions, "lost"),
            ConsumerEvent::EndReached { partition, end } => {
                let slot = self.slots.get_mut(partition.partition as usize);
                if let Some(running) = slot.and_then(Slot::running_mut) {
                    running.reach(end);
                }
            }
            ConsumerEvent::OffsetsGone {
                partition,
                position,
                low,
            } => {
                let gone = OutOfRange::Gone { position, low };
                self.out_of_range.push((partition.partition, gone));
            }
            ConsumerEvent::OffsetsAhead {
                partition,
                position,
                range,
            } => {
                let high = range.high;
                let ahead = OutOfRange::Ahead { position, high };
                self.out_of_range.push((partition.partition, ahead));
            }
        }
    }
}
