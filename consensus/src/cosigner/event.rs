//! What a cosigner is told, and what it asks for.

use musubi_ledger::{
    batch::NodeId,
    hash::Hash,
    policy::{FinalCheckpoint, WitnessPolicy},
};

/// What a cosigner is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block was recorded.
    Executed {
        /// The log's size at its seal.
        size: u64,
        /// The log's root there.
        root: Hash,
        /// Witness policies that the block set, each with the smallest size for which it holds.
        policies: Vec<(WitnessPolicy, u64)>,
    },
    /// This node leads, or no longer.
    Leading(bool),
    /// A signed checkpoint came in: from the member that the connection proved to be, or from an independent
    /// witness.
    Note {
        /// The member; none for a witness.
        from: Option<NodeId>,
        /// The note.
        note: String,
    },
    /// The note of that size is on disk.
    Durable {
        /// Its size.
        size: u64,
    },
    /// Time passed.
    Wake,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Make this node's own signed note durable, then report [`Event::Durable`].
    Persist {
        /// The log's size.
        size: u64,
        /// The log's root.
        root: Hash,
        /// The note.
        note: String,
    },
    /// Send this node's note to every other member, and, where this node leads, to independent witnesses.
    Send {
        /// The note.
        note: String,
    },
    /// Send this note to every other member, as it is: it confirmed a change of the witness policy, and who missed
    /// that waits for it.
    Retell {
        /// A final note, of any members.
        note: String,
    },
    /// A checkpoint is final: newer than the last one, or the same with more cosignatures.
    Final(FinalCheckpoint),
    /// This final checkpoint confirms changes of the witness policy: kept for the bundle.
    Settled {
        /// Numbers of the policies.
        policies: Vec<u32>,
        /// The note.
        note: String,
    },
    /// A member signed another root than this node's at a size that both have executed.
    Contradiction {
        /// The member; none for a note that came from a witness.
        from: Option<NodeId>,
        /// The size.
        size: u64,
        /// Its note.
        note: String,
    },
    /// A note that no correct member sends was dropped.
    Dropped {
        /// The member.
        from: Option<NodeId>,
        /// Stable code of why.
        why: &'static str,
    },
}
