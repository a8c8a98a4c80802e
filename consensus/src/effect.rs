//! What a replica asks of the world. Effects leave in the order in which they must take hold.

use std::fmt;

use musubi_ledger::{
    batch::{Batch, NodeId},
    hash::Hash,
    id::TxId,
};
use thiserror::Error;

use crate::{
    Accusation, HardState, LogEntry, LogFault, Refusal, Submission,
    pledge::{Pledge, Shortfall, SignedPledge},
};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a frame to a member. It may be lost.
    Send {
        /// The member.
        to: NodeId,
        /// Which stream it belongs to.
        class: Class,
        /// [`crate::PeerMessage`] bytes, at most `limits::MESSAGE_BYTES_MAX`.
        bytes: Vec<u8>,
    },
    /// Write atomically, then report `Persisted`.
    Persist(Persist),
    /// Execute a committed entry, record it, then report `Executed`.
    Execute(Execute),
    /// Hand submissions to the leader, to come in there as `Via::Peer`.
    Forward {
        /// The leader.
        to: NodeId,
        /// The submissions.
        items: Vec<Submission>,
    },
    /// Tell whoever submitted this copy of `id` that it was not taken. No verdict: it may be sent again.
    Refuse {
        /// The transaction.
        id: TxId,
        /// Which copy of it: the SHA-256 of its bytes.
        hash: Hash,
        /// Why.
        why: RefuseReason,
    },
    /// Role, term or leader changed. Information for operators and clients.
    Standing(Standing),
    /// A message was dropped because no correct member sends such a one. Score the sender.
    Dropped {
        /// The sender.
        from: NodeId,
        /// The rule it broke.
        why: Refusal,
    },
    /// A member's message contradicts what an honest one could send, with what shows it.
    Evidence {
        /// The member.
        from: NodeId,
        /// What it did.
        accusation: Box<Accusation>,
    },
    /// Stop: this replica must not go on. Nothing follows.
    Halt {
        /// Why.
        reason: HaltReason,
    },
    /// Keep what a member has shown, in place of what is kept of it, then report `Recorded`.
    Remember(Remember),
}

/// The stream a message goes by, so that large appends do not delay heartbeats and votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Small and urgent.
    Control,
    /// Carries entries.
    Append,
}

/// One atomic write of the Raft log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persist {
    /// Ascending, with gaps.
    pub number: u64,
    /// Remove all entries from this index on, before writing `entries`.
    pub truncate_from: Option<u64>,
    /// Contiguous entries to append.
    pub entries: Vec<LogEntry>,
    /// Term, vote and commit, if any of them changed.
    pub hard_state: Option<HardState>,
    /// Whether it must be synced before it is reported. If not (only the commit index moved), it
    /// must still be written in order.
    pub must_sync: bool,
}

/// What a member has shown, to be kept: the newest of each is given back at the next start
/// ([`crate::Identity::remembered`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remember {
    /// Ascending by one.
    pub number: u64,
    /// The member.
    pub node: NodeId,
    /// Its pledge, checked.
    pub pledge: Box<SignedPledge>,
    /// Whether it must be synced before it is reported: a new life of that member. If not, it may become
    /// durable with whatever is synced next, and need not be reported.
    pub must_sync: bool,
}

/// This node's directory holds less than this node has told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// Who showed it.
    pub by: NodeId,
    /// In what it falls short.
    pub why: Shortfall,
    /// What this node told once, by its own signature.
    pub told: Pledge,
    /// What it holds now.
    pub holds: Pledge,
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |pledge: &Pledge| {
            let directory: String =
                pledge.directory[..4].iter().map(|byte| format!("{byte:02x}")).collect();
            let Pledge { boot, kept, cosigned, .. } = pledge;
            format!(
                "directory {directory}, boot {boot}, write {}, term {}, entry {}, checkpoint {cosigned}",
                kept.write, kept.term, kept.index
            )
        };
        let (by, told, holds) = (self.by.0, say(&self.told), say(&self.holds));
        write!(
            f,
            "node {by} remembers what this node has told and signed: {told}; this process has: {holds}. It shows {}",
            self.why
        )
    }
}

/// One committed entry, locally persisted, for execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The entry as persisted; a seal names the hash of its data.
    pub entry: LogEntry,
    /// Its batch; `None` for the empty entry that begins a term. That one is recorded as applied,
    /// but makes no block.
    pub batch: Option<Batch>,
}

/// A replica's place in its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Raft's term.
    pub term: u64,
    /// The leader of that term, if known.
    pub leader: Option<NodeId>,
    /// What this replica is.
    pub role: Role,
}

/// What a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows, or waits for a leader.
    Follower,
    /// Asks whether it could win, without disturbing anyone.
    PreCandidate,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
}

/// Why a submission was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefuseReason {
    /// The leader's pool is full, of this id's copies or of all.
    #[error("the leader's pool is full: try again shortly")]
    Busy,
    /// No leader is known now.
    #[error("no leader is known now: try again shortly, or another node")]
    NoLeader,
    /// Forwarded here, but another leads.
    #[error("forwarded to a node that does not lead: try again shortly")]
    NotLeader,
    /// Longer than a transaction may be.
    #[error("longer than a transaction may be")]
    TooLarge,
}

impl RefuseReason {
    /// Stable code for the API and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::NoLeader => "no_leader",
            Self::NotLeader => "not_leader",
            Self::TooLarge => "too_large",
        }
    }
}

/// Why a replica stops for good.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HaltReason {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// raft-rs met a state that it holds to be impossible.
    #[error("raft stopped: {0}")]
    Raft(String),
    /// A committed entry on this disk is not what was checked before it was persisted.
    #[error("committed entry {index} is no batch: this disk is damaged")]
    CommittedEntry {
        /// Its index.
        index: u64,
    },
    /// This directory is wiped, an old copy, or another one: it must promise nothing in this node's name.
    #[error("{0}")]
    Amnesia(Box<Forgotten>),
}

impl HaltReason {
    /// Stable code for logs and the process's exit message.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Log(_) => "log_unreadable",
            Self::Raft(_) => "raft_invariant",
            Self::CommittedEntry { .. } => "committed_entry_damaged",
            Self::Amnesia(_) => "amnesia",
        }
    }
}
