//! The book of money: every posting of every block added up, beside the wallets that the nodes keep.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    execute::Block,
    id::{InstrumentId, PartyId},
    lot::Lot,
    outcome::Account,
    state::{Row, RowKey, Table},
    wallet::{Holding, Wallet},
};
use musubi_storage::Store;

use super::{Holds, Violation, broken};

const CONSERVED: &str = "I5 supply is conserved";

type Holdings = BTreeMap<(Lot, Holding), i128>;

/// The book.
#[derive(Default)]
pub(crate) struct MoneyBook {
    wallets: BTreeMap<PartyId, Holdings>,
    /// What wallets hold of each lot, all together.
    outstanding: BTreeMap<Lot, i128>,
}

impl MoneyBook {
    /// Takes a block's postings. I5: they sum to zero, and rows say the same. I6: nobody goes below zero.
    pub(crate) fn take(&mut self, block: &Block) -> Holds {
        let (mut wallets, mut issued) = (BTreeSet::new(), BTreeSet::new());
        for entry in &block.entries {
            let mut sums: BTreeMap<Lot, i128> = BTreeMap::new();
            for posting in &entry.outcome.postings {
                *sums.entry(posting.lot).or_default() += posting.signed();
                match posting.account {
                    Account::Wallet(party) => {
                        wallets.insert(party);
                        self.post(party, (posting.lot, posting.holding), posting.signed())?;
                    }
                    Account::Issuance(_) => {
                        issued.insert(posting.lot);
                    }
                }
            }
            if sums.values().any(|sum| *sum != 0) {
                return broken(
                    CONSERVED,
                    format!("the postings of leaf {} sum to {sums:?}", entry.index),
                );
            }
        }
        for party in wallets {
            match block.changes.get(&RowKey::Wallet(party)) {
                Some(Some(Row::Wallet(wallet))) => self.compare(party, wallet)?,
                _ => return broken(CONSERVED, format!("wallet {party} is not written")),
            }
        }
        for lot in issued {
            match block.changes.get(&RowKey::Supply(lot)) {
                Some(Some(row)) => self.supply(&lot, row)?,
                _ => return broken(CONSERVED, format!("the supply of {lot:?} is not written")),
            }
        }
        Ok(())
    }

    fn post(&mut self, party: PartyId, of: (Lot, Holding), amount: i128) -> Holds {
        *self.outstanding.entry(of.0).or_default() += amount;
        let holdings = self.wallets.entry(party).or_default();
        let balance = holdings.entry(of).or_default();
        *balance += amount;
        match *balance {
            0 => {
                holdings.remove(&of);
                Ok(())
            }
            below if below < 0 => {
                broken("I6 no wallet below zero", format!("{party} holds {below} of {of:?}"))
            }
            _ => Ok(()),
        }
    }

    fn compare(&self, party: PartyId, wallet: &Wallet) -> Holds {
        let states = [Holding::Spendable, Holding::Held, Holding::Claim];
        let of_lot = |balance: &musubi_ledger::wallet::LotBalance| {
            states.map(|holding| ((balance.lot, holding), i128::from(balance.amount(holding).0)))
        };
        let found = wallet.lots.iter().flat_map(of_lot).filter(|(_, amount)| *amount != 0);
        let found: Holdings = found.collect();
        let expected = self.wallets.get(&party).cloned().unwrap_or_default();
        if found == expected {
            return Ok(());
        }
        broken(CONSERVED, format!("{party} holds {found:?}, postings say {expected:?}"))
    }

    fn supply(&self, lot: &Lot, row: &Row) -> Holds {
        let held = self.outstanding.get(lot).copied().unwrap_or_default();
        match row {
            Row::Supply(supply)
                if i128::from(supply.issued.0) - i128::from(supply.burnt.0) == held =>
            {
                Ok(())
            }
            other => {
                broken(CONSERVED, format!("wallets hold {held} of {lot:?}, its row is {other:?}"))
            }
        }
    }

    /// I5 anew, from a node's rows: every wallet, every lot, every instrument.
    pub(crate) fn audit(&self, store: &Store) -> Holds {
        let failed = |error: musubi_storage::StoreError| Violation {
            invariant: CONSERVED,
            seen: error.to_string(),
        };
        let page = store.rows(Table::Wallet, &[], None, usize::MAX - 1).map_err(failed)?;
        for (key, row) in &page.rows {
            let party = key[1..].try_into().map(PartyId);
            match (party, row) {
                (Ok(party), Row::Wallet(wallet)) => self.compare(party, wallet)?,
                _ => return broken(CONSERVED, "a row among the wallets is none"),
            }
        }
        let mut totals: BTreeMap<InstrumentId, i128> = BTreeMap::new();
        for (lot, held) in &self.outstanding {
            *totals.entry(lot.instrument).or_default() += held;
            let row = store.row(&RowKey::Supply(*lot)).map_err(failed)?;
            match row {
                Some(row) => self.supply(lot, &row)?,
                None => return broken(CONSERVED, format!("the supply of {lot:?} is not kept")),
            }
        }
        for (instrument, held) in totals {
            let row = store.row(&RowKey::Totals(instrument)).map_err(failed)?;
            let kept = match row {
                Some(Row::Totals(kept)) => i128::from(kept.outstanding().0),
                _ => return broken(CONSERVED, format!("{instrument} is not kept")),
            };
            if kept != held {
                let seen = format!("wallets hold {held} of {instrument}, its row says {kept}");
                return broken(CONSERVED, seen);
            }
        }
        Ok(())
    }
}
