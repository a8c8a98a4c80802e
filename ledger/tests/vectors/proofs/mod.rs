//! Proofs of transactions: good ones of every kind, altered ones with the code that refuses each, and ones that a
//! dishonest quorum could make.

mod lies;
mod story;
mod tampered;

use crate::common::*;
use musubi_ledger::{
    execute::Entry,
    policy::{PolicyBundle, PolicyChain},
    proof::{Subject, TransactionProof},
    tlog::proof::prove_inclusion,
};
use serde_json::{Value, json};

/// What a file is refused with; `verified` if it is not.
fn verdict(file: &[u8], policies: &PolicyChain) -> &'static str {
    let proof = TransactionProof::parse(file);
    match proof.and_then(|proof| proof.verify(policies)) {
        Ok(_) => "verified",
        Err(error) => error.code(),
    }
}

fn good(name: &str, proof: &TransactionProof, policies: &PolicyChain) -> Value {
    let file = proof.to_string();
    let parsed = TransactionProof::parse(file.as_bytes()).unwrap();
    assert_eq!(parsed.to_string(), file, "{name}: one spelling");
    let proven = parsed.verify(policies).unwrap();
    let cosigned = proven.checkpoint.cosigned.iter();
    let cosigned: Vec<Value> =
        cosigned.map(|c| json!({ "name": c.name, "unix_seconds": c.unix_seconds })).collect();
    let (body, system) = match &proven.subject {
        Subject::Transaction(transaction) => (Some(&transaction.body), None),
        Subject::System(action) => (None, Some(hex::encode(action.cause))),
    };
    json!({
        "name": name,
        "file": file,
        "index": proven.index,
        "leaf": hex::encode(proven.leaf.encode()),
        "id": proven.leaf.id,
        "height": proven.leaf.height,
        "time": proven.leaf.time,
        "code": proven.code(),
        "body": body,
        "system_cause": system,
        "signers": proven.signatures().iter().map(|s| s.signer).collect::<Vec<_>>(),
        "outcome": proven.outcome,
        "size": proven.checkpoint.checkpoint.size(),
        "root": hex::encode(proven.checkpoint.checkpoint.root()),
        "cosigned": cosigned,
    })
}

fn refused(cases: Vec<(String, Vec<u8>, &'static str)>, policies: &PolicyChain) -> Vec<Value> {
    let case = |(name, file, code): (String, Vec<u8>, &'static str)| {
        assert_eq!(verdict(&file, policies), code, "{name}");
        json!({ "name": name, "file": String::from_utf8(file).unwrap(), "code": code })
    };
    cases.into_iter().map(case).collect()
}

pub(crate) fn all() -> Value {
    let policies = policies();
    let world = story::tell();
    let proofs = story::proofs(&world);
    let good: Vec<Value> = proofs.iter().map(|(name, p)| good(name, p, &policies)).collect();
    let bundle = PolicyBundle { genesis: genesis().encode(), steps: vec![] };
    bundle.verify(&policies.chain()).unwrap();
    json!({
        "chain": policies.chain(),
        "origin": policies.newest().origin(),
        "policy": policies.newest().to_text(),
        "bundle": hex::encode(bundle.encode()),
        "proofs": good,
        "altered": refused(tampered::all(&world, &proofs), &policies),
        "lies": refused(lies::all(), &policies),
    })
}

#[test]
fn a_proof_is_made_of_what_belongs_together_or_not_at_all() {
    let world = story::tell();
    let entries = world.archive.entries();
    let note = signed_by(&world.checkpoint(), &VALIDATORS);
    let make = |entry: &Entry, transaction| {
        let path = prove_inclusion(&world.archive, entry.index, world.checkpoint().size()).unwrap();
        TransactionProof::make(entry, transaction, path, note.clone())
    };
    assert_eq!(make(&entries[0], None).unwrap_err().code(), "nothing_to_open", "genesis");
    let [one, other] = [1, 2].map(|at| &entries[at]);
    let good = make(one, world.archive.transaction(one)).unwrap();
    assert_eq!(good.verify(&policies()).unwrap().leaf, one.leaf);
    let wrong = make(one, world.archive.transaction(other)).unwrap_err();
    assert_eq!(wrong.code(), "id_mismatch");
    assert_eq!(make(one, None).unwrap_err().code(), "nothing_to_open", "its item was lost");
    let mut altered = one.clone();
    altered.outcome.cites.push(TxId([1; 32]));
    assert_eq!(
        make(&altered, world.archive.transaction(one)).unwrap_err().code(),
        "outcome_mismatch"
    );
    let system = entries.iter().find(|entry| entry.due.is_some()).unwrap();
    let mut altered = system.clone();
    altered.due.as_mut().unwrap().deadline.0 += 1;
    assert_eq!(make(&altered, None).unwrap_err().code(), "id_mismatch");
}
