//! What can be wrong with what an upstream says. Each names the block and, where there is one, the leaf.

use musubi_ledger::{batch::BatchError, codec::CodecError};
use thiserror::Error;

/// A block that is not recorded, or a checkpoint that is not kept, and why.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("block {height}{}: {wrong}", at(.leaf))]
pub struct Refused {
    /// The block.
    pub height: u64,
    /// The first leaf that is wrong, if it is a leaf.
    pub leaf: Option<u64>,
    /// What is wrong.
    pub wrong: Wrong,
}

fn at(leaf: &Option<u64>) -> String {
    leaf.map_or_else(String::new, |leaf| format!(", leaf {leaf}"))
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Wrong {
    /// No batch, of another chain, or not signed by the leader it names.
    #[error("its entry is refused: {0}")]
    Entry(#[from] BatchError),
    /// A leader of whom the genesis document knows nothing.
    #[error("its entry names node {0} as leader, which is not in the genesis document")]
    Leader(u64),
    /// It does not follow on the block before.
    #[error(
        "its entry is of term {term} and index {index}, which does not follow on term {last_term} and index \
         {last_index}"
    )]
    Order {
        /// Its term.
        term: u64,
        /// Its index.
        index: u64,
        /// The term of the entry before.
        last_term: u64,
        /// That entry's index.
        last_index: u64,
    },
    /// An epoch begins with something else than a recovery that takes effect, or ends otherwise.
    #[error("its entry is of epoch {0}, which no recovery began there")]
    Epoch(u32),
    /// The seal cannot be read.
    #[error("its seal cannot be read: {0}")]
    Seal(CodecError),
    /// The seal is another block's.
    #[error("its seal is of block {0}")]
    SealHeight(u64),
    /// The seal is of another entry.
    #[error("its seal names another entry: the entry was changed, or the seal")]
    SealEntry,
    /// A leaf is not the one that execution gives.
    #[error("the leaf is not what execution gives: {0}")]
    Leaf(String),
    /// There are fewer or more leaves than execution gives.
    #[error("it has {found} bytes of leaves, execution gives {expected}")]
    Leaves {
        /// What was served.
        found: usize,
        /// What it must be.
        expected: usize,
    },
    /// The seal's body is not the one that execution gives.
    #[error("its seal is not what execution gives: {0}")]
    SealBody(String),
    /// A final checkpoint has another root than this replica's log at its size.
    #[error(
        "a final checkpoint of size {size} has root {theirs}, and execution gives {ours}: a quorum signed \
         another history"
    )]
    Checkpoint {
        /// Leaves that it covers.
        size: u64,
        /// Its root.
        theirs: String,
        /// This replica's.
        ours: String,
    },
}

impl Wrong {
    /// Stable code, for metrics and evidence.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entry(_) => "bad_entry",
            Self::Leader(_) => "unknown_leader",
            Self::Epoch(_) => "wrong_epoch",
            Self::Order { .. } => "bad_order",
            Self::Seal(_) | Self::SealHeight(_) | Self::SealEntry | Self::SealBody(_) => "bad_seal",
            Self::Leaf(_) | Self::Leaves { .. } => "bad_leaf",
            Self::Checkpoint { .. } => "checkpoint_conflict",
        }
    }
}
