//! One executed block as one write set.

use std::collections::BTreeMap;

use musubi_consensus::Position;
use musubi_ledger::{
    execute::{Block, Entry},
    hash::Hash,
    id::PartyId,
    tlog::{Node, tile},
};

use crate::{
    backend::{Family, WriteSet},
    layout::{self, BlockRecord, ENTRIES_PER_RUN, Tip, Word, number, part, party_run, tile_run},
    runs::Runs,
};

/// The encoded result of an item with a leaf.
const RESULT_BYTES: usize = 32 + 2 + 1 + 8;
/// What the entry of an ordinary transfer takes, and a little more.
const ENTRY_BYTES: usize = 640;

/// Everything of `block`, which executes Raft entry `entry`, and where execution stands after it.
pub(crate) fn write_set(block: &Block, entry: Position) -> (WriteSet, Tip) {
    let mut set = WriteSet::new();
    put_rows(&mut set, block);
    put_leaves(&mut set, block);
    put_entries(&mut set, &block.entries);
    put_parties(&mut set, &block.entries);
    put_tiles(&mut set, &block.nodes);
    let record = BlockRecord {
        head: block.head,
        first_leaf: block.first_leaf,
        seal: block.seal,
        root: block.root,
        entry,
    };
    let height = block.head.height;
    layout::put(&mut set, Family::Blocks, part(height, 0), &record);
    let results = 8 + RESULT_BYTES * block.items.len();
    layout::put_sized(&mut set, Family::Blocks, part(height, 1), &block.items, results);
    let tip = Tip {
        applied: entry,
        head: block.head,
        root: block.root,
        rows: block.rows.to_bytes().to_vec(),
    };
    layout::put(&mut set, Family::Meta, Word::Tip.key(), &tip);
    (set, tip)
}

fn put_rows(set: &mut WriteSet, block: &Block) {
    for (key, row) in &block.changes {
        match row {
            Some(row) => set.put(Family::State, key.to_bytes(), row.encode()),
            None => set.remove(Family::State, key.to_bytes()),
        }
    }
}

fn put_leaves(set: &mut WriteSet, block: &Block) {
    let mut runs = Runs::new();
    let leaves = block.entries.iter().map(|entry| entry.leaf).chain([block.seal.leaf()]);
    for (index, leaf) in (block.first_leaf..).zip(leaves) {
        runs.push(index / u64::from(tile::FULL_WIDTH), index, &leaf.bytes());
    }
    for (_, first, leaves) in runs.into_runs() {
        set.put(Family::Leaves, number(first), leaves);
    }
}

fn put_entries(set: &mut WriteSet, entries: &[Entry]) {
    for run in entries.chunk_by(|a, b| a.index / ENTRIES_PER_RUN == b.index / ENTRIES_PER_RUN) {
        let bytes = ENTRY_BYTES * run.len();
        layout::put_sized(set, Family::Entries, number(run[0].index), run, bytes);
    }
}

fn put_parties(set: &mut WriteSet, entries: &[Entry]) {
    for (key, leaves) in party_rows(entries) {
        set.put(Family::Parties, key, leaves);
    }
}

/// For each party in a block, in byte order: the key and the list of its leaves.
pub(crate) fn party_rows(entries: &[Entry]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let mut leaves: BTreeMap<PartyId, Vec<u64>> = BTreeMap::new();
    for entry in entries {
        for party in &entry.parties {
            let of_party = leaves.entry(*party).or_default();
            if of_party.last() != Some(&entry.index) {
                of_party.push(entry.index);
            }
        }
    }
    leaves.into_iter().map(|(party, leaves)| {
        let bytes = leaves.iter().flat_map(|leaf| leaf.to_le_bytes()).collect();
        (party_run(&party, leaves[0]), bytes)
    })
}

pub(crate) fn put_tiles(set: &mut WriteSet, nodes: &[Node]) {
    let mut runs: Runs<(u8, u64)> = Runs::new();
    for Node { level, index, hash } in
        nodes.iter().filter(|n| n.level.is_multiple_of(tile::TILE_HEIGHT))
    {
        let section = (level / tile::TILE_HEIGHT, index / u64::from(tile::FULL_WIDTH));
        runs.push(section, *index, hash.as_slice());
    }
    for ((level, _), first, hashes) in runs.into_runs() {
        set.put(Family::Tiles, tile_run(level, first), hashes);
    }
}

/// Bytes of one hash in a run of tile hashes.
pub(crate) const HASH_BYTES: usize = size_of::<Hash>();
