//! Three validators with their keys, logs to sign, batches to cut.

use std::{collections::BTreeMap, sync::LazyLock};

use musubi_ledger::{
    batch::{Batch, NodeId},
    evidence::{Finding, OwnLog, Suspect, Suspects},
    hash::Hash,
    keys::SecretKey,
    time::Time,
    tlog::{
        checkpoint::Checkpoint,
        frontier::Frontier,
        merkle::{self, Node, NodeReader, leaf_hash},
        note::SignedNote,
        proof::prove_consistency,
        signature::NoteSignature,
    },
};

use crate::common::*;

pub(crate) const ORIGIN: &str = "ledger.example/city/1";
const ORGANISATIONS: [&str; 3] = ["city", "operator", "partner"];

static SUSPECTS: LazyLock<Suspects> = LazyLock::new(|| Suspects::of_genesis(&genesis()));
static PAYMENTS: LazyLock<[Vec<u8>; 2]> =
    LazyLock::new(|| [make_payment(false), make_payment(true)]);

pub(crate) fn suspects() -> Suspects {
    SUSPECTS.clone()
}

/// The node key of node 1 to 3.
pub(crate) fn node_key(node: u64) -> SecretKey {
    key(&format!("{}/node", ORGANISATIONS[node as usize - 1]))
}

/// The cosigner's key of node 1 to 3.
pub(crate) fn cosigner_key(node: u64) -> SecretKey {
    key(&format!("{}/cosigner", ORGANISATIONS[node as usize - 1]))
}

/// One of a node's two keys among the suspects.
pub(crate) fn suspect(node: u64, cosigner: bool) -> Suspect {
    let key = if cosigner { cosigner_key(node) } else { node_key(node) }.public();
    SUSPECTS.list().iter().find(|s| s.key == key).unwrap().clone()
}

/// A batch of `leader` for (term, index).
pub(crate) fn batch(leader: u64, place: (u64, u64), time: u64, items: &[&[u8]]) -> Batch {
    let items = items.iter().map(|item| item.to_vec()).collect();
    let by = (NodeId(leader), &node_key(leader));
    Batch::sign(SUSPECTS.chain(), place, Time(time), items, by)
}

/// A payment, whole or with a broken signature.
pub(crate) fn payment(whole: bool) -> Vec<u8> {
    PAYMENTS[usize::from(whole)].clone()
}

fn make_payment(whole: bool) -> Vec<u8> {
    let mut world = World::bare();
    let mut tx = world.transaction("r1", pay("r1", "r2", 5), &[debit("r1"), credit("r2")]);
    tx.signatures[1].bytes.0[7] ^= u8::from(!whole);
    tx.encode()
}

/// What a node signs of a root: the line of its node key, and its cosigner's if asked for.
pub(crate) fn note(node: u64, size: u64, root: Hash, cosigned: Option<u64>) -> String {
    note_of(ORIGIN, node, size, root, cosigned)
}

pub(crate) fn note_of(
    origin: &str,
    node: u64,
    size: u64,
    root: Hash,
    cosigned: Option<u64>,
) -> String {
    let text = Checkpoint::new(origin, size, root).unwrap().to_string();
    let mut note = SignedNote::new(text).unwrap();
    let log = suspect(node, false).verifier_key(origin).unwrap();
    let line = NoteSignature::sign(note.text(), &log, |m| node_key(node).sign(m).0);
    note.add(line).unwrap();
    if let Some(seconds) = cosigned {
        let key = suspect(node, true).verifier_key(origin).unwrap();
        let sign = |m: &[u8]| cosigner_key(node).sign(m).0;
        note.add(NoteSignature::cosign(note.text(), &key, seconds, sign)).unwrap();
    }
    note.to_string()
}

/// A log of leaves, with everything that proofs need.
#[derive(Default)]
pub(crate) struct Log(BTreeMap<(u8, u64), Hash>, u64);

impl NodeReader for Log {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.0.get(&(level, index)).copied()
    }
}

impl OwnLog for Log {
    fn root_at(&self, size: u64) -> Option<Hash> {
        (1..=self.1).contains(&size).then(|| self.root(size))
    }

    fn consistency(&self, old: u64, new: u64) -> Option<Vec<Hash>> {
        prove_consistency(self, old, new).ok()
    }
}

impl Log {
    /// A log of `size` leaves; from leaf `parts_at` on another one than the log of fork 0.
    pub(crate) fn grown(size: u64, parts_at: u64, fork: u64) -> Self {
        let (mut frontier, mut log) = (Frontier::new(), Self::default());
        for index in 0..size {
            let of = if index < parts_at { 0 } else { fork };
            let leaf = leaf_hash(&[index.to_le_bytes(), of.to_le_bytes()].concat());
            let mut completed = Vec::new();
            frontier.append(leaf, &mut completed);
            log.0.extend(completed.into_iter().map(|n: Node| ((n.level, n.index), n.hash)));
        }
        log.1 = size;
        log
    }

    /// The first leaves of another log.
    pub(crate) fn first(other: &Self, size: u64) -> Self {
        Self(other.0.clone(), size.min(other.1))
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        merkle::root(self, size).unwrap()
    }

    pub(crate) fn proof(&self, old: u64, new: u64) -> (Hash, Vec<Hash>) {
        (self.root(old), prove_consistency(self, old, new).unwrap())
    }
}

/// It is said of this node and key, in a sentence that names both.
pub(crate) fn names(finding: &Finding, node: u64, cosigner: bool) {
    assert_eq!(finding.who, suspect(node, cosigner));
    let (sentence, organisation) = (finding.to_string(), ORGANISATIONS[node as usize - 1]);
    assert!(sentence.starts_with(&format!("Node {node} of {organisation} (")), "{sentence}");
    assert!(sentence.contains(&finding.who.key.to_string()), "{sentence}");
}
