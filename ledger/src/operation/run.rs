//! Operations about runs: bulk grants by a signed manifest.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{InstrumentId, MerkleHash, PartyId, TxId},
    lot::OriginKind,
    run::RunLine,
    time::Time,
};

/// The manifest of a bulk grant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRun {
    /// What is granted; its issuer issues it.
    pub instrument: InstrumentId,
    /// Free value or a grant.
    pub origin: OriginKind,
    /// Who bears it: the issuer, or who owes it as much of the instrument as lines are applied.
    pub funder: PartyId,
    /// Campaign number; 0 for none.
    pub campaign: u32,
    /// The root of the RFC 6962 tree over the lines.
    pub root: MerkleHash,
    /// How many lines there are.
    pub count: u32,
    /// What they sum to: never more is given.
    pub total: Amount,
    /// Lines are applied before this time.
    pub until: Time,
}

/// Some lines of a run with the proof that they are: a complete subtree of its tree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunChunk {
    /// The run.
    pub run: TxId,
    /// How large: `2^level` lines, fewer only at the run's end.
    pub level: u8,
    /// The how-manieth of this size, from 0.
    pub place: u32,
    /// The lines.
    pub lines: Vec<RunLine>,
    /// Their path to the root, from the leaves' side.
    pub proof: Vec<MerkleHash>,
}

/// A run applies no more lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRun {
    /// The run.
    pub run: TxId,
}
