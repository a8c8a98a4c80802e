//! Checkpoints: this node signs the log at its newest seals, hands the note to its peers, and keeps the
//! newest note of each validator.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use musubi_ledger::{
    execute::Head,
    genesis::Genesis,
    hash::Hash,
    keys::SecretKey,
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};
use musubi_storage::Store;

use super::evidence;
use crate::metrics::Metrics;

/// Signs this node's checkpoints.
pub struct Signer {
    origin: String,
    key: SecretKey,
    vkey: VerifierKey,
}

/// The newest note of each validator.
pub struct Notes {
    origin: String,
    me: u64,
    keys: BTreeMap<u64, VerifierKey>,
    notes: Mutex<BTreeMap<u64, Kept>>,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
}

#[derive(Clone)]
struct Kept {
    size: u64,
    root: Hash,
    text: String,
}

/// The verifier key of a node: named as the log's origin, Ed25519.
///
/// # Panics
/// If the genesis document was not checked.
#[must_use]
pub fn verifier_key(origin: &str, key: &[u8; 32]) -> VerifierKey {
    VerifierKey::new(origin, Algorithm::Ed25519, key).expect("a checked genesis document")
}

impl Signer {
    /// A signer with the node's key.
    #[must_use]
    pub fn new(genesis: &Genesis, key: SecretKey) -> Self {
        let origin = genesis.origin();
        let vkey = verifier_key(&origin, &key.public().0);
        Self { origin, key, vkey }
    }

    /// The signed note for the log at a seal. Deterministic: signing a size again gives the same note.
    ///
    /// # Panics
    /// If the origin cannot stand in a checkpoint: the genesis document was not checked.
    #[must_use]
    pub fn sign(&self, head: Head, root: Hash) -> String {
        let checkpoint = Checkpoint::new(&self.origin, head.size, root).expect("a checked origin");
        let text = checkpoint.to_string();
        let signature = NoteSignature::sign(&text, &self.vkey, |message| self.key.sign(message).0);
        let mut note = SignedNote::new(text).expect("a checkpoint is a note's text");
        note.add(signature).expect("a new note has room for one signature");
        note.to_string()
    }
}

impl Notes {
    /// Knows the validators of the genesis document.
    #[must_use]
    pub fn new(genesis: &Genesis, me: u64, store: Arc<Store>, metrics: Arc<Metrics>) -> Self {
        let origin = genesis.origin();
        let keys = genesis.nodes.iter().map(|n| (n.id.0, verifier_key(&origin, &n.node.0)));
        let keys = keys.collect();
        Self { origin, me, keys, notes: Mutex::default(), store, metrics }
    }

    /// Takes a note that `node` signed, if it verifies and is newer than the one kept. A note for a
    /// size that this node has executed with another root is evidence.
    pub fn take(&self, node: u64, text: &str) {
        let Some(key) = self.keys.get(&node) else { return };
        let opened = Checkpoint::open(text.as_bytes(), &self.origin, std::slice::from_ref(key));
        let Ok(opened) = opened else {
            self.metrics.evidence("bad_checkpoint");
            tracing::warn!(member = node, "a validator's checkpoint does not verify");
            return;
        };
        let (size, root) = (opened.checkpoint.size(), *opened.checkpoint.root());
        if node != self.me && self.contradicts(size, root) {
            evidence::fork(node, size, &self.metrics);
            return;
        }
        let mut notes = self.lock();
        let newer = notes.get(&node).is_none_or(|kept| kept.size < size);
        if newer {
            notes.insert(node, Kept { size, root, text: text.into() });
        }
    }

    /// The newest note of each validator, by node id.
    #[must_use]
    pub fn all(&self) -> Vec<(u64, String)> {
        self.lock().iter().map(|(node, kept)| (*node, kept.text.clone())).collect()
    }

    /// This node's own newest note.
    #[must_use]
    pub fn own(&self) -> Option<String> {
        self.lock().get(&self.me).map(|kept| kept.text.clone())
    }

    fn contradicts(&self, size: u64, root: Hash) -> bool {
        let (head, _) = self.store.head();
        if size == 0 || size > head.size {
            // Not executed here yet: the auditor, or this node's next note, will tell.
            return self.lock().values().any(|kept| kept.size == size && kept.root != root);
        }
        let nodes = self.store.nodes();
        musubi_ledger::tlog::merkle::root(&nodes, size).is_ok_and(|own| own != root)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Kept>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
