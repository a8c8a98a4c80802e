//! Tiles: paths, widths and bytes, and a proof that another implementation reads through ours.

use std::cell::Cell;

use doubleentry::transparency::{TileId, TileKind};
use musubi_ledger::tlog::{Bundle, Tile, TilePath, proof::verify_inclusion};
use proptest::prelude::*;
use tlog_tiles::{
    tile::{self as theirs, TileHashReader, TileReader},
    tlog,
};

use crate::{
    log::Log,
    trees::{doubleentry_of, tlog_tiles_of},
};

/// `tlog_tiles` writes the tiles' height, 8, into paths, and says data for entries.
fn path_of(tile: &theirs::Tile) -> String {
    tile.path().replacen("tile/8/", "tile/", 1).replace("tile/data/", "tile/entries/")
}

/// Serves tiles by their paths, as a node does, out of our tree; perhaps with one bit wrong.
struct Served<'a> {
    log: &'a Log,
    damage: Option<usize>,
    confirmed: Cell<bool>,
}

impl TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[theirs::Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        let read = |tile| {
            let path: TilePath = path_of(tile).parse().unwrap();
            let TilePath::Hashes(tile) = path else { panic!("{path} is no tile of hashes") };
            tile.read(self.log).unwrap()
        };
        let mut all: Vec<Vec<u8>> = tiles.iter().map(read).collect();
        if let Some(at) = self.damage {
            let which = at % all.len();
            crate::log::flip(&mut all[which], at / 7);
        }
        Ok(all)
    }

    fn save_tiles(&self, _: &[theirs::Tile], _: &[Vec<u8>]) {
        self.confirmed.set(true);
    }
}

fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![1..1200u64, Just(256), Just(257), Just(512), 65_500..66_600u64]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_tiles_of_a_tree(size in sizes(), seed in any::<u8>()) {
        let log = Log::numbered(size, seed);
        let (stored, tree) = (tlog_tiles_of(&log.entries), doubleentry_of(&log.entries));
        let tiles = theirs::Tile::new_tiles(8, 0, size);
        let ids = TileId::changed(0, size);
        prop_assert_eq!(tiles.len(), ids.len());
        for (tile, id) in tiles.iter().zip(&ids) {
            let path: TilePath = id.path().parse().unwrap();
            prop_assert_eq!(path.to_string(), id.path());
            prop_assert_eq!(&path_of(tile), &id.path());
            let TilePath::Hashes(own) = path else { panic!("{path}") };
            prop_assert_eq!(Tile::in_tree(own.level, own.index, size), Some(own));
            let content = own.read(&log).unwrap();
            prop_assert_eq!(&tile.read_data(&stored).unwrap(), &content);
            let nodes = id.node_ids(size).unwrap();
            let hashes: Vec<u8> = nodes.iter().flat_map(|node| *tree.stored()[*node as usize].as_bytes()).collect();
            prop_assert_eq!(&hashes, &content);
            prop_assert_eq!(own.decode(&content).unwrap().concat(), content);
        }
        // Beyond the last tile of each level there is none.
        for level in 0..4 {
            let count = ids.iter().filter(|id| id.kind() == TileKind::Hashes { level }).count() as u64;
            prop_assert_eq!(Tile::in_tree(level, count, size), None);
        }
    }

    #[test]
    fn bundles_have_the_same_places(index in any::<u64>(), width in 1u16..=256) {
        let bundle = Bundle { index, width };
        prop_assert_eq!(bundle.to_string(), TileId::entries(index, width).unwrap().path());
        let tile = theirs::Tile::new(8, 0, index, width.into(), true);
        prop_assert_eq!(bundle.to_string(), path_of(&tile));
    }

    #[test]
    fn broken_paths_are_refused_alike(path in "tile/(entries|[0-9]{1,2})/(x[0-9]{3}/){0,2}[0-9]{1,4}(\\.p/[0-9]{1,3})?") {
        let ours = path.parse::<TilePath>();
        let others = TileId::parse(&path);
        prop_assert_eq!(ours.is_ok(), others.is_ok(), "{}", path);
    }

    #[test]
    fn a_proof_through_published_tiles(size in sizes(), index in any::<u64>(), damage in any::<usize>()) {
        let log = Log::numbered(size, 3);
        let index = index % size;
        let root = tlog::Hash(log.root_at(size));
        let served = Served { log: &log, damage: None, confirmed: Cell::new(false) };
        let path = tlog::prove_record(size, index, &TileHashReader::new(size, root, &served)).unwrap();
        let path: Vec<_> = path.iter().map(|hash| hash.0).collect();
        prop_assert!(served.confirmed.get() || path.is_empty(), "the tiles lead to the root");
        verify_inclusion(&log.leaf(index), index, size, &path, &root.0).unwrap();
        // Nearly all damage is noticed in the tiles; what 0.2.0 does not look at (tiles fetched besides
        // those of the right edge, when some of these coincide) leads to a path that proves nothing.
        let served = Served { log: &log, damage: Some(damage), confirmed: Cell::new(false) };
        if let Ok(read) = tlog::prove_record(size, index, &TileHashReader::new(size, root, &served)) {
            let read: Vec<_> = read.iter().map(|hash| hash.0).collect();
            let proved = verify_inclusion(&log.leaf(index), index, size, &read, &root.0);
            prop_assert_eq!(proved.is_ok(), read == path);
        }
    }
}
