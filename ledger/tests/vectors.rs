//! The vectors in `vectors/`: what another implementation is checked against. Everything is derived
//! from names (`common/names.rs`), regenerated here and compared byte by byte. After a deliberate change
//! of the format, `UPDATE_VECTORS=1 cargo test -p musubi-ledger --test vectors` rewrites them.
#![allow(clippy::unwrap_used)]

#[path = "vectors/block.rs"]
mod block;
mod common;
#[path = "vectors/evidence.rs"]
mod evidence;
#[path = "vectors/invalid.rs"]
mod invalid;
#[path = "vectors/json.rs"]
mod json_forms;
#[path = "vectors/operations.rs"]
mod operations;
#[path = "vectors/papers.rs"]
mod papers;
#[path = "vectors/proofs/mod.rs"]
mod proofs;
#[path = "vectors/snapshots.rs"]
mod snapshots;
#[path = "vectors/statements.rs"]
mod statements;
#[path = "vectors/witness.rs"]
mod witness;

use std::{env, fs, path::PathBuf};

use common::*;
use musubi_ledger::transaction::preimage;
use serde_json::{Value, json};

/// Compares `value` with the file, or rewrites the file if asked to.
fn compare(file: &str, value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    compare_bytes(file, text.as_bytes());
}

/// The same for a file that is no JSON.
fn compare_bytes(file: &str, bytes: &[u8]) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "vectors", file].iter().collect();
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, bytes).unwrap();
        return;
    }
    let kept = fs::read(&path).unwrap();
    assert!(kept == bytes, "{file} differs from what the code makes: the format changed");
}

/// One transaction with everything that is hashed or signed on the way.
fn transaction_vector(name: &str, body: &Body, signers: &[By]) -> Value {
    let id = body.id();
    let signed: Vec<Value> = signers
        .iter()
        .map(|s| {
            let secret = key(&s.key);
            let party = crate::common::id(&s.party);
            let bytes = preimage(&body.chain, (s.side, s.role), &party, &secret.public(), &id);
            json!({
                "seed": hex::encode(secret.seed()),
                "side": s.side,
                "role": s.role,
                "party": party,
                "signing_bytes": hex::encode(bytes),
                "signature": secret.sign(&bytes),
            })
        })
        .collect();
    let transaction = sign(body.clone(), signers);
    let bytes = transaction.encode();
    assert_eq!(Transaction::decode(&bytes).unwrap(), transaction);
    let json = serde_json::to_string(&transaction).unwrap();
    assert_eq!(serde_json::from_str::<Transaction>(&json).unwrap(), transaction);
    assert!(bytes.starts_with(&body.encode()), "the version byte stands once");
    json!({
        "name": name,
        "body": body,
        "body_bytes": hex::encode(body.encode()),
        "id": id,
        "signed": signed,
        "signatures_hash": hex::encode(transaction.signatures_hash()),
        "transaction_bytes": hex::encode(bytes),
    })
}

#[test]
fn every_operation() {
    let world = World::bare();
    let vectors: Vec<Value> = operations::all()
        .into_iter()
        .enumerate()
        .map(|(at, (name, operation, signers))| {
            let body = operations::body(world.chain.id(), at, operation);
            transaction_vector(name, &body, &signers)
        })
        .collect();
    let tags: std::collections::BTreeSet<String> = vectors
        .iter()
        .map(|v| match &v["body"]["operation"] {
            Value::Object(operation) => operation.keys().next().unwrap().clone(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(tags.len(), 59, "every operation has a vector");
    compare("operations.json", &json!(vectors));
}

#[test]
fn invalid_encodings() {
    compare("invalid.json", &json!(invalid::all()));
}

#[test]
fn golden_block() {
    compare("block.json", &block::golden());
}

#[test]
fn golden_statements() {
    compare("statements.json", &statements::golden());
}

#[test]
fn golden_snapshot() {
    compare("snapshot.json", &snapshots::golden());
}

#[test]
fn evidence_files() {
    compare("evidence.json", &evidence::all());
}

#[test]
fn proofs_of_transactions() {
    let all = proofs::all();
    // One of them as the files that a verifier has, to be tried as they are.
    let bundle = hex::decode(all["bundle"].as_str().unwrap()).unwrap();
    compare_bytes("policies.musubi", &bundle);
    compare_bytes("purchase.tlog-proof", all["proofs"][0]["file"].as_str().unwrap().as_bytes());
    compare("proofs.json", &all);
}

/// What needs no cipher of the vectors that the SDK makes (`client-sdk/src/memo/tests.rs`).
#[test]
fn memos_as_the_sdk_writes_them() {
    use musubi_ledger::memo::{MemoBlob, Reveal, commitment, context, text_key};
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "vectors", "memos.json"].iter().collect();
    let vectors: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for vector in vectors.as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let bytes = hex::decode(text("blob")).unwrap();
        let blob = MemoBlob::decode(&bytes).unwrap();
        assert_eq!((blob.encode(), blob.hash().to_string()), (bytes, text("hash").into()));
        let mut body = operations::body(World::bare().chain.id(), 0, pay("alice", "bob", 5));
        body.chain = text("chain").parse().unwrap();
        body.sender = text("sender").parse().unwrap();
        body.reference = text("reference").parse().unwrap();
        body.memo = Some(blob.hash());
        let reveal = Reveal::parse(text("reveal").as_bytes()).unwrap();
        assert_eq!(reveal.to_string(), text("reveal"));
        let context = context(&body);
        assert_eq!(reveal.check(&body).unwrap(), context);
        assert_eq!(hex::encode(context), text("context"));
        assert_eq!(hex::encode(reveal.key), text("key"));
        assert_eq!(hex::encode(commitment(&reveal.key, &context)), text("commitment"));
        assert_eq!(hex::encode(text_key(&reveal.key, &context)), text("text_key"));
        let readers = vector["readers"].as_array().unwrap();
        assert_eq!(readers.len(), blob.wraps.len());
    }
}

#[test]
fn witness_protocol() {
    compare("witness.json", &witness::golden());
}

#[test]
fn codes() {
    let codes: Vec<Value> = Code::ALL
        .iter()
        .map(|code| {
            json!({
                "number": *code as u16,
                "name": code,
                "standing": code.standing(),
                "about_signatures": code.about_signatures(),
                "sentence": code.sentence(),
            })
        })
        .collect();
    compare("codes.json", &json!(codes));
}

#[test]
fn texts_of_identifiers() {
    let scheme = musubi_ledger::address::SchemePrefix::new("maebashi").unwrap();
    let parties: Vec<Value> = ["alice", "club", "shop"]
        .iter()
        .map(|name| {
            json!({
                "bytes": hex::encode(id(name).0),
                "party": id(name),
                "address": scheme.address(id(name)),
                "medium": medium(name),
                "medium_bytes": hex::encode(medium(name).0),
            })
        })
        .collect();
    let instruments: Vec<Value> = ["A", "MEBUKU", "ABCDEFGHIJ-12345"]
        .iter()
        .map(|name| json!({ "text": name, "bytes": hex::encode(instrument(name).bytes()) }))
        .collect();
    compare("identifiers.json", &json!({ "parties": parties, "instruments": instruments }));
}
