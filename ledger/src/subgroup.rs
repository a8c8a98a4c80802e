//! Whether many points of the curve are in the subgroup of prime order, all at once.
//!
//! A point P is in it if \[l\]P is the identity, l being the subgroup's order: a multiplication of 253 bits each,
//! more than checking a signature costs in a batch. Instead, each of [`ROUNDS`] rounds adds up a random half of
//! the points and multiplies the sum. If all points are in the subgroup, so is every sum. If one is not,
//! its part outside (of order 2, 4 or 8) spoils a sum with a chance of at least one half, whatever the others
//! are: given the rest of the choice, with or without this point, at most one of the two sums is in the subgroup.
//! So the chance that all rounds miss it is at most 2^-[`ROUNDS`], as small as that of a batch of signatures
//! ([`crate::verify`]), and the choices come from the same kind of generator: seeded by the points, no entropy.

use core::ops::Add;

/// Sums that are tried.
const ROUNDS: usize = 128;
/// Points whose sums, each with or without, are made beforehand, for all rounds: of 4 to 8, this costs least.
const BLOCK: usize = 6;
/// Below so many points, trying each by itself costs less than [`ROUNDS`] sums.
pub(crate) const MANY: usize = 256;

/// Whether all of `points` are in the subgroup, of which `inside` tells for one. `seed` is all that tells
/// the points from others, as they were given: nobody can choose points after knowing the sums.
///
/// `P::default()` must be the identity.
pub(crate) fn all_inside<P>(points: &[P], seed: &[[u8; 32]], inside: impl Fn(&P) -> bool) -> bool
where
    P: Copy + Default + Add<Output = P>,
{
    let mut hasher = blake3::Hasher::new_derive_key("musubi/v1/batch-subgroup");
    hasher.update(seed.as_flattened());
    let mut choices = hasher.finalize_xof();
    let mut sums = [P::default(); ROUNDS];
    let mut choice = [0; ROUNDS];
    for block in points.chunks(BLOCK) {
        let of = subsets(block);
        choices.fill(&mut choice);
        for (sum, choice) in sums.iter_mut().zip(choice) {
            // The table is as long as a power of two: every place in it is as likely.
            *sum = *sum + of[usize::from(choice) % of.len()];
        }
    }
    sums.iter().all(inside)
}

/// The sums of all subsets of a block.
fn subsets<P: Copy + Default + Add<Output = P>>(block: &[P]) -> Vec<P> {
    let mut sums = Vec::with_capacity(1 << BLOCK);
    sums.push(P::default());
    for point in block {
        for at in 0..sums.len() {
            sums.push(sums[at] + *point);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight times a number stands for the subgroup, what is left over for the part outside of it.
    #[derive(Clone, Copy, Default)]
    struct Point(u64);

    impl Add for Point {
        type Output = Self;
        fn add(self, other: Self) -> Self {
            Self(self.0.wrapping_add(other.0))
        }
    }

    #[test]
    fn one_outside_is_found_wherever_it_stands_and_whatever_its_order() {
        let inside = |point: &Point| point.0.is_multiple_of(8);
        for count in [1, 2, 5, 6, 7, 12, 300] {
            let good: Vec<Point> = (0..count).map(|n| Point(n * 8)).collect();
            let seed: Vec<[u8; 32]> = (0..count).map(|n| [n.to_le_bytes()[0]; 32]).collect();
            assert!(all_inside(&good, &seed, inside));
            for at in [0, count / 2, count - 1] {
                for outside in 1..8 {
                    let mut points = good.clone();
                    points[usize::try_from(at).unwrap_or_default()].0 += outside;
                    assert!(!all_inside(&points, &seed, inside), "{at} of {count}");
                }
            }
            // Two that cancel each other are found too.
            let mut points = good.clone();
            let last = points.len() - 1;
            points[0].0 += 4;
            points[last].0 += 4;
            assert_eq!(all_inside(&points, &seed, inside), count == 1);
        }
    }

    #[test]
    fn nothing_is_inside() {
        assert!(all_inside::<Point>(&[], &[], |point| point.0 == 0));
    }
}
