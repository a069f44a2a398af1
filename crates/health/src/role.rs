//! A role of this process, as seen from outside its threads.

use std::fmt;
use std::sync::Arc;

use crate::Heartbeat;

/// A thread that comes round within a second or so while all is well.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its name, as in the log.
    pub name: String,
    /// Its sign of life.
    pub heartbeat: Heartbeat,
}

impl Thread {
    /// What to say of a thread that has been silent for longer than `bound_ms`.
    fn trouble(&self, bound_ms: u64) -> Option<String> {
        let silent_ms = self.heartbeat.silent_ms();
        (silent_ms > bound_ms).then(|| {
            format!(
                "thread {} has not come round for {} s: it hangs, or waits in one request",
                self.name,
                silent_ms / 1_000
            )
        })
    }
}

/// What a role needs to be asked.
#[derive(Clone)]
pub struct RoleHealth {
    /// The role's name, as in `--roles`.
    pub role: String,
    /// What keeps it from its work, in words; empty while all is well. Must answer at once.
    pub problems: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Its threads.
    pub threads: Vec<Thread>,
}

impl fmt::Debug for RoleHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleHealth")
            .field("role", &self.role)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// Longer than any step takes in which nothing is wrong.
const UNREADY_AFTER_MS: u64 = 15_000;
/// Longer than a step takes that waits for brokers which are down, one request after the other.
const DEAD_AFTER_MS: u64 = 300_000;

impl RoleHealth {
    /// Why it is not ready; empty if it is.
    pub fn not_ready(&self) -> Vec<String> {
        let mut reasons = self.silent(UNREADY_AFTER_MS);
        reasons.extend((self.problems)());
        reasons
    }

    /// Why nothing but a restart will help; empty while that is not so.
    pub fn not_alive(&self) -> Vec<String> {
        self.silent(DEAD_AFTER_MS)
    }

    fn silent(&self, bound_ms: u64) -> Vec<String> {
        let troubles = self.threads.iter().map(|thread| thread.trouble(bound_ms));
        troubles.flatten().collect()
    }
}
