//! What an audit found if nothing is wrong.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    id::{ChainId, InstrumentId},
    lot::Lot,
    state::{Row, RowKey},
    time::Time,
};
use serde::Serialize;

use super::{
    coverage::Covered,
    epochs::Recovered,
    fault::Fault,
    finals::FinalCovered,
    finding::{Finding, Part},
    state::State,
    warning::Warning,
};

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The chain.
    pub chain: ChainId,
    /// Whether the caller knew the chain; otherwise the record itself said which it is.
    pub pinned: bool,
    /// Origin of its checkpoints.
    pub origin: String,
    /// Height of the last block.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// Leaves in the log.
    pub size: u64,
    /// Merkle root at that size, hex.
    pub root: String,
    /// State digest after the last block, hex.
    pub state: String,
    /// Blocks executed, without the genesis block.
    pub blocks: u64,
    /// Items of all batches, void ones too.
    pub items: u64,
    /// Transactions judged.
    pub transactions: u64,
    /// System leaves.
    pub system: u64,
    /// Signatures verified.
    pub signatures: u64,
    /// Published tiles of the log's hashes that agree; 0 where the record has none.
    pub tiles: u64,
    /// Applied transactions by operation.
    pub kinds: BTreeMap<String, u64>,
    /// Rejected transactions by code.
    pub rejected: BTreeMap<String, u64>,
    /// Void items by code; `bad_signature` is evidence against a leader.
    pub void: BTreeMap<String, u64>,
    /// Sides of applied transactions that moved value, by the form of their consent.
    pub consent_forms: BTreeMap<String, u64>,
    /// Supply per instrument, recounted over all wallets.
    pub supply: Vec<SupplyLine>,
    /// What each validator's newest checkpoint covers.
    pub validators: Vec<Agreement>,
    /// Up to where a majority of the validators has signed.
    pub covered_by_majority: Covered,
    /// Up to where all validators have signed; absent if one has signed nothing that is here.
    pub covered_by_all: Option<Covered>,
    /// The newest final checkpoint: cosigned by the quorum of the witness policy.
    pub final_checkpoint: Option<FinalCovered>,
    /// The newest signed note that agrees with this log, to be kept for the next audit.
    pub checkpoint: String,
    /// Checkpoints kept from before that agree with this log, by file.
    pub kept: Vec<String>,
    /// Recoveries after the loss of a quorum of disks, oldest first.
    pub recoveries: Vec<Recovered>,
    /// Up to this height an earlier run executed, and this one went on from its resume point: what was
    /// counted before is that run's word, the state was compared with the seal there.
    pub resumed: Option<u64>,
    /// What to heed all the same.
    pub warnings: Vec<Warning>,
}

/// An instrument's supply, lot by lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupplyLine {
    /// Which.
    pub instrument: InstrumentId,
    /// Issued in all.
    pub issued: Amount,
    /// Burnt in all.
    pub burnt: Amount,
    /// Issued and not burnt: what all wallets hold.
    pub outstanding: Amount,
    /// Outstanding per lot.
    pub lots: Vec<(Lot, Amount)>,
}

/// A validator whose signed checkpoint agrees with the recomputed root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Its Raft id.
    pub node: u64,
    /// Its organisation's name.
    pub organisation: String,
    /// The size it signed.
    pub size: u64,
    /// The block that ends there.
    pub height: u64,
}

/// Recounts every lot over all wallets and compares with what was issued and burnt (INV-1).
///
/// # Errors
/// The first lot that does not add up.
pub(super) fn supply(state: &State) -> Result<Vec<SupplyLine>, Finding> {
    let mut held: BTreeMap<Lot, u128> = BTreeMap::new();
    let mut outstanding: BTreeMap<Lot, u128> = BTreeMap::new();
    let mut lines: Vec<SupplyLine> = Vec::new();
    for (key, row) in state.rows() {
        match (key, row) {
            (RowKey::Wallet(_), Row::Wallet(wallet)) => {
                for balance in &wallet.lots {
                    let parts = [balance.spendable, balance.held, balance.claim];
                    *held.entry(balance.lot).or_default() +=
                        parts.iter().map(|part| u128::from(part.0)).sum::<u128>();
                }
            }
            (RowKey::Supply(lot), Row::Supply(supply)) => {
                let left = u128::from(supply.issued.0) - u128::from(supply.burnt.0);
                outstanding.insert(*lot, left);
            }
            (RowKey::Totals(id), Row::Totals(totals)) => lines.push(SupplyLine {
                instrument: *id,
                issued: totals.came(),
                burnt: totals.went(),
                outstanding: totals.outstanding(),
                lots: Vec::new(),
            }),
            _ => {}
        }
    }
    lines.sort_by_key(|line| line.instrument);
    held.retain(|_, amount| *amount > 0);
    outstanding.retain(|_, amount| *amount > 0);
    let lots: Vec<Lot> = held.keys().chain(outstanding.keys()).copied().collect();
    for lot in lots {
        let of = |map: &BTreeMap<Lot, u128>| map.get(&lot).copied().unwrap_or(0);
        unequal(lot.instrument, of(&held), of(&outstanding))?;
    }
    for line in &mut lines {
        let own = held.iter().filter(|(lot, _)| lot.instrument == line.instrument);
        let sum = own.clone().map(|(_, amount)| amount).sum();
        unequal(line.instrument, sum, u128::from(line.outstanding.0))?;
        let narrow = |amount: &u128| Amount(u64::try_from(*amount).unwrap_or(u64::MAX));
        line.lots = own.map(|(lot, amount)| (*lot, narrow(amount))).collect();
    }
    Ok(lines)
}

fn unequal(instrument: InstrumentId, held: u128, outstanding: u128) -> Result<(), Finding> {
    if held == outstanding {
        return Ok(());
    }
    let fault = Fault::Supply { instrument, held, outstanding };
    Err(Finding::new(Part::Supply, fault))
}
