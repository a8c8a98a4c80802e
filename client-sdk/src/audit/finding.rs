//! The first thing that is wrong: where it is, and why.

use std::fmt;

use musubi_ledger::{
    batch::BatchError, genesis::GenesisError, id::InstrumentId, time::Time, tlog::CheckpointError,
};
use thiserror::Error;

/// Which part of the record is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The genesis document.
    Genesis,
    /// A Raft entry: a batch with its items.
    Entry,
    /// A leaf of the log.
    Leaf,
    /// A seal's body.
    Seal,
    /// A validator's signed checkpoint.
    Checkpoint,
    /// The money itself, after all entries.
    Supply,
}

/// The first fault of a record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Finding {
    /// Which part.
    pub part: Part,
    /// The block.
    pub height: Option<u64>,
    /// The leaf's index in the log.
    pub leaf: Option<u64>,
    /// The item's position in its batch, from 0.
    pub item: Option<u32>,
    /// What is wrong.
    pub fault: Fault,
}

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
    /// Terms or indexes do not rise.
    #[error("term {term} and index {index} do not follow those of the entry before")]
    Order {
        /// Raft term.
        term: u64,
        /// Raft index.
        index: u64,
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

/// In what way the validators' signatures do not reach far enough: a record may have been cut off, or
/// continued by one validator alone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lacking {
    /// Too few validators signed anything that is here.
    #[error(
        "{signed} of {validators} validators have signed a checkpoint that is here, no majority"
    )]
    Majority {
        /// How many did.
        signed: usize,
        /// How many there are.
        validators: usize,
    },
    /// Not up to the height that was asked for.
    #[error("block {wanted} was to be signed by {whom}, only block {covered} is")]
    Height {
        /// By whom.
        whom: Quorum,
        /// The height that they signed.
        covered: u64,
        /// The height that was asked for.
        wanted: u64,
    },
    /// The newest block that they signed is older than was asked for.
    #[error(
        "the newest block that {whom} signed is of {covered}, it was to be of {wanted} or later"
    )]
    Time {
        /// By whom.
        whom: Quorum,
        /// The time of the block that they signed.
        covered: Time,
        /// The earliest that was asked for.
        wanted: Time,
    },
}

/// How many validators must have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// More than half of them.
    Majority,
    /// Each of them.
    All,
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Majority => "a majority of the validators",
            Self::All => "all validators",
        })
    }
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
            Self::Order { .. } => "bad_order",
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
            Self::Supply { .. } => "supply_not_conserved",
        }
    }
}

impl Finding {
    pub(super) fn new(part: Part, fault: impl Into<Fault>) -> Self {
        Self { part, height: None, leaf: None, item: None, fault: fault.into() }
    }

    pub(super) fn at(mut self, height: u64) -> Self {
        self.height = Some(height);
        self
    }

    pub(super) fn leaf(mut self, leaf: u64) -> Self {
        self.leaf = Some(leaf);
        self
    }

    pub(super) fn item(mut self, item: Option<u32>) -> Self {
        self.item = item;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Genesis => "genesis document",
            Part::Entry => "entry",
            Part::Leaf => "leaf",
            Part::Seal => "seal",
            Part::Checkpoint => "checkpoints",
            Part::Supply => "supply",
        };
        write!(f, "{part}")?;
        if let Some(leaf) = self.leaf {
            write!(f, " {leaf}")?;
        }
        if let Some(height) = self.height {
            write!(f, " at height {height}")?;
        }
        if let Some(item) = self.item {
            write!(f, " (item {item} of its batch)")?;
        }
        write!(f, ": {}", self.fault)
    }
}
