//! The whole audit: reading ahead while the last group of entries is checked and executed.

use std::{collections::VecDeque, num::NonZero};

use musubi_ledger::{id::ChainId, limits};
use thiserror::Error;

use super::{
    auditor::Auditor,
    coverage::Demands,
    directory::FileError,
    finding::{Fault, Finding, Part},
    report::Report,
    source::Source,
};
use crate::error::ClientError;

/// Why an audit ended without a report.
#[derive(Debug, Error)]
pub enum AuditError {
    /// Something is wrong with the record. This is the audit's answer, not a failure of it.
    #[error(transparent)]
    Finding(#[from] Box<Finding>),
    /// The node could not be read.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<Finding> for AuditError {
    fn from(finding: Finding) -> Self {
        Self::Finding(Box::new(finding))
    }
}

impl AuditError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Finding(finding) => finding.fault.code(),
            Self::Client(error) => error.code(),
            Self::File(_) => "file",
        }
    }

    /// The finding, if that is what ended it.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Finding(finding) => Some(finding),
            _ => None,
        }
    }
}

/// How to audit.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads that check signatures.
    pub threads: NonZero<usize>,
    /// The chain to be audited, known by other means than from whom is audited. Without it the report
    /// says that the chain was not pinned.
    pub expected: Option<ChainId>,
    /// How far the validators' signatures must reach.
    pub demands: Demands,
}

impl Default for Options {
    fn default() -> Self {
        let threads = NonZero::new(2).unwrap_or(NonZero::<usize>::MIN);
        Self { threads, expected: None, demands: Demands::default() }
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
/// [`AuditError::Finding`] with the first thing that is wrong; the others if it could not be read.
///
/// # Panics
/// Outside a tokio runtime.
pub async fn run(
    mut source: Source,
    options: Options,
    mut progress: impl FnMut(&Progress),
) -> Result<Report, AuditError> {
    let (genesis, target) = source.begin().await?;
    let auditor = Auditor::new(&genesis, options.expected)?;
    let mut work = Work { auditor, leaves: VecDeque::new(), seals: VecDeque::new(), opened: false };
    let mut reader =
        Reader { source, entries_read: 0, seals_read: 0, leaves_read: 0, bound_before: 0 };
    let mut group = reader.group(work.auditor.head().size).await?;
    loop {
        let last = group.entries.is_empty();
        let size = work.auditor.head().size;
        // Reading ahead needs no result of the group that is being executed.
        let (done, next) = tokio::join!(work.execute(group, options), async {
            if last { Ok(Group::default()) } else { reader.group(size).await }
        });
        work = done?;
        progress(&work.progress(target));
        if last {
            break;
        }
        group = next?;
    }
    work.check_surplus()?;
    let notes = reader.source.notes()?;
    let unreadable = |error| Finding::new(Part::Checkpoint, Fault::Unreadable(error));
    let notes = notes.map_err(unreadable)?;
    let finish = move || work.auditor.finish(&notes, &options.demands);
    blocking(finish).await
}

/// Entries to be executed next, with what was read along with them.
#[derive(Debug, Default)]
struct Group {
    entries: Vec<Vec<u8>>,
    seals: Vec<Vec<u8>>,
    leaves: Vec<Vec<u8>>,
}

/// Reads groups in order, each with its seals and as many leaves as it can have at most.
struct Reader {
    source: Source,
    entries_read: u64,
    seals_read: u64,
    leaves_read: u64,
    /// Most leaves that the group being executed can have.
    bound_before: u64,
}

impl Reader {
    /// The next group. The log has `size` leaves before the group that is being executed.
    async fn group(&mut self, size: u64) -> Result<Group, AuditError> {
        let entries = self.source.entries().await?;
        // At the end everything is read, to find what is too much.
        let end = entries.is_empty();
        self.entries_read += entries.len() as u64;
        let mut seals = Vec::new();
        while end || self.seals_read < self.entries_read + 1 {
            let page = self.source.seals().await?;
            if page.is_empty() {
                break;
            }
            self.seals_read += page.len() as u64;
            seals.extend(page);
        }
        let bound = entries.iter().map(|entry| leaves_at_most(entry)).sum::<u64>();
        let needed = size + self.bound_before + bound;
        self.bound_before = bound;
        let mut leaves = Vec::new();
        while end || self.leaves_read < needed {
            let page = self.source.leaves().await?;
            if page.is_empty() {
                break;
            }
            self.leaves_read += page.len() as u64;
            leaves.extend(page);
        }
        Ok(Group { entries, seals, leaves })
    }
}

/// Leaves that an entry's block has at most: one per item, system leaves, the seal. An item with its
/// length takes more than 64 bytes.
fn leaves_at_most(entry: &[u8]) -> u64 {
    let items = (entry.len() / 64).min(limits::BATCH_ITEMS_MAX);
    (items + limits::SYSTEM_LEAVES_MAX + 1) as u64
}

/// The auditor with what was read and not compared yet.
#[derive(Debug)]
struct Work {
    auditor: Auditor,
    leaves: VecDeque<Vec<u8>>,
    seals: VecDeque<Vec<u8>>,
    opened: bool,
}

impl Work {
    async fn execute(mut self, group: Group, options: Options) -> Result<Self, AuditError> {
        blocking(move || {
            self.leaves.extend(group.leaves);
            self.seals.extend(group.seals);
            let checked = self.auditor.checker().check(&group.entries, options.threads);
            let leaves = &mut self.leaves;
            let mut leaves = std::iter::from_fn(|| leaves.pop_front());
            if !std::mem::replace(&mut self.opened, true) {
                self.auditor.open(&mut leaves, self.seals.pop_front().as_deref())?;
            }
            for entry in checked {
                let seal = self.seals.pop_front();
                self.auditor.feed_checked(entry, &mut leaves, seal.as_deref())?;
            }
            Ok(self)
        })
        .await
    }

    fn progress(&self, target: u64) -> Progress {
        let (signatures, transactions) = self.auditor.counts();
        let head = self.auditor.head();
        Progress {
            height: head.height,
            target: target.max(head.height),
            leaves: head.size,
            transactions,
            signatures,
        }
    }

    /// Whatever is left belongs to no entry.
    fn check_surplus(&self) -> Result<(), Finding> {
        let head = self.auditor.head();
        if !self.leaves.is_empty() {
            let finding = Finding::new(Part::Leaf, Fault::Surplus).leaf(head.size);
            return Err(finding.at(head.height + 1));
        }
        if !self.seals.is_empty() {
            return Err(Finding::new(Part::Seal, Fault::Surplus).at(head.height + 1));
        }
        Ok(())
    }
}

/// Runs what takes long beside the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Finding> + Send + 'static,
) -> Result<T, AuditError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
