//! What the guard says about a message it does not let through.

use musubi_ledger::{batch::NodeId, evidence::Evidence};
use thiserror::Error;

use crate::{EntryFault, LogEntry, Position};

/// Which rule of form a message broke. No correct member of any version sends one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The bytes are no message.
    #[error("not a message")]
    Malformed,
    /// It names another sender than the connection proved.
    #[error("names another sender than its connection proved")]
    Sender,
    /// The sender is no member, or this node itself.
    #[error("not from another member")]
    NotAMember,
    /// It is for another node.
    #[error("addressed to another node")]
    Receiver,
    /// Its term is zero.
    #[error("its term is zero")]
    Term,
    /// Its term is another epoch's, or it asks for a vote without having the recovery that began this one.
    #[error("of another epoch: the two members are not configured with the same recovery")]
    Epoch,
    /// An index is out of range, or beyond the log it answers about.
    #[error("an index is out of range")]
    Index,
    /// A commit index beyond the leader's own log.
    #[error("its commit index lies beyond the leader's log")]
    Commit,
    /// Entries are not contiguous.
    #[error("its entries leave a gap")]
    Gap,
    /// Terms of entries fall, or exceed the message's.
    #[error("the terms of its entries are out of order")]
    EntryTerm,
    /// More entries than one append carries.
    #[error("too many entries in one append")]
    TooManyEntries,
    /// An entry longer than a batch may be.
    #[error("an entry is longer than a batch may be")]
    TooLong,
    /// A pledge that its member did not sign, or one in another's name.
    #[error("a pledge that is not its member's")]
    Pledge,
    /// Of a life that shows less than its member has shown before: its disk was wiped, put back or swapped.
    #[error("its sender has forgotten what it told before")]
    Amnesia,
}

impl Refusal {
    /// Stable code for metrics and logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Sender => "wrong_sender",
            Self::NotAMember => "not_a_member",
            Self::Receiver => "wrong_receiver",
            Self::Term => "term_out_of_range",
            Self::Epoch => "other_epoch",
            Self::Index => "index_out_of_range",
            Self::Commit => "commit_out_of_range",
            Self::Gap => "entry_gap",
            Self::EntryTerm => "entry_term_out_of_order",
            Self::TooManyEntries => "too_many_entries",
            Self::TooLong => "entry_too_long",
            Self::Pledge => "bad_pledge",
            Self::Amnesia => "amnesia",
        }
    }
}

/// What a member did that an honest one with an intact disk does not, with what shows it. If it
/// accuses all others, suspect this node's own disk.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Accusation {
    /// It wants an entry persisted that is not a batch of its term's leader for that place.
    #[error("entry {} of term {} must not be persisted: {fault}", entry.index, entry.term)]
    Entry {
        /// What is wrong with it.
        fault: EntryFault,
        /// The entry, with its signature.
        entry: LogEntry,
    },
    /// Two different entries for one index and term: if both are signed, proof of equivocation.
    #[error("two different entries at index {} of term {}", ours.index, ours.term)]
    TwoEntries {
        /// As persisted here.
        ours: LogEntry,
        /// As sent now.
        theirs: LogEntry,
    },
    /// It would replace a committed entry.
    #[error("would replace committed entry {}", ours.index)]
    ContradictsCommitted {
        /// As committed here.
        ours: LogEntry,
        /// As sent now.
        theirs: LogEntry,
    },
    /// It builds on another entry than the one committed here.
    #[error("builds on entry {theirs:?}, committed here is {ours:?}")]
    PreviousContradictsCommitted {
        /// As committed here, if still kept.
        ours: Option<Position>,
        /// As claimed.
        theirs: Position,
    },
    /// It leads in a term in which another leads.
    #[error("leads in term {term}, in which node {} leads", known.0)]
    SecondLeader {
        /// The term.
        term: u64,
        /// The leader known here.
        known: NodeId,
    },
    /// A heartbeat's commit lies beyond our log: it lies, or this node lost what it acknowledged.
    #[error(
        "commit {commit} in term {term} lies beyond this log's end {last_index}: a \
         lie, or this disk lost acknowledged entries"
    )]
    CommitBeyondLog {
        /// The term.
        term: u64,
        /// Commit claimed.
        commit: u64,
        /// Our last index.
        last_index: u64,
    },
}

impl Accusation {
    /// Stable code for metrics and evidence files.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entry { fault, .. } => fault.code(),
            Self::TwoEntries { .. } => "two_entries",
            Self::ContradictsCommitted { .. } => "contradicts_committed",
            Self::PreviousContradictsCommitted { .. } => "previous_contradicts_committed",
            Self::SecondLeader { .. } => "second_leader",
            Self::CommitBeyondLog { .. } => "commit_beyond_log",
        }
    }
    /// What of it can be shown to others. It names whoever signed, not whoever sent: a member that hands on
    /// what an earlier leader signed is accused of nothing. Verify it before it is kept.
    ///
    /// Most accusations have no such form, because messages are authenticated and not signed.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        match self {
            Self::TwoEntries { ours, theirs } | Self::ContradictsCommitted { ours, theirs } => {
                Evidence::double_batch(&ours.data, &theirs.data)
            }
            _ => None,
        }
    }
}
