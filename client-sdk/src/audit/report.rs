//! What an audit found if nothing is wrong, and the counting towards it.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    code::Code,
    execute::{Block, CheckedItem, Head, MemoryState},
    id::{ChainId, InstrumentId},
    leaf::LeafKind,
    lot::Lot,
    outcome::{Form, Outcome},
    state::{Row, RowKey},
    time::Time,
};
use serde::Serialize;

use super::{
    coverage::{Coverage, Covered},
    finding::{Fault, Finding, Part},
    warning::{Warning, warnings},
};
use crate::describe::operation_name;

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

/// What the rest of a report rests on.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) pinned: bool,
    pub(super) validators: Vec<Agreement>,
    pub(super) coverage: Coverage,
}

/// Running counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) blocks: u64,
    pub(super) items: u64,
    pub(super) transactions: u64,
    pub(super) system: u64,
    pub(super) signatures: u64,
    kinds: BTreeMap<&'static str, u64>,
    rejected: BTreeMap<Code, u64>,
    void: BTreeMap<Code, u64>,
    forms: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn block(&mut self, block: &Block, items: &[CheckedItem], signatures: u64) {
        self.blocks += 1;
        self.items += block.items.len() as u64;
        self.signatures += signatures;
        for entry in &block.entries {
            match entry.leaf.kind {
                LeafKind::System => self.system += 1,
                LeafKind::Transaction => self.transactions += 1,
                LeafKind::Genesis | LeafKind::Seal => {}
            }
            let item = entry.item.and_then(|at| items.get(at as usize));
            let Some(transaction) = item.and_then(|item| item.transaction.as_ref()) else {
                continue;
            };
            if entry.leaf.code == Code::Applied {
                let name = operation_name(&transaction.body.operation);
                *self.kinds.entry(name).or_default() += 1;
                self.forms(&entry.outcome);
            } else {
                *self.rejected.entry(entry.leaf.code).or_default() += 1;
            }
        }
        for item in block.items.iter().filter(|item| item.leaf.is_none()) {
            *self.void.entry(item.code).or_default() += 1;
        }
    }

    fn forms(&mut self, outcome: &Outcome) {
        if !outcome.postings.is_empty() {
            for form in [outcome.debit, outcome.credit] {
                *self.forms.entry(form_name(form)).or_default() += 1;
            }
        }
    }

    pub(super) fn report(
        self,
        (chain, origin): (ChainId, String),
        head: Head,
        (root, state): (String, String),
        supply: Vec<SupplyLine>,
        Trust { pinned, validators, coverage }: Trust,
    ) -> Report {
        let named = |counts: BTreeMap<Code, u64>| {
            let named = counts.into_iter().map(|(code, n)| (code.name().into(), n));
            named.collect()
        };
        let owned = |counts: BTreeMap<&'static str, u64>| {
            let owned = counts.into_iter().map(|(name, n)| (name.into(), n));
            owned.collect()
        };
        Report {
            chain,
            pinned,
            origin,
            height: head.height,
            time: head.time,
            size: head.size,
            root,
            state,
            blocks: self.blocks,
            items: self.items,
            transactions: self.transactions,
            system: self.system,
            signatures: self.signatures,
            kinds: owned(self.kinds),
            rejected: named(self.rejected),
            void: named(self.void),
            consent_forms: owned(self.forms),
            supply,
            validators,
            warnings: warnings(pinned, &coverage, head.time),
            covered_by_majority: coverage.by_majority,
            covered_by_all: coverage.by_all,
        }
    }
}

/// A consent form's name, as in the API.
fn form_name(form: Form) -> &'static str {
    match form {
        Form::None => "none",
        Form::Live => "live",
        Form::Mandate => "mandate",
        Form::Request => "request",
        Form::Allowance => "allowance",
        Form::Terms => "terms",
        Form::Attested => "attested",
        Form::Time => "time",
    }
}

/// Recounts every lot over all wallets and compares with what was issued and burnt (INV-1).
///
/// # Errors
/// The first lot that does not add up.
pub(super) fn supply(state: &MemoryState) -> Result<Vec<SupplyLine>, Finding> {
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
            (RowKey::Instrument(id), Row::Instrument(instrument)) => lines.push(SupplyLine {
                instrument: *id,
                issued: instrument.issued,
                burnt: instrument.burnt,
                outstanding: Amount(instrument.issued.0 - instrument.burnt.0),
                lots: Vec::new(),
            }),
            _ => {}
        }
    }
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
