//! Validators that lie on purpose. Node 1 is the liar; it runs the honest code, and what leaves it, or comes
//! to its pool, is changed on the way. The others must get hold of evidence that names node 1 and nobody else.

use musubi_consensus::{Body, PeerMessage, Role, Submission};
use musubi_ledger::{
    batch::{Batch, NodeId},
    hash::Hash,
    transaction::Transaction,
};

use super::{town::node_key, world::World};

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
}

impl Malice {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DoubleBatch, Self::BadItem, Self::TwoRoots, Self::Rewritten];

    /// Its name on the command line: the kind of evidence that it must leave behind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DoubleBatch => "double-batch",
            Self::BadItem => "bad-item",
            Self::TwoRoots => "two-roots",
            Self::Rewritten => "rewritten",
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

    /// The root that the liar signs for node `to`.
    pub(crate) fn root(self, to: usize, height: u64, mut root: Hash) -> Hash {
        let lies = match self {
            Self::TwoRoots => (to + 1).is_multiple_of(2),
            Self::Rewritten => height.is_multiple_of(5),
            Self::DoubleBatch | Self::BadItem => false,
        };
        root[0] ^= u8::from(lies);
        root
    }
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
