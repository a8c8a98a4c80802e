//! Tiles and bundles, read from runs; and the tree's hashes for proofs.

use musubi_ledger::{
    hash::Hash,
    leaf::{LEAF_BYTES, LeafKind},
    tlog::{
        NodeReader, bundle, merkle,
        tile::{self, Bundle, Tile, TileNodes},
    },
};

use crate::{
    Store,
    backend::{Backend, Family},
    block::HASH_BYTES,
    error::StoreError,
    runs::RunsOf,
    store::lock,
};

/// The hashes that tiles keep, by the tree's own counting of levels; wrap it in [`TileNodes`]
/// ([`Store::nodes`]) for those between.
///
/// A hash that cannot be read counts as missing: whoever asks reports a damaged store, as
/// [`musubi_ledger::tlog::merkle::MissingNode`] says.
#[derive(Clone, Copy)]
pub struct TileHashes<'a>(pub(crate) &'a dyn Backend);

impl NodeReader for TileHashes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        if !level.is_multiple_of(tile::TILE_HEIGHT) {
            return None;
        }
        let found = hashes(self.0, level / tile::TILE_HEIGHT, index, 1).ok()?;
        found.try_into().ok()
    }
}

/// The bytes of up to `count` hashes of a tile level from `first` on.
pub(crate) fn hashes(
    backend: &dyn Backend,
    level: u8,
    first: u64,
    count: u16,
) -> Result<Vec<u8>, StoreError> {
    let runs = RunsOf { family: Family::Tiles, prefix: &[level], item: HASH_BYTES };
    runs.read(backend, first..first.saturating_add(count.into()))
}

impl Store {
    /// The content of a tile, full or partial; `None` if the recorded log is not long enough for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(first) = tile.index.checked_mul(tile::FULL_WIDTH.into()) else {
            return Ok(None);
        };
        let found = hashes(self.backend(), tile.level, first, tile.width)?;
        Ok((found.len() == usize::from(tile.width) * HASH_BYTES).then_some(found))
    }

    /// The content of a bundle of leaves, full or partial; `None` if the recorded log is not long
    /// enough for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn bundle(&self, bundle: &Bundle) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(first) = bundle.index.checked_mul(tile::FULL_WIDTH.into()) else {
            return Ok(None);
        };
        let leaves = self.leaf_bytes(first..first.saturating_add(bundle.width.into()))?;
        let leaves: Vec<&[u8]> = leaves.chunks_exact(LEAF_BYTES).collect();
        if leaves.len() != usize::from(bundle.width) {
            return Ok(None);
        }
        Ok(Some(bundle::encode(&leaves).expect("leaves are far shorter than a bundle allows")))
    }

    /// Root of the log of proof at a size; `None` for an empty log, beyond the recorded one, and if its hashes
    /// cannot be read. At hand for the newest blocks' sizes, which is what nodes tell each other of.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        let recent =
            lock(&self.roots).iter().rev().find(|(of, _)| *of == size).map(|(_, root)| *root);
        if recent.is_some() {
            return recent;
        }
        let (head, _) = self.head();
        let recorded = (1..=head.size).contains(&size);
        if recorded { merkle::root(&self.nodes(), size).ok() } else { None }
    }

    /// As [`Store::root_at`], but only where a seal ends the log: what may be cosigned.
    #[must_use]
    pub fn seal_root_at(&self, size: u64) -> Option<Hash> {
        let last = self.leaf(size.checked_sub(1)?).ok()??;
        if last.kind == LeafKind::Seal { self.root_at(size) } else { None }
    }

    /// The hashes of the log of proof, for proofs.
    #[must_use]
    pub fn nodes(&self) -> TileNodes<TileHashes<'_>> {
        TileNodes(TileHashes(self.backend()))
    }
}
