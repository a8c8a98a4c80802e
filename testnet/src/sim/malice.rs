//! Validators that lie on purpose. Node 1 is the liar; it runs the honest code, and what leaves it, or comes
//! to its pool, is changed on the way. The others must get hold of evidence that names node 1 and nobody else.

use musubi_consensus::{Body, PeerMessage, Role, Submission};
use musubi_ledger::{
    batch::{Batch, NodeId},
    genesis::Genesis,
    hash::Hash,
    keys::SecretKey,
    policy::cosigner_name,
    tlog::{
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
    transaction::Transaction,
};

use super::{
    town::{BEGIN, Town, cosigner_key, node_key},
    world::World,
};

/// Place of the liar among the nodes.
pub(crate) const LIAR: usize = 0;

/// How node 1 lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malice {
    /// As a leader it signs two batches for each place, and sends one to the nodes of even number and the other
    /// to the rest.
    DoubleBatch,
    /// As a leader it orders items whose signatures do not verify.
    BadItem,
    /// It signs a false root for the nodes of even number, and the true one for the others.
    TwoRoots,
    /// It signs a false root for all now and then, and goes on as if it had not.
    Rewritten,
    /// It cosigns a false root for the nodes of even number, and the true one for the others; as the log it signs
    /// one only.
    TwoCosignatures,
}

impl Malice {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::DoubleBatch, Self::BadItem, Self::TwoRoots, Self::Rewritten, Self::TwoCosignatures];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DoubleBatch => "double-batch",
            Self::BadItem => "bad-item",
            Self::TwoRoots => "two-roots",
            Self::Rewritten => "rewritten",
            Self::TwoCosignatures => "two-cosignatures",
        }
    }

    /// The malice of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|malice| malice.name() == name)
    }

    /// The message as the liar sends it to node `to`.
    pub(crate) fn message(self, to: NodeId, bytes: Vec<u8>) -> Vec<u8> {
        if self != Self::DoubleBatch || to.0 % 2 == 1 {
            return bytes;
        }
        let Ok(mut message) = PeerMessage::decode(&bytes) else { return bytes };
        let Body::Append { entries, .. } = &mut message.body else { return bytes };
        for entry in entries {
            if let Some(twin) = twin(&entry.data) {
                entry.data = twin;
            }
        }
        message.encode()
    }

    /// The checkpoint that the liar sends to node `to` instead of this one; `None` for the true one.
    pub(crate) fn checkpoint(self, town: &Town, to: usize, note: &str) -> Option<String> {
        let note: SignedNote = note.parse().ok()?;
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        let lies = match self {
            Self::TwoRoots | Self::TwoCosignatures => (to + 1).is_multiple_of(2),
            Self::Rewritten => checkpoint.size().is_multiple_of(4),
            Self::DoubleBatch | Self::BadItem => false,
        };
        let mut root = *checkpoint.root();
        root[0] ^= u8::from(lies);
        let as_log = self != Self::TwoCosignatures;
        lies.then(|| sign(&town.genesis, checkpoint.size(), root, as_log))
    }
}

/// What the liar signs about a size: by its genesis document's keys, as cosigner, and as the log too.
fn sign(genesis: &Genesis, size: u64, root: Hash, as_log: bool) -> String {
    let origin = genesis.origin();
    let text = Checkpoint::new(&origin, size, root).expect("a checked origin").to_string();
    let mut note = SignedNote::new(text.clone()).expect("a checkpoint is a note's text");
    let (log, cosigner) = (node_key(LIAR + 1), cosigner_key(LIAR + 1, 1));
    let vkey = |name: &str, algorithm, key: &SecretKey| {
        VerifierKey::new(name, algorithm, &key.public().0).expect("a good key")
    };
    let mut add = |line| note.add(line).expect("a new note has room");
    if as_log {
        let key = vkey(&origin, Algorithm::Ed25519, &log);
        add(NoteSignature::sign(&text, &key, |message| log.sign(message).0));
    }
    let name = cosigner_name(genesis, NodeId(LIAR as u64 + 1));
    let key = vkey(&name, Algorithm::CosignatureV1, &cosigner);
    add(NoteSignature::cosign(&text, &key, BEGIN / 1_000, |message| cosigner.sign(message).0));
    note.to_string()
}

/// Another batch for the same place, if it is one of the liar's: the same at every call.
fn twin(data: &[u8]) -> Option<Vec<u8>> {
    let batch = Batch::decode(data).ok()?;
    let liar = NodeId(LIAR as u64 + 1);
    let Batch { chain, term, index, time, leader, items, .. } = batch;
    let key = node_key(LIAR + 1);
    let twin = || Batch::sign(chain, (term, index), time.plus(1), items, (leader, &key)).encode();
    (leader == liar).then(twin)
}

impl World<'_> {
    /// A transaction whose signature is broken, for the pool of a liar that leads.
    pub(crate) fn forgery(&mut self, node: usize) -> Option<Submission> {
        let lies = node == LIAR && self.malice() == Some(Malice::BadItem);
        let process = self.nodes[node].process.as_ref().filter(|_| lies)?;
        if process.replica.status().standing.role != Role::Leader {
            return None;
        }
        let scripts = &self.town.scripts;
        let script = &scripts[self.dice.place(scripts.len())];
        let mut forged = Transaction::decode(&script.steps[0].bytes).ok()?;
        forged.signatures[0].bytes.0[5] ^= 1;
        Some(Submission::new(forged.body.id(), forged.encode()))
    }
}
