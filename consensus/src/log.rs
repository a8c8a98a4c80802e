//! The words of the replicated log: entries, positions, what is persisted, what a restart finds.

use musubi_ledger::{batch::NodeId, time::Time};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One entry of the Raft log. Empty data is the no-op with which each leader's term begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Place in the log, from 1, without gaps.
    pub index: u64,
    /// Term of the leader that made it.
    pub term: u64,
    /// A batch's canonical bytes, or nothing.
    #[serde(with = "musubi_ledger::bytes")]
    pub data: Vec<u8>,
}

impl LogEntry {
    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { index: self.index, term: self.term }
    }
}

/// A place in the log and the term of the entry there. (0, 0) is before the first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Index, 0 before the first entry.
    pub index: u64,
    /// Term of the entry at that index, 0 before the first.
    pub term: u64,
}

/// What Raft must remember besides its log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// Newest term seen.
    pub term: u64,
    /// Whom this node voted for in that term.
    pub vote: Option<NodeId>,
    /// Highest index known to be committed.
    pub commit: u64,
}

/// What storage found at the start, after its own checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Term, vote and commit.
    pub hard_state: HardState,
    /// Index of the first entry kept; 1 while nothing is compacted.
    pub first_index: u64,
    /// Index and term of the last entry kept; (0, 0) for an empty log.
    pub last: Position,
    /// Last entry executed and recorded; 0 for none.
    pub applied_index: u64,
    /// Block time of that entry.
    pub applied_time: Time,
    /// When the next deadline in the state falls due.
    pub due: Option<Time>,
}

impl Recovered {
    /// A node that starts for the first time.
    #[must_use]
    pub fn fresh() -> Self {
        Self { first_index: 1, ..Self::default() }
    }

    /// Checks what storage found for the relations on which Raft rests.
    ///
    /// # Errors
    /// The first [`RecoverError`] found.
    pub fn check(&self) -> Result<(), RecoverError> {
        let HardState { term, commit, .. } = self.hard_state;
        let (first, last, applied) = (self.first_index, self.last.index, self.applied_index);
        if first == 0 || first > last + 1 || (last == 0) != (self.last.term == 0) {
            return Err(RecoverError::Bounds { first, last });
        }
        if self.last.term > term {
            return Err(RecoverError::TermBehindLog { term, last_term: self.last.term });
        }
        if commit > last || commit < first - 1 {
            return Err(RecoverError::CommitOutsideLog { commit, first, last });
        }
        if applied > commit || applied < first - 1 {
            return Err(RecoverError::AppliedOutsideCommit { applied, commit, first });
        }
        Ok(())
    }
}

/// Older entries, read synchronously from the backend. A bounded tail is kept in memory, so this is
/// asked only for what was reported persisted: on restart and for followers that lag.
pub trait LogReader {
    /// Entries of `[from, until)`, in order, as many as fit `max_bytes`, but at least one.
    ///
    /// # Errors
    /// [`LogFault`] when they cannot be read or their checksum fails; the replica then halts.
    fn entries(&self, from: u64, until: u64, max_bytes: u64) -> Result<Vec<LogEntry>, LogFault>;

    /// The term of the entry at `index`, `None` if it is not kept.
    ///
    /// # Errors
    /// As [`LogReader::entries`].
    fn term(&self, index: u64) -> Result<Option<u64>, LogFault>;
}

/// The backend cannot give what it was asked to keep.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the log cannot be read: {0}")]
pub struct LogFault(pub String);

/// Why a replica does not start from what storage found.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecoverError {
    /// The configuration contradicts itself.
    #[error("configuration: {0}")]
    Config(#[from] crate::ConfigError),
    /// First and last index do not describe a log.
    #[error("the log's bounds [{first}, {last}] describe no log: the directory is damaged")]
    Bounds {
        /// First index.
        first: u64,
        /// Last index.
        last: u64,
    },
    /// Term and vote are older than the log: their write was lost.
    #[error(
        "the persisted term {term} is behind the log's last term {last_term}: a vote was \
         lost, this node must not vote again under its id"
    )]
    TermBehindLog {
        /// Term persisted.
        term: u64,
        /// Term of the last entry.
        last_term: u64,
    },
    /// Commit lies outside the log: entries that were acknowledged are gone.
    #[error(
        "commit index {commit} lies outside the log [{first}, {last}]: acknowledged entries are lost"
    )]
    CommitOutsideLog {
        /// Commit persisted.
        commit: u64,
        /// First index.
        first: u64,
        /// Last index.
        last: u64,
    },
    /// More was executed than is known to be committed, or less than was compacted.
    #[error(
        "applied index {applied} lies outside [{first} - 1, commit {commit}]: \
         commit must be recorded with or before execution"
    )]
    AppliedOutsideCommit {
        /// Applied index.
        applied: u64,
        /// Commit persisted.
        commit: u64,
        /// First index.
        first: u64,
    },
    /// The log is of a later epoch than the configuration.
    #[error(
        "the directory is of epoch {found}, the configuration of epoch {configured}: name the recovery in the \
         configuration"
    )]
    Epoch {
        /// The log's.
        found: u32,
        /// The configuration's.
        configured: u32,
    },
    /// The vote names no member.
    #[error("the persisted vote names node {0}, which is no member")]
    Vote(u64),
    /// The reader contradicts what was recovered, or fails.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// raft-rs refused the start.
    #[error("raft refused the recovered state: {0}")]
    Raft(String),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn recovered() -> Recovered {
        Recovered {
            hard_state: HardState { term: 3, vote: None, commit: 5 },
            first_index: 1,
            last: Position { index: 8, term: 3 },
            applied_index: 4,
            ..Recovered::default()
        }
    }

    #[test]
    fn each_broken_relation_has_its_own_error() {
        recovered().check().unwrap();
        Recovered::fresh().check().unwrap();
        let mut r = recovered();
        r.hard_state.commit = 9;
        assert_eq!(r.check(), Err(RecoverError::CommitOutsideLog { commit: 9, first: 1, last: 8 }));
        let mut r = recovered();
        r.applied_index = 6;
        assert_eq!(
            r.check(),
            Err(RecoverError::AppliedOutsideCommit { applied: 6, commit: 5, first: 1 })
        );
        let mut r = recovered();
        r.hard_state.term = 2;
        assert_eq!(r.check(), Err(RecoverError::TermBehindLog { term: 2, last_term: 3 }));
        let mut r = recovered();
        r.first_index = 0;
        assert_eq!(r.check(), Err(RecoverError::Bounds { first: 0, last: 8 }));
        let mut r = recovered();
        r.first_index = 7;
        assert_eq!(r.check(), Err(RecoverError::CommitOutsideLog { commit: 5, first: 7, last: 8 }));
    }
}
