//! Which seal a snapshot belongs to, with everything that makes it believable.

use serde::{Deserialize, Serialize};

use super::SnapshotError;
use crate::{
    batch::{Batch, BatchError},
    codec,
    execute::Head,
    hash::Hash,
    leaf::SealBody,
    limits,
    policy::PolicyChain,
    tlog::{Frontier, merkle::leaf_hash},
};

/// Bytes of an encoded manifest: a whole Raft entry, a note, a path.
pub const MANIFEST_BYTES_MAX: usize = limits::BATCH_BYTES_MAX + 256 * 1024;

/// A snapshot's first part. Nothing in it is believed before [`Manifest::verify`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The seal under which the rows stand: names their digest.
    pub seal: SealBody,
    /// Index of its leaf.
    pub index: u64,
    /// The leaf's inclusion path under the checkpoint, from the leaf's side.
    pub path: Vec<Hash>,
    /// The whole Raft entry that the seal's block executed.
    #[serde(with = "crate::bytes")]
    pub entry: Vec<u8>,
    /// A final checkpoint that covers the seal.
    pub checkpoint: String,
}

/// Where a chain stands at a snapshot's seal. All of it is under the quorum's signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// Height, time and size after the seal.
    pub head: Head,
    /// Right edge of the log of proof there: its root is the root after the seal.
    pub log: Frontier,
    /// Raft term of the seal's entry.
    pub term: u64,
    /// Its Raft index.
    pub index: u64,
    /// The state's digest.
    pub state: Hash,
    /// Leaves under the final checkpoint.
    pub final_size: u64,
}

impl Manifest {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`SnapshotError::Manifest`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        codec::decode_versioned(bytes, MANIFEST_BYTES_MAX).map_err(SnapshotError::Manifest)
    }

    /// Checks the manifest by the ledger's witness policies.
    ///
    /// The seal's leaf stands under the final checkpoint; the leaf's id is the hash of the seal's body; the
    /// body names the state's digest and the SHA-256 of the entry; and the entry names its own place in Raft.
    ///
    /// # Errors
    /// [`SnapshotError`], naming the first link that does not hold.
    pub fn verify(&self, policies: &PolicyChain) -> Result<Anchor, SnapshotError> {
        let found = policies.check(self.checkpoint.as_bytes())?.checkpoint;
        let leaf = leaf_hash(&self.seal.leaf().encode());
        let log =
            Frontier::from_inclusion(leaf, self.index, found.size(), &self.path, found.root())?;
        if Batch::entry_hash(&self.entry) != self.seal.entry {
            return Err(SnapshotError::OtherEntry);
        }
        // Its signature was checked by the quorum that executed it.
        let batch = Batch::decode(&self.entry).map_err(SnapshotError::Entry)?;
        if batch.chain != policies.chain() {
            return Err(SnapshotError::Entry(BatchError::Chain));
        }
        let SealBody { height, time, state, .. } = self.seal;
        let head = Head { height, time, size: log.size() };
        let (term, index) = (batch.term, batch.index);
        Ok(Anchor { head, log, term, index, state, final_size: found.size() })
    }
}
