//! The two clocks of the outside world, injected so that tests own time.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the clocks are read"
)]

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
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

/// Clocks that stand still until they are moved: for tests and simulations, and for `replay`.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall_ms: AtomicI64,
    steady_ms: AtomicU64,
}

impl ManualClock {
    /// The wall clock at `wall_ms`, the steady one at 0.
    pub fn new(wall_ms: i64) -> Self {
        Self {
            wall_ms: AtomicI64::new(wall_ms),
            steady_ms: AtomicU64::new(0),
        }
    }

    /// Lets time pass on both clocks.
    pub fn advance(&self, by_ms: u32) {
        self.wall_ms.fetch_add(i64::from(by_ms), Ordering::SeqCst);
        self.steady_ms.fetch_add(u64::from(by_ms), Ordering::SeqCst);
    }

    /// Steps the wall clock alone, as an operator or a time server does.
    pub fn step_wall(&self, by_ms: i64) {
        self.wall_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.steady_ms.load(Ordering::SeqCst)
    }
}
