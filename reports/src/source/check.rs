//! Holding postings against state: what moved, added up from the first leaf on, must be what the wallets hold, and
//! all wallets together what came and has not gone. Both sides are the ledger's; that they agree is what makes a sum
//! of lines a balance.

use std::collections::BTreeMap;

use musubi_ledger::{
    lot::{Lot, OriginKind},
    outcome::{Account, Posting},
    wallet::{Holding, Wallet},
};
use musubi_sdk::{InstrumentId, PartyId};

use super::rows::Rows;
use crate::error::{Mismatch, Whose};

/// What a wallet holds of each lot in each state.
pub type Balances = BTreeMap<(Lot, Holding), i128>;

/// Sums of all postings so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums(BTreeMap<(PartyId, Lot, Holding), i128>);

impl Sums {
    /// Adds an outcome's postings.
    pub(super) fn add(&mut self, postings: &[Posting]) {
        for posting in postings {
            let Account::Wallet(party) = posting.account else { continue };
            let key = (party, posting.lot, posting.holding);
            let sum = self.0.entry(key).or_default();
            *sum += posting.signed();
            if *sum == 0 {
                self.0.remove(&key);
            }
        }
    }

    /// Holds the sums against a state.
    ///
    /// # Errors
    /// The first sum that differs.
    pub(super) fn check(&self, rows: &Rows) -> Result<(), Mismatch> {
        let wallets = rows.wallets().flat_map(|(party, wallet)| {
            balances(Some(wallet))
                .into_iter()
                .map(move |((lot, state), sum)| ((party, lot, state), sum))
        });
        let state: BTreeMap<(PartyId, Lot, Holding), i128> = wallets.collect();
        let (ours, theirs) = (self.0.keys(), state.keys());
        for key in ours.chain(theirs) {
            let of = |sums: &BTreeMap<_, i128>| sums.get(key).copied().unwrap_or_default();
            let (postings, state) = (of(&self.0), of(&state));
            if postings != state {
                let (whose, instrument) = (Whose::Wallet(key.0), key.1.instrument);
                return Err(Mismatch { whose, instrument, postings, state });
            }
        }
        check_totals(rows)
    }
}

/// All wallets together hold what came and has not gone, origin by origin.
fn check_totals(rows: &Rows) -> Result<(), Mismatch> {
    let mut held: BTreeMap<(InstrumentId, OriginKind), i128> = BTreeMap::new();
    for (_, wallet) in rows.wallets() {
        for ((lot, _), sum) in balances(Some(wallet)) {
            *held.entry((lot.instrument, lot.origin)).or_default() += sum;
        }
    }
    for (instrument, _) in rows.instruments() {
        let totals = rows.totals(instrument);
        let origins = [
            (OriginKind::Free, totals.free),
            (OriginKind::Grant, totals.grant),
            (OriginKind::Paid, totals.paid),
        ];
        for (origin, flows) in origins {
            let state = flows.outstanding();
            let postings = held.get(&(instrument, origin)).copied().unwrap_or_default();
            if postings != state {
                return Err(Mismatch { whose: Whose::All, instrument, postings, state });
            }
        }
    }
    Ok(())
}

/// What a wallet holds; nothing if there is none.
#[must_use]
pub fn balances(wallet: Option<&Wallet>) -> Balances {
    let lots = wallet.into_iter().flat_map(|wallet| &wallet.lots);
    let parts = lots.flat_map(|balance| {
        [Holding::Spendable, Holding::Held, Holding::Claim]
            .map(|holding| ((balance.lot, holding), i128::from(balance.amount(holding).0)))
    });
    parts.filter(|(_, sum)| *sum != 0).collect()
}

/// Holds opening and postings of one party against its closing wallet, lot by lot.
///
/// # Errors
/// The first sum that differs.
pub fn check_wallet<'p>(
    party: PartyId,
    opening: Option<&Wallet>,
    postings: impl Iterator<Item = &'p Posting>,
    closing: Option<&Wallet>,
) -> Result<(), Mismatch> {
    let mut sums = balances(opening);
    for posting in postings.filter(|posting| posting.account == Account::Wallet(party)) {
        *sums.entry((posting.lot, posting.holding)).or_default() += posting.signed();
    }
    sums.retain(|_, sum| *sum != 0);
    let state = balances(closing);
    for key in sums.keys().chain(state.keys()) {
        let of = |sums: &Balances| sums.get(key).copied().unwrap_or_default();
        let (postings, state) = (of(&sums), of(&state));
        if postings != state {
            let whose = Whose::Wallet(party);
            return Err(Mismatch { whose, instrument: key.0.instrument, postings, state });
        }
    }
    Ok(())
}

/// Holds a sum of a report's own table against another one.
///
/// # Errors
/// If they differ.
pub fn check_sum(
    table: &'static str,
    instrument: InstrumentId,
    sum: i128,
    state: i128,
) -> Result<(), Mismatch> {
    let whose = Whose::Table(table);
    if sum == state { Ok(()) } else { Err(Mismatch { whose, instrument, postings: sum, state }) }
}
