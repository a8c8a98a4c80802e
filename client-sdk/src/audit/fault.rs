//! What can be wrong with a record, each with a stable code and a sentence.

use musubi_ledger::{
    batch::BatchError,
    genesis::GenesisError,
    id::{InstrumentId, TxId},
    policy::{BundleError, PolicyError},
    tlog::CheckpointError,
};
use thiserror::Error;

use super::lacking::Lacking;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The genesis document cannot open a chain.
    #[error("{0}")]
    Genesis(#[from] GenesisError),
    /// The document opens another chain than the one that was to be audited.
    #[error("it opens chain {found}, and chain {expected} was to be audited")]
    WrongChain {
        /// The one that the caller knows, hex.
        expected: String,
        /// The one that is here, hex.
        found: String,
    },
    /// The entry is no batch of this chain, or not by a validator of it.
    #[error("{0}")]
    Entry(#[from] BatchError),
    /// The leader is no validator.
    #[error("cut by node {0}, which the genesis document does not name")]
    UnknownLeader(u64),
    /// A term of an epoch that no recovery began there.
    #[error("of a term of epoch {0}, which no recovery began there")]
    NoRecovery(u32),
    /// Terms or indexes do not rise.
    #[error("term {term} and index {index} do not follow those of the entry before")]
    Order {
        /// Raft term.
        term: u64,
        /// Raft index.
        index: u64,
    },
    /// Two nodes cut batches in one term, which has one leader.
    #[error("cut by node {second} in term {term}, in which node {first} led")]
    SecondLeader {
        /// Raft term.
        term: u64,
        /// Who cut its earlier batches.
        first: u64,
        /// Who cut this one.
        second: u64,
    },
    /// A leaf or seal is not what re-execution gives.
    #[error("{what}{}", cause.as_ref().map_or_else(String::new, |c| format!("; {c}")))]
    Differs {
        /// Which field, what is published, what follows from the entries.
        what: String,
        /// What else is wrong with the entry, which tells the two apart.
        cause: Option<String>,
    },
    /// Something that must follow is not there.
    #[error("it is missing: the record ends too early")]
    Missing,
    /// Something is there that nothing accounts for.
    #[error("it follows from no entry: the record has more than was executed")]
    Surplus,
    /// Not in the form in which it is kept or sent.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// A checkpoint is not what it should be.
    #[error("node {node}'s checkpoint: {cause}")]
    Checkpoint {
        /// Whose.
        node: u64,
        /// What is wrong.
        cause: CheckpointError,
    },
    /// A checkpoint by a node that the chain does not have.
    #[error("a checkpoint of node {0}, which the genesis document does not name")]
    UnknownValidator(u64),
    /// A validator signed nothing that is here.
    #[error("node {0} has signed no checkpoint that is here")]
    Silent(u64),
    /// What enough validators have signed does not reach as far as it must.
    #[error("{0}")]
    NotCovered(#[from] Lacking),
    /// A validator signed a size at which no block ends here.
    #[error("node {node} signed size {size}, where no block of this log of {ours} leaves ends")]
    OtherSize {
        /// Whose.
        node: u64,
        /// What it signed.
        size: u64,
        /// Our size.
        ours: u64,
    },
    /// A validator signed another history.
    #[error("node {node} signed root {theirs} at size {size}, these entries give {ours}")]
    OtherRoot {
        /// Whose.
        node: u64,
        /// At which size.
        size: u64,
        /// What it signed, hex.
        theirs: String,
        /// What we computed, hex.
        ours: String,
    },
    /// A checkpoint that the auditor kept from before cannot be trusted itself.
    #[error("{file}: {cause}")]
    Kept {
        /// Which.
        file: String,
        /// Why.
        cause: String,
    },
    /// A checkpoint that the auditor kept from before is ahead of the record, or at no block's end.
    #[error(
        "{file} is of size {size}, where no block of this log of {ours} leaves ends: this record was cut off or rewritten since"
    )]
    KeptSize {
        /// Which.
        file: String,
        /// Its size.
        size: u64,
        /// Our size.
        ours: u64,
    },
    /// A checkpoint that the auditor kept from before is of an epoch that a recovery ended, and was dropped by it.
    #[error(
        "{file} is of {size} leaves and is not this log's: the recovery {recovery} to epoch {epoch} went on from {went_on} leaves \
         and dropped what it covers beyond"
    )]
    KeptDropped {
        /// Which.
        file: String,
        /// Its size.
        size: u64,
        /// The epoch that the recovery began.
        epoch: u32,
        /// Leaves from which the log went on.
        went_on: u64,
        /// The recovery.
        recovery: TxId,
    },
    /// The final checkpoint that a recovery names has another root than this log.
    #[error(
        "the recovery to epoch {epoch} names a final checkpoint of {size} leaves with root {theirs}, these entries give {ours}"
    )]
    RecoveryRoot {
        /// The epoch that it began.
        epoch: u32,
        /// The checkpoint's size.
        size: u64,
        /// Its root, hex.
        theirs: String,
        /// Ours, hex.
        ours: String,
    },
    /// A checkpoint that the auditor kept from before has another root: history was rewritten.
    #[error(
        "{file} has root {theirs} at size {size}, these entries give {ours}: history was rewritten since"
    )]
    KeptRoot {
        /// Which.
        file: String,
        /// Its size.
        size: u64,
        /// Its root, hex.
        theirs: String,
        /// What we computed, hex.
        ours: String,
    },
    /// The chain of witness policies does not hold together.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// The bundle's change of policy is not the one that was executed.
    #[error("change {0} of the bundle was not executed there, or set another policy")]
    OtherPolicy(u32),
    /// What is published as final is not.
    #[error("the final checkpoint: {0}")]
    Final(PolicyError),
    /// A final checkpoint is of a size at which no block ends here.
    #[error(
        "a final checkpoint is of size {size}, where no block of this log of {ours} leaves ends"
    )]
    FinalSize {
        /// Its size.
        size: u64,
        /// Our size.
        ours: u64,
    },
    /// A final checkpoint is of another history.
    #[error("the final root at size {size} is {theirs}, these entries give {ours}")]
    FinalRoot {
        /// At which size.
        size: u64,
        /// What was cosigned, hex.
        theirs: String,
        /// What we computed, hex.
        ours: String,
    },
    /// A published tile has a hash that the leaves do not have.
    #[error("hash {index} of level {level} is published as {theirs}, the leaves give {ours}")]
    Tile {
        /// Tile level.
        level: u8,
        /// Index among the level's hashes.
        index: u64,
        /// As published, hex.
        theirs: String,
        /// What we computed, hex.
        ours: String,
    },
    /// A resume point does not belong to this record.
    #[error("{0}: delete it and audit from the beginning")]
    Resume(String),
    /// What wallets hold is not what was issued and not burnt.
    #[error("wallets hold {held} of {instrument}, {outstanding} are outstanding (INV-1)")]
    Supply {
        /// Of which instrument.
        instrument: InstrumentId,
        /// The sum over all wallets.
        held: u128,
        /// Issued less burnt.
        outstanding: u128,
    },
}

impl Fault {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "bad_genesis",
            Self::WrongChain { .. } => "wrong_chain",
            Self::Entry(BatchError::Signature) => "bad_leader_signature",
            Self::Entry(BatchError::Chain) => "other_chain",
            Self::Entry(_) => "bad_entry",
            Self::UnknownLeader(_) => "unknown_leader",
            Self::NoRecovery(_) => "wrong_epoch",
            Self::Order { .. } => "bad_order",
            Self::SecondLeader { .. } => "second_leader",
            Self::Differs { .. } => "differs",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::Unreadable(_) => "unreadable",
            Self::Checkpoint { cause, .. } => cause.code(),
            Self::UnknownValidator(_) => "unknown_validator",
            Self::Silent(_) => "validator_silent",
            Self::NotCovered(_) => "not_covered",
            Self::OtherSize { .. } => "other_size",
            Self::OtherRoot { .. } => "other_root",
            Self::Kept { .. } => "bad_kept_checkpoint",
            Self::KeptSize { .. } => "kept_size",
            Self::KeptRoot { .. } => "kept_root",
            Self::KeptDropped { .. } => "kept_dropped",
            Self::RecoveryRoot { .. } => "recovery_root",
            Self::Bundle(error) => error.code(),
            Self::OtherPolicy(_) => "other_policy",
            Self::Final(error) => error.code(),
            Self::FinalSize { .. } => "final_size",
            Self::FinalRoot { .. } => "final_root",
            Self::Tile { .. } => "other_tile",
            Self::Resume(_) => "bad_resume_point",
            Self::Supply { .. } => "supply_not_conserved",
        }
    }
}
