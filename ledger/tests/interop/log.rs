//! A log made with `musubi_ledger::tlog`, and its keys.

use std::collections::BTreeMap;

use musubi_ledger::{
    keys::SecretKey,
    tlog::{
        Algorithm, Checkpoint, Frontier, Hash, Node, NodeReader, NoteSignature, SignedNote,
        VerifierKey,
        merkle::{self, leaf_hash},
    },
};
use proptest::prelude::*;

pub(crate) const ORIGIN: &str = "ledger.example/musubi/1";

/// Subtree hashes as a store keeps them, and the entries.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) frontier: Frontier,
    nodes: BTreeMap<(u8, u64), Hash>,
}

impl NodeReader for Log {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }
}

impl Log {
    pub(crate) fn of(entries: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut log = Self::default();
        entries.into_iter().for_each(|entry| log.push(entry));
        log
    }

    /// `count` entries, all different, and from those of another `seed`.
    pub(crate) fn numbered(count: u64, seed: u8) -> Self {
        Self::of((0..count).map(|at| [&[seed][..], &at.to_be_bytes()].concat()))
    }

    pub(crate) fn push(&mut self, entry: Vec<u8>) {
        let mut completed = Vec::new();
        self.frontier.append_entry(&entry, &mut completed);
        let nodes = completed.into_iter().map(|Node { level, index, hash }| ((level, index), hash));
        self.nodes.extend(nodes);
        self.entries.push(entry);
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn root_at(&self, size: u64) -> Hash {
        merkle::root(self, size).unwrap()
    }

    pub(crate) fn leaf(&self, index: u64) -> Hash {
        leaf_hash(&self.entries[index as usize])
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint::new(ORIGIN, size, self.root_at(size)).unwrap()
    }

    /// The checkpoint at `size`, signed by `key`.
    pub(crate) fn note(&self, size: u64, key: &Key) -> SignedNote {
        key.note(&self.checkpoint(size).to_string())
    }
}

/// A secret with the line under which it is published.
pub(crate) struct Key {
    pub(crate) secret: SecretKey,
    pub(crate) public: VerifierKey,
}

impl Key {
    pub(crate) fn log(name: &str, seed: u8) -> Self {
        Self::new(name, Algorithm::Ed25519, seed)
    }

    pub(crate) fn cosigner(name: &str, seed: u8) -> Self {
        Self::new(name, Algorithm::CosignatureV1, seed)
    }

    fn new(name: &str, algorithm: Algorithm, seed: u8) -> Self {
        let secret = SecretKey::from_seed(&[seed; 32]);
        let public = VerifierKey::new(name, algorithm, &secret.public().0).unwrap();
        Self { secret, public }
    }

    pub(crate) fn note(&self, text: &str) -> SignedNote {
        let mut note = SignedNote::new(text.to_owned()).unwrap();
        self.sign(&mut note);
        note
    }

    pub(crate) fn sign(&self, note: &mut SignedNote) {
        let by = |message: &[u8]| self.secret.sign(message).0;
        note.add(NoteSignature::sign(note.text(), &self.public, by)).unwrap();
    }

    pub(crate) fn cosign(&self, note: &mut SignedNote, unix_seconds: u64) {
        let by = |message: &[u8]| self.secret.sign(message).0;
        note.add(NoteSignature::cosign(note.text(), &self.public, unix_seconds, by)).unwrap();
    }
}

/// Entries of many lengths, few enough for thorough comparing.
pub(crate) fn entries(most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..most)
}

/// One bit flipped, wherever `at` falls.
pub(crate) fn flip(bytes: &mut [u8], at: usize) {
    let at = at % (bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
}
