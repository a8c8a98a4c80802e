#![allow(clippy::unwrap_used)]
use std::time::{Duration, Instant};

use musubi_ledger::{id::TxId, policy::PolicyBundle};
use serde_json::Value;

use super::*;
use crate::{item::Item, load::Answer};

/// The ledger's golden proofs with the policies that they verify under.
pub(in crate::demo) fn vectors() -> (PolicyChain, Value) {
    let text = include_str!("../../../../ledger/vectors/proofs.json");
    let vectors: Value = serde_json::from_str(text).unwrap();
    let bundle = hex::decode(vectors["bundle"].as_str().unwrap()).unwrap();
    let chain = vectors["chain"].as_str().unwrap().parse().unwrap();
    (PolicyBundle::decode(&bundle).unwrap().verify(&chain).unwrap(), vectors)
}

fn told(expected: Expected, id: u8, place: Place, code: &str) -> Delivered {
    let item = Item { kind: "dues", id: TxId([id; 32]), bytes: Vec::new(), expected };
    let answer =
        Answer { code: code.into(), place, latency: Duration::ZERO, acked: Instant::now() };
    Delivered { item, answer }
}

/// What the client would know of a proven transaction, had it been the demo's.
fn known(proof: &TransactionProof, policies: &PolicyChain) -> Delivered {
    let proven = proof.verify(policies).unwrap();
    let (body, signatures) = (proven.body().unwrap().clone(), proven.signatures().to_vec());
    let place = if proven.code() == Code::Applied { Place::Applied } else { Place::Rejected };
    let mut known = told(Expected::Code(proven.code()), 0, place, proven.code().name());
    known.item.id = proven.leaf.id;
    known.item.bytes = Transaction::new(body, signatures).encode();
    known
}

#[test]
fn two_verifiers_and_the_client_must_agree() {
    let (policies, vectors) = vectors();
    let second = Second::new(vectors["policy"].as_str().unwrap()).unwrap();
    let file = |at: usize| vectors["proofs"][at]["file"].as_str().unwrap().as_bytes();
    let purchase = TransactionProof::parse(file(0)).unwrap();
    let rejected = TransactionProof::parse(file(1)).unwrap();
    let know = || known(&purchase, &policies);
    assert_eq!(check(file(0), &know(), &policies, &second), Ok(true), "value was compared");
    assert_eq!(check(file(1), &known(&rejected, &policies), &policies, &second), Ok(false));

    // Another's proof, another verdict, another signature, another amount than what is known.
    let wrong = |known: &Delivered| check(file(0), known, &policies, &second).unwrap_err();
    assert!(wrong(&known(&rejected, &policies)).contains("another transaction"));
    let mut other = know();
    other.answer.code = "expired".into();
    assert_eq!(wrong(&other), "applied is proved, expired was told");
    let mut other = know();
    let mut sent = Transaction::decode(&other.item.bytes).unwrap();
    sent.signatures[0].bytes.0[3] ^= 1;
    other.item.bytes = sent.encode();
    assert!(wrong(&other).contains("other signatures"));

    let altered = vectors["altered"].as_array().unwrap();
    for case in altered.iter().chain(vectors["lies"].as_array().unwrap()) {
        let file = case["file"].as_str().unwrap().as_bytes();
        assert!(check(file, &know(), &policies, &second).is_err(), "{}", case["name"]);
    }
}

#[test]
fn the_second_verifier_refuses_by_itself() {
    let (_, vectors) = vectors();
    let policy = vectors["policy"].as_str().unwrap();
    let second = Second::new(policy).unwrap();
    let proof = &vectors["proofs"][0];
    let id: TxId = proof["id"].as_str().unwrap().parse().unwrap();
    let file = proof["file"].as_str().unwrap();
    assert_eq!(second.verify(file.as_bytes(), &id), Ok(Code::Applied as u16));
    assert!(second.verify(file.as_bytes(), &TxId([1; 32])).unwrap_err().contains("another id"));
    let index = file.replace("index 34", "index 35");
    assert!(second.verify(index.as_bytes(), &id).unwrap_err().contains("the path"));
    let alone = file.lines().filter(|line| !line.contains("/node/"));
    let alone = alone.collect::<Vec<_>>().join("\n") + "\n";
    assert!(second.verify(alone.as_bytes(), &id).unwrap_err().contains("the checkpoint"));
    assert!(second.verify(b"no proof", &id).unwrap_err().contains("the file"));
    assert!(Second::new("no policy").is_err());
}

#[test]
fn a_sample_has_rejections_and_no_replay() {
    let code = |code| Expected::Code(code);
    let mut all: Vec<Delivered> = (0..50)
        .map(|n| told(code(Code::Applied), n, Place::Applied, "applied"))
        .chain((50..60).map(|n| told(code(Code::Expired), n, Place::Rejected, "expired")))
        .collect();
    all.push(told(Expected::Replay, 7, Place::Applied, "applied"));
    all.push(told(code(Code::Expired), 99, Place::Door, "expired"));
    let ids = |seed| sample(&all, seed).iter().map(|d| d.item.id.0[0]).collect::<Vec<_>>();
    let one = ids(1);
    assert_eq!((one.len(), one.iter().filter(|id| **id >= 50).count()), (60, 10));
    assert_eq!(one, ids(1));
    assert_ne!(one, ids(2));
    assert!(!one.contains(&99), "what was turned away has no leaf");
}

#[test]
fn what_moved_is_compared_per_wallet_and_instrument() {
    let (policies, vectors) = vectors();
    let file = vectors["proofs"][0]["file"].as_str().unwrap().as_bytes();
    let proven = TransactionProof::parse(file).unwrap().verify(&policies).unwrap();
    let operation = &proven.body().unwrap().operation;
    assert_eq!(wanted("purchase_live", operation), Some(net(&proven.outcome)));
    let Operation::Transfer(movement) = operation else { panic!("{operation:?}") };
    let mut other = movement.clone();
    other.legs[0].amount.0 += 1;
    assert_ne!(wanted("purchase_live", &Operation::Transfer(other)), Some(net(&proven.outcome)));
    let mut other = movement.clone();
    other.to = PartyId([1; 16]);
    assert_ne!(wanted("purchase_live", &Operation::Transfer(other)), Some(net(&proven.outcome)));
}
