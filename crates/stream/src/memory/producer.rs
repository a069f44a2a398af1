//! A writer of the memory log: what it sends is there at once, and what it was not told of it sends again.

use std::sync::Arc;
use std::time::Duration;

use crate::error::StreamError;
use crate::producer::{DeliveryFailed, MAX_SENT_BYTES, Producer};
use crate::record::{Outgoing, TopicPartition};

use super::MemoryLog;

#[derive(Debug)]
pub(super) struct MemoryProducer {
    log: MemoryLog,
    /// The log's name for it, as long as it lives or until it is reset.
    id: u64,
    sent: u64,
    /// Sends whose answer was lost, with their numbers.
    unanswered: Vec<(u64, Outgoing)>,
    failed: Option<DeliveryFailed>,
}

impl MemoryProducer {
    pub(super) fn new(log: MemoryLog) -> Self {
        let id = log.lock().new_producer();
        Self {
            log,
            id,
            sent: 0,
            unanswered: Vec::new(),
            failed: None,
        }
    }

    /// Sends a record under its number. Gives it back if the answer was lost.
    fn transmit(&mut self, number: u64, record: Outgoing) -> Result<Option<Outgoing>, StreamError> {
        let wall_ms = self.log.shared.clock.wall_ms();
        let mut state = self.log.lock();
        let partition = TopicPartition::new(Arc::clone(&record.topic), record.partition);
        let is_lost = state.loses_answer();
        let kept = is_lost.then(|| record.clone());
        if state.partition_mut(&partition)?.is_new(self.id, number) {
            state.append(record, wall_ms)?;
        }
        drop(state);
        self.log.shared.changed.notify_all();
        Ok(kept)
    }
}

impl Producer for MemoryProducer {
    fn send(&mut self, record: Outgoing) -> Result<u64, StreamError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().into());
        }
        let number = self.sent + 1;
        let bytes = record.payload_bytes();
        if bytes > MAX_SENT_BYTES {
            return Err(StreamError::TooLarge {
                destination: TopicPartition::new(record.topic, record.partition),
                bytes,
                limit: MAX_SENT_BYTES,
            });
        }
        match self.transmit(number, record) {
            Ok(kept) => self.unanswered.extend(kept.map(|record| (number, record))),
            Err(StreamError::TooLarge {
                destination,
                bytes,
                limit,
            }) => {
                self.failed = Some(DeliveryFailed::TooLarge {
                    number,
                    destination,
                    bytes,
                    limit: Some(limit),
                });
            }
            Err(error) => return Err(error),
        }
        self.sent = number;
        Ok(number)
    }

    fn poll(&mut self, _max_wait: Duration) -> Result<u64, DeliveryFailed> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        for (number, record) in std::mem::take(&mut self.unanswered) {
            let destination = TopicPartition::new(Arc::clone(&record.topic), record.partition);
            match self.transmit(number, record) {
                Ok(kept) => self.unanswered.extend(kept.map(|record| (number, record))),
                Err(error) => {
                    let failed = DeliveryFailed::Lost {
                        destination: destination.to_string(),
                        reason: error.to_string(),
                    };
                    self.failed = Some(failed.clone());
                    return Err(failed);
                }
            }
        }
        let first = self.unanswered.first();
        Ok(first.map_or(self.sent, |(number, _)| number - 1))
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn reset(&mut self) -> Result<(), StreamError> {
        self.id = self.log.lock().new_producer();
        self.unanswered.clear();
        self.failed = None;
        Ok(())
    }
}
