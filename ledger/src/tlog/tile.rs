//! Tiles: where the tree's hashes are published (C2SP tlog-tiles).
//!
//! A tile is up to 256 consecutive hashes of one *tile level*; hash `i` of tile `n` at level `l` is
//! node `(8 * l, 256 * n + i)` of [`super::merkle`]. Full tiles never change; of partial ones, those
//! of published tree sizes are served until the full tile exists.

use std::fmt;
use std::str::FromStr;

use super::Hash;
use super::merkle::{NodeReader, node_hash};

/// Hashes in a full tile, and entries in a full bundle.
pub const FULL_WIDTH: u16 = 256;
/// Tree levels that one tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// The highest tile level that a path can name.
pub const MAX_LEVEL: u8 = 63;

/// Why a tile, a bundle or its path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The path is not one this format can print.
    #[error("not a tile path: expected tile/<level or entries>/<x000/…/000>[.p/<1..255>]")]
    BadPath,
    /// The content has another length than the tile's width requires.
    #[error("the content does not have the width its path names: fetch it again or from elsewhere")]
    BadContent,
    /// An entry exceeds what a bundle's length prefix can say.
    #[error("an entry in a bundle has at most 65535 bytes")]
    EntryTooLong,
}

impl TileError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadPath => "bad_tile_path",
            Self::BadContent => "bad_tile_content",
            Self::EntryTooLong => "entry_too_long",
        }
    }
}

/// Which tile: its level, its index within the level, and how many hashes it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Tile level, 0 (leaf hashes) to [`MAX_LEVEL`].
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// Number of hashes, 1 to [`FULL_WIDTH`].
    pub width: u16,
}

/// Which bundle of entries; it stands beside the level 0 tile of the same index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bundle {
    /// Index among the bundles.
    pub index: u64,
    /// Number of entries, 1 to [`FULL_WIDTH`].
    pub width: u16,
}

/// Any path below `tile/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// `tile/<L>/<N>[.p/<W>]`.
    Hashes(Tile),
    /// `tile/entries/<N>[.p/<W>]`.
    Entries(Bundle),
}

impl Tile {
    /// Tile `index` of `level` as wide as a tree of `size` leaves makes it; `None` if it is empty.
    #[must_use]
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = hashes_at(level, size);
        let width = hashes.checked_sub(index.checked_mul(u64::from(FULL_WIDTH))?)?;
        let width = width.min(u64::from(FULL_WIDTH)) as u16;
        (width > 0).then_some(Self { level, index, width })
    }

    /// Width of the partial tile at `level` in a tree of `size` leaves:
    /// `floor(size / 256^level) mod 256`, 0 if there is none.
    #[must_use]
    pub fn partial_width(level: u8, size: u64) -> u16 {
        (hashes_at(level, size) % u64::from(FULL_WIDTH)) as u16
    }

    /// The node level and index of the tile's first hash, as [`NodeReader::node`] counts; `None` if
    /// no tree of fewer than 2^64 leaves has this tile.
    #[must_use]
    pub fn first_node(&self) -> Option<(u8, u64)> {
        let level =
            self.level.checked_mul(TILE_HEIGHT).filter(|&level| u32::from(level) < u64::BITS)?;
        Some((level, self.index.checked_mul(u64::from(FULL_WIDTH))?))
    }

    /// Reads the tile's content: its hashes, one after the other. `None` if one is missing.
    #[must_use]
    pub fn read<R: NodeReader>(&self, reader: &R) -> Option<Vec<u8>> {
        let (level, first) = self.first_node()?;
        let mut content = Vec::with_capacity(usize::from(self.width) * size_of::<Hash>());
        for offset in 0..u64::from(self.width) {
            content.extend_from_slice(&reader.node(level, first.checked_add(offset)?)?);
        }
        Some(content)
    }

    /// Splits a tile's content into its hashes.
    ///
    /// # Errors
    /// [`TileError::BadContent`] unless it holds exactly `width` hashes.
    pub fn decode(&self, content: &[u8]) -> Result<Vec<Hash>, TileError> {
        let (hashes, rest) = content.as_chunks::<32>();
        if !rest.is_empty() || hashes.len() != usize::from(self.width) {
            return Err(TileError::BadContent);
        }
        Ok(hashes.to_vec())
    }
}

impl Bundle {
    /// Bundle `index` as wide as a log of `size` entries makes it; `None` if it is empty.
    #[must_use]
    pub fn in_log(index: u64, size: u64) -> Option<Self> {
        Tile::in_tree(0, index, size).map(|tile| Self { index, width: tile.width })
    }
}

/// How many hashes a tree of `size` leaves has at tile level `level`.
fn hashes_at(level: u8, size: u64) -> u64 {
    u32::from(level)
        .checked_mul(TILE_HEIGHT.into())
        .and_then(|bits| size.checked_shr(bits))
        .unwrap_or(0)
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Hashes(tile) => {
                write!(f, "tile/{}/", tile.level)?;
                (tile.index, tile.width)
            }
            Self::Entries(bundle) => {
                f.write_str("tile/entries/")?;
                (bundle.index, bundle.width)
            }
        };
        // 1234067 becomes x001/x234/067: no directory ever has a file's name.
        let mut divisor = 1u64;
        while index / divisor >= 1000 {
            divisor *= 1000;
        }
        while divisor > 1 {
            write!(f, "x{:03}/", index / divisor % 1000)?;
            divisor /= 1000;
        }
        write!(f, "{:03}", index % 1000)?;
        if width < FULL_WIDTH {
            write!(f, ".p/{width}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TilePath::Hashes(*self).fmt(f)
    }
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TilePath::Entries(*self).fmt(f)
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    /// Accepts exactly the paths that [`fmt::Display`] prints, without a leading slash.
    fn from_str(path: &str) -> Result<Self, TileError> {
        // Read leniently, then insist on the one spelling: that refuses leading zeroes, missing or
        // surplus groups, signs, and `.p/256` in one stroke.
        let parsed = parse_path(path).ok_or(TileError::BadPath)?;
        if parsed.to_string() == path { Ok(parsed) } else { Err(TileError::BadPath) }
    }
}

fn parse_path(path: &str) -> Option<TilePath> {
    let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match place.split_once(".p/") {
        Some((number, width)) => {
            (number, width.parse().ok().filter(|w| (1..FULL_WIDTH).contains(w))?)
        }
        None => (place, FULL_WIDTH),
    };
    let mut index = 0u64;
    for group in number.split('/') {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    if kind == "entries" {
        return Some(TilePath::Entries(Bundle { index, width }));
    }
    let level = kind.parse().ok().filter(|&level| level <= MAX_LEVEL)?;
    Some(TilePath::Hashes(Tile { level, index, width }))
}

/// Reads every node from a reader that only keeps what tiles hold, the levels divisible by
/// [`TILE_HEIGHT`]; the levels between are hashed from at most 128 of those.
#[derive(Debug, Clone, Copy)]
pub struct TileNodes<R>(pub R);

impl<R: NodeReader> NodeReader for TileNodes<R> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        if level.is_multiple_of(TILE_HEIGHT) {
            return self.0.node(level, index);
        }
        let left = self.node(level - 1, index.checked_mul(2)?)?;
        let right = self.node(level - 1, index.checked_mul(2)?.checked_add(1)?)?;
        Some(node_hash(&left, &right))
    }
}
