//! The last sign of life of a thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use slawatch_stream::Clock;

/// Told by a thread that it has come round once more. Clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    at_ms: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

impl Heartbeat {
    /// A thread that is being started now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            at_ms: Arc::new(AtomicU64::new(clock.steady_ms())),
            clock,
        }
    }

    /// The thread is at work.
    pub fn beat(&self) {
        self.at_ms.store(self.clock.steady_ms(), Ordering::Relaxed);
    }

    /// How long it has said nothing.
    pub fn silent_ms(&self) -> u64 {
        let at_ms = self.at_ms.load(Ordering::Relaxed);
        self.clock.steady_ms().saturating_sub(at_ms)
    }
}
