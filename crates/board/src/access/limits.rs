//! How often somebody may ask: a bucket of tokens for each, filled at a steady rate.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    /// Any request of one address.
    Request,
    /// What is done by one address.
    Act,
    /// What is done by one user.
    UserAct,
    /// Tokens that nobody has, of one address.
    WrongToken,
}

impl Limit {
    /// How many at once, and the time after which there is one more.
    const fn rate(self) -> (u64, u64) {
        match self {
            // A dozen screens behind one proxy ask once a second each.
            Self::Request => (400, 10),
            Self::Act => (60, 500),
            Self::UserAct => (30, 1_000),
            Self::WrongToken => (10, 6_000),
        }
    }
}

/// More than this are not told apart: whoever comes then waits until some have been forgotten.
const MOST: usize = 50_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Until when all that was taken is filled up again, on the steady clock.
    full_at_ms: u64,
}

/// All buckets.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<BTreeMap<(Limit, String), Bucket>>);

impl Limits {
    /// Takes one; or says how many seconds to wait for it.
    pub(crate) fn take(&self, limit: Limit, who: &str, steady_ms: u64) -> Result<(), u64> {
        self.ask(limit, who, steady_ms, true)
    }

    /// Whether there is one, without taking it.
    pub(crate) fn look(&self, limit: Limit, who: &str, steady_ms: u64) -> Result<(), u64> {
        self.ask(limit, who, steady_ms, false)
    }

    fn ask(&self, limit: Limit, who: &str, steady_ms: u64, takes: bool) -> Result<(), u64> {
        let (most, one_ms) = limit.rate();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| bucket.full_at_ms > steady_ms);
        }
        let key = (limit, who.to_owned());
        let is_new = !buckets.contains_key(&key);
        if is_new && buckets.len() >= MOST {
            return Err(1);
        }
        let full_at_ms = buckets.get(&key).map_or(0, |bucket| bucket.full_at_ms);
        let full_at_ms = full_at_ms.max(steady_ms) + one_ms;
        let wait_ms = full_at_ms.saturating_sub(steady_ms + most * one_ms);
        if wait_ms > 0 {
            return Err(wait_ms.div_ceil(1_000));
        }
        if takes {
            buckets.insert(key, Bucket { full_at_ms });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_one_at_a_time() {
        let limits = Limits::default();
        let (most, one_ms) = Limit::WrongToken.rate();
        for _ in 0..most {
            assert_eq!(limits.look(Limit::WrongToken, "a", 100), Ok(()));
            assert_eq!(limits.take(Limit::WrongToken, "a", 100), Ok(()));
        }
        assert_eq!(limits.look(Limit::WrongToken, "a", 100), Err(6));
        assert_eq!(limits.take(Limit::WrongToken, "a", 100), Err(6));
        assert_eq!(limits.take(Limit::WrongToken, "b", 100), Ok(()));
        assert_eq!(limits.take(Limit::Act, "a", 100), Ok(()));
        assert_eq!(limits.take(Limit::WrongToken, "a", 100 + one_ms), Ok(()));
        assert_eq!(
            limits.take(Limit::WrongToken, "a", 100 + one_ms + 1),
            Err(6)
        );
    }

    #[test]
    fn only_so_many_are_told_apart() {
        let limits = Limits::default();
        for number in 0..MOST {
            assert_eq!(limits.take(Limit::Request, &number.to_string(), 0), Ok(()));
        }
        assert_eq!(limits.take(Limit::Request, "one more", 0), Err(1));
        assert_eq!(limits.take(Limit::Request, "one more", 60_000), Ok(()));
        assert_eq!(limits.0.lock().unwrap().len(), 1);
    }
}
