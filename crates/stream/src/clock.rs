//! The two clocks of the outside world, injected so that tests own time.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Time as seen by this process.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock in UTC milliseconds; may be stepped in either direction.
    fn wall_ms(&self) -> i64;

    /// Milliseconds since some fixed instant, never going back: for intervals, never for facts.
    fn steady_ms(&self) -> u64;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A steady clock that starts at 0 now.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn steady_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
