//! Splitting an amount among named parties: nothing vanishes, and who gets the rest is named.

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, id::PartyId, limits};

/// One leg of a split.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// Who gets it.
    pub to: PartyId,
    /// Its weight; not zero.
    pub weight: u32,
}

/// A split by weights.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// One to four legs of different parties.
    pub legs: Vec<Leg>,
    /// Which leg, by its place, gets what rounding leaves.
    pub remainder: u8,
}

impl Split {
    /// Whether legs, weights and the named leg are within bounds.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let twice = |at: usize| self.legs[..at].iter().any(|leg| leg.to == self.legs[at].to);
        (1..=limits::SPLIT_LEGS_MAX).contains(&self.legs.len())
            && self.legs.iter().all(|leg| leg.weight > 0)
            && usize::from(self.remainder) < self.legs.len()
            && !(0..self.legs.len()).any(twice)
    }

    /// What each leg gets of `total`, in their order: its share of whole steps, rounded down, and the named leg what
    /// is left. They sum to `total`.
    ///
    /// # Panics
    /// If a step is zero, or it is not [`Self::well_formed`].
    #[must_use]
    pub fn parts(&self, total: Amount, step: Amount) -> Vec<Amount> {
        let (steps, all) = (u128::from(total.0 / step.0), self.weights());
        let share = |leg: &Leg| {
            let share = steps * u128::from(leg.weight) / all;
            Amount(u64::try_from(share).expect("a share is not larger than the whole") * step.0)
        };
        let mut parts: Vec<Amount> = self.legs.iter().map(share).collect();
        let given = parts.iter().map(|part| part.0).sum::<u64>();
        parts[usize::from(self.remainder)].0 += total.0 - given;
        assert_eq!(parts.iter().map(|part| part.0).sum::<u64>(), total.0, "no part vanishes");
        parts
    }

    /// What each leg gives back of `has`, so that in all only `keep` stays: down to what it would get of that. Where
    /// rounding would let the named leg gain, the others give that much less.
    ///
    /// # Panics
    /// If `has` is not of its legs, or sums to less than `keep`.
    #[must_use]
    pub fn back(&self, has: &[Amount], keep: Amount, step: Amount) -> Vec<Amount> {
        let all = has.iter().map(|part| part.0).sum::<u64>();
        let mut left = all.checked_sub(keep.0).expect("no more is kept than there is");
        let wanted = self.parts(keep, step);
        let mut back: Vec<Amount> = Vec::with_capacity(has.len());
        for (has, wanted) in has.iter().zip(&wanted) {
            let part = has.0.saturating_sub(wanted.0).min(left);
            left -= part;
            back.push(Amount(part));
        }
        assert_eq!(left, 0, "some leg has more than it keeps, as long as all of them do");
        back
    }

    fn weights(&self) -> u128 {
        self.legs.iter().map(|leg| u128::from(leg.weight)).sum()
    }
}
