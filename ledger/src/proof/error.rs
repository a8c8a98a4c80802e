//! Every way in which a transaction's proof can be wrong, or cannot be had, each with its code.

use thiserror::Error;

use crate::{
    codec::CodecError,
    keys::PublicKey,
    policy::PolicyError,
    tlog::{ProofError, ProofFileError},
};

/// Why a proof was refused. Nothing that the file says is to be believed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransactionProofError {
    /// The bytes are no proof file.
    #[error(transparent)]
    File(#[from] ProofFileError),
    /// A proof file without extra data: it shows that some leaf is there, not what it is about.
    #[error("the proof does not say what it is about: ask for one with its extra data")]
    NoExtra,
    /// The extra data is not the canonical encoding of an opening.
    #[error("the proof's extra data is not what Musubi puts there: {0}")]
    BadOpening(CodecError),
    /// The body inside is not the canonical encoding of a body.
    #[error("the body in the proof is not a transaction's: {0}")]
    BadBody(CodecError),
    /// Signatures out of order, repeated, too many, or the whole too long for a transaction.
    #[error("the signatures in the proof are out of order, repeated or too many")]
    BadForm,
    /// The checkpoint is not final under the policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The leaf is not where the proof says.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// The leaf is of another kind than what the proof opens it as.
    #[error("the leaf in the log is of another kind than the proof makes of it")]
    OtherKind,
    /// The body was made for another chain than the policy's.
    #[error("the transaction in the proof was made for another chain")]
    OtherChain,
    /// The body, or the system action, does not hash to the leaf's id.
    #[error("what the proof shows is not what the leaf's id stands for: it was altered")]
    IdMismatch,
    /// The signatures do not hash to what the leaf has.
    #[error(
        "the signatures in the proof are not those that the leaf stands for: they were altered"
    )]
    SignaturesMismatch,
    /// The outcome does not hash to what the leaf has.
    #[error("the postings in the proof are not those that the leaf stands for: they were altered")]
    OutcomeMismatch,
    /// A signature does not verify, although a final leaf stands for it: the cosigners let it pass.
    #[error(
        "the signature of {signer} does not verify, yet a quorum cosigned it: keep this file, it is evidence"
    )]
    BadSignature {
        /// The key that is said to have signed.
        signer: PublicKey,
    },
    /// The verdict is one that no leaf can have.
    #[error("a quorum cosigned a verdict that no leaf can have: keep this file, it is evidence")]
    ImpossibleVerdict,
    /// Something moved although the transaction was rejected, or value was invented.
    #[error(
        "a quorum cosigned postings that do not add up, or of a rejected transaction: keep this file, it is evidence"
    )]
    ImpossibleOutcome,
}

impl TransactionProofError {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::NoExtra => "no_proof_extra",
            Self::BadOpening(_) => "bad_opening",
            Self::BadBody(_) => "bad_body",
            Self::BadForm => "bad_form",
            Self::Policy(error) => error.code(),
            Self::Inclusion(error) => error.code(),
            Self::OtherKind => "other_kind",
            Self::OtherChain => "other_chain",
            Self::IdMismatch => "id_mismatch",
            Self::SignaturesMismatch => "signatures_mismatch",
            Self::OutcomeMismatch => "outcome_mismatch",
            Self::BadSignature { .. } => "bad_signature",
            Self::ImpossibleVerdict => "impossible_verdict",
            Self::ImpossibleOutcome => "impossible_outcome",
        }
    }
}

/// Why no proof could be made of what a node keeps.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoProof {
    /// Genesis leaves and seals have public bodies and nothing to open.
    #[error(
        "this leaf is neither a transaction's nor a system action's: nothing is hidden behind it"
    )]
    NothingToOpen,
    /// What is kept does not belong to the leaf: the store is damaged.
    #[error("what is kept for this leaf does not belong to it: {0}")]
    Damaged(TransactionProofError),
    /// A part is larger than a proof file may have.
    #[error("the proof would be too large: {0}")]
    File(#[from] ProofFileError),
}

impl NoProof {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToOpen => "nothing_to_open",
            Self::Damaged(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }
}
