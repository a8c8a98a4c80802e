//! What the API reads is what was recorded: leaves, entries, tiles, parties, transactions.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;

use common::{Scribe, create, run};
use musubi_ledger::{
    batch::Batch,
    id::PartyId,
    leaf::{Leaf, LeafKind},
    tlog::{
        Frontier, Node, NodeReader, bundle, merkle, proof,
        tile::{Bundle, Tile},
    },
};
use musubi_storage::{Direction, Opened, memory::MemoryDisk};

fn written(blocks: u64, items: u64) -> (Opened, Scribe) {
    let opened = create(&MemoryDisk::new(1));
    let mut scribe = Scribe::new(6);
    run(&opened, &mut scribe, blocks, items);
    (opened, scribe)
}

struct Nodes(HashMap<(u8, u64), [u8; 32]>);

impl NodeReader for Nodes {
    fn node(&self, level: u8, index: u64) -> Option<[u8; 32]> {
        self.0.get(&(level, index)).copied()
    }
}

fn recomputed(leaves: &[Vec<u8>]) -> Nodes {
    let (mut log, mut nodes) = (Frontier::new(), Vec::new());
    for leaf in leaves {
        log.append_entry(leaf, &mut nodes);
    }
    Nodes(nodes.into_iter().map(|Node { level, index, hash }| ((level, index), hash)).collect())
}

#[test]
fn tiles_and_bundles_are_what_the_leaves_give() {
    let (opened, scribe) = written(40, 60);
    let (store, size) = (&opened.store, scribe.head.size);
    assert!(size > 900, "several full tiles, and one above: {size}");
    let nodes = recomputed(&scribe.leaves);
    for size in [1, 2, 255, 256, 257, 511, 700, size] {
        for level in 0..3 {
            for index in 0..6 {
                let Some(tile) = Tile::in_tree(level, index, size) else {
                    continue;
                };
                assert_eq!(store.tile(&tile).unwrap(), tile.read(&nodes), "{tile}");
                if level == 0 {
                    let bundle = Bundle::in_log(index, size).unwrap();
                    let first = index as usize * 256;
                    let leaves = &scribe.leaves[first..first + usize::from(bundle.width)];
                    let content = store.bundle(&bundle).unwrap().unwrap();
                    assert_eq!(bundle::decode(&bundle, &content).unwrap(), leaves, "{bundle}");
                }
            }
        }
        let root = merkle::root(&nodes, size);
        assert_eq!(merkle::root(&store.nodes(), size), root);
        assert_eq!(store.root_at(size), root.ok());
    }
    let mut seals = 0;
    for (end, leaf) in (1..=size).zip(&scribe.leaves) {
        let is_seal = Leaf::decode(leaf).unwrap().kind == LeafKind::Seal;
        seals += u64::from(is_seal);
        assert_eq!(store.seal_root_at(end), store.root_at(end).filter(|_| is_seal), "size {end}");
    }
    assert!(seals > 10 && seals < size, "{seals} seals");
    assert_eq!((store.seal_root_at(0), store.seal_root_at(size + 1)), (None, None));
    let inclusion = proof::prove_inclusion(&store.nodes(), 300, size).unwrap();
    let leaf = merkle::leaf_hash(&scribe.leaves[300]);
    proof::verify_inclusion(&leaf, 300, size, &inclusion, &scribe.root).unwrap();
    // Beyond the log there is nothing, however it is asked for.
    let beyond = Tile { level: 0, index: size / 256, width: 256 };
    assert_eq!(store.tile(&beyond).unwrap(), None);
    assert_eq!(store.tile(&Tile { index: u64::MAX, ..beyond }).unwrap(), None);
    assert_eq!(store.bundle(&Bundle { index: size / 256, width: 256 }).unwrap(), None);
}

#[test]
fn leaves_entries_and_transactions_are_found_by_index() {
    let (opened, scribe) = written(20, 50);
    let store = &opened.store;
    let mut entries = scribe.entries.iter().peekable();
    for (index, leaf) in (0u64..).zip(&scribe.leaves) {
        assert_eq!(&store.leaf(index).unwrap().unwrap().encode(), leaf);
        let entry = entries.next_if(|entry| entry.index == index);
        assert_eq!(store.entry(index).unwrap().as_ref(), entry);
        let bytes = store.transaction(index).unwrap();
        assert_eq!(bytes.is_some(), entry.is_some_and(|entry| entry.item.is_some()));
        if let (Some(bytes), Some(entry)) = (bytes, entry) {
            assert_eq!(musubi_ledger::hash::sha256(&bytes), entry.leaf.id.0);
            assert_eq!(store.judged(entry.leaf.id).unwrap().unwrap().leaf, index);
        }
    }
    let all: Vec<_> = store.entries(0..u64::MAX).unwrap();
    assert_eq!(all, scribe.entries);
    assert_eq!(store.leaf(scribe.head.size).unwrap(), None);
    assert_eq!(store.leaf_bytes(10..10).unwrap(), Vec::<u8>::new());
    assert_eq!(store.leaf_bytes(0..u64::MAX).unwrap(), scribe.leaves.concat());
    let range = store.leaf_bytes(100..420).unwrap();
    assert_eq!(range, scribe.leaves[100..420].concat());
}

#[test]
fn blocks_lead_to_their_raft_entries() {
    let (opened, scribe) = written(8, 20);
    let store = &opened.store;
    for height in 0..=8 {
        let block = store.block(height).unwrap().unwrap();
        assert_eq!(store.leaf(block.head.size - 1).unwrap().unwrap(), block.seal.leaf());
        let items = store.items(height).unwrap().unwrap();
        match store.raft_entry(height).unwrap() {
            None => assert_eq!((height, items.len()), (0, 0)),
            Some(entry) => {
                assert_eq!(entry.position(), block.entry);
                assert_eq!(Batch::decode(&entry.data).unwrap().items.len(), items.len());
            }
        }
    }
    assert_eq!(store.block(9).unwrap(), None);
    assert_eq!(store.head(), (scribe.head, scribe.root));
    assert_eq!(store.genesis().unwrap(), common::genesis());
}

#[test]
fn a_partys_leaves_come_in_pages_both_ways() {
    let (opened, scribe) = written(30, 40);
    let store = &opened.store;
    let mut total = 0;
    for n in 0..22 {
        let party = PartyId([100 + n; 16]);
        let mut expected: Vec<u64> =
            scribe.entries.iter().filter(|e| e.parties.contains(&party)).map(|e| e.index).collect();
        total += expected.len();
        for direction in [Direction::Ascending, Direction::Descending] {
            for limit in [1, 3, 1000] {
                let (mut found, mut cursor) = (Vec::<u64>::new(), None);
                loop {
                    let page = store.party_leaves(&party, cursor, direction, limit).unwrap();
                    assert!(page.leaves.len() <= limit);
                    found.extend(&page.leaves);
                    cursor = page.leaves.last().copied();
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(found, expected, "{n} {direction:?} {limit}");
            }
            // A cursor between leaves, before the first and behind the last.
            for cursor in [0, 57, scribe.head.size, u64::MAX] {
                let page = store.party_leaves(&party, Some(cursor), direction, 1000).unwrap();
                let behind = |leaf: &&u64| match direction {
                    Direction::Ascending => **leaf > cursor,
                    Direction::Descending => **leaf < cursor,
                };
                let wanted: Vec<u64> = expected.iter().filter(behind).copied().collect();
                assert_eq!(page.leaves, wanted, "{n} {direction:?} from {cursor}");
            }
            expected.reverse();
        }
    }
    assert!(total > 500);
}

#[test]
fn checkpoints_are_kept_by_size() {
    let (opened, _) = written(1, 1);
    let store = &opened.store;
    assert_eq!(store.latest_checkpoint().unwrap(), None);
    for size in [2, 300, 70_000] {
        store.stage_checkpoint(size, &format!("note of {size}")).unwrap();
    }
    assert_eq!(store.checkpoint(300).unwrap().as_deref(), Some("note of 300"));
    assert_eq!(store.checkpoint(301).unwrap(), None);
    assert_eq!(store.latest_checkpoint().unwrap(), Some((70_000, "note of 70000".into())));
}

#[test]
fn real_execution_is_recorded_and_taken_up_again() {
    use musubi_ledger::execute::check_items;
    let disk = MemoryDisk::new(1);
    let mut opened = create(&disk);
    let genesis = common::genesis();
    let mut scribe = Scribe::new(2); // only for its batches
    for index in 1..=5 {
        let entry = scribe.batch(index, 1, 9);
        let hard =
            (index == 1).then_some(musubi_consensus::HardState { term: 1, vote: None, commit: 0 });
        opened.store.stage(&common::persist(vec![entry.clone()], hard)).unwrap();
        if index == 3 {
            opened.store.record_empty(entry.position()).unwrap();
            continue;
        }
        let batch = Batch::decode(&entry.data).unwrap();
        let checked = check_items(&genesis.chain(), 1, &batch.items, &|_| false);
        let hash = Batch::entry_hash(&entry.data);
        let state = std::sync::Arc::clone(opened.store.state());
        let block = opened.chain.execute(&*state, &batch, hash, &checked);
        opened.store.record(&block, entry.position()).unwrap();
        opened.store.sync().unwrap();
        drop((state, opened));
        opened = common::open(&disk).unwrap();
        assert_eq!(opened.store.applied(), entry.position());
        opened.recovered.check().unwrap();
        assert_eq!(opened.recovered.hard_state.commit, index, "what is applied was committed");
        assert_eq!(opened.chain.head(), block.head);
        assert_eq!(opened.chain.root(), block.root);
        assert_eq!(opened.seal, block.seal);
    }
    let verified = opened.store.verify(&mut |_, _| {}).unwrap();
    assert_eq!((verified.blocks, verified.entries), (5, 5));
}
