//! One witness's life: every request of it, the answer, and what was stored before the answer left.

use musubi_ledger::tlog::{
    Checkpoint, Frontier, Hash, Node, NodeReader, NoteSignature, SignedNote,
    merkle::{self, leaf_hash},
    proof::prove_consistency,
    vkey::{Algorithm, VerifierKey},
    witness::{AddCheckpoint, KnownLog, Witness, monitoring_name},
};
use serde_json::{Value, json};

use crate::common::*;

const ORIGIN: &str = "witnessed.example/log/1";

/// Leaves `name 0`, `name 1`, …
struct Log(std::collections::BTreeMap<(u8, u64), Hash>);

impl NodeReader for Log {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(&(level, index)).copied()
    }
}

fn log(name: &str, size: u64) -> Log {
    let (mut frontier, mut nodes) = (Frontier::new(), Vec::new());
    for at in 0..size {
        frontier.append(leaf_hash(format!("{name} {at}").as_bytes()), &mut nodes);
    }
    Log(nodes.into_iter().map(|Node { level, index, hash }| ((level, index), hash)).collect())
}

fn vkey(name: &str, algorithm: Algorithm, secret: &str) -> VerifierKey {
    VerifierKey::new(name, algorithm, &key(secret).public().0).unwrap()
}

/// Asks to go from `old` to `size` leaves of the log `name`.
fn request(name: &str, (old, size): (u64, u64), signer: &str, origin: &str) -> AddCheckpoint {
    let log = log(name, size.max(old));
    let root = merkle::root(&log, size).unwrap();
    let text = Checkpoint::new(origin, size, root).unwrap().to_string();
    let mut note = SignedNote::new(text).unwrap();
    let own = vkey(origin, Algorithm::Ed25519, signer);
    note.add(NoteSignature::sign(note.text(), &own, |m| key(signer).sign(m).0)).unwrap();
    AddCheckpoint::new(old, prove_consistency(&log, old.min(size), size).unwrap(), note).unwrap()
}

pub(crate) fn golden() -> Value {
    let own = vkey("univ.example/w1", Algorithm::CosignatureV1, "witness");
    let keys = ["city/node", "bank/node"].map(|secret| vkey(ORIGIN, Algorithm::Ed25519, secret));
    let known = KnownLog::new(ORIGIN, keys.to_vec()).unwrap();
    let mut witness = Witness::new(own.clone(), vec![known]).unwrap();
    let steps = [
        ("first contact", request("log", (0, 3), "city/node", ORIGIN)),
        ("the same again", request("log", (3, 3), "bank/node", ORIGIN)),
        ("it grows", request("log", (3, 8), "bank/node", ORIGIN)),
        ("a stale old size", request("log", (3, 13), "city/node", ORIGIN)),
        ("another history", request("fork", (8, 13), "city/node", ORIGIN)),
        ("another root at the size cosigned last", request("fork", (8, 8), "city/node", ORIGIN)),
        ("an old size beyond the checkpoint", request("log", (8, 5), "city/node", ORIGIN)),
        ("a key that is not the log's", request("log", (8, 13), "stranger", ORIGIN)),
        ("another log", request("log", (0, 3), "city/node", "other.example/log/1")),
        ("it grows further", request("log", (8, 13), "city/node", ORIGIN)),
    ];
    let mut exchanges = Vec::new();
    for (at, (about, request)) in steps.into_iter().enumerate() {
        let time = 1_792_108_800 + at as u64;
        let body = request.to_string();
        let (code, stored, answer) =
            match witness.add_checkpoint(&request, time, |m| key("witness").sign(m).0) {
                Ok(pending) => {
                    let stored = pending.record().note().to_string();
                    (None, Some(stored), pending.persisted())
                }
                Err(refusal) => (Some(refusal.code()), None, refusal.answer()),
            };
        // Sentences may be reworded; statuses, sizes and signatures may not.
        let is_fixed = matches!(answer.status, 200 | 409);
        exchanges.push(json!({
            "about": about,
            "unix_seconds": time,
            "request": body,
            "status": answer.status,
            "content_type": answer.content_type,
            "body": is_fixed.then_some(answer.body),
            "code": code,
            "stored": stored,
        }));
    }
    json!({
        "origin": ORIGIN,
        "origin_hash": monitoring_name(ORIGIN),
        "log_keys": keys.map(|key| key.to_string()),
        "witness_seed": hex::encode(key("witness").seed()),
        "witness_key": own.to_string(),
        "exchanges": exchanges,
    })
}
