//! A recovery as offline verifiers see it: proven by the governance keys of the genesis document, not by whoever
//! cosigned before. It begins the witness policies of a new epoch, and says how far the log before it survives.

use thiserror::Error;

use super::PolicyChain;
use crate::{
    genesis::Genesis,
    id::{PartyId, TxId},
    operation::{BeginEpoch, Operation},
    tlog::checkpoint::Checkpoint,
    transaction::{Role, Side, Transaction},
    verify::{Check, verify_all},
};

/// A recovery that the governance quorum signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovery {
    /// Its transaction's id.
    pub id: TxId,
    /// What it says.
    pub begins: BeginEpoch,
    /// The last final checkpoint that it names.
    pub last_final: Option<Checkpoint>,
    /// The organisations whose governance keys signed it, in the genesis document's order.
    pub signed_by: Vec<PartyId>,
}

/// Why a transaction is no recovery that counts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecoveryError {
    /// Another operation, another chain's, or parts that could not begin an epoch.
    #[error("it is no recovery of this ledger: {0}")]
    Form(&'static str),
    /// A signature that does not verify.
    #[error("one of its signatures does not verify")]
    Signature,
    /// Too few organisations.
    #[error(
        "{have} of the {of} organisations signed it with the governance keys of the genesis document: more than \
         half must"
    )]
    Quorum {
        /// Organisations that signed.
        have: usize,
        /// All organisations.
        of: usize,
    },
    /// It does not follow on the epochs and policies before it.
    #[error("it does not follow on what was before it: {0}")]
    Order(&'static str),
    /// The checkpoint that it names.
    #[error(
        "the checkpoint that it names is not final in the epoch before, or covers more than survives"
    )]
    Checkpoint,
}

impl RecoveryError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "not_a_recovery",
            Self::Signature => "bad_signature",
            Self::Quorum { .. } => "organisations_missing",
            Self::Order(_) => "epoch_not_next",
            Self::Checkpoint => "checkpoint_not_final",
        }
    }
}

impl Recovery {
    /// Reads a recovery and checks what needs nothing but the genesis document: form, every signature, the quorum.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn signed(transaction: &Transaction, genesis: &Genesis) -> Result<Self, RecoveryError> {
        let recovery = Self::drafted(transaction, genesis)?;
        let (have, of) = (recovery.signed_by.len(), genesis.organisations.len());
        if 2 * have > of { Ok(recovery) } else { Err(RecoveryError::Quorum { have, of }) }
    }

    /// As [`Recovery::signed`], whoever has signed so far.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn drafted(transaction: &Transaction, genesis: &Genesis) -> Result<Self, RecoveryError> {
        let id = transaction.body.id();
        let Operation::BeginEpoch(begins) = &transaction.body.operation else {
            return Err(RecoveryError::Form("it is another operation"));
        };
        if transaction.body.chain != genesis.chain() {
            return Err(RecoveryError::Form("it is another chain's"));
        }
        if !begins.well_formed() {
            return Err(RecoveryError::Form("its parts could not begin an epoch"));
        }
        let note = begins.checkpoint.as_ref();
        let last_final = note.map(|note| checkpoint_of(note).ok_or(RecoveryError::Checkpoint));
        let preimages = transaction.preimages(&id);
        let checks: Vec<Check<'_>> = transaction.checks(&preimages).collect();
        if !verify_all(&checks).into_iter().all(|holds| holds) {
            return Err(RecoveryError::Signature);
        }
        let signed = |party: &PartyId, key| {
            transaction.signatures.iter().any(|s| {
                (s.side, s.role) == (Side::Authority, Role::Governance)
                    && (s.party, s.signer) == (*party, key)
            })
        };
        let by = genesis.organisations.iter().filter(|o| signed(&o.party, o.governance));
        let signed_by = by.map(|o| o.party).collect();
        let last_final = last_final.transpose()?;
        Ok(Self { id, begins: begins.clone(), last_final, signed_by })
    }

    /// Whether it follows on the epochs and policies so far, and the checkpoint that it names is final by them.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn follows(&self, policies: &PolicyChain) -> Result<(), RecoveryError> {
        if self.begins.epoch != policies.epoch() + 1 {
            return Err(RecoveryError::Order("its epoch is not the next"));
        }
        // Changes that were never confirmed are not in the chain, but were numbered.
        if self.begins.policy.number <= policies.newest().policy().number {
            return Err(RecoveryError::Order("its policy's number is taken"));
        }
        if self.begins.size < policies.newest_from() {
            return Err(RecoveryError::Order("it goes on from before the policy in force"));
        }
        let Some(note) = &self.begins.checkpoint else { return Ok(()) };
        let last = policies.check(note.as_bytes()).map_err(|_| RecoveryError::Checkpoint)?;
        let of_epoch = policies.genesis().origin_of(policies.epoch()) == last.checkpoint.origin();
        if of_epoch && last.checkpoint.size() <= self.begins.size {
            Ok(())
        } else {
            Err(RecoveryError::Checkpoint)
        }
    }

    /// The names of the organisations that signed it.
    #[must_use]
    pub fn names(&self, genesis: &Genesis) -> Vec<String> {
        let name = |party: &PartyId| {
            genesis.organisation(party).map_or_else(|| party.to_string(), |o| o.name.clone())
        };
        self.signed_by.iter().map(name).collect()
    }
}

fn checkpoint_of(note: &str) -> Option<Checkpoint> {
    let note = crate::tlog::note::SignedNote::parse(note.as_bytes()).ok()?;
    note.text().parse().ok()
}
