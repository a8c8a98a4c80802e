//! What a replica is told while it runs. Each input comes with the node's clock at that moment.

use musubi_ledger::{
    batch::NodeId,
    hash::{Hash, sha256},
    id::TxId,
    time::Time,
};

use crate::pledge::Durable;

/// One thing that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// One tick of Raft's logical clock (heartbeats, elections); 100 ms apart in production.
    Tick,
    /// Time passed: look again whether a batch is due. See [`crate::Replica::next_wake`].
    Wake,
    /// A frame from the member that the connection proved to be.
    Message {
        /// The authenticated sender.
        from: NodeId,
        /// [`crate::PeerMessage`] bytes, not yet decoded.
        bytes: Vec<u8>,
    },
    /// Verified transactions to be ordered.
    Submit {
        /// Where they came from.
        via: Via,
        /// The transactions.
        items: Vec<Submission>,
    },
    /// The persist of this number and all before it are written; those that must be synced survive a
    /// power cut.
    Persisted {
        /// The number of the [`crate::Persist`].
        number: u64,
    },
    /// An entry was executed and its results recorded.
    Executed(Executed),
    /// A message to this member could not be delivered.
    PeerUnreachable {
        /// The member.
        node: NodeId,
    },
    /// A connection to this member stands anew: it is shown this node's pledge at once.
    PeerConnected {
        /// The member.
        node: NodeId,
    },
    /// This much is durable here: told after each sync that moved it, and before anything that rests on
    /// what it says of `cosigned`.
    Durable {
        /// The Raft log and vote.
        kept: Durable,
        /// Size of the largest checkpoint that was cosigned, durably; 0 for none.
        cosigned: u64,
    },
    /// The [`crate::Remember`] of this number and all before it are written, and durable as far as they
    /// must be.
    Recorded {
        /// The number.
        number: u64,
    },
}

/// The answer to one `Execute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The entry's index.
    pub index: u64,
    /// Block time after it; unchanged by an empty entry.
    pub time: Time,
    /// Ids that have a verdict now; every copy of theirs leaves the pool. Not the ids of void items: another
    /// copy of the same body, with other signatures, may still get a verdict.
    pub judged: Vec<TxId>,
    /// When the next deadline in the state falls due: a leader then proposes a batch even if idle.
    pub due: Option<Time>,
}

/// How a submission came to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// From a client of this node: forwarded if another leads.
    Door,
    /// Forwarded by a member: taken or refused, never forwarded again.
    Peer,
}

/// A verified transaction: signatures checked, `id` and `hash` computed from `bytes` by the caller.
///
/// An id covers the body alone, so there may be several copies of one id, with other signatures. Whoever
/// strips a signature from a copy must not stand in the way of the complete one: copies are told apart
/// by the hash of all their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Its id.
    pub id: TxId,
    /// SHA-256 of `bytes`.
    pub hash: Hash,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

impl Submission {
    /// Hashes the bytes; for callers that have not done so already.
    #[must_use]
    pub fn new(id: TxId, bytes: Vec<u8>) -> Self {
        Self { id, hash: sha256(&bytes), bytes }
    }

    /// Which copy of which transaction it is.
    pub(crate) fn copy(&self) -> CopyId {
        (self.id, self.hash)
    }
}

/// One copy of a transaction: its id, and the SHA-256 of its bytes.
pub(crate) type CopyId = (TxId, Hash);

/// Copies of one id that may be under way at once; further ones are refused as busy.
pub const COPIES_MAX: usize = 4;
