use proptest::prelude::*;

use super::{Store, grow, leaves, naive_root, unhex};
use crate::tlog::frontier::Frontier;
use crate::tlog::merkle::{EMPTY_ROOT, MissingNode, leaf_hash, root, subtree_root};
use crate::tlog::tile::TileNodes;

/// The entries of the reference tree that Certificate Transparency's implementations test with.
pub(super) fn ct_entries() -> Vec<Vec<u8>> {
    let entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    entries.iter().map(|entry| hex::decode(entry).unwrap()).collect()
}

/// Roots of the first 0, 1, … 8 of [`ct_entries`].
pub(super) const CT_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn certificate_transparency_vectors() {
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), unhex(CT_ROOTS[0]));
    for (entry, expected) in ct_entries().iter().zip(&CT_ROOTS[1..]) {
        frontier.append_entry(entry, &mut Vec::new());
        assert_eq!(frontier.root(), unhex(expected));
    }
}

#[test]
fn every_root_up_to_130_leaves() {
    let leaves = leaves(130);
    let (_, store) = grow(&leaves);
    for size in 0..=130 {
        let expected = naive_root(&leaves[..size]);
        let (frontier, _) = grow(&leaves[..size]);
        assert_eq!(frontier.root(), expected);
        assert_eq!(root(&store, size as u64).unwrap(), expected);
        assert_eq!(root(&TileNodes(&store), size as u64).unwrap(), expected);
    }
}

#[test]
fn appending_reports_each_complete_subtree_once() {
    let leaves = leaves(100);
    let (_, store) = grow(&leaves); // asserts that none comes twice
    let expected: usize = (0..7).map(|level| 100 >> level).sum();
    assert_eq!(store.0.len(), expected);
    for (&(level, index), hash) in &store.0 {
        let (start, span) = ((index as usize) << level, 1 << level);
        assert_eq!(*hash, naive_root(&leaves[start..start + span]));
    }
}

#[test]
fn a_frontier_is_restored_from_its_parts_and_from_stored_nodes() {
    let leaves = leaves(131);
    let (_, store) = grow(&leaves);
    for size in 0..=130 {
        let (frontier, _) = grow(&leaves[..size]);
        let from_nodes = Frontier::from_nodes(&store, size as u64).unwrap();
        assert_eq!(from_nodes, frontier);
        let mut restored = Frontier::from_parts(size as u64, frontier.peaks().to_vec()).unwrap();
        assert_eq!(restored, frontier);
        assert_eq!(restored.append(leaves[size], &mut Vec::new()), size as u64);
        assert_eq!(restored.root(), naive_root(&leaves[..=size]));
    }
}

#[test]
fn damaged_frontiers_and_stores_are_errors() {
    let leaves = leaves(7);
    let (frontier, mut store) = grow(&leaves);
    let error = Frontier::from_parts(8, frontier.peaks().to_vec()).unwrap_err();
    assert_eq!((error.code(), error.expected, error.found), ("bad_frontier", 1, 3));
    assert!(Frontier::from_parts(0, frontier.peaks().to_vec()).is_err());

    let missing = MissingNode { level: 2, index: 0 };
    store.0.remove(&(2, 0));
    assert_eq!(root(&store, 7), Err(missing));
    assert_eq!(Frontier::from_nodes(&store, 7), Err(missing));
    assert_eq!(root(&store, 9), Err(MissingNode { level: 0, index: 8 }));
    assert_eq!(root(&Store::default(), 0), Ok(EMPTY_ROOT));
    assert_eq!(
        root(&Store::default(), u64::MAX),
        Err(MissingNode { level: 0, index: u64::MAX - 1 })
    );
}

#[test]
#[should_panic(expected = "are no subtree")]
fn an_unaligned_range_is_a_bug() {
    let (_, store) = grow(&leaves(8));
    let _ = subtree_root(&store, 2, 6);
}

#[test]
fn leaves_and_nodes_cannot_be_confused() {
    let pair = leaves(2);
    assert_ne!(leaf_hash(&pair.concat()), naive_root(&pair));
}

proptest! {
    #[test]
    fn large_trees_agree_with_the_definition(size in 0u64..3000, extra in 0u64..600) {
        let leaves = leaves(size + extra);
        let (frontier, store) = grow(&leaves);
        prop_assert_eq!(frontier.root(), naive_root(&leaves));
        prop_assert_eq!(root(&TileNodes(&store), size).unwrap(), naive_root(&leaves[..size as usize]));
    }
}

#[test]
fn a_path_of_the_last_leaf_gives_the_frontier_and_no_other_path_does() {
    use super::super::proof::prove_inclusion;
    let leaves = leaves(40);
    let (_, store) = grow(&leaves);
    for size in 1..=leaves.len() as u64 {
        let root = naive_root(&leaves[..size as usize]);
        for index in 0..size {
            let leaf = leaves[index as usize];
            let path = prove_inclusion(&store, index, size).unwrap();
            let found = Frontier::from_inclusion(leaf, index, size, &path, &root).unwrap();
            assert_eq!(found, grow(&leaves[..=index as usize]).0, "leaf {index} of {size}");
            for at in 0..path.len() {
                let mut wrong = path.clone();
                wrong[at][7] ^= 1;
                assert!(Frontier::from_inclusion(leaf, index, size, &wrong, &root).is_err());
            }
            assert!(Frontier::from_inclusion(leaf, size, size, &path, &root).is_err());
        }
    }
}
