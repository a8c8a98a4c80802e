//! Remembers which signed bytes this node has verified, so that each signature is checked once.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use musubi_ledger::hash::Hash;

/// Hashes of whole signed transactions whose signatures held. Two generations: when the young one is
/// full the old one is forgotten, so memory is bounded and recent entries stay.
pub struct Verified {
    generations: Mutex<(HashSet<Hash>, HashSet<Hash>)>,
    capacity: usize,
}

impl Verified {
    /// Remembers at least the last `capacity` and at most twice as many.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { generations: Mutex::default(), capacity }
    }

    /// Notes bytes whose signatures held.
    pub fn note(&self, hash: Hash) {
        let mut guard = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *guard;
        if young.len() == self.capacity {
            *old = std::mem::take(young);
        }
        young.insert(hash);
    }

    /// Whether these bytes were noted lately.
    #[must_use]
    pub fn knows(&self, hash: &Hash) -> bool {
        let guard = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        guard.0.contains(hash) || guard.1.contains(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_hashes_stay_and_memory_is_bounded() {
        let verified = Verified::new(4);
        for n in 0..100 {
            verified.note([n; 32]);
            assert!(verified.knows(&[n; 32]));
            assert!(n < 3 || verified.knows(&[n - 3; 32]));
        }
        let held = (0..100).filter(|n| verified.knows(&[*n; 32])).count();
        assert!(held <= 8);
    }
}
