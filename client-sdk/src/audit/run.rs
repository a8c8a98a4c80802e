//! The whole audit, and how it is asked for.

use std::{num::NonZero, path::PathBuf};

use musubi_ledger::{id::ChainId, time::Time};
use thiserror::Error;
use tokio::sync::watch;

use super::{
    auditor::Auditor,
    closing::Closing,
    coverage::Demands,
    directory::FileError,
    fault::Fault,
    finding::{Finding, Findings, Part},
    kept::{self, Kept},
    observer::Watch,
    report::Report,
    source::Source,
    work::Work,
};
use crate::error::ClientError;

/// Why an audit ended without a report.
#[derive(Debug, Error)]
pub enum AuditError {
    /// Something is wrong with the record. This is the audit's answer, not a failure of it.
    #[error(transparent)]
    Finding(#[from] Box<Findings>),
    /// The node could not be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        Findings::from(finding).into()
    }
}

impl From<Findings> for AuditError {
    fn from(findings: Findings) -> Self {
        Self::Finding(Box::new(findings))
    }
}

impl AuditError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Finding(findings) => findings.first.fault.code(),
            Self::Client(error) => error.code(),
            Self::File(_) => "file",
        }
    }

    /// The first finding, if that is what ended it.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Finding(findings) => Some(&findings.first),
            _ => None,
        }
    }
}

/// How to audit.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that check signatures.
    pub threads: NonZero<usize>,
    /// The chain to be audited, known by other means than from whom is audited. Without it the report
    /// says that the chain was not pinned.
    pub expected: Option<ChainId>,
    /// How far the validators' signatures must reach.
    pub demands: Demands,
    /// Checkpoints that the auditor kept from before.
    pub kept: Vec<Kept>,
    /// The auditor's clock, to warn of blocks ahead of it.
    pub now: Option<Time>,
    /// Where to go on after an interruption.
    pub resume: Option<Resume>,
}

/// A file in which an audit keeps where it stands, so that it can go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The file.
    pub file: PathBuf,
    /// Leaves between two writings of it; it is written at the end too.
    pub every: NonZero<u64>,
}

impl Default for Options {
    fn default() -> Self {
        let one = NonZero::<usize>::MIN;
        Self {
            threads: std::thread::available_parallelism().unwrap_or(one),
            expected: None,
            demands: Demands::default(),
            kept: Vec::new(),
            now: None,
            resume: None,
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Height of the last block done.
    pub height: u64,
    /// Height of the last block there is.
    pub target: u64,
    /// Leaves compared.
    pub leaves: u64,
    /// Transactions judged.
    pub transactions: u64,
    /// Signatures verified.
    pub signatures: u64,
}

/// Audits a whole record.
///
/// # Errors
/// [`AuditError::Finding`] with everything that is wrong; the others if it could not be read.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn run(
    source: Source,
    options: Options,
    progress: impl FnMut(&Progress),
) -> Result<Report, AuditError> {
    run_watched(source, options, None, progress).await
}

/// As [`run`], for whoever looks on.
pub(super) async fn run_watched(
    mut source: Source,
    options: Options,
    watch: Option<Watch>,
    mut progress: impl FnMut(&Progress),
) -> Result<Report, AuditError> {
    let (genesis, target) = source.begin().await?;
    let mut auditor = Auditor::new(&genesis, options.expected)?;
    let (notes, unreadable) = match source.notes()? {
        Ok(notes) => (notes, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    let Options { demands, kept, now, .. } = options.clone();
    let closing = Closing { notes, finals: source.finals()?, kept, demands, now };
    auditor.keep_only(kept::sizes(&closing));
    if let Some(error) = unreadable {
        auditor.found(Finding::new(Part::Checkpoint, Fault::Unreadable(error)));
    }
    if let Some(watch) = watch {
        auditor.observe(watch);
    }
    let streams = source.streams();
    let (told, mut tells) = watch::channel(Progress { target, ..Progress::default() });
    let work = Work { auditor, streams, options, told };
    let work = tokio::task::spawn_blocking(move || work.run(&closing));
    while tells.changed().await.is_ok() {
        let now = *tells.borrow_and_update();
        progress(&now);
    }
    match work.await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
