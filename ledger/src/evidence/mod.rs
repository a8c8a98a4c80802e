//! Evidence: a file that shows that the holder of one key broke the rules, checked offline with nothing
//! but the genesis document (or the policy bundle).
//!
//! A file holds two things that one key signed and that cannot both be honest, or one that cannot be. It
//! names the holder of that key and nobody else: whoever handed the file on, relayed the bytes or stood by is
//! not in it. So a file is as good from an enemy's hand as from a friend's.
//!
//! | kind | what one key signed | why no honest node does |
//! |---|---|---|
//! | [`DoubleBatch`] | two different batches for one (chain, term, index) | a leader appends to its own log, so within a term each index comes once; its term and vote are on disk before anybody hears of its candidature, so no crash takes it back into a term in which it has signed |
//! | [`BadItem`] | a batch with an item whose signature does not verify | a leader orders what it has verified itself, by the one rule of [`crate::verify`], whose verdict depends on the bytes alone |
//! | [`TwoRoots`] | two roots of one log at one size | it signs the root of its own executed log, and what is executed never changes |
//! | [`Rewritten`] | a root at one size, and a larger tree that begins otherwise | as above |
//!
//! "Honest" means: runs this software with its keys in one place, on a disk that keeps what was synced. Two
//! processes under one identity, or an old backup put back, can sign twice without ill will; the
//! file is right all the same, for that is a broken rule of operation (decision 11).
//!
//! # What is not in such a file
//!
//! - *Votes*: messages between validators are authenticated, not signed. Two leaders in one term show as
//!   two signers, and which of them was elected nobody else can check.
//! - *Stamps ahead of a clock*: two honest clocks explain them.
//! - *A seal whose digest does not follow from the log*: needs the whole log and its execution. That is the
//!   audit's finding, not a file's.
//! - *Roots of two different keys that differ*: one of them lies or was lied to; which, the log decides.
//!
//! # Who owns what
//!
//! [`batch`] the kinds about batches, [`note`] those about checkpoints, [`suspects`] whose keys they
//! may name, [`finding`] what is said, [`memory`] how signed checkpoints that contradict each other are
//! noticed. Nothing here writes, sends or keeps files.

pub mod batch;
pub mod error;
pub mod finding;
pub mod memory;
pub mod note;
pub mod suspects;

use serde::{Deserialize, Serialize};

pub use batch::{BadItem, DoubleBatch, SignedBatch};
pub use error::EvidenceError;
pub use finding::{Finding, Kind, Place};
pub use memory::{Memory, OwnLog};
pub use note::{Rewritten, TwoRoots};
pub use suspects::{Signs, Suspect, Suspects};

use crate::{
    codec::{self, CodecError},
    limits,
};

/// An evidence file's content. Worth nothing until [`Evidence::verify`] has said so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Evidence {
    /// A leader signed two batches for one place in the log.
    DoubleBatch(DoubleBatch),
    /// A leader signed a batch with an item whose signature does not verify.
    BadItem(BadItem),
    /// A key signed two roots of one log at one size.
    TwoRoots(TwoRoots),
    /// A key signed a root, and a larger tree in which that root is not the beginning's.
    Rewritten(Rewritten),
}

impl Evidence {
    /// The file's bytes: canonical, version byte first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a file; nothing in it is believed yet.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_versioned(bytes, limits::EVIDENCE_BYTES_MAX)
    }

    /// Which kind it is of.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::DoubleBatch(_) => Kind::DoubleBatch,
            Self::BadItem(_) => Kind::BadItem,
            Self::TwoRoots(_) => Kind::TwoRoots,
            Self::Rewritten(_) => Kind::Rewritten,
        }
    }

    /// Checks everything, and says whom it shows doing what.
    ///
    /// # Errors
    /// [`EvidenceError`]: it shows nothing, and accuses nobody.
    pub fn verify(&self, suspects: &Suspects) -> Result<Finding, EvidenceError> {
        match self {
            Self::DoubleBatch(evidence) => evidence.verify(suspects),
            Self::BadItem(evidence) => evidence.verify(suspects),
            Self::TwoRoots(evidence) => evidence.verify(suspects),
            Self::Rewritten(evidence) => evidence.verify(suspects),
        }
    }
}

/// Reads and checks a file's bytes.
///
/// # Errors
/// [`EvidenceError`].
pub fn verify(bytes: &[u8], suspects: &Suspects) -> Result<Finding, EvidenceError> {
    Evidence::decode(bytes)?.verify(suspects)
}
