//! Tests of the log of proof: against the definitions written out naively, published vectors, and
//! damage.
#![allow(clippy::unwrap_used)]

mod base64;
mod checkpoint;
mod note;
mod proof;
mod proof_file;
mod tile;
mod tree;
mod vkey;
mod witness;

use std::collections::BTreeMap;

use super::Hash;
use super::frontier::Frontier;
use super::merkle::{Node, NodeReader, leaf_hash, node_hash};

/// Subtree hashes as a store would keep them.
#[derive(Default)]
struct Store(BTreeMap<(u8, u64), Hash>);

impl NodeReader for Store {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(&(level, index)).copied()
    }
}

/// Distinct leaf hashes.
fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_le_bytes())).collect()
}

/// Appends `leaves` one by one, storing what each completes.
fn grow(leaves: &[Hash]) -> (Frontier, Store) {
    let (mut frontier, mut store) = (Frontier::new(), Store::default());
    for leaf in leaves {
        let mut completed = Vec::new();
        frontier.append(*leaf, &mut completed);
        for Node { level, index, hash } in completed {
            assert!(store.0.insert((level, index), hash).is_none(), "a node is completed once");
        }
    }
    (frontier, store)
}

/// `MTH` of RFC 6962 section 2.1, over leaf hashes, as the RFC writes it.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => super::merkle::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// `PATH(m, D[n])` of section 2.1.1.
fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = naive_split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if index < middle {
        (naive_inclusion(index, left), right)
    } else {
        (naive_inclusion(index - middle, right), left)
    };
    path.push(naive_root(sibling));
    path
}

/// `SUBPROOF(m, D[n], b)` of section 2.1.2.
fn naive_consistency(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let middle = naive_split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, sibling) = if old <= middle {
        (naive_consistency(old, left, whole), right)
    } else {
        (naive_consistency(old - middle, right, false), left)
    };
    path.push(naive_root(sibling));
    path
}

fn naive_split(count: usize) -> usize {
    let mut split = 1;
    while split * 2 < count {
        split *= 2;
    }
    split
}

fn unhex(text: &str) -> Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}
