//! Operations about runs: bulk grants, and old balances taken over, by a signed manifest.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, MerkleHash, PartyId, TxId},
    lot::OriginKind,
    run::RunLine,
    time::Time,
};

/// The manifest of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRun {
    /// What is granted or taken over; its issuer issues it.
    pub instrument: InstrumentId,
    /// Free value or a grant; paid value only where it is taken over.
    pub origin: OriginKind,
    /// Who bears it: the issuer, or who owes it as much of the instrument as lines are applied. Of an import: who hands
    /// the funds over, the issuer where that is nobody on this ledger.
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
    /// The lines are balances of another system, which are taken over.
    pub import: Option<Import>,
}

/// On what the taking over of old balances rests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Hash of the paper by which the old system's operator hands over this list; each is used once, for ever, per issuer.
    pub handover: DocumentHash,
    /// Whether the funder owes the issuer what is applied, rather than having handed over funds for the total.
    pub owed: bool,
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
