//! What a transaction's proof shows beside its leaf: the preimages of the leaf's hashes, and nothing that they do
//! not cover. It stands in the proof file's extra data.
//!
//! The encoding begins with the leaf's own 119 bytes, and each part that is hashed stands there as it is hashed, so
//! that a verifier in any language can cut the bytes apart without understanding an operation
//! (`docs/FORMAT.md`, section 15).

use serde::{Deserialize, Serialize};

use super::error::TransactionProofError;
use crate::{
    codec,
    id::Salt,
    leaf::{Leaf, LeafKind, SystemCause},
    limits,
    outcome::Outcome,
    tlog::proof_file::MAX_EXTRA_BYTES,
    transaction::{Body, Signature, Transaction},
};

/// What a leaf is about.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::large_enum_variant, reason = "subjects live one to a proof, never in arrays")]
pub enum Subject {
    /// A transaction, with all its signatures.
    Transaction(Transaction),
    /// Something that became due: nobody signed.
    System(SystemCause),
}

/// A leaf with the preimages of its hashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// The leaf.
    pub leaf: Leaf,
    /// What its id and its signatures' hash stand for.
    pub subject: Subject,
    /// What its outcome's hash stands for. The salt is the subject's.
    pub outcome: Outcome,
}

/// The bytes of an [`Opening`]. The body is kept as bytes: its id is their hash.
#[derive(Serialize, Deserialize)]
struct Wire {
    leaf: Leaf,
    subject: WireSubject,
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
enum WireSubject {
    Transaction {
        #[serde(with = "crate::bytes")]
        body: Vec<u8>,
        signatures: Vec<Signature>,
    },
    System(SystemCause),
}

impl Subject {
    /// The salt of the outcome's hash: the body's own, or derived from the cause.
    #[must_use]
    pub fn salt(&self) -> Salt {
        match self {
            Self::Transaction(transaction) => transaction.body.salt,
            Self::System(action) => action.salt(),
        }
    }
}

impl Opening {
    /// Canonical bytes, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let subject = match &self.subject {
            Subject::Transaction(Transaction { body, signatures }) => {
                WireSubject::Transaction { body: body.encode(), signatures: signatures.clone() }
            }
            Subject::System(action) => WireSubject::System(*action),
        };
        let wire = Wire { leaf: self.leaf, subject, outcome: self.outcome.clone() };
        codec::encode_versioned(&wire)
    }

    /// Reads an opening; whether anything in it is true is another question.
    ///
    /// # Errors
    /// [`TransactionProofError::BadOpening`], [`TransactionProofError::BadBody`] or
    /// [`TransactionProofError::BadForm`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionProofError> {
        let Wire { leaf, subject, outcome } = codec::decode_versioned(bytes, MAX_EXTRA_BYTES)
            .map_err(TransactionProofError::BadOpening)?;
        let subject = match subject {
            WireSubject::Transaction { body, signatures } => {
                let body = codec::decode_versioned(&body, limits::TRANSACTION_BYTES_MAX);
                let body: Body = body.map_err(TransactionProofError::BadBody)?;
                let transaction = Transaction { body, signatures };
                let fits = transaction.encode().len() <= limits::TRANSACTION_BYTES_MAX;
                if !fits || transaction.check_form().is_err() {
                    return Err(TransactionProofError::BadForm);
                }
                Subject::Transaction(transaction)
            }
            WireSubject::System(action) => Subject::System(action),
        };
        Ok(Self { leaf, subject, outcome })
    }

    /// Checks that subject and outcome are what the leaf's hashes stand for.
    ///
    /// # Errors
    /// [`TransactionProofError::OtherKind`], [`TransactionProofError::IdMismatch`],
    /// [`TransactionProofError::SignaturesMismatch`] or [`TransactionProofError::OutcomeMismatch`].
    pub fn check(&self) -> Result<(), TransactionProofError> {
        let (kind, id, signatures) = match &self.subject {
            Subject::Transaction(transaction) => {
                let signatures = transaction.signatures_hash();
                (LeafKind::Transaction, transaction.body.id(), signatures)
            }
            Subject::System(action) => (LeafKind::System, action.id(), [0; 32]),
        };
        if self.leaf.kind != kind {
            return Err(TransactionProofError::OtherKind);
        }
        if self.leaf.id != id {
            return Err(TransactionProofError::IdMismatch);
        }
        if self.leaf.signatures != signatures {
            return Err(TransactionProofError::SignaturesMismatch);
        }
        if self.leaf.outcome != self.outcome.hash(&self.subject.salt()) {
            return Err(TransactionProofError::OutcomeMismatch);
        }
        Ok(())
    }
}
