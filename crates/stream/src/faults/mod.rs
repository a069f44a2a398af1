//! Faults on demand: wrappers that let a log or a store fail, lose answers or crash at a chosen call.
//!
//! They wrap any implementation of the traits, so simulation and conformance tests disturb the very code that runs in
//! production. All wrappers of one [`Faults`] stand for one process: once it has crashed, nothing that it holds has any
//! effect any more.

mod chance;
mod consumer;
mod producer;
mod store;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::consumer::Consumer;
use crate::error::StreamError;
use crate::producer::Producer;
use crate::store::SnapshotStore;

pub use chance::{Dice, RandomFaults, Trouble};

/// A call that may be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A poll of the consumer.
    Poll,
    /// A commit.
    Commit,
    /// A question to the consumer: committed offsets, first and last offset, a seek.
    Ask,
    /// A send.
    Send,
    /// The producer takes in acknowledgements.
    Acknowledge,
    /// A write to the store, or a deletion.
    Store,
    /// A read from the store.
    Load,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing out of the ordinary.
    None,
    /// It is not done, and the caller is told so (an acknowledgement: half of what is under way arrives, and the
    /// producer fails).
    Fails,
    /// It is done, and the caller is not told so.
    LosesAnswer,
    /// It brings nothing yet (only polls and acknowledgements).
    Delays,
    /// The process dies before it is done (an acknowledgement: half of what is under way has arrived).
    CrashesBefore,
    /// The process dies when it is done.
    CrashesAfter,
}

/// Decides about each call in turn.
pub trait FaultPlan: Send {
    /// What happens to the next call.
    fn next(&mut self, operation: Operation) -> Fault;
}

impl<F: FnMut(Operation) -> Fault + Send> FaultPlan for F {
    fn next(&mut self, operation: Operation) -> Fault {
        self(operation)
    }
}

/// The faults of one process.
#[derive(Clone)]
pub struct Faults {
    plan: Arc<Mutex<dyn FaultPlan>>,
    crashed: Arc<AtomicBool>,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults")
            .field("crashed", &self.crashed())
            .finish_non_exhaustive()
    }
}

impl Faults {
    /// A process that fares as `plan` says.
    pub fn new(plan: impl FaultPlan + 'static) -> Self {
        Self {
            plan: Arc::new(Mutex::new(plan)),
            crashed: Arc::default(),
        }
    }

    /// Has the process died?
    pub fn crashed(&self) -> bool {
        self.crashed.load(Ordering::SeqCst)
    }

    /// Lets it die.
    pub fn crash(&self) {
        self.crashed.store(true, Ordering::SeqCst);
    }

    /// A consumer of this process.
    pub fn consumer(&self, inner: Box<dyn Consumer>) -> Box<dyn Consumer> {
        Box::new(consumer::FaultyConsumer::new(self.clone(), inner))
    }

    /// A producer of this process. What is sent arrives with the next undisturbed acknowledgement.
    pub fn producer(&self, inner: Box<dyn Producer>) -> Box<dyn Producer> {
        Box::new(producer::FaultyProducer::new(self.clone(), inner))
    }

    /// A store as this process sees it.
    pub fn store(&self, inner: Arc<dyn SnapshotStore>) -> Arc<dyn SnapshotStore> {
        Arc::new(store::FaultyStore::new(self.clone(), inner))
    }

    /// Decides about a call; a dead process' calls all come to nothing.
    fn meet(&self, operation: Operation) -> Fault {
        if self.crashed() {
            return Fault::CrashesBefore;
        }
        let fault = self
            .plan
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next(operation);
        if matches!(fault, Fault::CrashesBefore | Fault::CrashesAfter) {
            self.crash();
        }
        fault
    }

    /// Meets a fault and does `work` or not; `lost` is what the caller sees when there is no answer.
    fn around<T>(
        &self,
        operation: Operation,
        what: &str,
        work: impl FnOnce() -> Result<T, StreamError>,
    ) -> Result<T, StreamError> {
        let lost = |reason: &str| StreamError::Unavailable {
            what: what.to_owned(),
            reason: reason.to_owned(),
        };
        match self.meet(operation) {
            Fault::None | Fault::Delays => work(),
            Fault::Fails => Err(lost("failed on demand")),
            Fault::LosesAnswer => {
                work()?;
                Err(lost("the answer was lost on demand"))
            }
            Fault::CrashesBefore => Err(dead()),
            Fault::CrashesAfter => {
                work()?;
                Err(dead())
            }
        }
    }
}

fn dead() -> StreamError {
    StreamError::Fatal {
        what: "the process".to_owned(),
        reason: "it crashed on demand".to_owned(),
    }
}
