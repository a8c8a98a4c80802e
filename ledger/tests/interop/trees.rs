//! Roots and proofs: four implementations of one tree.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use doubleentry::{
    TreeHead,
    log::{ConsistencyProof, Hash as DeHash, InclusionProof},
    store::Tree,
};
use musubi_ledger::tlog::{
    Hash,
    proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion},
};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::tlog::{self as tiles, HashReader};

use crate::log::{Log, entries, flip};

/// The stored hashes of a `tlog_tiles` tree.
pub(crate) struct Stored(pub(crate) Vec<tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tiles::Hash>, tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

pub(crate) fn tlog_tiles_of(entries: &[Vec<u8>]) -> Stored {
    let mut stored = Stored(Vec::new());
    for (at, entry) in entries.iter().enumerate() {
        let more = tiles::stored_hashes(at as u64, entry, &stored).unwrap();
        stored.0.extend(more);
    }
    stored
}

pub(crate) fn doubleentry_of(entries: &[Vec<u8>]) -> Tree {
    let mut tree = Tree::new();
    for entry in entries {
        tree.push(doubleentry::log::leaf_hash(entry)).unwrap();
    }
    tree
}

fn ct_merkle_of(entries: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries.iter().for_each(|entry| tree.push(entry.clone()));
    tree
}

pub(crate) fn head(size: u64, root: Hash) -> TreeHead {
    TreeHead { size, root: DeHash::from_bytes(root) }
}

fn theirs(path: &[Hash]) -> Vec<tiles::Hash> {
    path.iter().map(|hash| tiles::Hash(*hash)).collect()
}

fn ours(path: &[tiles::Hash]) -> Vec<Hash> {
    path.iter().map(|hash| hash.0).collect()
}

fn of_doubleentry(path: &[DeHash]) -> Vec<Hash> {
    path.iter().map(|hash| *hash.as_bytes()).collect()
}

fn to_doubleentry(path: &[Hash]) -> Vec<DeHash> {
    path.iter().map(|hash| DeHash::from_bytes(*hash)).collect()
}

/// What all four say of an inclusion proof.
fn included(leaf: &[u8], (index, size): (u64, u64), path: &[Hash], root: Hash) -> [bool; 4] {
    let hash = musubi_ledger::tlog::merkle::leaf_hash(leaf);
    let proof = InclusionProof { index, size, path: to_doubleentry(path) };
    let root_hash = ct_merkle::RootHash::<Sha256>::new(root.into(), size);
    let ct = ct_merkle::InclusionProof::try_from_bytes(path.concat()).unwrap();
    [
        verify_inclusion(&hash, index, size, path, &root).is_ok(),
        tiles::check_record(&theirs(path), size, tiles::Hash(root), index, tiles::Hash(hash))
            .is_ok(),
        proof.verify(&DeHash::from_bytes(hash), &head(size, root)).is_ok(),
        root_hash.verify_inclusion(&leaf, index, &ct).is_ok(),
    ]
}

/// What all four say of a consistency proof.
fn consistent((old, old_root): (u64, Hash), (new, root): (u64, Hash), path: &[Hash]) -> [bool; 4] {
    let proof = ConsistencyProof { old_size: old, new_size: new, path: to_doubleentry(path) };
    let old_hash = ct_merkle::RootHash::<Sha256>::new(old_root.into(), old);
    let new_hash = ct_merkle::RootHash::<Sha256>::new(root.into(), new);
    let ct = ct_merkle::ConsistencyProof::try_from_bytes(path.concat()).unwrap();
    let (th, oh) = (tiles::Hash(root), tiles::Hash(old_root));
    [
        verify_consistency(old, &old_root, new, &root, path).is_ok(),
        tiles::check_tree(&theirs(path), new, th, old, oh).is_ok(),
        proof.verify(&head(old, old_root), &head(new, root)).is_ok(),
        new_hash.verify_consistency(&old_hash, &ct).is_ok(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn roots_are_equal_at_every_size(entries in entries(300)) {
        let log = Log::of(entries.clone());
        let (stored, tree) = (tlog_tiles_of(&entries), doubleentry_of(&entries));
        for size in 0..=log.size() {
            let root = log.root_at(size);
            prop_assert_eq!(tiles::tree_hash(size, &stored).unwrap().0, root);
            prop_assert_eq!(*tree.head_at(size).unwrap().root.as_bytes(), root);
        }
        prop_assert_eq!(log.frontier.root(), log.root_at(log.size()));
        let ct = ct_merkle_of(&entries).root();
        prop_assert_eq!(&ct.as_bytes()[..], &log.frontier.root()[..]);
    }

    #[test]
    fn inclusion_proofs(entries in entries(300), size in any::<u64>(), index in any::<u64>(), bit in any::<usize>(), what in 0..5) {
        let size = 1 + size % entries.len() as u64;
        let index = index % size;
        let log = Log::of(entries.clone());
        let path = prove_inclusion(&log, index, size).unwrap();
        prop_assert_eq!(&ours(&tiles::prove_record(size, index, &tlog_tiles_of(&entries)).unwrap()), &path);
        let theirs = doubleentry_of(&entries).inclusion_proof(index, size).unwrap();
        prop_assert_eq!(&of_doubleentry(&theirs.path), &path);
        let ct = ct_merkle_of(&entries[..size as usize]).prove_inclusion(index as usize);
        prop_assert_eq!(ct.as_bytes(), &path.concat()[..]);
        let (mut leaf, mut root, mut path) = (entries[index as usize].clone(), log.root_at(size), path);
        prop_assert_eq!(included(&leaf, (index, size), &path, root), [true; 4]);
        match what {
            0 if !path.is_empty() => { let at = bit % path.len(); flip(path[at].as_mut_slice(), bit); }
            1 if !path.is_empty() => {
                path.pop();
            },
            2 => path.push([bit as u8; 32]),
            3 => leaf.push(bit as u8),
            _ => flip(&mut root, bit),
        }
        prop_assert_eq!(included(&leaf, (index, size), &path, root), [false; 4]);
    }

    #[test]
    fn consistency_proofs(entries in entries(300), new in any::<u64>(), old in any::<u64>(), bit in any::<usize>(), what in 0..5) {
        prop_assume!(entries.len() > 1);
        let new = 2 + new % (entries.len() as u64 - 1);
        let old = 1 + old % (new - 1);
        let log = Log::of(entries.clone());
        let path = prove_consistency(&log, old, new).unwrap();
        prop_assert_eq!(&ours(&tiles::prove_tree(new, old, &tlog_tiles_of(&entries)).unwrap()), &path);
        let theirs = doubleentry_of(&entries).consistency_proof(old, new).unwrap();
        prop_assert_eq!(&of_doubleentry(&theirs.path), &path);
        let ct = ct_merkle_of(&entries[..new as usize]).prove_consistency((new - old) as usize);
        prop_assert_eq!(ct.as_bytes(), &path.concat()[..]);
        let (mut old_root, mut root, mut path) = (log.root_at(old), log.root_at(new), path);
        prop_assert_eq!(consistent((old, old_root), (new, root), &path), [true; 4]);
        match what {
            0 => { let at = bit % path.len(); flip(path[at].as_mut_slice(), bit); }
            1 => {
                path.pop();
            },
            2 => path.push([bit as u8; 32]),
            3 => flip(&mut old_root, bit),
            _ => flip(&mut root, bit),
        }
        prop_assert_eq!(consistent((old, old_root), (new, root), &path), [false; 4]);
    }
}
