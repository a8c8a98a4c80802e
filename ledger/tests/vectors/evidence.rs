//! Evidence files: one of each kind with what it shows, and files that show nothing, with why.

use crate::common::*;
use musubi_ledger::{
    batch::{Batch, NodeId},
    evidence::{Evidence, SignedBatch, Suspect, Suspects, TwoRoots, verify},
    hash::Hash,
    tlog::{
        checkpoint::Checkpoint,
        merkle::{leaf_hash, node_hash},
        note::SignedNote,
        signature::NoteSignature,
    },
};
use serde_json::{Value, json};

fn node_key() -> SecretKey {
    key("partner/node")
}

fn suspect(suspects: &Suspects) -> Suspect {
    suspects.list().iter().find(|s| s.key == node_key().public()).unwrap().clone()
}

fn batch(items: Vec<Vec<u8>>) -> Batch {
    Batch::sign(genesis().chain(), (4, 17), BEGIN, items, (NodeId(3), &node_key()))
}

fn note(suspect: &Suspect, size: u64, root: Hash) -> String {
    let origin = genesis().origin();
    let text = Checkpoint::new(&origin, size, root).unwrap().to_string();
    let mut note = SignedNote::new(text).unwrap();
    let vkey = suspect.verifier_key(&origin).unwrap();
    let line = NoteSignature::sign(note.text(), &vkey, |m| node_key().sign(m).0);
    note.add(line).unwrap();
    note.to_string()
}

fn payment(whole: bool) -> Vec<u8> {
    let chain = World::bare().chain.id();
    let body = super::operations::body(chain, 0, pay("alice", "bob", 500));
    let mut tx = sign(body, &[debit("alice"), credit("bob")]);
    tx.signatures[1].bytes.0[7] ^= u8::from(!whole);
    tx.encode()
}

fn shown(name: &str, evidence: &Evidence, suspects: &Suspects) -> Value {
    let bytes = evidence.encode();
    assert_eq!(Evidence::decode(&bytes).unwrap(), *evidence);
    let finding = verify(&bytes, suspects).unwrap();
    json!({
        "name": name,
        "bytes": hex::encode(&bytes),
        "file": finding.file_name(),
        "finding": finding,
        "sentence": finding.to_string(),
    })
}

fn refused(name: &str, bytes: &[u8], suspects: &Suspects) -> Value {
    let error = verify(bytes, suspects).unwrap_err();
    json!({ "name": name, "bytes": hex::encode(bytes), "error": error.code() })
}

pub(crate) fn all() -> Value {
    let suspects = Suspects::of_genesis(&genesis());
    let who = suspect(&suspects);
    let (one, other) = (batch(vec![payment(true)]), batch(vec![]));
    let double = Evidence::double_batch(&one.encode(), &other.encode()).unwrap();
    let bad = Evidence::bad_item(&batch(vec![payment(true), payment(false)]), 1).unwrap();
    let good = Evidence::bad_item(&one, 0).unwrap();
    // A log of the leaves 0, 1, 2 and one whose first leaf is another.
    let [a, b, c, d] = [0u8, 1, 2, 3].map(|leaf| leaf_hash(&[leaf]));
    let (truth, lie) = (node_hash(&a, &b), node_hash(&d, &b));
    let later = note(&who, 3, node_hash(&truth, &c));
    let two = Evidence::two_roots(&who, &note(&who, 2, truth), &note(&who, 2, lie)).unwrap();
    let proof = (truth, vec![c]);
    let rewritten = Evidence::rewritten(&who, &note(&who, 2, lie), &later, proof).unwrap();
    let same = TwoRoots { first: note(&who, 2, truth), second: note(&who, 2, truth) };
    let mut flipped = double.encode();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let mut trailing = two.encode();
    trailing.push(0);
    json!({
        "genesis_bytes": hex::encode(genesis().encode()),
        "signed_hash": hex::encode(SignedBatch::of(&one).signed_hash()),
        "shown": [
            shown("two batches at one place", &double, &suspects),
            shown("an item that nobody signed", &bad, &suspects),
            shown("two roots at one size", &two, &suspects),
            shown("a rewritten history", &rewritten, &suspects),
        ],
        "refused": [
            refused("a batch signed by nobody", &flipped, &suspects),
            refused("an item that is well signed", &good.encode(), &suspects),
            refused("one root, signed once", &Evidence::TwoRoots(same).encode(), &suspects),
            refused("a byte left over", &trailing, &suspects),
        ],
    })
}
