//! How long to wait before sending a batch again.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Waiting that doubles from `first_ms` up to `max_ms`, each wait shortened by up to half so that loaders that failed
/// together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failed attempt, before shortening.
    pub first_ms: u64,
    /// The longest wait.
    pub max_ms: u64,
    /// What tells this loader from others.
    pub seed: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first_ms: 100,
            max_ms: 30_000,
            seed: u64::from(std::process::id()),
        }
    }
}

impl Backoff {
    /// The wait after attempt `attempts` (from 1) of the batch `number`.
    pub fn wait_ms(&self, number: u64, attempts: u32) -> u64 {
        let doublings = attempts.saturating_sub(1).min(32);
        let whole = self
            .first_ms
            .saturating_mul(1 << doublings)
            .min(self.max_ms);
        let chance = xxh3_64_with_seed(
            &[number, u64::from(attempts)].map(u64::to_le_bytes).concat(),
            self.seed,
        );
        whole - chance % (whole / 2 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ_between_loaders() {
        let backoff = |seed| Backoff {
            first_ms: 100,
            max_ms: 30_000,
            seed,
        };
        for (attempts, whole) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (9, 25_600),
            (10, 30_000),
            (4_000_000, 30_000),
        ] {
            let wait = backoff(1).wait_ms(7, attempts);
            assert!((whole / 2..=whole).contains(&wait), "{attempts}: {wait}");
        }
        let of_seed = |seed| backoff(seed).wait_ms(7, 10);
        assert!((1..20).any(|seed| of_seed(seed) != of_seed(0)));
    }
}
