//! A golden snapshot: a manifest with what follows from it, the rows under its seal in two pages, and manifests that
//! are refused, with why.

use crate::common::*;
use musubi_ledger::{
    batch::{Batch, NodeId},
    snapshot::{Gathered, Manifest, RowPage, page::KeyedRow},
    tlog::proof::prove_inclusion,
};
use serde_json::{Value, json};

/// Term and index of the seal's entry: not what height and number of blocks would suggest.
const PLACE: (u64, u64) = (3, 41);

/// Two parties, one of which has money.
fn city() -> World {
    let mut world = World::bare();
    world.register("alice", PartyKind::Person);
    world.register("shop", PartyKind::Merchant);
    let grant = allowance("MEBUKU", 9_000, 9_000, 9_000, BEGIN.plus(DAY));
    let granted = world.apply("i1", grant, &[officer("issuer", "i1"), officer("city", "c1")]);
    world.allowances.insert("MEBUKU", granted);
    world.fund("alice", "MEBUKU", 5_000);
    world
}

/// The state after a payment, under a checkpoint of a block later, and the rows as they travel.
fn snapshot() -> (Manifest, Vec<KeyedRow>) {
    let mut world = city();
    let leader = (NodeId(2), "operator/node");
    let both = [debit("alice"), credit("shop")];
    let items = vec![world.transaction("alice", pay("alice", "shop", 700), &both).encode()];
    assert_eq!(world.block_at(PLACE, leader, items.clone()), [Code::Applied]);
    let (seal, index) = (world.last.seal, world.last.head.size - 1);
    let by = (leader.0, &key(leader.1));
    let entry = Batch::sign(world.chain.id(), PLACE, world.now, items, by).encode();
    let rows = world.state.rows().map(|(key, row)| (key.to_bytes(), row.encode()));
    let mut rows: Vec<KeyedRow> = rows.collect();
    rows.sort();
    let later = world.transaction("alice", pay("alice", "shop", 1), &both).encode();
    assert_eq!(world.block_at((PLACE.0, PLACE.1 + 1), leader, vec![later]), [Code::Applied]);
    let path = prove_inclusion(&world.archive, index, world.checkpoint().size()).unwrap();
    let checkpoint = signed_by(&world.checkpoint(), &VALIDATORS[1..]);
    (Manifest { seal, index, path, entry, checkpoint }, rows)
}

/// What a manifest is refused with.
fn code(bytes: &[u8]) -> &'static str {
    let verified = Manifest::decode(bytes).and_then(|manifest| manifest.verify(&policies()));
    verified.map_or_else(|error| error.code(), |_| "verified")
}

/// Each a small change of a good one.
fn refused(good: &Manifest) -> Vec<Value> {
    let changed = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        manifest.encode()
    };
    let text = good.checkpoint.split("\n\n").next().unwrap();
    let text = format!("{text}\n").parse().unwrap();
    let mut batch = Batch::decode(&good.entry).unwrap();
    batch.term += 1;
    let cases = [
        ("cut off", "bad_manifest", good.encode()[..200].to_vec()),
        ("a byte left over", "bad_manifest", [&good.encode()[..], &[0]].concat()),
        (
            "one voice of three",
            "no_quorum",
            changed(&|m| m.checkpoint = signed_by(&text, &["city"])),
        ),
        ("another leaf's index", "root_mismatch", changed(&|m| m.index -= 1)),
        ("a path too short", "wrong_proof_length", changed(&|m| m.path.truncate(1))),
        ("another state in the seal", "root_mismatch", changed(&|m| m.seal.state[0] ^= 1)),
        ("another entry", "snapshot_entry", changed(&|m| m.entry = batch.encode())),
        ("no entry", "snapshot_entry", changed(&|m| m.entry.clear())),
    ];
    let case = |(name, error, bytes): (&str, &str, Vec<u8>)| {
        assert_eq!(code(&bytes), error, "{name}");
        json!({ "name": name, "bytes": hex::encode(bytes), "error": error })
    };
    cases.into_iter().map(case).collect()
}

pub(crate) fn golden() -> Value {
    let (manifest, rows) = snapshot();
    let bytes = manifest.encode();
    assert_eq!(Manifest::decode(&bytes).unwrap(), manifest);
    let policies = policies();
    let anchor = manifest.verify(&policies).unwrap();
    let mut gathered = Gathered::new();
    rows.iter().for_each(|(key, row)| gathered.take(key, row).unwrap());
    let known: Vec<_> = policies.all().collect();
    let others = gathered.finish(&anchor.state, &known, 0).unwrap();
    let (first, second) = rows.split_at(rows.len() / 2);
    let pages = [(first, false), (second, true)].map(|(rows, last)| {
        let page = RowPage { rows: rows.to_vec(), last };
        assert_eq!(RowPage::decode(&page.encode()).unwrap(), page);
        hex::encode(page.encode())
    });
    let peaks: Vec<String> = anchor.log.peaks().iter().map(hex::encode).collect();
    json!({
        "genesis_bytes": hex::encode(genesis().encode()),
        "chain": policies.chain(),
        "policy": policies.newest().to_text(),
        "manifest": hex::encode(bytes),
        "seal": manifest.seal,
        "seal_leaf": hex::encode(manifest.seal.leaf().encode()),
        "checkpoint": manifest.checkpoint,
        "says": {
            "height": anchor.head.height,
            "time": anchor.head.time,
            "size": anchor.head.size,
            "peaks": peaks,
            "root": hex::encode(anchor.log.root()),
            "term": anchor.term,
            "index": anchor.index,
            "state": hex::encode(anchor.state),
            "final_size": anchor.final_size,
        },
        "pages": pages,
        "rows": rows.len(),
        "rows_digest": hex::encode(others.digest()),
        "refused": refused(&manifest),
    })
}
