//! Token buckets: how much one address or one sender may submit.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// A rate: so many transactions a second on average, so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Transactions a second.
    pub per_second: u32,
    /// Transactions at once; also what a bulk submission may hold at most.
    pub burst: u32,
}

/// Keys remembered at once. When there are more, full buckets are forgotten first: they hold nothing.
const KEYS_MAX: usize = 16_384;

/// One bucket per key, each as the instant at which it will be full (the GCRA form: one number).
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Rate,
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes `count` tokens of `key`, or says how long to wait for them.
    pub(super) fn take(&self, key: K, count: usize, now: Instant) -> Result<(), Duration> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEYS_MAX && !all.contains_key(&key) {
            all.retain(|_, full_at| *full_at > now);
            if all.len() >= KEYS_MAX {
                return Err(Duration::from_secs(1));
            }
        }
        let full_at = all.get(&key).copied().unwrap_or(now).max(now);
        let after = full_at + self.worth(count);
        let most = now + self.worth(self.rate.burst);
        match after.checked_duration_since(most) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                all.insert(key, after);
                Ok(())
            }
        }
    }

    /// How long `count` tokens take to flow in.
    fn worth(&self, count: u32) -> Duration {
        let nanos = u64::from(count) * 1_000_000_000 / u64::from(self.rate.per_second.max(1));
        Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_only_for_that_key() {
        let buckets = Buckets::new(Rate { per_second: 10, burst: 5 });
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(buckets.take("a", 1, now), Ok(()));
        }
        assert_eq!(buckets.take("a", 1, now), Err(Duration::from_millis(100)));
        assert_eq!(buckets.take("b", 5, now), Ok(()));
        assert_eq!(buckets.take("a", 1, now + Duration::from_millis(100)), Ok(()));
        assert!(buckets.take("a", 1, now + Duration::from_millis(100)).is_err());
        assert!(buckets.take("c", 6, now).is_err(), "more than a burst never fits");
    }

    #[test]
    fn the_table_stays_bounded_and_forgets_the_full() {
        let buckets = Buckets::new(Rate { per_second: 1, burst: 1 });
        let now = Instant::now();
        for key in 0..KEYS_MAX {
            assert_eq!(buckets.take(key, 1, now), Ok(()));
        }
        assert!(buckets.take(KEYS_MAX, 1, now).is_err());
        assert_eq!(buckets.take(KEYS_MAX, 1, now + Duration::from_secs(1)), Ok(()));
        assert_eq!(buckets.full_at.lock().map(|all| all.len()).unwrap_or(0), 1);
    }
}
