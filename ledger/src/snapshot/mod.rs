//! A snapshot: the whole state under one seal, for whoever does not want to execute the log from its beginning.
//!
//! - [`manifest`]: which seal, and why it is to be believed: its leaf is under a final checkpoint, and its body
//!   names the state's digest and the Raft entry that it executed;
//! - [`page`]: the state's rows as they travel; [`gather`]: taking them and counting everything again.
//!
//! Nothing here trusts whom it came from. A manifest ends in the quorum of the witness policy; rows count only
//! when all of them together have the digest that the manifest's seal names. The formats are in `docs/FORMAT.md`.

pub mod gather;
pub mod manifest;
pub mod page;

pub use gather::Gathered;
pub use manifest::{Anchor, Manifest};
pub use page::RowPage;

use thiserror::Error;

use crate::{batch::BatchError, codec::CodecError, policy::PolicyError, tlog::ProofError};

/// What does not add up in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// Not a manifest's canonical bytes.
    #[error("not a snapshot's manifest: {0}")]
    Manifest(CodecError),
    /// No final checkpoint.
    #[error("the snapshot's checkpoint is not final: {0}")]
    Checkpoint(#[from] PolicyError),
    /// The seal is not under the checkpoint.
    #[error("the snapshot's seal is not under its checkpoint: {0}")]
    Inclusion(#[from] ProofError),
    /// The Raft entry is not the one that the seal names.
    #[error("the snapshot's Raft entry is not the one that its seal names")]
    OtherEntry,
    /// The Raft entry is no batch of this chain.
    #[error("the snapshot's Raft entry is refused: {0}")]
    Entry(BatchError),
    /// A page is cut, or too long.
    #[error("a page of rows cannot be read: {0}")]
    Page(&'static str),
    /// A row that no state has there.
    #[error("row {0} of the snapshot: {1}")]
    Row(u64, &'static str),
    /// The wallets' serial numbers have a gap, or one is there twice.
    #[error("wallet {0} of the snapshot is missing, or there twice")]
    Wallets(u64),
    /// The rows are not those of the seal's state.
    #[error("the snapshot's rows have state digest {found}, and the final seal names {expected}")]
    Digest {
        /// What the rows have, in hexadecimal.
        found: String,
        /// What the seal names.
        expected: String,
    },
    /// The witness policies among the rows are not those of the policy bundle.
    #[error("the snapshot's rows have other witness policies than the bundle that proves them")]
    Policies,
    /// The leaves are not those under the checkpoint.
    #[error("the snapshot's leaves are not those of the log under the checkpoint")]
    Leaves,
}

impl SnapshotError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Manifest(_) => "bad_manifest",
            Self::Checkpoint(error) => error.code(),
            Self::Inclusion(error) => error.code(),
            Self::OtherEntry | Self::Entry(_) => "snapshot_entry",
            Self::Page(_) => "snapshot_page",
            Self::Row(..) => "snapshot_row",
            Self::Wallets(_) => "snapshot_wallets",
            Self::Digest { .. } => "snapshot_digest",
            Self::Policies => "snapshot_policies",
            Self::Leaves => "snapshot_leaves",
        }
    }
}
