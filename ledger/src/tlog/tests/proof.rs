use proptest::prelude::*;

use super::tree::{CT_ROOTS, ct_entries};
use super::{Store, grow, leaves, naive_consistency, naive_inclusion, naive_root, unhex};
use crate::tlog::Hash;
use crate::tlog::merkle::{EMPTY_ROOT, leaf_hash};
use crate::tlog::proof::{
    ProofError, ProveError, prove_consistency, prove_inclusion, verify_consistency,
    verify_inclusion,
};
use crate::tlog::tile::TileNodes;

const N: u64 = 130;

#[test]
fn certificate_transparency_inclusion_vectors() {
    let leaves: Vec<_> = ct_entries().iter().map(|entry| leaf_hash(entry)).collect();
    let (_, store) = grow(&leaves);
    let vectors: [(u64, u64, &[&str]); 5] = [
        (0, 1, &[]),
        (
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            &[
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (index, size, expected) in vectors {
        let proof: Vec<_> = expected.iter().map(|hash| unhex(hash)).collect();
        assert_eq!(prove_inclusion(&store, index, size).unwrap(), proof);
        let root = unhex(CT_ROOTS[size as usize]);
        verify_inclusion(&leaves[index as usize], index, size, &proof, &root).unwrap();
    }
}

#[test]
fn certificate_transparency_consistency_vectors() {
    let leaves: Vec<_> = ct_entries().iter().map(|entry| leaf_hash(entry)).collect();
    let (_, store) = grow(&leaves);
    let vectors: [(u64, u64, &[&str]); 4] = [
        (1, 1, &[]),
        (
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ];
    for (old, new, expected) in vectors {
        let proof: Vec<_> = expected.iter().map(|hash| unhex(hash)).collect();
        assert_eq!(prove_consistency(&store, old, new).unwrap(), proof);
        let (old_root, new_root) = (unhex(CT_ROOTS[old as usize]), unhex(CT_ROOTS[new as usize]));
        verify_consistency(old, &old_root, new, &new_root, &proof).unwrap();
    }
}

#[test]
fn every_inclusion_up_to_130_leaves() {
    let leaves = leaves(N);
    let (_, store) = grow(&leaves);
    for size in 1..=N {
        let tree = &leaves[..size as usize];
        let root = naive_root(tree);
        for index in 0..size {
            let proof = prove_inclusion(&store, index, size).unwrap();
            assert_eq!(proof, naive_inclusion(index as usize, tree));
            let leaf = &tree[index as usize];
            verify_inclusion(leaf, index, size, &proof, &root).unwrap();
            damage(&proof, |proof| verify_inclusion(leaf, index, size, proof, &root));

            let elsewhere = (index + 1) % size;
            if elsewhere != index {
                assert!(verify_inclusion(leaf, elsewhere, size, &proof, &root).is_err());
                let other = &tree[elsewhere as usize];
                assert!(verify_inclusion(other, index, size, &proof, &root).is_err());
            }
        }
    }
}

#[test]
fn every_consistency_up_to_130_leaves() {
    let leaves = leaves(N);
    let (_, store) = grow(&leaves);
    let roots: Vec<_> = (0..=N as usize).map(|size| naive_root(&leaves[..size])).collect();
    for new in 1..=N {
        for old in 1..=new {
            let proof = prove_consistency(&store, old, new).unwrap();
            assert_eq!(proof, naive_consistency(old as usize, &leaves[..new as usize], true));
            let (old_root, new_root) = (&roots[old as usize], &roots[new as usize]);
            verify_consistency(old, old_root, new, new_root, &proof).unwrap();
            damage(&proof, |proof| verify_consistency(old, old_root, new, new_root, proof));
            for wrong in [flip(old_root, old), flip(new_root, new)] {
                assert!(verify_consistency(old, &wrong, new, new_root, &proof).is_err());
                assert!(verify_consistency(old, old_root, new, &wrong, &proof).is_err());
            }
        }
    }
}

#[test]
fn consistency_with_the_empty_tree() {
    let (_, store) = grow(&leaves(3));
    let root = naive_root(&leaves(3));
    assert_eq!(prove_consistency(&store, 0, 3), Ok(Vec::new()));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 3, &root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 0, &EMPTY_ROOT, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &root, 3, &root, &[]), Err(ProofError::RootMismatch));
    assert_eq!(verify_consistency(0, &EMPTY_ROOT, 3, &root, &[root]), Err(ProofError::WrongLength));
}

#[test]
fn impossible_positions_are_errors() {
    let (_, store) = grow(&leaves(3));
    let root = naive_root(&leaves(3));
    assert_eq!(
        prove_inclusion(&store, 3, 3),
        Err(ProveError::IndexBeyondSize { index: 3, size: 3 })
    );
    assert_eq!(prove_consistency(&store, 4, 3), Err(ProveError::SizeShrinks { old: 4, new: 3 }));
    assert_eq!(prove_inclusion(&Store::default(), 0, 2).unwrap_err().code(), "missing_node");
    assert_eq!(verify_inclusion(&root, 0, 0, &[], &root), Err(ProofError::IndexBeyondSize));
    assert_eq!(verify_consistency(4, &root, 3, &root, &[]), Err(ProofError::SizeShrinks));
    let (index, size) = (u64::MAX - 1, u64::MAX);
    assert_eq!(verify_inclusion(&root, index, size, &[root], &root), Err(ProofError::WrongLength));
    assert_eq!(
        verify_consistency(index, &root, size, &root, &[root]),
        Err(ProofError::WrongLength)
    );
}

/// `verify` must refuse the proof with any hash changed, left out, repeated or moved.
fn damage(proof: &[Hash], verify: impl Fn(&[Hash]) -> Result<(), ProofError>) {
    for at in 0..proof.len() {
        let mut flipped = proof.to_vec();
        flipped[at] = flip(&proof[at], at as u64 * 37 + proof.len() as u64);
        assert_eq!(verify(&flipped), Err(ProofError::RootMismatch));

        let mut shorter = proof.to_vec();
        shorter.remove(at);
        assert_eq!(verify(&shorter), Err(ProofError::WrongLength));

        let mut swapped = proof.to_vec();
        swapped.swap(at, 0);
        assert!(at == 0 || verify(&swapped).is_err());
    }
    let mut longer = proof.to_vec();
    longer.push([0; 32]);
    assert_eq!(verify(&longer), Err(ProofError::WrongLength));
}

/// `hash` with one bit flipped, another for each `seed`.
fn flip(hash: &Hash, seed: u64) -> Hash {
    let mut flipped = *hash;
    flipped[(seed / 8 % 32) as usize] ^= 1 << (seed % 8);
    flipped
}

proptest! {
    #[test]
    fn proofs_from_tiles_hold_in_large_trees(
        new in 1u64..2000, old in 0u64..2000, index in 0u64..2000, bit in 0u64..256,
    ) {
        let (old, index) = (old % (new + 1), index % new);
        let leaves = leaves(new);
        let (_, store) = grow(&leaves);
        let (old_root, root) = (naive_root(&leaves[..old as usize]), naive_root(&leaves));
        let tiles = TileNodes(&store);

        let leaf = &leaves[index as usize];
        let proof = prove_inclusion(&tiles, index, new).unwrap();
        prop_assert_eq!(verify_inclusion(leaf, index, new, &proof, &root), Ok(()));
        prop_assert!(verify_inclusion(&flip(leaf, bit), index, new, &proof, &root).is_err());

        let proof = prove_consistency(&tiles, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, &old_root, new, &root, &proof), Ok(()));
        let forged = flip(&root, bit);
        prop_assert!(old == 0 || verify_consistency(old, &old_root, new, &forged, &proof).is_err());
    }
}
