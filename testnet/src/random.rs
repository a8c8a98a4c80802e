//! All chance in a generated city and day: one generator from one seed, the same on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014). For made-up people and test keys; never for real ones.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator for a seed; neighbouring seeds do not begin alike.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed ^ 0x6d65_6275_6b75_5f31);
        dice.next();
        dice
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "an endless stream needs no Option")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[least, most]`.
    ///
    /// # Panics
    /// If `most < least`.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        assert!(least <= most, "a range has a least and a most");
        least + self.next() % (most - least + 1)
    }

    /// A place in a list of `length`.
    ///
    /// # Panics
    /// If the list is empty.
    pub fn place(&mut self, length: usize) -> usize {
        assert!(length > 0, "nothing is drawn from an empty list");
        usize::try_from(self.next() % length as u64).expect("a place is below a length")
    }

    /// True in `per_mille` of 1,000 cases.
    pub fn hits(&mut self, per_mille: u64) -> bool {
        self.next() % 1_000 < per_mille
    }

    /// `N` bytes: ids, salts, and the seeds of keys that protect nothing.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }

    /// A byte string of `length`.
    pub fn garbage(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.bytes::<1>()[0]).collect()
    }

    /// Puts a list into random order (Fisher, Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.place(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_stream_and_every_range_is_reached() {
        let (mut one, mut two) = (Dice::new(7), Dice::new(7));
        assert_eq!(one.bytes::<20>(), two.bytes::<20>());
        assert_ne!(Dice::new(7).next(), Dice::new(8).next());
        let drawn: Vec<u64> = (0..200).map(|_| one.between(3, 6)).collect();
        assert!((3..=6).all(|n| drawn.contains(&n)) && drawn.iter().all(|n| (3..=6).contains(n)));
    }
}
