//! What a node keeps of each block, as far as proofs need it, and how the city's validators cosign.

use std::collections::BTreeMap;

use musubi_ledger::{
    batch::NodeId,
    execute::{Block, Entry},
    hash::Hash,
    id::TxId,
    policy::{PolicyChain, cosigner_name},
    proof::TransactionProof,
    tlog::{
        NodeReader, NoteSignature, SignedNote,
        checkpoint::Checkpoint,
        merkle,
        proof::prove_inclusion,
        vkey::{Algorithm, VerifierKey},
    },
    transaction::Transaction,
};

use super::{genesis, key, world::World};

/// When the city's validators cosign, by their clocks.
pub const COSIGNED_AT: u64 = 1_776_038_430;
/// The validators, by their organisations, in the order of their node ids.
pub const VALIDATORS: [&str; 3] = ["city", "operator", "partner"];

/// Leaves with what they did, signed transactions, hashes of complete subtrees.
#[derive(Default)]
pub struct Archive {
    nodes: BTreeMap<(u8, u64), Hash>,
    entries: Vec<Entry>,
    transactions: BTreeMap<TxId, Transaction>,
}

impl NodeReader for Archive {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }
}

impl Archive {
    /// Keeps a block that executed `items`.
    pub fn keep(&mut self, block: &Block, items: &[Vec<u8>]) {
        self.nodes.extend(block.nodes.iter().map(|node| ((node.level, node.index), node.hash)));
        self.entries.extend(block.entries.iter().cloned());
        let transactions = items.iter().filter_map(|bytes| Transaction::decode(bytes).ok());
        self.transactions.extend(transactions.map(|tx| (tx.body.id(), tx)));
    }

    /// All entries, ascending.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a transaction or system action.
    pub fn entry(&self, id: TxId) -> &Entry {
        self.entries.iter().find(|entry| entry.leaf.id == id).unwrap()
    }

    /// The signed transaction that an entry is about.
    pub fn transaction(&self, entry: &Entry) -> Option<Transaction> {
        entry.item.map(|_| self.transactions[&entry.leaf.id].clone())
    }
}

/// A note about `checkpoint` with the log's and the cosigner's signature of each of `validators`.
pub fn signed_by(checkpoint: &Checkpoint, validators: &[&str]) -> String {
    let document = genesis();
    let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
    for name in validators {
        let node = 1 + VALIDATORS.iter().position(|validator| validator == name).unwrap() as u64;
        let (log, cosigner) = (key(&format!("{name}/node")), key(&format!("{name}/cosigner")));
        let text = note.text().to_owned();
        let named = |name: &str, algorithm, key: &super::SecretKey| {
            VerifierKey::new(name, algorithm, &key.public().0).unwrap()
        };
        let log_key = named(checkpoint.origin(), Algorithm::Ed25519, &log);
        note.add(NoteSignature::sign(&text, &log_key, |m| log.sign(m).0)).unwrap();
        let cosigner_name = cosigner_name(&document, NodeId(node));
        let cosigner_key = named(&cosigner_name, Algorithm::CosignatureV1, &cosigner);
        let at = COSIGNED_AT + node;
        let line = NoteSignature::cosign(&text, &cosigner_key, at, |m| cosigner.sign(m).0);
        note.add(line).unwrap();
    }
    note.to_string()
}

/// The city's policies: the genesis document's alone.
pub fn policies() -> PolicyChain {
    PolicyChain::of_genesis(&genesis())
}

impl World {
    /// The checkpoint of the log as it stands.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint_at(self.chain.head().size)
    }

    /// The checkpoint of the log's first `size` leaves.
    pub fn checkpoint_at(&self, size: u64) -> Checkpoint {
        let root = merkle::root(&self.archive, size).unwrap();
        Checkpoint::new(&genesis().origin(), size, root).unwrap()
    }

    /// The proof of an entry under the log as it stands, cosigned by `validators`.
    pub fn prove(&self, entry: &Entry, validators: &[&str]) -> TransactionProof {
        let checkpoint = self.checkpoint();
        let path = prove_inclusion(&self.archive, entry.index, checkpoint.size()).unwrap();
        let transaction = self.archive.transaction(entry);
        let note = signed_by(&checkpoint, validators);
        TransactionProof::make(entry, transaction, path, note).unwrap()
    }
}
