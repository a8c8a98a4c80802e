//! The ways to tamper, one line each, with what the audit must say of it.

use musubi_sdk::{
    audit::{Finding, Kept, Part},
    ledger::{
        batch::{Batch, NodeId},
        code::Code,
        keys::SecretKey,
    },
};

use crate::{
    audit,
    common::town::{ALICE, BEGIN, BOB, a_day, node_key},
    findings,
    record::{Record, WITNESS, final_note, note_of},
};

/// One way to tamper.
struct Tampering {
    name: &'static str,
    change: fn(&mut Record),
    /// What must be found: which part, its code, the block.
    found: (Part, &'static str, Option<u64>),
    /// The first wrong leaf, counted from the block's first.
    leaf: Option<u64>,
    /// Words of the sentence.
    says: &'static str,
    /// Who is said to have signed it: node ids.
    by: &'static [u64],
}

/// Block 3 of the town has six items, of which the first three get leaves.
const B: usize = 3;

macro_rules! tampering {
    ($name:literal, $change:expr => $part:ident $code:literal, block $height:expr, leaf $leaf:expr, $says:literal, by $by:expr) => {
        Tampering {
            name: $name,
            change: $change,
            found: (Part::$part, $code, $height),
            leaf: $leaf,
            says: $says,
            by: &$by,
        }
    };
}

const TABLE: &[Tampering] = &[
    tampering!("a byte of an item", |r| r.unsigned(B, |b| b.items[1][40] ^= 1)
        => Leaf "differs", block Some(3), leaf Some(1), "the entry itself: not signed by the leader", by []),
    tampering!("two items swapped", |r| r.unsigned(B, |b| b.items.swap(0, 1))
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by []),
    tampering!("two items swapped by the leader", |r| r.resigned(B, |b| b.items.swap(0, 1))
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by [1]),
    tampering!("an item dropped by the leader", |r| r.resigned(B, |b| drop(b.items.remove(1)))
        => Leaf "differs", block Some(3), leaf Some(1), "id is published as", by [1]),
    tampering!("an item added by the leader", |r| {
        let item = r.town.pay(BOB, ALICE, 1).encode();
        r.resigned(B, |b| b.items.push(item));
    } => Leaf "differs", block Some(3), leaf Some(3), "kind is published as Seal", by [1]),
    tampering!("a void item added by the leader", |r| r.resigned(B, |b| b.items.push(vec![1]))
        => Seal "differs", block Some(3), leaf Some(3), "void items is published as 3, re-execution gives 4", by [1]),
    tampering!("a batch replayed", |r| { let again = r.entries[1].clone(); r.entries.insert(2, again); }
        => Seal "differs", block Some(3), leaf Some(0), "do not follow those of the entry before", by [1]),
    tampering!("a batch dropped", |r| drop(r.entries.remove(1))
        => Leaf "differs", block Some(2), leaf Some(0), "id is published as", by [1]),
    tampering!("a batch signed by another key", |r| { let b = r.batch(B); r.put(B, b, &SecretKey::from_seed(&[77; 32])); }
        => Seal "differs", block Some(3), leaf Some(3), "not signed by the leader it names", by []),
    tampering!("a batch by nobody's node", |r| { let mut b = r.batch(B); b.leader = NodeId(9); r.put(B, b, &SecretKey::from_seed(&[77; 32])); }
        => Seal "differs", block Some(3), leaf Some(3), "cut by node 9, which the genesis document does not name", by []),
    tampering!("a batch by another node in the leader's term", |r| { let mut b = r.batch(B); b.leader = NodeId(2); r.put(B, b, &node_key(2)); }
        => Seal "differs", block Some(3), leaf Some(3), "cut by node 2 in term 1, in which node 1 led", by [2]),
    tampering!("a lower term", |r| r.resigned(B, |b| b.term = 0)
        => Seal "differs", block Some(3), leaf Some(3), "term 0 and index 6 do not follow", by [1]),
    tampering!("a repeated index", |r| r.resigned(B, |b| b.index = 4)
        => Seal "differs", block Some(3), leaf Some(3), "term 1 and index 4 do not follow", by [1]),
    tampering!("a changed stamp", |r| r.unsigned(B, |b| b.time = b.time.plus(1))
        => Leaf "differs", block Some(3), leaf Some(0), "time is published as", by []),
    tampering!("a stamp back-dated by the leader", |r| r.resigned(B, |b| b.time = BEGIN)
        => Leaf "differs", block Some(3), leaf Some(0), "time is published as", by [1]),
    tampering!("another chain's batch", |r| r.resigned(B, |b| b.chain.0[0] ^= 1)
        => Entry "other_chain", block Some(3), leaf None, "for another chain", by []),
    tampering!("an entry that is no batch", |r| r.entries[B - 1].truncate(9)
        => Entry "bad_entry", block Some(3), leaf None, "not a batch", by []),
    tampering!("a changed leaf", |r| { let at = r.first_leaf(B); r.leaf(at + 1, |l| l.outcome[5] ^= 1); }
        => Leaf "differs", block Some(3), leaf Some(1), "hash of the outcome is published as", by [1]),
    tampering!("a changed verdict", |r| { let at = r.first_leaf(B); r.leaf(at + 2, |l| l.code = Code::Applied); }
        => Leaf "differs", block Some(3), leaf Some(2), "verdict is published as applied, re-execution gives insufficient_funds", by [1]),
    tampering!("a leaf left out", |r| { let at = r.first_leaf(B); r.leaves.remove(at); }
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by [1]),
    tampering!("a leaf put in", |r| { let at = r.first_leaf(B); let leaf = r.leaves[at].clone(); r.leaves.insert(at, leaf); }
        => Leaf "differs", block Some(3), leaf Some(1), "id is published as", by [1]),
    tampering!("a seal's time", |r| r.seal(B, |s| s.time = s.time.plus(1))
        => Seal "differs", block Some(3), leaf Some(3), "time is published as", by [1]),
    tampering!("a seal's count", |r| r.seal(B, |s| s.items += 1)
        => Seal "differs", block Some(3), leaf Some(3), "items is published as 7, re-execution gives 6", by [1]),
    tampering!("a seal's state digest", |r| r.seal(B, |s| s.state[0] ^= 1)
        => Seal "differs", block Some(3), leaf Some(3), "state digest is published as", by [1]),
    tampering!("a seal left out", |r| drop(r.seals.remove(B))
        => Seal "differs", block Some(3), leaf Some(3), "height is published as 4", by [1]),
    tampering!("the last blocks cut off", |r| { let end = r.last() - 3; r.cut(end); }
        => Checkpoint "other_size", block None, leaf None, "where no block of this log of", by [1]),
    tampering!("an entry too many", |r| { let last = r.batch(r.last()); let more = Batch { index: last.index + 9, ..last }; r.entries.push(vec![]); let at = r.entries.len(); r.put(at, more, &node_key(1)); }
        => Seal "missing", block Some(10), leaf None, "it is missing", by [1]),
    tampering!("a leaf too many", |r| { let leaf = r.leaves[1].clone(); r.leaves.push(leaf); }
        => Leaf "surplus", block Some(10), leaf Some(0), "it follows from no entry", by []),
    tampering!("a forged root", |r| { let size = r.town.chain.head().size; r.notes[1] = r.forged(2, size, [7; 32], &node_key(2)); }
        => Checkpoint "other_root", block None, leaf None, "node 2 signed root 0707", by [2]),
    tampering!("a checkpoint by an unknown key", |r| { let head = r.town.chain.head(); let root = r.town.chain.root(); r.notes[1] = r.forged(2, head.size, root, &SecretKey::from_seed(&[78; 32])); }
        => Checkpoint "no_trusted_signature", block None, leaf None, "node 2's checkpoint", by []),
    tampering!("a checkpoint of an unknown node", |r| { let note = r.notes[0].1.clone(); r.notes[1] = (8, note); }
        => Checkpoint "unknown_validator", block None, leaf None, "node 8", by []),
    tampering!("checkpoints of too few", |r| { r.notes.truncate(1); r.final_note = final_note(&r.town, r.last(), &[1], &[1, 3]); }
        => Checkpoint "not_covered", block None, leaf None, "1 of 3 validators", by []),
    tampering!("history rewritten since a checkpoint was kept", |r| { let size = r.town.blocks[4].head.size; let note = r.forged(1, size, [9; 32], &node_key(1)).1; r.kept.push(Kept { name: "kept.note".into(), note }); }
        => Kept "kept_root", block None, leaf None, "history was rewritten since", by [1]),
    tampering!("cut off since a checkpoint was kept", |r| { let note = r.town.note(2, r.last()).1; r.kept.push(Kept { name: "kept.note".into(), note }); let end = r.last() - 2; r.cut(end); r.notes = vec![r.town.note(1, end), r.town.note(2, end)]; }
        => Kept "kept_size", block None, leaf None, "this record was cut off or rewritten since", by [2]),
    tampering!("a kept checkpoint by nobody", |r| { let note = r.forged(1, 5, [9; 32], &SecretKey::from_seed(&[79; 32])).1; r.kept.push(Kept { name: "kept.note".into(), note }); }
        => Kept "bad_kept_checkpoint", block None, leaf None, "kept.note", by []),
    tampering!("a changed tile hash", |r| r.tiles[0][7 * 32] ^= 1
        => Tile "other_tile", block None, leaf Some(7), "hash 7 of level 0 is published as", by []),
    tampering!("a tile left out", |r| r.tiles.clear()
        => Tile "missing", block None, leaf None, "it is missing", by []),
    tampering!("a final root that is another", |r| { let size = r.town.chain.head().size; r.final_note = note_of(&r.town, size, [7; 32], &[1, 2], &[2, 3]); }
        => Checkpoint "final_root", block None, leaf None, "the final root at size", by [2, 3]),
    tampering!("a final checkpoint below quorum", |r| r.final_note = final_note(&r.town, r.last(), &[1, 2, 3], &[2])
        => Checkpoint "no_quorum", block None, leaf None, "1 of the 2 members that policy 1 asks for", by []),
    tampering!("cosigned by an unknown key", |r| r.final_note = final_note(&r.town, r.last(), &[1], &[2, WITNESS])
        => Checkpoint "no_quorum", block None, leaf None, "1 of the 2 members", by []),
    tampering!("final beyond what is here", |r| r.final_note = note_of(&r.town, 99, [7; 32], &[1, 2], &[2, 3])
        => Checkpoint "final_size", block None, leaf None, "is of size 99", by [2, 3]),
    tampering!("a damaged policy bundle", |r| r.bundle.genesis[40] ^= 1
        => Policy "bad_genesis", block None, leaf None, "genesis document", by []),
    tampering!("the genesis document", |r| { let at = r.genesis.len() - 1; r.genesis[at] ^= 1; r.pinned = true; }
        => Genesis "wrong_chain", block None, leaf None, "was to be audited", by []),
    tampering!("another genesis document", |r| { let mut g = r.town.genesis.clone(); g.salt.0[0] ^= 1; r.genesis = g.encode(); }
        => Leaf "differs", block Some(0), leaf Some(0), "id is published as", by []),
];

#[tokio::test]
async fn each_way_to_tamper_is_found_at_its_place_with_its_reason() {
    assert!(TABLE.len() >= 20);
    let clean = Record::of(a_day());
    audit(&clean, clean.options()).await.unwrap();
    for way in TABLE {
        let mut record = Record::of(a_day());
        (way.change)(&mut record);
        let found = findings(audit(&record, record.options()).await);
        let Finding { part, height, leaf, fault, signed_by, .. } = &found.first;
        let name = way.name;
        assert_eq!((*part, fault.code(), *height), way.found, "{name}: {found}");
        let first = |block: u64| match usize::try_from(block).unwrap() {
            block if block <= record.last() => record.first_leaf(block) as u64,
            _ => record.town.chain.head().size,
        };
        let wanted = way.leaf.map(|leaf| first(height.unwrap_or(0)) + leaf);
        assert_eq!(*leaf, wanted, "{name}: {found}");
        assert!(found.first.to_string().contains(way.says), "{name}: {found}");
        let by: Vec<u64> = signed_by.iter().filter_map(|by| by.node).collect();
        assert_eq!(by, way.by, "{name}: {found}");
        for signer in signed_by {
            assert!(found.first.to_string().contains(&signer.organisation), "{name}: {found}");
        }
    }
}
