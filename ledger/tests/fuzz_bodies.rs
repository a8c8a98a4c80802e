//! Fuzz bodies: whatever the bytes are, nothing panics, and what decodes is the only spelling of it.
//!
//! Each `body_*` takes any bytes and may be driven by any fuzzer. Here they run as plain property
//! tests, over random bytes and over mutated good ones.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use musubi_ledger::{
    address::SchemePrefix,
    batch::{Batch, NodeId},
    execute::{Chain, check_items},
    genesis::{Genesis, RULES_VERSION},
    hash::sha256,
    id::{MediumId, Reference},
    leaf::{Leaf, SealBody},
    tlog::{
        base64, bundle,
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        tile::{Bundle, Tile, TilePath},
        vkey::{Algorithm, VerifierKey},
    },
};
use proptest::prelude::*;

/// Transactions, binary and JSON.
fn body_transaction(bytes: &[u8]) {
    if let Ok(tx) = Transaction::decode(bytes) {
        assert_eq!(tx.encode(), bytes, "one spelling");
        let json = serde_json::to_vec(&tx).unwrap();
        assert_eq!(serde_json::from_slice::<Transaction>(&json).unwrap(), tx);
        let _ = check_items(&tx.body.chain, RULES_VERSION, &[bytes.to_vec()], &|_| false);
    }
    if let Ok(tx) = serde_json::from_slice::<Transaction>(bytes) {
        let again = serde_json::to_vec(&tx).unwrap();
        assert_eq!(serde_json::from_slice::<Transaction>(&again).unwrap(), tx);
    }
}

/// Batches, as they come from a leader.
fn body_batch(bytes: &[u8]) {
    if let Ok(batch) = Batch::decode(bytes) {
        assert_eq!(batch.encode(), bytes, "one spelling");
        let _ = batch.check(&batch.chain, (batch.term, batch.index), &key("city/node").public());
    }
}

/// Genesis documents: what is accepted opens a chain.
fn body_genesis(bytes: &[u8]) {
    if let Ok(genesis) = Genesis::decode(bytes) {
        assert_eq!(genesis.encode(), bytes, "one spelling");
        let (chain, block) = Chain::open(&genesis);
        assert_eq!(chain.head().size, 2);
        assert_eq!(block.seal.entry, sha256(bytes));
    }
}

/// Leaves, seals, rows and keys of rows.
fn body_records(bytes: &[u8]) {
    if let Ok(leaf) = Leaf::decode(bytes) {
        assert_eq!(leaf.encode(), bytes);
    }
    if let Ok(seal) = SealBody::decode(bytes) {
        assert_eq!(seal.encode(), bytes);
    }
    if let Ok(row) = Row::decode(bytes) {
        assert_eq!(row.encode(), bytes);
    }
    if let Some(key) = RowKey::due_from_bytes(bytes) {
        assert_eq!(key.to_bytes(), bytes);
    }
}

/// Notes, checkpoints, verifier keys, tiles and their paths.
fn body_log(bytes: &[u8]) {
    let log_key =
        VerifierKey::new("log", Algorithm::Ed25519, &key("city/node").public().0).unwrap();
    let trusted = [log_key];
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes, "one spelling");
        let _ = note.verify(&trusted);
    }
    let _ = Checkpoint::open(bytes, "log", &trusted);
    for width in [1, 3, 256] {
        let _ = Tile { level: 0, index: 0, width }.decode(bytes);
        let _ = bundle::decode(&Bundle { index: 0, width }, bytes);
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
    }
    if let Ok(line) = text.parse::<VerifierKey>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(line) = text.parse::<NoteSignature>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(decoded) = base64::decode(text) {
        assert_eq!(base64::encode(&decoded), text);
    }
}

/// Everything that people type or scan.
fn body_texts(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let scheme = SchemePrefix::new("mebuku").unwrap();
    if let Ok(party) = scheme.party(text) {
        let lower = text.to_lowercase();
        assert!([scheme.address(party), party.to_string()].contains(&lower));
    }
    if let Ok(amount) = text.parse::<Amount>() {
        assert_eq!(amount.to_string(), text);
    }
    if let Ok(code) = text.parse::<InstrumentId>() {
        assert_eq!(code.to_string(), text);
    }
    if let Ok(id) = text.parse::<TxId>() {
        assert_eq!(id.to_string(), text);
    }
    let _ = text.parse::<PartyId>();
    let _ = text.parse::<MediumId>();
    let _ = text.parse::<Reference>();
    let _ = text.parse::<PublicKey>();
}

/// Whatever a leader puts into a batch, a block comes out, and the scan finds it sound.
fn body_block(items: Vec<Vec<u8>>) {
    let mut world = World::bare();
    let count = items.len();
    assert_eq!(world.block_of_items(items).len(), count);
}

/// Good examples of everything, to be mutated.
fn corpus() -> Vec<Vec<u8>> {
    let mut world = World::bare();
    let genesis = genesis().encode();
    let register = Operation::RegisterParty(register("alice", PartyKind::Person));
    let signers = [officer("registrar", "r1"), proves("alice", "alice")];
    let tx = world.transaction("r1", register, &signers);
    let payment = world.transaction("r1", pay("r1", "r2", 5), &[debit("r1"), credit("r2")]);
    let items = vec![tx.encode(), payment.encode()];
    let leader = (NodeId(1), &key("city/node"));
    let batch = Batch::sign(world.chain.id(), (1, 1), BEGIN, items, leader);
    world.block(&[tx.clone(), payment.clone()]);
    let log_key =
        VerifierKey::new("log", Algorithm::Ed25519, &key("city/node").public().0).unwrap();
    let checkpoint = Checkpoint::new("log", 5, world.chain.root()).unwrap();
    let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
    let signature = NoteSignature::sign(note.text(), &log_key, |m| key("city/node").sign(m).0);
    note.add(signature).unwrap();
    let mut corpus = vec![
        genesis,
        tx.encode(),
        payment.encode(),
        serde_json::to_vec(&payment).unwrap(),
        batch.encode(),
        world.last.seal.encode(),
        world.last.seal.leaf().encode(),
        note.to_string().into_bytes(),
        checkpoint.to_string().into_bytes(),
        log_key.to_string().into_bytes(),
        b"tile/3/x001/234.p/5".to_vec(),
        b"tile/entries/007".to_vec(),
        id("alice").to_string().into_bytes(),
        SchemePrefix::new("mebuku").unwrap().address(id("alice")).into_bytes(),
        b"18446744073709551615".to_vec(),
        bundle::encode(&[b"one", b"two"]).unwrap(),
    ];
    let rows = world.state.rows().take(40);
    corpus.extend(rows.map(|(_, row)| row.encode()));
    corpus
}

/// One change: (kind, where, what).
fn mutate(bytes: &mut Vec<u8>, (kind, at, what): (u8, usize, u8)) {
    if bytes.is_empty() {
        bytes.push(what);
    }
    let at = at % bytes.len();
    match kind % 7 {
        0 => bytes[at] = what,
        1 => bytes[at] ^= 1 << (what % 8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, what),
        4 => drop(bytes.remove(at)),
        5 => {
            let part = bytes[at..].to_vec();
            bytes.extend(part);
        }
        _ => {
            let end = (at + 8).min(bytes.len());
            bytes[at..end].fill(what);
        }
    }
}

fn all_bodies(bytes: &[u8]) {
    body_transaction(bytes);
    body_batch(bytes);
    body_genesis(bytes);
    body_records(bytes);
    body_log(bytes);
    body_texts(bytes);
}

type Mutations = Vec<(u8, usize, u8)>;

fn mutations() -> impl Strategy<Value = Mutations> {
    proptest::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 0..4)
}

#[test]
fn the_corpus_itself_passes() {
    for bytes in corpus() {
        all_bodies(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        all_bodies(&bytes);
        let versioned = [&[1], &bytes[..]].concat();
        all_bodies(&versioned);
    }

    #[test]
    fn random_text(text in "\\PC{0,80}") {
        all_bodies(text.as_bytes());
    }

    #[test]
    fn mutated_examples(changes in mutations()) {
        for mut bytes in corpus() {
            for change in &changes {
                mutate(&mut bytes, *change);
            }
            all_bodies(&bytes);
        }
    }

    #[test]
    fn blocks_of_mutated_items(changes in proptest::collection::vec(mutations(), 1..6)) {
        let good = &corpus()[1..3];
        let items = changes
            .iter()
            .enumerate()
            .map(|(at, changes)| {
                let mut bytes = good[at % 2].clone();
                changes.iter().for_each(|change| mutate(&mut bytes, *change));
                bytes
            })
            .collect();
        body_block(items);
    }
}
