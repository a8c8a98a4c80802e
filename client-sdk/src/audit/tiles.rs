//! The log's hashes as they are published, tile by tile (C2SP tlog-tiles), against those that follow from the
//! leaves.
//!
//! In a record tiles stand level by level, in each by index, the last of a level as wide as the log makes it.
//! Level 0 is compared as it grows; of the levels above, a 256th and less, our hashes are kept until the end.

use musubi_ledger::tlog::{merkle::Node, tile};

use super::{
    fault::Fault,
    finding::{Finding, Part},
};

const HASH: usize = 32;
const FULL: usize = tile::FULL_WIDTH as usize * HASH;

/// Puts a growing log's hashes together, tile by tile.
#[derive(Clone, Debug, Default)]
pub struct Tiling {
    /// The newest tile of level 0.
    newest: Vec<u8>,
    /// Levels from 1 on.
    above: Vec<Vec<u8>>,
}

impl Tiling {
    /// Takes the subtrees that new leaves completed, and gives every full tile of level 0.
    pub fn take(&mut self, nodes: &[Node], mut full: impl FnMut(Vec<u8>)) {
        for node in nodes.iter().filter(|node| node.level.is_multiple_of(tile::TILE_HEIGHT)) {
            let level = usize::from(node.level / tile::TILE_HEIGHT);
            if level > 0 {
                if self.above.len() < level {
                    self.above.resize_with(level, Vec::new);
                }
                self.above[level - 1].extend_from_slice(&node.hash);
                continue;
            }
            self.newest.extend_from_slice(&node.hash);
            if self.newest.len() == FULL {
                full(std::mem::replace(&mut self.newest, Vec::with_capacity(FULL)));
            }
        }
    }

    /// What is left at the log's end: the last tile of level 0, and all above.
    pub fn rest(self, mut tile: impl FnMut(u8, &[u8])) {
        self.newest.chunks(FULL).for_each(|content| tile(0, content));
        for (level, hashes) in (1..).zip(&self.above) {
            hashes.chunks(FULL).for_each(|content| tile(level, content));
        }
    }
}

/// Compares published tiles, in their order, with ours.
#[derive(Debug, Default)]
pub(super) struct Compared {
    tiling: Tiling,
    /// Level and index of the next tile.
    next: (u8, u64),
    /// Tiles that agree.
    pub(super) agreed: u64,
}

impl Compared {
    /// Compares what new leaves completed. `published` yields the next tile.
    ///
    /// # Errors
    /// The first hash that differs.
    pub(super) fn take(
        &mut self,
        nodes: &[Node],
        published: &mut impl FnMut() -> Option<Vec<u8>>,
    ) -> Result<(), Finding> {
        let mut full = Vec::new();
        self.tiling.take(nodes, |tile| full.push(tile));
        full.iter().try_for_each(|ours| self.tile(0, ours, published().as_deref()))
    }

    /// Compares the rest.
    ///
    /// # Errors
    /// The first hash that differs.
    pub(super) fn finish(
        &mut self,
        published: &mut impl FnMut() -> Option<Vec<u8>>,
    ) -> Result<(), Finding> {
        let mut rest = Vec::new();
        std::mem::take(&mut self.tiling).rest(|level, tile| rest.push((level, tile.to_vec())));
        for (level, ours) in rest {
            self.tile(level, &ours, published().as_deref())?;
        }
        match published() {
            Some(_) => Err(Finding::new(Part::Tile, Fault::Surplus)),
            None => Ok(()),
        }
    }

    fn tile(&mut self, level: u8, ours: &[u8], published: Option<&[u8]>) -> Result<(), Finding> {
        if self.next.0 != level {
            self.next = (level, 0);
        }
        let tile = self.next.1;
        self.next.1 += 1;
        let Some(theirs) = published else {
            return Err(Finding::new(Part::Tile, Fault::Missing));
        };
        if theirs == ours {
            self.agreed += 1;
            return Ok(());
        }
        let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count() / HASH;
        let hash = |tile: &[u8]| tile.chunks(HASH).nth(at).map(hex::encode).unwrap_or_default();
        let (theirs, ours) = (hash(theirs), hash(ours));
        let index = tile * u64::from(tile::FULL_WIDTH) + at as u64;
        let first = u32::from(level) * u32::from(tile::TILE_HEIGHT);
        let leaf = index.checked_shl(first).unwrap_or(u64::MAX);
        Err(Finding::new(Part::Tile, Fault::Tile { level, index, theirs, ours }).leaf(leaf))
    }
}
