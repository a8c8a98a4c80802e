//! What validators sign: the newest checkpoint of each, and what contradicts this node's own log. Which are
//! final is the cosigner's business (`cosigning`).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use musubi_ledger::{
    genesis::{Genesis, Node},
    hash::Hash,
    tlog::{
        checkpoint::{Checkpoint, CheckpointError},
        note::NoteError,
        vkey::{Algorithm, VerifierKey},
    },
};
use musubi_storage::Store;

use super::evidence;
use crate::metrics::Metrics;

/// The newest note of each validator, and the newest of its notes that contradict this node's log: an
/// auditor who asks here sees both.
pub struct Notes {
    roster: Mutex<Roster>,
    me: u64,
    notes: Mutex<BTreeMap<u64, Signed>>,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
}

/// Who signs in the present epoch.
struct Roster {
    origin: String,
    keys: BTreeMap<u64, VerifierKey>,
}

impl Roster {
    fn new(origin: &str, nodes: &[Node]) -> Self {
        let keys = nodes.iter().map(|n| (n.id.0, verifier_key(origin, &n.node.0))).collect();
        Self { origin: origin.into(), keys }
    }
}

/// What one validator signed.
#[derive(Default)]
struct Signed {
    newest: Option<Kept>,
    /// Whose root is not this node's.
    contradicting: Option<Kept>,
}

struct Kept {
    size: u64,
    root: Hash,
    text: String,
    /// Whether this node had executed that much when it was compared.
    compared: bool,
}

/// The verifier key of a node: named as the log's origin, Ed25519.
///
/// # Panics
/// If the genesis document was not checked.
#[must_use]
pub fn verifier_key(origin: &str, key: &[u8; 32]) -> VerifierKey {
    VerifierKey::new(origin, Algorithm::Ed25519, key).expect("a checked genesis document")
}

impl Notes {
    /// Knows the validators of the genesis document.
    #[must_use]
    pub fn new(genesis: &Genesis, me: u64, store: Arc<Store>, metrics: Arc<Metrics>) -> Self {
        let roster = Mutex::new(Roster::new(&genesis.origin(), &genesis.nodes));
        Self { roster, me, notes: Mutex::default(), store, metrics }
    }

    /// From now on these validators sign, about the log `origin`: another epoch has begun.
    pub fn begin(&self, origin: &str, nodes: &[Node]) {
        let mut roster = self.roster();
        if roster.origin != origin {
            *roster = Roster::new(origin, nodes);
            self.lock().clear();
        }
    }

    /// The log's origin in the present epoch.
    #[must_use]
    pub fn origin(&self) -> String {
        self.roster().origin.clone()
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a note that `node` signed, if it verifies and is newer than the one kept. A note with another
    /// root than this node's log has at that size is evidence, and kept apart; one about leaves that are
    /// not executed here yet is compared when this node signs next.
    pub fn take(&self, node: u64, text: &str) {
        let (origin, key) = {
            let roster = self.roster();
            let Some(key) = roster.keys.get(&node) else { return };
            (roster.origin.clone(), key.clone())
        };
        let opened = Checkpoint::open(text.as_bytes(), &origin, std::slice::from_ref(&key));
        // A final note of others, told again: nothing that this node signed.
        if matches!(opened, Err(CheckpointError::Note(NoteError::NoTrustedSignature))) {
            return;
        }
        let Ok(opened) = opened else {
            self.metrics.evidence("bad_checkpoint");
            tracing::warn!(member = node, "a validator's checkpoint does not verify");
            return;
        };
        let (size, root) = (opened.checkpoint.size(), *opened.checkpoint.root());
        let own = if node == self.me { Some(root) } else { self.store.root_at(size) };
        let kept = Kept { size, root, text: text.into(), compared: own.is_some() };
        let mut notes = self.lock();
        // Of two others who differ, both notes are kept, whoever is right.
        let others = || notes.values().filter_map(|signed| signed.newest.as_ref());
        let expected = own.or_else(|| others().find(|o| o.size == size).map(|o| o.root));
        let signed = notes.entry(node).or_default();
        if expected.is_some_and(|expected| expected != root) {
            self.contradicts(node, signed, kept);
        } else if signed.newest.as_ref().is_none_or(|newest| newest.size < size) {
            signed.newest = Some(kept);
        }
        if node == self.me {
            notes.iter_mut().for_each(|(node, signed)| self.compare(*node, signed));
        }
    }

    /// Compares a note that came before its leaves.
    fn compare(&self, node: u64, signed: &mut Signed) {
        let Some(newest) = &mut signed.newest else { return };
        if newest.compared {
            return;
        }
        let Some(own) = self.store.root_at(newest.size) else { return };
        newest.compared = true;
        if own != newest.root
            && let Some(kept) = signed.newest.take()
        {
            self.contradicts(node, signed, kept);
        }
    }

    fn contradicts(&self, node: u64, signed: &mut Signed, kept: Kept) {
        let known = signed.contradicting.as_ref();
        if known.is_some_and(|known| known.text == kept.text) {
            return;
        }
        evidence::fork(node, kept.size, &kept.text, &self.metrics);
        if known.is_none_or(|known| known.size <= kept.size) {
            signed.contradicting = Some(kept);
        }
    }

    /// The notes of each validator, by node id: the newest that does not contradict this node's log, then
    /// the newest that does.
    #[must_use]
    pub fn all(&self) -> Vec<(u64, String)> {
        let notes = self.lock();
        let of = |(node, signed): (&u64, &Signed)| {
            let both = [&signed.newest, &signed.contradicting];
            let texts = both.map(|kept| kept.as_ref().map(|kept| (*node, kept.text.clone())));
            texts.into_iter().flatten()
        };
        notes.iter().flat_map(of).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Signed>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(in crate::core) mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_consensus::Position;
    use musubi_ledger::{
        batch::{Batch, NodeId},
        execute::Chain,
        genesis::{FirstParty, Node, Organisation, Parameters, RULES_VERSION},
        id::{PartyId, Salt},
        keys::SecretKey,
        party::PartyKind,
        time::Time,
        tlog::{note::SignedNote, signature::NoteSignature},
    };
    use musubi_storage::{OpenSettings, memory::MemoryDisk};

    use super::*;

    /// What the holder of a key signs as the log.
    fn note(size: u64, root: Hash, key: &SecretKey) -> String {
        let origin = genesis().origin();
        let vkey = verifier_key(&origin, &key.public().0);
        let text = Checkpoint::new(&origin, size, root).unwrap().to_string();
        let signature = NoteSignature::sign(&text, &vkey, |message| key.sign(message).0);
        let mut note = SignedNote::new(text).unwrap();
        note.add(signature).unwrap();
        note.to_string()
    }

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    /// Three nodes; node n has key n.
    pub(in crate::core) fn genesis() -> Genesis {
        let city = PartyId([1; 16]);
        let node = |n: u8| Node {
            id: NodeId(n.into()),
            organisation: city,
            transport: key(n + 10).public(),
            node: key(n).public(),
            cosigner: key(n + 20).public(),
        };
        Genesis {
            name: "notes.example/test".into(),
            scheme: "test".into(),
            time: Time(1_000),
            rules_version: RULES_VERSION,
            salt: Salt([7; 16]),
            parameters: Parameters {
                recovery_delay_ms: 1,
                successor_notice_ms: 1,
                driven_time: false,
            },
            organisations: vec![Organisation {
                party: city,
                name: "city".into(),
                governance: key(99).public(),
            }],
            nodes: vec![node(1), node(2), node(3)],
            parties: vec![FirstParty {
                party: city,
                kind: PartyKind::Operator,
                keys: vec![],
                tag: None,
                organisation: None,
                officers: vec![],
                attributes: vec![],
            }],
            instruments: vec![],
        }
    }

    /// Node 1's notes, store and chain.
    struct Scene {
        notes: Notes,
        store: Arc<Store>,
        chain: Chain,
        metrics: Arc<Metrics>,
    }

    fn scene() -> Scene {
        let settings = OpenSettings::default();
        let directory = MemoryDisk::new(1).open().unwrap();
        let opened = Store::create(directory, &genesis(), [9; 16], &settings).unwrap();
        let (store, metrics) = (Arc::new(opened.store), Arc::new(Metrics::new()));
        let notes = Notes::new(&genesis(), 1, Arc::clone(&store), Arc::clone(&metrics));
        Scene { notes, store, chain: opened.chain, metrics }
    }

    impl Scene {
        /// Executes an empty block: one leaf more.
        fn execute(&mut self) {
            let index = self.chain.head().height + 1;
            let leader = (NodeId(1), &key(1));
            let batch = Batch::sign(self.chain.id(), (1, index), Time(index), vec![], leader);
            let hash = Batch::entry_hash(&batch.encode());
            let block = self.chain.execute(&**self.store.state(), &batch, hash, &[]);
            self.store.record(&block, Position { index, term: 1 }).unwrap();
        }

        /// What node `n` signs for a size; `None` for the root that is true now.
        fn note(&self, n: u8, size: u64, root: Option<Hash>) -> String {
            let (_, own) = self.store.head();
            note(size, root.unwrap_or(own), &key(n))
        }

        fn forks(&self) -> bool {
            let line = "musubi_evidence_total{kind=\"checkpoint_conflict\"} 1";
            self.metrics.render().contains(line)
        }
    }

    #[test]
    fn a_contradicting_note_is_kept_beside_the_newest_and_served() {
        let mut scene = scene();
        let lie = scene.note(2, 2, Some([9; 32]));
        let honest = scene.note(2, 2, None);
        scene.notes.take(2, &honest);
        for _ in 0..2 {
            scene.notes.take(2, &lie);
        }
        assert_eq!(scene.notes.all(), [(2, honest), (2, lie.clone())]);
        assert!(scene.forks(), "evidence, once");
        // Newer agreeing notes do not cover it.
        scene.execute();
        let later = scene.note(2, 3, None);
        scene.notes.take(2, &later);
        assert_eq!(scene.notes.all(), [(2, later), (2, lie)]);
    }

    #[test]
    fn what_came_before_its_leaves_is_compared_when_they_are_here() {
        let mut scene = scene();
        let early_lie = scene.note(2, 3, Some([9; 32]));
        scene.notes.take(2, &early_lie);
        assert!(!scene.forks(), "nobody can tell yet");
        scene.execute();
        let own = scene.note(1, 3, None);
        scene.notes.take(1, &own);
        assert!(scene.forks());
        assert_eq!(scene.notes.all(), [(1, own), (2, early_lie)]);
    }

    #[test]
    fn two_others_who_differ_are_both_kept() {
        let scene = scene();
        let (one, other) = (scene.note(2, 5, Some([8; 32])), scene.note(3, 5, Some([9; 32])));
        scene.notes.take(2, &one);
        scene.notes.take(3, &other);
        assert!(scene.forks());
        assert_eq!(scene.notes.all(), [(2, one), (3, other)]);
    }

    #[test]
    fn nobody_signs_for_another() {
        let scene = scene();
        let note = scene.note(2, 2, None);
        scene.notes.take(3, &note);
        scene.notes.take(4, &note);
        assert!(scene.notes.all().is_empty());
    }
}
