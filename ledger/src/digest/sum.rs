//! A digest of a set of rows that is kept by adding and removing single rows (LtHash).
//!
//! Each row becomes 1,024 lanes of 16 bits (2,048 bytes of BLAKE3 output), and the digest is the lane
//! by lane sum modulo 2^16 of all rows. Order does not matter, a removed row leaves no trace, and
//! changing one row costs two hashes whatever the number of rows.
//!
//! # Why it is secure
//! Another set with the same sum is a short integer solution (SIS) of a random-looking 1,024-row
//! matrix modulo 2^16. This is LtHash16, with 1,024 lanes, of Bellare and Micciancio ("A New Paradigm
//! for Collision-free Hashing", 1997) as analysed by Lewi, Kim, Maykov and Weis ("Securing Update
//! Propagation with Homomorphic Hashing", ePrint 2019/227), who put it above 200 bits; BLAKE3 stands
//! for the random oracle. A plain XOR or 256-bit sum of hashes would fall to linear algebra or Wagner's
//! generalised birthday attack, hence the width.
//!
//! # What the caller must keep
//! It is a digest of a *multiset*, modulo 2^16: one element added 2^16 times vanishes. So every element
//! must be in the set at most once, which holds because the row's key, unique in its table, is part of
//! the element, and the table's name part of the key. Adding a key that is present, or removing a row
//! with another value than it was added with, is a bug that this file cannot see.

use super::Hash;

/// 16-bit lanes of the sum.
pub const LANES: usize = 1024;
/// Length of the persisted form.
pub const BYTES: usize = LANES * 2;

/// Domain tag of an element.
const TAG: &[u8] = b"musubi/set-digest/element/v1";

/// The sum over a set of rows.
#[derive(Clone, PartialEq, Eq)]
pub struct SetDigest {
    lanes: Box<[u16; LANES]>,
}

impl SetDigest {
    /// The digest of the empty set.
    #[must_use]
    pub fn new() -> Self {
        Self { lanes: Box::new([0; LANES]) }
    }

    /// Adds a row that is not in the set.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.combine_lanes(&element(key, value), u16::wrapping_add);
    }

    /// Removes a row that is in the set, with the value it has there.
    pub fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.combine_lanes(&element(key, value), u16::wrapping_sub);
    }

    /// Adds all rows of `other`, a set with no row in common: parts can be summed apart.
    pub fn merge(&mut self, other: &Self) {
        for (lane, added) in self.lanes.iter_mut().zip(other.lanes.iter()) {
            *lane = lane.wrapping_add(*added);
        }
    }

    /// The digest proper: BLAKE3 of [`SetDigest::to_bytes`].
    #[must_use]
    pub fn digest(&self) -> Hash {
        blake3::hash(&self.to_bytes()).into()
    }

    /// The persisted form: the lanes in order, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<2>();
        for (chunk, lane) in chunks.iter_mut().zip(self.lanes.iter()) {
            *chunk = lane.to_le_bytes();
        }
        bytes
    }

    /// Restores what [`SetDigest::to_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Self {
        let mut sum = Self::new();
        sum.combine_lanes(bytes, |_, lane| lane);
        sum
    }

    fn combine_lanes(&mut self, bytes: &[u8; BYTES], combine: impl Fn(u16, u16) -> u16) {
        let (chunks, _) = bytes.as_chunks::<2>();
        for (lane, chunk) in self.lanes.iter_mut().zip(chunks) {
            *lane = combine(*lane, u16::from_le_bytes(*chunk));
        }
    }
}

impl Default for SetDigest {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SetDigest({})", hex::encode(self.digest()))
    }
}

/// A row's lanes: BLAKE3's extended output of (tag ‖ key length as u64 little-endian ‖ key ‖ value).
fn element(key: &[u8], value: &[u8]) -> [u8; BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(TAG);
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let mut lanes = [0; BYTES];
    hasher.finalize_xof().fill(&mut lanes);
    lanes
}
