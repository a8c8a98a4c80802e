//! Why a file is no evidence.

use thiserror::Error;

use crate::{
    codec::CodecError,
    tlog::{CheckpointError, ProofError},
};

/// Why a file shows nothing. Whom it names is then accused of nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// Not an evidence file's canonical bytes.
    #[error("not an evidence file: {0}")]
    Codec(#[from] CodecError),
    /// A batch in it is larger than batches may be.
    #[error("it holds a batch of more items than a batch may carry")]
    Limits,
    /// It is about another chain.
    #[error("it is about another chain: check it with that chain's genesis document")]
    OtherChain,
    /// It is about another log.
    #[error("it is about the log {0}, which is not this ledger's")]
    OtherLog(String),
    /// Its two parts are about different places, leaders or logs: nothing contradicts.
    #[error("its two parts are not about the same place: they do not contradict each other")]
    OtherPlace,
    /// It names a signer whom the genesis document and the policies do not know.
    #[error("its signer is none of this ledger's")]
    UnknownKey,
    /// A signature does not verify, or is not there.
    #[error("not signed by whom it accuses: a signature does not verify or is missing")]
    NotSigned,
    /// Its two parts say the same: signing a thing twice is no contradiction.
    #[error("its two parts say the same: nothing contradicts")]
    Same,
    /// Its parts are in the other order, or one holds more than it needs: every fact has one file.
    #[error("not in canonical form: its parts are out of order or hold more than is needed")]
    NotCanonical,
    /// The item is not the one that the batch holds at that position.
    #[error("the item is not the one that stands at this position of the batch")]
    OtherItem,
    /// The item is no transaction of this chain: void, but nothing that a signature could decide.
    #[error("the item is no transaction of this chain: void, and no evidence")]
    NoTransaction,
    /// The item's signatures verify.
    #[error("the item's signatures verify: nothing is wrong with it")]
    GoodItem,
    /// A note in it is no checkpoint.
    #[error("a note in it is no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not lead to the later root.
    #[error("its proof of consistency does not hold: {0}")]
    Proof(#[from] ProofError),
}

impl EvidenceError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Codec(_) => "evidence_malformed",
            Self::Limits => "evidence_over_limits",
            Self::OtherChain => "evidence_other_chain",
            Self::OtherLog(_) => "evidence_other_log",
            Self::OtherPlace => "evidence_other_place",
            Self::UnknownKey => "evidence_unknown_key",
            Self::NotSigned => "evidence_not_signed",
            Self::Same => "evidence_same",
            Self::NotCanonical => "evidence_not_canonical",
            Self::OtherItem => "evidence_other_item",
            Self::NoTransaction => "evidence_no_transaction",
            Self::GoodItem => "evidence_good_item",
            Self::Checkpoint(_) => "evidence_bad_checkpoint",
            Self::Proof(_) => "evidence_bad_proof",
        }
    }
}
