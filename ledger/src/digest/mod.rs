//! The state digest: one hash over everything that all nodes replicate, in every seal.
//!
//! Who owns what:
//!
//! - [`tree`]: the Merkle tree over wallets, from which one wallet can be proved offline;
//! - [`sum`]: the digest of every other row, kept up to date by adding and removing rows;
//! - this file: how the two become one hash.
//!
//! Two nodes whose digests agree hold the same state. What a wallet's leaf and a row's key and value
//! are made of is decided where those are encoded; both must be canonical there.

pub mod sum;
pub mod tree;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use sum::SetDigest;
pub use tree::{PathError, WalletTree};

/// A BLAKE3 hash.
pub type Hash = [u8; 32];

/// Domain tag of the state digest.
const TAG: &[u8] = b"musubi/state-digest/v1";

/// The state digest: BLAKE3(tag ‖ wallet count as u64 little-endian ‖ wallet root ‖ set digest).
/// All parts have fixed lengths, so the concatenation is unambiguous.
#[must_use]
pub fn state_digest(wallet_count: u64, wallet_root: &Hash, set_digest: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(TAG);
    hasher.update(&wallet_count.to_le_bytes());
    hasher.update(wallet_root);
    hasher.update(set_digest);
    hasher.finalize().into()
}

/// The way from one wallet's leaf to the state digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatePath {
    /// Number of wallets.
    pub wallets: u64,
    /// Sibling hashes in the tree of wallets, from the leaf's side.
    pub path: Vec<Hash>,
    /// The set digest of every other row.
    #[serde(with = "crate::bytes::array")]
    pub rows: Hash,
}

impl StatePath {
    /// The state digest under which `leaf` is wallet `serial`.
    ///
    /// # Errors
    /// [`PathError`] if serial number, count and number of hashes do not fit each other.
    pub fn digest(&self, serial: u64, leaf: &Hash) -> Result<Hash, PathError> {
        let root = tree::path_root(serial, self.wallets, leaf, &self.path)?;
        Ok(state_digest(self.wallets, &root, &self.rows))
    }
}
