//! Epochs: the log between two recoveries, and which Raft terms are whose.
//!
//! A recovery ([`crate::operation::BeginEpoch`]) starts a new epoch. Each has a range of Raft terms of its own, so that
//! nothing that was signed in one can be mistaken for another's: no honest leader ever signs two batches for one
//! (term, index), whatever a recovery dropped. The first term of a range but the first holds the recovery alone.

/// The epoch that the genesis document opens.
pub const FIRST_EPOCH: u32 = 1;
/// Epochs that Raft's terms have room for.
pub const EPOCHS_MAX: u32 = 255;
/// Terms of one epoch: 2^56. A member that pushes terms up, 1,024 at a time and each step written to disk by
/// those it pushes, needs centuries to use them up.
const TERM_BITS: u32 = 56;

/// The first term of an epoch; 0 for the first epoch.
#[must_use]
pub const fn first_term(epoch: u32) -> u64 {
    (epoch.saturating_sub(1) as u64) << TERM_BITS
}

/// The last term of an epoch.
#[must_use]
pub const fn last_term(epoch: u32) -> u64 {
    first_term(epoch) | ((1 << TERM_BITS) - 1)
}

/// The epoch to whose range a term belongs.
#[must_use]
pub const fn epoch_of(term: u64) -> u32 {
    (term >> TERM_BITS) as u32 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_terms_follow_on_each_other() {
        assert_eq!((first_term(1), epoch_of(0)), (0, 1));
        for epoch in [1, 2, 3, EPOCHS_MAX] {
            assert_eq!(epoch_of(first_term(epoch)), epoch);
            assert_eq!(epoch_of(last_term(epoch)), epoch);
            assert_eq!(last_term(epoch) + 1, first_term(epoch + 1));
        }
    }
}
