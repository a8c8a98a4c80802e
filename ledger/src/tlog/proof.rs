//! Inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2).
//!
//! Making a proof trusts the stored hashes and checking one trusts nothing: the two share no code
//! beyond the hash functions. A proof's hashes run from the leaf's side to the root's, as
//! RFC 6962, tlog-proof and tlog-witness write them.

use super::Hash;
use super::merkle::{EMPTY_ROOT, MissingNode, NodeReader, node_hash, split, subtree_root};

/// Why no proof could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The leaf asked about is not in a tree of that size.
    #[error("leaf {index} is not in a tree of {size} leaves: ask for a larger tree size")]
    IndexBeyondSize {
        /// The leaf asked for.
        index: u64,
        /// The tree size it was asked for.
        size: u64,
    },
    /// The older tree is larger than the newer.
    #[error("a tree of {old} leaves cannot grow into one of {new}: swap the sizes")]
    SizeShrinks {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The store lacks a hash.
    #[error(transparent)]
    Missing(#[from] MissingNode),
}

impl ProveError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::IndexBeyondSize { .. } => "index_beyond_size",
            Self::SizeShrinks { .. } => "size_shrinks",
            Self::Missing(missing) => missing.code(),
        }
    }
}

/// Why a proof was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The proof speaks of a leaf that the tree cannot have.
    #[error("the proof's leaf index is not below its tree size: the proof is malformed")]
    IndexBeyondSize,
    /// The older tree is larger than the newer.
    #[error("the proof's older tree is larger than its newer one: the log cannot shrink")]
    SizeShrinks,
    /// The number of hashes is not the one that the position and size require.
    #[error("the proof has the wrong number of hashes for its tree size: ask for a new proof")]
    WrongLength,
    /// The hashes do not lead to the given root or roots.
    #[error(
        "the proof does not lead to the root: the leaf, the proof or the root is not this log's"
    )]
    RootMismatch,
}

impl ProofError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::IndexBeyondSize => "index_beyond_size",
            Self::SizeShrinks => "size_shrinks",
            Self::WrongLength => "wrong_proof_length",
            Self::RootMismatch => "root_mismatch",
        }
    }
}

/// Proves that leaf `index` is in the tree of the first `size` leaves.
///
/// # Errors
/// [`ProveError`] if the tree has no such leaf or the reader lacks a hash.
pub fn prove_inclusion<R: NodeReader>(
    reader: &R,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError> {
    if index >= size {
        return Err(ProveError::IndexBeyondSize { index, size });
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(subtree_root(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree_root(reader, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Proves that the tree of the first `old` leaves is the beginning of the tree of the first `new`.
/// The proof is empty if the sizes are equal or `old` is 0.
///
/// # Errors
/// [`ProveError`] if `old` exceeds `new` or the reader lacks a hash.
pub fn prove_consistency<R: NodeReader>(
    reader: &R,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProveError> {
    if old > new {
        return Err(ProveError::SizeShrinks { old, new });
    }
    let mut proof = Vec::new();
    if old == 0 {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, new);
    // Down to the subtree that ends where the old tree ended.
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(subtree_root(reader, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree_root(reader, start, middle)?);
            start = middle;
        }
    }
    // Starting at 0 it is the old tree itself, whose root the verifier has.
    if start != 0 {
        proof.push(subtree_root(reader, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that `proof` leads to from the leaf hash `leaf` at `index` in a tree of `size` leaves.
///
/// # Errors
/// [`ProofError`] if the position or the number of hashes is impossible.
pub fn inclusion_root(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize);
    }
    let mut hash = *leaf;
    let mut siblings = proof.iter();
    // Climb level by level: `position` of `last + 1` nodes. The last node of an odd level has no
    // sibling and rises unchanged.
    let (mut position, mut last) = (index, size - 1);
    while last > 0 {
        if position % 2 == 1 {
            let sibling = siblings.next().ok_or(ProofError::WrongLength)?;
            hash = node_hash(sibling, &hash);
        } else if position < last {
            let sibling = siblings.next().ok_or(ProofError::WrongLength)?;
            hash = node_hash(&hash, sibling);
        }
        position /= 2;
        last /= 2;
    }
    if siblings.next().is_some() {
        return Err(ProofError::WrongLength);
    }
    Ok(hash)
}

/// Checks that the leaf hash `leaf` stands at `index` in the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] if it is not proved.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if inclusion_root(leaf, index, size, proof)? != *root {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}

/// Checks that the tree of `old` leaves with `old_root` is the beginning of the tree of `new`
/// leaves with `new_root`.
///
/// # Errors
/// [`ProofError`] if it is not proved.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::SizeShrinks);
    }
    if old == 0 || old == new {
        let same = if old == new { new_root } else { &EMPTY_ROOT };
        return match (proof.is_empty(), old_root == same) {
            (false, _) => Err(ProofError::WrongLength),
            (true, false) => Err(ProofError::RootMismatch),
            (true, true) => Ok(()),
        };
    }
    let (from_old, from_new) = consistency_roots(old, old_root, new, proof)?;
    if from_old != *old_root || from_new != *new_root {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}

/// The old and new root that `proof` leads to, for `0 < old < new` (RFC 9162 section 2.1.4.2).
fn consistency_roots(
    old: u64,
    old_root: &Hash,
    new: u64,
    proof: &[Hash],
) -> Result<(Hash, Hash), ProofError> {
    // The climb starts at the largest complete subtree that ends where the old tree ends. If that
    // is the old tree itself, its root is what the verifier has and the proof leaves out.
    let level = old.trailing_zeros();
    let (mut position, mut last) = ((old - 1) >> level, (new - 1) >> level);
    let mut hashes = proof.iter();
    let seed = if old.is_power_of_two() {
        old_root
    } else {
        hashes.next().ok_or(ProofError::WrongLength)?
    };
    let (mut from_old, mut from_new) = (*seed, *seed);
    while last > 0 {
        if position % 2 == 1 {
            let left = hashes.next().ok_or(ProofError::WrongLength)?;
            from_old = node_hash(left, &from_old);
            from_new = node_hash(left, &from_new);
        } else if position < last {
            let right = hashes.next().ok_or(ProofError::WrongLength)?;
            from_new = node_hash(&from_new, right);
        }
        position /= 2;
        last /= 2;
    }
    if hashes.next().is_some() {
        return Err(ProofError::WrongLength);
    }
    Ok((from_old, from_new))
}
