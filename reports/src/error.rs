//! Why there is no report.

use musubi_sdk::{
    InstrumentId, PartyId,
    audit::{AuditError, FileError},
};
use thiserror::Error;

/// Why there is no report. Each has a stable code and, where something can be done, says what.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The record does not hold, or could not be read.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// A file could not be read or written.
    #[error("{file}: {cause}")]
    File {
        /// Which.
        file: String,
        /// Why.
        cause: String,
    },
    /// What was asked for does not fit what there is.
    #[error("{what}")]
    Asked {
        /// The stable code.
        code: &'static str,
        /// What is wrong.
        what: String,
        /// What to do.
        next: &'static str,
    },
    /// A sum of postings is not what the ledger's state says: a fault of this program or of the ledger's.
    #[error("totals differ: {0}")]
    Totals(#[from] Mismatch),
}

/// Where postings and state differ.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{whose}, {instrument}: postings give {postings}, the ledger's state says {state}")]
pub struct Mismatch {
    /// Whose sum.
    pub whose: Whose,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What the postings give, in smallest units.
    pub postings: i128,
    /// What the state says.
    pub state: i128,
}

/// Whose sum differs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Whose {
    /// A wallet's, in one state of one lot.
    #[error("wallet of {0}")]
    Wallet(PartyId),
    /// All wallets' together, against what came and went.
    #[error("all wallets")]
    All,
    /// A report's own table.
    #[error("the report's table `{0}`")]
    Table(&'static str),
}

impl ReportError {
    /// Something that was asked for does not fit.
    #[must_use]
    pub fn asked(code: &'static str, what: impl Into<String>, next: &'static str) -> Self {
        Self::Asked { code, what: what.into(), next }
    }

    /// A file that cannot be read or written.
    #[must_use]
    pub fn file(file: &std::path::Path, cause: impl ToString) -> Self {
        Self::File { file: file.display().to_string(), cause: cause.to_string() }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Audit(error) => error.code(),
            Self::File { .. } => "file",
            Self::Asked { code, .. } => code,
            Self::Totals(_) => "totals_differ",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn next(&self) -> &str {
        match self {
            Self::Audit(AuditError::Finding(_)) => {
                "no report is made of it: keep this record as evidence, and compare with another organisation's node"
            }
            Self::Audit(_) => "is the node up, and may this reader token read entries?",
            Self::File { .. } => "check path and permissions",
            Self::Asked { next, .. } => next,
            Self::Totals(_) => "this is a bug: please report it with this message",
        }
    }
}

impl From<FileError> for ReportError {
    fn from(error: FileError) -> Self {
        Self::Audit(error.into())
    }
}
