//! The demo's time: the traffic's for the wall clock, the machine's for waiting.

use std::sync::atomic::{AtomicI64, Ordering};

use slawatch_stream::{Clock, SystemClock};

/// A wall clock that is set; it never goes back.
#[derive(Debug)]
pub(super) struct DemoClock {
    wall_ms: AtomicI64,
    machine: SystemClock,
}

impl DemoClock {
    pub(super) fn new(wall_ms: i64) -> Self {
        Self {
            wall_ms: AtomicI64::new(wall_ms),
            machine: SystemClock::new(),
        }
    }

    pub(super) fn set(&self, wall_ms: i64) {
        self.wall_ms.fetch_max(wall_ms, Ordering::SeqCst);
    }
}

impl Clock for DemoClock {
    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.machine.steady_ms()
    }
}
