//! From conclusions to acknowledged records: flushes, and what is known of their arrival.

use std::time::Duration;

use crate::error::StreamError;
use crate::processor::{Processor, ProcessorFactory, Source, Stamp};
use crate::producer::{DeliveryFailed, Producer};
use crate::record::Outgoing;

use super::slot::{Flight, Running, Slot};
use super::{Worker, WorkerConfig};

impl<P: Processor> Running<P> {
    /// Says everything that was concluded since the last flush.
    pub(super) fn flush(
        &mut self,
        source: &Source,
        now_ms: u64,
        config: &WorkerConfig,
        out: &mut Vec<Outgoing>,
        producer: &mut dyn Producer,
    ) -> Result<(), StreamError> {
        let progress = self.progress_due(now_ms, config);
        self.batch += 1;
        let stamp = Stamp {
            source: source.partition,
            sources: source.partitions,
            epoch: self.epoch,
            batch: self.batch,
            clock_ms: if self.follows_wall_clock {
                self.spoken_clock_ms()
            } else {
                0
            },
            log_clock_ms: self.log_clock_ms,
            position: self.position,
            progress,
        };
        out.clear();
        self.processor.flush(&stamp, out);
        let first = producer.sent() + 1;
        let mut bytes = 0;
        for record in out.drain(..) {
            bytes += record.payload_bytes();
            producer.send(record)?;
        }
        self.flights.push_back(Flight {
            batch: self.batch,
            mark: self.mark(),
            first,
            upto: producer.sent(),
            bytes,
        });
        self.flight_bytes += bytes;
        self.catch_up = None;
        self.unflushed = 0;
        self.fired = false;
        self.flushed_at_ms = now_ms;
        if progress {
            self.progress_at_ms = Some(now_ms);
        }
        Ok(())
    }

    /// Every send up to number `upto` is acknowledged.
    pub(super) fn landed(&mut self, upto: u64) {
        let mut last = None;
        while let Some(flight) = self.flights.pop_front_if(|flight| flight.upto <= upto) {
            self.flight_bytes -= flight.bytes;
            self.acknowledged = flight.mark;
            last = Some(flight.batch);
        }
        if let Some(batch) = last {
            self.processor.acknowledged(batch);
        }
    }
}

impl<F: ProcessorFactory> Worker<F> {
    pub(super) fn take_acknowledgements(&mut self, max_wait: Duration) -> Result<(), StreamError> {
        match self.parts.producer.poll(max_wait) {
            Ok(upto) => {
                for running in self.slots.iter_mut().filter_map(Slot::running_mut) {
                    running.landed(upto);
                }
                Ok(())
            }
            Err(failed) => self.delivery_failed(&failed, None),
        }
    }

    /// Flushes the partitions for which that is due, and takes snapshots where one is.
    pub(super) fn flush_due(&mut self) -> Result<(), StreamError> {
        let now_ms = self.now_ms();
        for index in 0..self.slots.len() {
            let due = self.slots[index]
                .running()
                .and_then(|running| running.next_flush_ms(now_ms, &self.config));
            if due.is_some_and(|due_ms| due_ms <= now_ms) {
                self.flush(index)?;
                self.snapshot_if_due(index);
            }
        }
        Ok(())
    }

    /// Flushes whatever has news.
    pub(super) fn flush_all(&mut self) -> Result<(), StreamError> {
        for index in 0..self.slots.len() {
            if self.slots[index].running().is_some_and(Running::must_flush) {
                self.flush(index)?;
            }
        }
        Ok(())
    }

    pub(super) fn flush(&mut self, index: usize) -> Result<(), StreamError> {
        let now_ms = self.now_ms();
        let slot = &mut self.slots[index];
        let Slot { source, phase, .. } = slot;
        let super::Phase::Running(running) = phase else {
            return Ok(());
        };
        match running.flush(
            source,
            now_ms,
            &self.config,
            &mut self.out,
            self.parts.producer.as_mut(),
        ) {
            Ok(()) => Ok(()),
            // Sending it again would fail again: the rows have to be looked at, the other partitions go on.
            Err(error @ StreamError::TooLarge { .. }) => {
                self.stop(index, error.to_string());
                Ok(())
            }
            Err(StreamError::Delivery(failed)) => self.delivery_failed(&failed, Some(index)),
            Err(error @ StreamError::Unavailable { .. }) => self.retake(&error.to_string()),
            Err(
                error @ (StreamError::Fatal { .. }
                | StreamError::UnknownTopic { .. }
                | StreamError::TopicDiffers { .. }
                | StreamError::NotAssigned { .. }
                | StreamError::Store { .. }),
            ) => Err(error),
        }
    }

    /// A producer has failed: all partitions are taken again, but for the one whose record would be refused again. That
    /// is the one whose flush the record was of, or else the one being flushed right now.
    fn delivery_failed(
        &mut self,
        failed: &DeliveryFailed,
        flushing: Option<usize>,
    ) -> Result<(), StreamError> {
        match failed {
            DeliveryFailed::Lost { .. } => {}
            DeliveryFailed::TooLarge { number, .. } => {
                let of = |slot: &Slot<F::Processor>| {
                    slot.running().is_some_and(|running| running.sent(*number))
                };
                if let Some(index) = self.slots.iter().position(of).or(flushing) {
                    self.stop(index, failed.to_string());
                }
            }
        }
        self.retake(&failed.to_string())
    }

    /// Puts a partition out of work, to be looked at by a person.
    pub(super) fn stop(&mut self, index: usize, reason: String) {
        let slot = &mut self.slots[index];
        slot.stop(reason);
        let partition = std::slice::from_ref(&slot.partition);
        if let Err(error) = self.parts.consumer.pause(partition) {
            tracing::warn!(%error, "a stopped partition could not be paused");
        }
    }
}
