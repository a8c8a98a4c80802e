//! The RFC 6962 Merkle tree with SHA-256 (section 2.1): hashes, and roots from stored subtrees.
//!
//! A *node* is the root of a complete subtree: node `(level, index)` covers the leaves
//! `index * 2^level .. (index + 1) * 2^level`. A complete subtree never changes again, so nodes are
//! all that has to be kept; whatever depends on the tree's size is computed from them.

use sha2::{Digest, Sha256};

use super::Hash;

/// The root of the tree without leaves: SHA-256 of the empty string.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Hash of one log entry as a leaf: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0x00], entry])
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], left, right])
}

/// SHA-256 of the concatenation of `parts`; the only call of SHA-256 in the log of proof.
pub(super) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The root of one complete subtree, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Height above the leaves; leaves have level 0.
    pub level: u8,
    /// Position among the nodes of that level, from the left.
    pub index: u64,
    /// The subtree's hash.
    pub hash: Hash,
}

/// Reads the hashes of complete subtrees, from wherever they are kept.
pub trait NodeReader {
    /// The hash of the complete subtree over the leaves
    /// `index * 2^level .. (index + 1) * 2^level`, or `None` if it is not known.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

impl<R: NodeReader + ?Sized> NodeReader for &R {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        (**self).node(level, index)
    }
}

/// A subtree hash that should exist was not in the store: the store is damaged, or the tree is
/// smaller than the size asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the hash of subtree {index} at level {level} is missing: check the tree size, then the store"
)]
pub struct MissingNode {
    /// Height above the leaves.
    pub level: u8,
    /// Position within the level.
    pub index: u64,
}

impl MissingNode {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "missing_node"
    }
}

/// The root of the tree of the first `size` leaves.
///
/// # Errors
/// [`MissingNode`] if the reader lacks one of the at most 64 subtrees it is made of.
pub fn root<R: NodeReader>(reader: &R, size: u64) -> Result<Hash, MissingNode> {
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    subtree_root(reader, 0, size)
}

/// The hash of the subtree over the leaves `start..end` (`MTH(D[start:end])` of RFC 6962).
///
/// # Panics
/// If the range is empty, or `start` is no multiple of the smallest power of two that holds the
/// range: such a range is no subtree of any tree, and only a bug asks for it.
///
/// # Errors
/// [`MissingNode`] if the reader lacks one of the complete subtrees the range is made of.
pub fn subtree_root<R: NodeReader>(reader: &R, start: u64, end: u64) -> Result<Hash, MissingNode> {
    assert!(start < end, "a subtree has at least one leaf");
    let count = end - start;
    let aligned = match count.checked_next_power_of_two() {
        Some(span) => start.is_multiple_of(span),
        None => start == 0,
    };
    assert!(aligned, "leaves {start}..{end} are no subtree");
    // Every bit of `count` is one complete subtree, the largest leftmost; fold from the right.
    let mut right_edge = end;
    let mut remaining = count;
    let mut hash = None;
    while remaining != 0 {
        let level = remaining.trailing_zeros() as u8;
        right_edge -= 1 << level;
        remaining -= 1 << level;
        let index = right_edge >> level;
        let left = reader.node(level, index).ok_or(MissingNode { level, index })?;
        hash = Some(match hash {
            None => left,
            Some(right) => node_hash(&left, &right),
        });
    }
    Ok(hash.expect("a non-empty range has at least one complete subtree"))
}

/// RFC 6962's split point: the largest power of two smaller than `count`, for `count` ≥ 2.
pub(super) fn split(count: u64) -> u64 {
    assert!(count >= 2, "one leaf cannot be split");
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}
