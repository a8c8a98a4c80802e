//! What one Raft entry carries: unexecuted items in the leader's order, its time stamp and signature.
//!
//! Nothing here is derived from state: leaves, roots and verdicts follow on every node after commit
//! (decision 2), so a leader can order and delay but not invent.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    codec::{self, CodecError},
    hash::{Hash, sha256, tagged},
    id::ChainId,
    keys::{PublicKey, SecretKey, SignatureBytes, verify_strict},
    limits,
    time::Time,
};

/// A member's Raft id: 1 or more, never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u64);

/// The batch of one Raft entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Batch {
    /// The chain it is for.
    pub chain: ChainId,
    /// Raft term in which it was proposed; equals the entry's.
    pub term: u64,
    /// Raft index for which it was proposed; equals the entry's.
    pub index: u64,
    /// The leader's clock when it cut the batch. Execution uses `max(previous + 1, time)`.
    pub time: Time,
    /// The leader that cut it.
    pub leader: NodeId,
    /// Signed transactions' canonical bytes; not decoded, not judged.
    #[serde(with = "crate::bytes::list")]
    pub items: Vec<Vec<u8>>,
    /// The leader's node key over everything above.
    pub signature: SignatureBytes,
}

/// Why an entry's bytes are no batch that this node may persist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BatchError {
    /// Not a batch's canonical bytes.
    #[error("not a batch: {0}")]
    Codec(#[from] CodecError),
    /// More items, or a longer item, than [`limits`] allow.
    #[error("more or longer items than a batch may carry")]
    Limits,
    /// For another chain.
    #[error("for another chain")]
    Chain,
    /// Its term or index differs from the Raft entry's.
    #[error("its term or index differs from the entry that carries it")]
    Envelope,
    /// Not signed by the leader it names.
    #[error("not signed by the leader it names")]
    Signature,
}

impl Batch {
    /// Cuts and signs a batch.
    #[must_use]
    pub fn sign(
        chain: ChainId,
        (term, index): (u64, u64),
        time: Time,
        items: Vec<Vec<u8>>,
        (leader, key): (NodeId, &SecretKey),
    ) -> Self {
        let signature = SignatureBytes([0; 64]);
        let mut batch = Self { chain, term, index, time, leader, items, signature };
        batch.signature = key.sign(&batch.preimage());
        batch
    }

    /// Canonical bytes, version byte first: the Raft entry's data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a batch and checks its limits; not yet its chain, envelope or signature.
    ///
    /// # Errors
    /// [`BatchError::Codec`] or [`BatchError::Limits`].
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let batch: Self = codec::decode_versioned(bytes, limits::BATCH_BYTES_MAX)?;
        let too_long = |item: &Vec<u8>| item.len() > limits::TRANSACTION_BYTES_MAX;
        if batch.items.len() > limits::BATCH_ITEMS_MAX || batch.items.iter().any(too_long) {
            return Err(BatchError::Limits);
        }
        Ok(batch)
    }

    /// Checks what must hold before the entry at (`term`, `index`) is persisted.
    ///
    /// # Errors
    /// [`BatchError::Chain`], [`BatchError::Envelope`] or [`BatchError::Signature`].
    pub fn check(
        &self,
        chain: &ChainId,
        (term, index): (u64, u64),
        leader_key: &PublicKey,
    ) -> Result<(), BatchError> {
        if self.chain != *chain {
            return Err(BatchError::Chain);
        }
        if (self.term, self.index) != (term, index) {
            return Err(BatchError::Envelope);
        }
        if !verify_strict(leader_key, &self.preimage(), &self.signature) {
            return Err(BatchError::Signature);
        }
        Ok(())
    }

    /// SHA-256 of the entry's data, as a seal names it.
    #[must_use]
    pub fn entry_hash(bytes: &[u8]) -> Hash {
        sha256(bytes)
    }

    /// SHA-256 of each item, in order: all that the signature covers of them.
    #[must_use]
    pub fn item_hashes(&self) -> Vec<Hash> {
        self.items.iter().map(|item| sha256(item)).collect()
    }

    /// What the leader signs.
    #[must_use]
    pub fn preimage(&self) -> Hash {
        let place = (self.term, self.index);
        preimage(&self.chain, place, self.time, self.leader, &self.item_hashes())
    }
}

/// What a leader signs: a hash of the batch's head and of its items' hashes. So whoever knows the items'
/// hashes alone can check the signature ([`crate::evidence`]).
pub(crate) fn preimage(
    chain: &ChainId,
    (term, index): (u64, u64),
    time: Time,
    leader: NodeId,
    items: &[Hash],
) -> Hash {
    let head = codec::encode(&(chain, term, index, time, leader));
    tagged("musubi/v1/batch", &[&head, items.as_flattened()])
}
