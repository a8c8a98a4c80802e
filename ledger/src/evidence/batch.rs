//! Evidence about what a leader ordered: two batches at one place, or an item that nobody signed.
//!
//! A leader's signature covers the hashes of its items, not their bytes, so a file needs only those: some
//! 130 KB for the largest batch, and it shows no payment to whoever reads it.

use serde::{Deserialize, Serialize};

use super::{
    Evidence,
    error::EvidenceError,
    finding::{Finding, Kind, Place},
    suspects::{Suspect, Suspects},
};
use crate::{
    batch::{Batch, NodeId, preimage},
    hash::{Hash, sha256},
    id::ChainId,
    keys::{SignatureBytes, verify_strict},
    limits,
    time::Time,
    transaction::Transaction,
    verify::verify_all,
};

/// A batch without its items' bytes: all that its leader's signature covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedBatch {
    /// The chain.
    pub chain: ChainId,
    /// Raft term.
    pub term: u64,
    /// Raft index.
    pub index: u64,
    /// The leader's stamp.
    pub time: Time,
    /// Who cut it.
    pub leader: NodeId,
    /// SHA-256 of each item.
    pub items: Vec<Hash>,
    /// The leader's signature.
    pub signature: SignatureBytes,
}

/// Two different batches that one leader signed for one place in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DoubleBatch {
    /// The one whose signed hash is smaller.
    pub first: SignedBatch,
    /// The other.
    pub second: SignedBatch,
}

/// A batch with an item whose signature does not verify.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BadItem {
    /// The batch.
    pub batch: SignedBatch,
    /// The item's position in it.
    pub position: u32,
    /// The item's bytes.
    #[serde(with = "crate::bytes")]
    pub item: Vec<u8>,
}

impl SignedBatch {
    /// What its leader signed of a batch.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        let Batch { chain, term, index, time, leader, signature, .. } = *batch;
        Self { chain, term, index, time, leader, items: batch.item_hashes(), signature }
    }

    /// The hash that is signed: of everything but the signature.
    #[must_use]
    pub fn signed_hash(&self) -> Hash {
        let place = (self.term, self.index);
        preimage(&self.chain, place, self.time, self.leader, &self.items)
    }

    /// Who signed it.
    fn signer<'s>(&self, suspects: &'s Suspects) -> Result<&'s Suspect, EvidenceError> {
        if self.items.len() > limits::BATCH_ITEMS_MAX {
            return Err(EvidenceError::Limits);
        }
        if self.chain != suspects.chain() {
            return Err(EvidenceError::OtherChain);
        }
        let hash = self.signed_hash();
        let mut known = suspects.leaders(self.leader).peekable();
        if known.peek().is_none() {
            return Err(EvidenceError::UnknownKey);
        }
        let signed = |suspect: &&Suspect| verify_strict(&suspect.key, &hash, &self.signature);
        known.find(signed).ok_or(EvidenceError::NotSigned)
    }

    fn place(&self, item: Option<u32>) -> Place {
        Place::Entry { term: self.term, index: self.index, item }
    }
}

impl DoubleBatch {
    pub(super) fn verify(&self, suspects: &Suspects) -> Result<Finding, EvidenceError> {
        let (first, second) = (&self.first, &self.second);
        let place = |b: &SignedBatch| (b.chain, b.term, b.index, b.leader);
        if place(first) != place(second) {
            return Err(EvidenceError::OtherPlace);
        }
        // Not the signatures are compared: another signature over the same batch is no other batch.
        match first.signed_hash().cmp(&second.signed_hash()) {
            core::cmp::Ordering::Less => {}
            core::cmp::Ordering::Equal => return Err(EvidenceError::Same),
            core::cmp::Ordering::Greater => return Err(EvidenceError::NotCanonical),
        }
        let who = first.signer(suspects)?;
        if second.signer(suspects)?.key != who.key {
            return Err(EvidenceError::NotSigned);
        }
        Ok(Finding { kind: Kind::DoubleBatch, who: who.clone(), place: first.place(None) })
    }
}

impl BadItem {
    pub(super) fn verify(&self, suspects: &Suspects) -> Result<Finding, EvidenceError> {
        let who = self.batch.signer(suspects)?;
        let at = usize::try_from(self.position).unwrap_or(usize::MAX);
        if self.batch.items.get(at) != Some(&sha256(&self.item)) {
            return Err(EvidenceError::OtherItem);
        }
        // Other voids are no evidence: what is no transaction, or another chain's, bears no signature whose
        // verdict every honest node must share.
        let transaction =
            Transaction::decode(&self.item).map_err(|_| EvidenceError::NoTransaction)?;
        if transaction.body.chain != suspects.chain() {
            return Err(EvidenceError::NoTransaction);
        }
        let preimages = transaction.preimages(&transaction.body.id());
        let checks: Vec<_> = transaction.checks(&preimages).collect();
        if verify_all(&checks).into_iter().all(|holds| holds) {
            return Err(EvidenceError::GoodItem);
        }
        let place = self.batch.place(Some(self.position));
        Ok(Finding { kind: Kind::BadItem, who: who.clone(), place })
    }
}

impl Evidence {
    /// Of two Raft entries' data: they differ, but claim one place and leader. Signatures are not checked
    /// here: verify what comes out.
    #[must_use]
    pub fn double_batch(one: &[u8], other: &[u8]) -> Option<Self> {
        let one = SignedBatch::of(&Batch::decode(one).ok()?);
        Self::double_signed(one, SignedBatch::of(&Batch::decode(other).ok()?))
    }

    /// As [`Evidence::double_batch`], of what leaders signed.
    #[must_use]
    pub fn double_signed(one: SignedBatch, other: SignedBatch) -> Option<Self> {
        let place = |b: &SignedBatch| (b.chain, b.term, b.index, b.leader);
        let (first, second) = match one.signed_hash().cmp(&other.signed_hash()) {
            _ if place(&one) != place(&other) => return None,
            core::cmp::Ordering::Less => (one, other),
            core::cmp::Ordering::Equal => return None,
            core::cmp::Ordering::Greater => (other, one),
        };
        Some(Self::DoubleBatch(DoubleBatch { first, second }))
    }

    /// Of a batch and the position of an item whose signature does not verify. `None` if there is no such
    /// item.
    #[must_use]
    pub fn bad_item(batch: &Batch, position: usize) -> Option<Self> {
        let item = batch.items.get(position)?.clone();
        let position = u32::try_from(position).ok()?;
        Some(Self::BadItem(BadItem { batch: SignedBatch::of(batch), position, item }))
    }
}
