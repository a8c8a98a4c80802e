//! The growing tree in O(log n) memory: only its right edge, the roots of the maximal complete
//! subtrees.
//!
//! The frontier is pure. Appending *reports* every subtree it completes, and storing those is the
//! caller's work: a crash between an append and that store must lose both, which holds when the
//! frontier is persisted in (or rebuilt from) the same write as the nodes.

use super::Hash;
use super::merkle::{EMPTY_ROOT, MissingNode, Node, NodeReader, leaf_hash, node_hash};
use super::proof::{ProofError, verify_inclusion};

/// The right edge of an RFC 6962 tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, largest and leftmost first: one per set bit of `size`.
    peaks: Vec<Hash>,
}

/// The persisted form does not describe a frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a tree of {size} leaves has {expected} peaks, not {found}: the stored frontier is damaged"
)]
pub struct FrontierError {
    /// The stored size.
    pub size: u64,
    /// How many hashes that size needs.
    pub expected: usize,
    /// How many there were.
    pub found: usize,
}

impl FrontierError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "bad_frontier"
    }
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Restores a frontier from its canonical form: the size, and the roots of the maximal complete
    /// subtrees, largest first. Whether the hashes are right shows only when the root is compared.
    ///
    /// # Errors
    /// [`FrontierError`] if the number of hashes is not the number of set bits of `size`.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = size.count_ones() as usize;
        if peaks.len() != expected {
            return Err(FrontierError { size, expected, found: peaks.len() });
        }
        Ok(Self { size, peaks })
    }

    /// Rebuilds the frontier of the first `size` leaves from stored subtrees.
    ///
    /// # Errors
    /// [`MissingNode`] if the reader lacks one of them.
    pub fn from_nodes<R: NodeReader>(reader: &R, size: u64) -> Result<Self, MissingNode> {
        let mut peaks = Vec::new();
        for level in (0..u64::BITS as u8).rev().filter(|level| size >> level & 1 == 1) {
            let index = (size >> level) - 1;
            peaks.push(reader.node(level, index).ok_or(MissingNode { level, index })?);
        }
        Ok(Self { size, peaks })
    }

    /// The frontier of the first `index + 1` leaves, from the proof that the last of them stands in a longer
    /// tree: what such a path joins on its left are the complete subtrees before the leaf, so the root of the
    /// longer tree vouches for every one of them.
    ///
    /// # Errors
    /// [`ProofError`] if the leaf is not proved.
    ///
    /// # Panics
    /// Never: a path that leads to the root has one hash on the left per set bit of the index.
    pub fn from_inclusion(
        leaf: Hash,
        index: u64,
        size: u64,
        path: &[Hash],
        root: &Hash,
    ) -> Result<Self, ProofError> {
        verify_inclusion(&leaf, index, size, path, root)?;
        let (mut siblings, mut peaks) = (path.iter(), Vec::new());
        let (mut position, mut last) = (index, size - 1);
        while last > 0 {
            if position % 2 == 1 {
                peaks.extend(siblings.next());
            } else if position < last {
                siblings.next();
            }
            position /= 2;
            last /= 2;
        }
        peaks.reverse();
        let mut frontier = Self::from_parts(index, peaks).expect("one hash per set bit");
        frontier.append(leaf, &mut Vec::new());
        Ok(frontier)
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The canonical list of hashes, largest subtree first, for [`Frontier::from_parts`].
    #[must_use]
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf by its hash and pushes every subtree this completes onto `completed`, lowest
    /// level first, beginning with the leaf itself (level 0). Returns the leaf's index.
    ///
    /// # Panics
    /// At 2^64 − 1 leaves, which no log reaches.
    pub fn append(&mut self, leaf: Hash, completed: &mut Vec<Node>) -> u64 {
        assert!(self.size < u64::MAX, "the log is full");
        let leaf_index = self.size;
        let (mut level, mut index, mut hash) = (0u8, leaf_index, leaf);
        completed.push(Node { level, index, hash });
        // An odd node closes its parent: the peak on its left is the sibling.
        while index % 2 == 1 {
            let left = self.peaks.pop().expect("every set bit of the size has its peak");
            hash = node_hash(&left, &hash);
            level += 1;
            index /= 2;
            completed.push(Node { level, index, hash });
        }
        self.peaks.push(hash);
        self.size += 1;
        leaf_index
    }

    /// Appends an entry by its bytes; see [`Frontier::append`].
    pub fn append_entry(&mut self, entry: &[u8], completed: &mut Vec<Node>) -> u64 {
        self.append(leaf_hash(entry), completed)
    }

    /// The root of the tree so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let folded =
            self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or(EMPTY_ROOT)
    }
}
