use proptest::prelude::*;

use super::{grow, leaves, naive_root};
use crate::tlog::bundle;
use crate::tlog::merkle::NodeReader;
use crate::tlog::tile::{Bundle, Tile, TileError, TileNodes, TilePath};

#[test]
fn the_specification_s_tree_of_70_000() {
    let size = 70_000;
    assert_eq!([0, 1, 2, 3].map(|level| Tile::partial_width(level, size)), [112, 17, 1, 0]);
    let last = |level, index| Tile::in_tree(level, index, size).map(|tile| tile.width);
    assert_eq!((last(0, 272), last(0, 273), last(0, 274)), (Some(256), Some(112), None));
    assert_eq!((last(1, 0), last(1, 1), last(1, 2)), (Some(256), Some(17), None));
    assert_eq!((last(2, 0), last(2, 1), last(3, 0)), (Some(1), None, None));
    assert_eq!(Bundle::in_log(273, size), Some(Bundle { index: 273, width: 112 }));
    assert_eq!(Bundle::in_log(274, size), None);
    // A tree of 256 is one full level 0 tile and a level 1 tile of width 1.
    assert_eq!([0, 1].map(|level| Tile::partial_width(level, 256)), [0, 1]);
    assert_eq!(Tile::in_tree(1, 0, 256), Some(Tile { level: 1, index: 0, width: 1 }));
    assert_eq!(Tile::in_tree(0, 0, 0), None);
    assert_eq!(Tile::in_tree(63, u64::MAX, u64::MAX), None);
    assert_eq!(Tile::in_tree(7, 0, u64::MAX).map(|tile| tile.width), Some(255));
}

#[test]
fn paths_print_and_parse() {
    let hashes = |level, index, width| TilePath::Hashes(Tile { level, index, width });
    let entries = |index, width| TilePath::Entries(Bundle { index, width });
    let vectors = [
        (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (hashes(0, 0, 256), "tile/0/000"),
        (hashes(63, 999, 1), "tile/63/999.p/1"),
        (hashes(1, 1000, 255), "tile/1/x001/000.p/255"),
        (entries(273, 112), "tile/entries/273.p/112"),
        (entries(1_000_000, 256), "tile/entries/x001/x000/000"),
        (entries(u64::MAX, 256), "tile/entries/x018/x446/x744/x073/x709/x551/615"),
    ];
    for (path, text) in vectors {
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse(), Ok(path));
    }
    assert_eq!(Tile { level: 2, index: 5, width: 7 }.to_string(), "tile/2/005.p/7");
    assert_eq!(Bundle { index: 5, width: 256 }.to_string(), "tile/entries/005");
}

#[test]
fn every_other_spelling_is_refused() {
    let refused = [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/x/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x01/002",
        "tile/0/x001/x002",
        "tile/0/x001/2",
        "tile/0/xx01/002",
        "tile/0/+01",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/1.p/1",
        "tile/0/000.P/1",
        "tile/0/000.p/1/",
        "tile/Entries/000",
        "tile/entries/1",
        "tile/entries/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/0/00\u{663}",
        "tile/0/../0/000",
    ];
    for text in refused {
        assert_eq!(text.parse::<TilePath>(), Err(TileError::BadPath), "{text:?}");
    }
}

#[test]
fn tiles_hold_the_roots_of_full_tiles_below() {
    let leaves = leaves(600);
    let (_, store) = grow(&leaves);
    for (level, index, width) in [(0, 0, 256), (0, 1, 256), (0, 2, 88), (1, 0, 2)] {
        let tile = Tile::in_tree(level, index, 600).unwrap();
        assert_eq!(tile.width, width);
        let content = tile.read(&store).unwrap();
        let hashes = tile.decode(&content).unwrap();
        let span = 256usize.pow(level.into());
        for (offset, hash) in hashes.iter().enumerate() {
            let start = (index as usize * 256 + offset) * span;
            assert_eq!(*hash, naive_root(&leaves[start..start + span]));
        }
        assert_eq!(tile.decode(&content[1..]), Err(TileError::BadContent));
        assert_eq!(tile.decode(&content[32..]), Err(TileError::BadContent));
        assert_eq!(tile.decode(&[&content[..], &[0; 32]].concat()), Err(TileError::BadContent));
    }
    assert_eq!(Tile { level: 0, index: 2, width: 89 }.read(&store), None);
    for (level, index) in [(63, 0), (8, 0), (0, u64::MAX)] {
        assert_eq!(Tile { level, index, width: 1 }.read(&store), None);
    }
}

#[test]
fn nodes_between_tile_levels_are_hashed() {
    let (_, store) = grow(&leaves(520));
    let tiles = TileNodes(&store);
    for (&(level, index), hash) in &store.0 {
        assert_eq!(tiles.node(level, index), Some(*hash));
    }
    assert_eq!(tiles.node(1, 260), None);
    assert_eq!(tiles.node(7, u64::MAX), None);
}

#[test]
fn bundles_refuse_what_does_not_fit() {
    let bundle = Bundle { index: 0, width: 2 };
    let longest = vec![7; 65_535];
    let content = bundle::encode(&[&longest[..], b""]).unwrap();
    assert_eq!(content[..2], [0xff, 0xff]);
    assert_eq!(bundle::decode(&bundle, &content).unwrap(), [&longest[..], b""]);
    for damaged in
        [&content[..content.len() - 1], &[&content[..], b"\0"].concat()[..], &content[..100], b""]
    {
        assert_eq!(bundle::decode(&bundle, damaged), Err(TileError::BadContent));
    }
    let mut untouched = content.clone();
    assert_eq!(bundle::push_entry(&mut untouched, &[0; 65_536]), Err(TileError::EntryTooLong));
    assert_eq!(untouched, content);
}

proptest! {
    #[test]
    fn any_path_survives(level in 0u8..=63, index: u64, width in 1u16..=256, entries: bool) {
        let path = match entries {
            true => TilePath::Entries(Bundle { index, width }),
            false => TilePath::Hashes(Tile { level, index, width }),
        };
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn what_parses_is_canonical(text in "tile/([0-9]{1,2}|entries)/(x?[0-9]{3}/){0,3}[0-9]{3}(.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..256)) {
        let bundle = Bundle { index: 3, width: entries.len() as u16 };
        let content = bundle::encode(&entries).unwrap();
        prop_assert_eq!(bundle::decode(&bundle, &content).unwrap(), entries);
    }

    #[test]
    fn widths_add_up(size in 0u64..100_000_000) {
        // All hashes of a level are in its tiles: full ones, then the partial one.
        for level in 0..5 {
            let hashes = size >> (8 * level);
            let full = hashes / 256;
            let partial = Tile::in_tree(level as u8, full, size).map_or(0, |tile| tile.width);
            prop_assert_eq!(partial, Tile::partial_width(level as u8, size));
            prop_assert_eq!(full * 256 + u64::from(partial), hashes);
            if full > 0 {
                prop_assert_eq!(Tile::in_tree(level as u8, full - 1, size).unwrap().width, 256);
            }
        }
    }
}
