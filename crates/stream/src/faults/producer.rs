//! A producer that fails on demand, and whose records travel until somebody asks for acknowledgements.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Fault, Faults, Operation, dead};
use crate::error::StreamError;
use crate::producer::{DeliveryFailed, Producer};
use crate::record::Outgoing;

#[derive(Debug)]
pub(super) struct FaultyProducer {
    faults: Faults,
    inner: Box<dyn Producer>,
    under_way: VecDeque<Outgoing>,
    sent: u64,
    failed: Option<DeliveryFailed>,
}

impl FaultyProducer {
    pub(super) fn new(faults: Faults, inner: Box<dyn Producer>) -> Self {
        Self {
            faults,
            inner,
            under_way: VecDeque::new(),
            sent: 0,
            failed: None,
        }
    }

    fn arrive(&mut self, count: usize) {
        for record in self.under_way.drain(..count) {
            if let Err(error) = self.inner.send(record) {
                self.failed = Some(failed(&error.to_string()));
                return;
            }
        }
    }

    /// What the wrapped producer tells, in this one's numbers: what was forgotten on the way it has never seen.
    fn inner_failed(&self, failed: DeliveryFailed) -> DeliveryFailed {
        match failed {
            DeliveryFailed::TooLarge {
                number,
                destination,
                bytes,
                limit,
            } => DeliveryFailed::TooLarge {
                number: number + self.sent - self.inner.sent(),
                destination,
                bytes,
                limit,
            },
            lost @ DeliveryFailed::Lost { .. } => lost,
        }
    }

    fn acknowledged(&self) -> u64 {
        self.sent - self.under_way.len() as u64
    }
}

fn failed(reason: &str) -> DeliveryFailed {
    DeliveryFailed::Lost {
        destination: "its partition".to_owned(),
        reason: reason.to_owned(),
    }
}

impl Producer for FaultyProducer {
    fn send(&mut self, record: Outgoing) -> Result<u64, StreamError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone().into());
        }
        match self.faults.meet(Operation::Send) {
            Fault::None | Fault::Delays | Fault::LosesAnswer => {
                self.under_way.push_back(record);
                self.sent += 1;
                Ok(self.sent)
            }
            Fault::Fails => {
                let failed = failed("failed on demand");
                self.failed = Some(failed.clone());
                Err(failed.into())
            }
            Fault::CrashesBefore | Fault::CrashesAfter => Err(dead()),
        }
    }

    fn poll(&mut self, max_wait: Duration) -> Result<u64, DeliveryFailed> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let dead_already = self.faults.crashed();
        match self.faults.meet(Operation::Acknowledge) {
            Fault::None => {
                self.arrive(self.under_way.len());
                if let Err(failed) = self.inner.poll(max_wait) {
                    self.failed = Some(self.inner_failed(failed));
                }
            }
            Fault::Delays => {}
            Fault::Fails => {
                self.arrive(self.under_way.len() / 2);
                self.failed = Some(failed("failed on demand"));
            }
            Fault::LosesAnswer => {
                self.arrive(self.under_way.len());
                self.failed = Some(failed("the answer was lost on demand"));
            }
            Fault::CrashesBefore if dead_already => self.failed = Some(failed("crashed on demand")),
            Fault::CrashesBefore => {
                self.arrive(self.under_way.len() / 2);
                self.failed = Some(failed("crashed on demand"));
            }
            Fault::CrashesAfter => {
                self.arrive(self.under_way.len());
                self.failed = Some(failed("crashed on demand"));
            }
        }
        match &self.failed {
            Some(failed) => Err(failed.clone()),
            None => Ok(self.acknowledged()),
        }
    }

    fn sent(&self) -> u64 {
        self.sent
    }

    fn reset(&mut self) -> Result<(), StreamError> {
        if self.faults.crashed() {
            return Err(dead());
        }
        self.under_way.clear();
        self.failed = None;
        self.inner.reset()
    }
}
