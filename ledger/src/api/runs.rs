//! Runs, what they keep for a party, and settlements.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount, id::InstrumentId, id::PartyId, id::TxId, lot::OriginKind, run::Run,
    settlement::Settlement, state::Redemption, time::Time,
};

/// A run: `GET /v1/runs/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunView {
    /// Its id.
    pub id: TxId,
    /// What the state keeps of it: manifest, counts and sums.
    pub run: Run,
    /// Lines that are not applied, ascending.
    pub open: Vec<OpenLines>,
    /// The line from which to ask on, where there are more.
    pub next: Option<u32>,
    /// Height as of which.
    pub height: u64,
}

/// A settlement: `GET /v1/settlements/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettlementView {
    /// Its id.
    pub id: TxId,
    /// What was signed, and what became of each line.
    pub settlement: Settlement,
    /// Where its lines stand, each at its place.
    pub lines: Vec<SettlementLineView>,
    /// Height as of which.
    pub height: u64,
}

/// A line of a settlement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettlementLineView {
    /// The id of the redemption that it is.
    pub id: TxId,
    /// The redemption; none where the claim was not frozen.
    pub redemption: Option<Redemption>,
}

/// What runs keep for a party until it is on the ledger: `GET /v1/parties/{party}/waiting`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingPage {
    /// By run and line, ascending.
    pub lines: Vec<WaitingLine>,
    /// Whether there are more: pass the last one's `run` and `line` to go on.
    pub more: bool,
    /// Height as of which.
    pub height: u64,
}

/// A line of a run whose party was not on the ledger when it was brought.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaitingLine {
    /// The run.
    pub run: TxId,
    /// Its place in the manifest, from 0.
    pub line: u32,
    /// The entitlement's id, as the line's fact named it.
    pub entitlement: TxId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub amount: Amount,
    /// Free, grant or paid.
    pub origin: OriginKind,
    /// Who bears it, or handed it over.
    pub funder: PartyId,
    /// Campaign number; 0 for none.
    pub campaign: u32,
    /// Whether it is a balance of another system.
    pub import: bool,
    /// When the run ends, or was ended.
    pub until: Time,
    /// Whether the run still applies lines.
    pub open: bool,
}

/// Open lines of a run that stand beside each other and are alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenLines {
    /// The first of them.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Whether they were brought and could not be posted then.
    pub tried: bool,
}
