//! How long to wait before the next attempt: exponential, capped, spread by a seeded source so that tests repeat.

use std::time::Duration;

/// Pauses between `min` and `max`, doubling.
#[derive(Clone, Debug)]
pub struct Backoff {
    min_ms: u64,
    max_ms: u64,
    state: u64,
}

impl Backoff {
    /// `seed` decides the jitter; two receivers should not share one.
    pub fn new(min: Duration, max: Duration, seed: u64) -> Self {
        let as_ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            min_ms: as_ms(min).max(1),
            max_ms: as_ms(max).max(1),
            state: seed,
        }
    }

    /// The pause after the `failures`th failure in a row, counted from 1: between half and all of min * 2^(failures-1),
    /// so that receivers that fell over together are not asked together.
    pub fn pause_ms(&mut self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(32);
        let full_ms = self.min_ms.saturating_mul(1 << doublings).min(self.max_ms);
        let spread_ms = full_ms / 2;
        let pause_ms = full_ms - self.next_random() % (spread_ms + 1);
        i64::try_from(pause_ms).unwrap_or(i64::MAX / 2)
    }

    /// SplitMix64: one word of state is plenty for spreading retries.
    fn next_random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_repeat_by_seed() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), 7);
        let mut same = backoff.clone();
        for (failures, full_ms) in [(1, 500), (2, 1000), (3, 2000), (7, 30_000), (60, 30_000)] {
            let pause_ms = backoff.pause_ms(failures);
            assert!(
                (full_ms / 2..=full_ms).contains(&pause_ms),
                "{failures}: {pause_ms}"
            );
            assert_eq!(same.pause_ms(failures), pause_ms);
        }
        let mut other = Backoff::new(Duration::from_millis(500), Duration::from_secs(30), 8);
        let pauses = |source: &mut Backoff| (0..8).map(|_| source.pause_ms(7)).collect::<Vec<_>>();
        assert_ne!(pauses(&mut backoff), pauses(&mut other));
    }
}
