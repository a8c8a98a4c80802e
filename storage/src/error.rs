//! What can go wrong, in sentences an operator can act on.

use musubi_ledger::{codec::CodecError, genesis::GenesisError, hash::Hash};
use thiserror::Error;

use crate::backend::BackendError;

/// A store in use failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The medium failed. Of a write or sync: the store takes no more (S4).
    #[error("the store's disk failed: {0}")]
    Backend(#[from] BackendError),
    /// The watermark file failed; the store takes no more.
    #[error("the watermark file failed: {0}")]
    Watermark(String),
    /// A record is not what was written.
    #[error(
        "the store is damaged: {what} is not what was written; stop this node and verify its directory"
    )]
    Damaged {
        /// Which record.
        what: String,
    },
    /// An earlier write or sync failed. What is durable is unknown, so nothing more is taken.
    #[error(
        "the store takes no more since an earlier failure: {0}; stop this node, mend the disk, start again"
    )]
    Poisoned(String),
}

impl StoreError {
    /// Stable code for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Backend(BackendError::Io(_)) => "disk_failed",
            Self::Backend(BackendError::Damaged(_)) | Self::Damaged { .. } => "store_damaged",
            Self::Watermark(_) => "watermark_failed",
            Self::Poisoned(_) => "store_poisoned",
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        Self::damaged(format!("a record ({error})"))
    }
}

/// A directory cannot be opened, created or trusted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by another process: stop that one first")]
    Locked {
        /// The directory.
        path: String,
    },
    /// The directory cannot be read or written.
    #[error("{path} cannot be opened: {why}")]
    Io {
        /// The directory.
        path: String,
        /// What the system says.
        why: String,
    },
    /// The database refuses its own files.
    #[error(
        "the database refuses to open: {0}; do not delete files from it: bring this node back as a new member"
    )]
    Backend(String),
    /// Nothing is stored here.
    #[error(
        "the directory holds no ledger: if making it was cut short, delete what is there and make it anew"
    )]
    Empty,
    /// Something is stored here.
    #[error("the directory already holds a ledger: open it, or choose an empty one")]
    NotEmpty,
    /// Written by software of another storage format.
    #[error(
        "the directory has storage format {found}, this software has {expected}: use the matching release"
    )]
    Format {
        /// Format found.
        found: u32,
        /// Format wanted.
        expected: u32,
    },
    /// Of another chain than the caller's genesis document.
    #[error(
        "the directory belongs to chain {found}, the genesis document is of chain {expected}: check the configuration"
    )]
    Chain {
        /// Chain found.
        found: String,
        /// Chain wanted.
        expected: String,
    },
    /// Another node has promised in it.
    #[error(
        "the directory is node {found}'s, not node {expected}'s: give each node its own disk back, and copy none"
    )]
    OtherNode {
        /// Whose it is.
        found: u64,
        /// Who asks for it.
        expected: u64,
    },
    /// The genesis document is bad.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The watermark file says of another directory.
    #[error(
        "database and watermark file come from different directories: restore both from the node itself, do not mix copies"
    )]
    Mixed,
    /// The watermark file is missing or both its slots are damaged.
    #[error(
        "the watermark file is missing or damaged, so nobody can tell whether acknowledged entries were lost: bring this node back as a new member"
    )]
    WatermarkLost,
    /// The database is behind what this node acknowledged.
    #[error(
        "acknowledged Raft entries are lost: the watermark stands at write {acknowledged} (entry {index}, term {term}), \
         the database at write {found}. This node must not vote under its id any more: bring it back as a new member; \
         do not copy another node's directory"
    )]
    AcknowledgedLost {
        /// Number of the last acknowledged write.
        acknowledged: u64,
        /// Number of the last write found.
        found: u64,
        /// Raft index acknowledged.
        index: u64,
        /// Term acknowledged.
        term: u64,
    },
    /// A record is not what was written.
    #[error(
        "the directory is damaged: {what}. Bring this node back as a new member; do not copy another node's directory"
    )]
    Damaged {
        /// What does not fit.
        what: String,
    },
    /// Reading failed while opening.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OpenError {
    /// Stable code for logs and the process's exit message.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "directory_locked",
            Self::Io { .. } => "directory_unusable",
            Self::Backend(_) => "database_refused",
            Self::Empty => "directory_empty",
            Self::NotEmpty => "directory_not_empty",
            Self::Format { .. } => "storage_format",
            Self::Chain { .. } => "wrong_chain",
            Self::OtherNode { .. } => "other_nodes_directory",
            Self::Genesis(_) => "bad_genesis",
            Self::Mixed => "directory_mixed",
            Self::WatermarkLost => "watermark_lost",
            Self::AcknowledgedLost { .. } => "acknowledged_lost",
            Self::Damaged { .. } => "directory_damaged",
            Self::Store(error) => error.code(),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}

impl From<BackendError> for OpenError {
    fn from(error: BackendError) -> Self {
        Self::Store(error.into())
    }
}

/// A few hex digits of a hash, for messages.
pub(crate) fn short(hash: &Hash) -> String {
    hash[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}
