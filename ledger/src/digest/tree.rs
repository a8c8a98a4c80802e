//! The Merkle tree over wallets, by serial number in opening order: flat, in memory, updated once
//! per block.
//!
//! The shape is RFC 6962's: nodes are paired from the left, and the last of an odd level rises
//! unchanged. The root binds the number of wallets beside the topmost node. Hashes are BLAKE3 in keyed
//! mode with public constant keys, one per role: that separates the domains, and an inner node is
//! exactly one compression (a prefix byte would make it two).
//!
//! The tree is derived data. Nothing of it is stored; [`WalletTree::from_leaves`] rebuilds it from the
//! wallets, which are the authority.

use super::Hash;

const NODE_KEY: &[u8; 32] = b"musubi/wallet-tree/node/v1......";
const ROOT_KEY: &[u8; 32] = b"musubi/wallet-tree/root/v1......";
const EMPTY_KEY: &[u8; 32] = b"musubi/wallet-tree/empty/v1.....";

/// Why a wallet's path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// There is no such wallet in a tree of that count.
    #[error("the wallet's serial number is not below the number of wallets: the path is malformed")]
    SerialBeyondCount,
    /// The number of hashes is not the one that serial number and count require.
    #[error(
        "the path has the wrong number of hashes for the number of wallets: ask for a new path"
    )]
    WrongLength,
    /// The path does not lead to the root.
    #[error(
        "the path does not lead to the wallet root: the wallet, path or root is of another state"
    )]
    RootMismatch,
}

impl PathError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SerialBeyondCount => "serial_beyond_count",
            Self::WrongLength => "wrong_path_length",
            Self::RootMismatch => "wallet_root_mismatch",
        }
    }
}

/// The tree over all wallets. [`WalletTree::set`] collects a block's changes, [`WalletTree::root`]
/// folds them in.
#[derive(Debug, Clone, Default)]
pub struct WalletTree {
    /// `levels[0]` are the leaves; each next level is half as long, rounded up, down to one node. No
    /// level at all without wallets.
    levels: Vec<Vec<Hash>>,
    /// Positions of the leaves whose paths are out of date, unordered, with repetitions.
    dirty: Vec<usize>,
}

impl WalletTree {
    /// The tree without wallets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree over the leaf hashes of wallets 0, 1, 2, …: for start-up, and for checking a tree that
    /// was updated in steps.
    #[must_use]
    pub fn from_leaves(leaves: Vec<Hash>) -> Self {
        let mut levels = Vec::new();
        if !leaves.is_empty() {
            levels.push(leaves);
        }
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let level = below.chunks(2).map(parent).collect();
            levels.push(level);
        }
        Self { levels, dirty: Vec::new() }
    }

    /// Number of wallets.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.leaves() as u64
    }

    /// Sets the leaf of wallet `serial`, a hash that no inner node could have ([`Wallet::state_leaf`]).
    /// The next serial number opens a wallet.
    ///
    /// [`Wallet::state_leaf`]: crate::wallet::Wallet::state_leaf
    ///
    /// # Panics
    /// If `serial` skips a number: wallets are opened in order, so only a bug does that.
    pub fn set(&mut self, serial: u64, leaf: Hash) {
        let count = self.leaves();
        assert!(serial <= count as u64, "wallet {serial} is set, but only {count} are open");
        let position = serial as usize; // not above `count`, so it fits
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let leaves = &mut self.levels[0];
        if position == count {
            leaves.push(leaf);
        } else if leaves[position] == leaf {
            return;
        } else {
            leaves[position] = leaf;
        }
        self.dirty.push(position);
    }

    /// The root over all wallets as last set. Each inner node above a changed leaf is hashed once, so
    /// call this once per block.
    pub fn root(&mut self) -> Hash {
        self.refresh();
        root_hash(self.count(), self.top())
    }

    /// The sibling hashes from wallet `serial` up to the root, or `None` if there is no such wallet.
    ///
    /// # Panics
    /// If leaves were set since the last [`WalletTree::root`]: the path would mix two states.
    #[must_use]
    pub fn path(&self, serial: u64) -> Option<Vec<Hash>> {
        assert!(self.dirty.is_empty(), "root() must be taken before paths are");
        let mut position = usize::try_from(serial).ok().filter(|&at| at < self.leaves())?;
        let mut path = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            // The last node of an odd level has no sibling there.
            path.extend(level.get(position ^ 1));
            position /= 2;
        }
        Some(path)
    }

    fn leaves(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    fn top(&self) -> Option<&Hash> {
        self.levels.last().and_then(|level| level.first())
    }

    /// Recomputes the nodes above dirty leaves, level by level.
    fn refresh(&mut self) {
        let mut changed = std::mem::take(&mut self.dirty);
        changed.sort_unstable();
        let mut height = 0;
        while self.levels.get(height).is_some_and(|level| level.len() > 1) {
            for position in &mut changed {
                *position /= 2;
            }
            changed.dedup();
            if self.levels.len() == height + 1 {
                self.levels.push(Vec::new());
            }
            let (lower, upper) = self.levels.split_at_mut(height + 1);
            let (below, level) = (&lower[height], &mut upper[0]);
            level.resize(below.len().div_ceil(2), [0; 32]);
            for &position in &changed {
                let children = &below[position * 2..below.len().min(position * 2 + 2)];
                level[position] = parent(children);
            }
            height += 1;
        }
        changed.clear();
        self.dirty = changed; // keep its capacity for the next block
    }
}

/// Checks that `leaf` is wallet `serial` among `count` wallets under `root`.
///
/// # Errors
/// [`PathError`] if it is not proved.
pub fn verify_path(
    serial: u64,
    count: u64,
    leaf: &Hash,
    path: &[Hash],
    root: &Hash,
) -> Result<(), PathError> {
    let reached = path_root(serial, count, leaf, path)?;
    if reached == *root { Ok(()) } else { Err(PathError::RootMismatch) }
}

/// The root that `path` leads to from `leaf`, as wallet `serial` among `count`.
///
/// # Errors
/// [`PathError`] if serial number, count and number of hashes do not fit each other.
pub fn path_root(serial: u64, count: u64, leaf: &Hash, path: &[Hash]) -> Result<Hash, PathError> {
    if serial >= count {
        return Err(PathError::SerialBeyondCount);
    }
    let mut hash = *leaf;
    let mut siblings = path.iter();
    let (mut position, mut last) = (serial, count - 1);
    while last > 0 {
        if position % 2 == 1 {
            hash = node_hash(siblings.next().ok_or(PathError::WrongLength)?, &hash);
        } else if position < last {
            hash = node_hash(&hash, siblings.next().ok_or(PathError::WrongLength)?);
        }
        position /= 2;
        last /= 2;
    }
    if siblings.next().is_some() {
        return Err(PathError::WrongLength);
    }
    Ok(root_hash(count, Some(&hash)))
}

/// The node above one or two neighbours.
fn parent(children: &[Hash]) -> Hash {
    match children {
        [left, right] => node_hash(left, right),
        [only] => *only,
        _ => panic!("a node has one or two children"),
    }
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    blake3::keyed_hash(NODE_KEY, &pair).into()
}

/// The root: the number of wallets as u64 little-endian, and the topmost node or, without wallets,
/// the hash of nothing under its own key.
fn root_hash(count: u64, top: Option<&Hash>) -> Hash {
    let top = top.copied().unwrap_or_else(|| blake3::keyed_hash(EMPTY_KEY, b"").into());
    let mut bound = [0; 40];
    bound[..8].copy_from_slice(&count.to_le_bytes());
    bound[8..].copy_from_slice(&top);
    blake3::keyed_hash(ROOT_KEY, &bound).into()
}
