//! The model's money: who holds how much of what, in which state, by lot.

use std::collections::BTreeMap;

use musubi_ledger::{
    code::Code,
    id::{InstrumentId, PartyId},
    instrument::Terms,
    wallet::{Holding, Wallet},
};

/// (instrument, expiry or the end of time, origin, funder, campaign).
pub(crate) type Lot = (InstrumentId, u64, u8, PartyId, u32);

/// Spendable, held, claim; and since when there has been any.
pub(crate) type Amounts = ([u64; 3], u64);
pub(crate) const SPENDABLE: usize = 0;
pub(crate) const HELD: usize = 1;
pub(crate) const CLAIM: usize = 2;

/// Every wallet.
#[derive(Clone, Default)]
pub(crate) struct Book(pub(crate) BTreeMap<PartyId, BTreeMap<Lot, Amounts>>);

impl Book {
    pub(crate) fn add(&mut self, to: PartyId, lot: Lot, state: usize, amount: u64, since: u64) {
        let wallet = self.0.entry(to).or_default();
        let amounts = wallet.entry(lot).or_insert(([0; 3], since));
        amounts.0[state] += amount;
        amounts.1 = amounts.1.min(since);
    }

    pub(crate) fn take(&mut self, from: PartyId, lot: Lot, state: usize, amount: u64) {
        let wallet = self.0.get_mut(&from).unwrap();
        let amounts = wallet.get_mut(&lot).unwrap();
        amounts.0[state] -= amount;
        if amounts.0 == [0; 3] {
            wallet.remove(&lot);
        }
    }

    pub(crate) fn of(&self, party: PartyId, lot: Lot, state: usize) -> u64 {
        self.0.get(&party).and_then(|wallet| wallet.get(&lot)).map_or(0, |amounts| amounts.0[state])
    }

    /// What can be spent of an instrument.
    pub(crate) fn spendable(&self, party: PartyId, instrument: InstrumentId, now: u64) -> u64 {
        let Some(wallet) = self.0.get(&party) else {
            return 0;
        };
        wallet
            .iter()
            .filter(|(lot, _)| lot.0 == instrument && now < lot.1)
            .map(|(_, amounts)| amounts.0[SPENDABLE])
            .sum()
    }

    /// The parts of `amount`, in lot order, out of those that `usable` lets through.
    pub(crate) fn choose(
        &self,
        party: PartyId,
        instrument: InstrumentId,
        state: usize,
        amount: u64,
        usable: impl Fn(&Lot) -> bool,
    ) -> Option<Vec<(Lot, u64)>> {
        let mut left = amount;
        let mut parts = Vec::new();
        for (lot, amounts) in self.0.get(&party).into_iter().flatten() {
            if lot.0 == instrument && usable(lot) && left > 0 && amounts.0[state] > 0 {
                let part = left.min(amounts.0[state]);
                parts.push((*lot, part));
                left -= part;
            }
        }
        (left == 0).then_some(parts)
    }

    /// The parts of `amount` out of several instruments, in the order of spending, with their age.
    pub(crate) fn spend(
        &self,
        party: PartyId,
        instruments: &[(InstrumentId, Terms)],
        amount: u64,
        now: u64,
    ) -> Option<Vec<(Lot, u64, u64)>> {
        let mut queue = Vec::new();
        for (lot, (amounts, since)) in self.0.get(&party).into_iter().flatten() {
            for (of, terms) in instruments {
                if lot.0 == *of && now < lot.1 && amounts[SPENDABLE] > 0 {
                    let first = [terms.priority.free, terms.priority.grant, terms.priority.paid];
                    let place = (lot.1, first[usize::from(lot.2)], *since, *lot);
                    queue.push((place, amounts[SPENDABLE], terms.step.0));
                }
            }
        }
        queue.sort();
        let mut left = amount;
        let mut parts = Vec::new();
        for ((.., since, lot), there, step) in queue {
            let part = left.min(there) / step * step;
            if part > 0 {
                parts.push((lot, part, since));
                left -= part;
            }
        }
        (left == 0).then_some(parts)
    }

    /// What has expired goes, and claims that were not redeemed in time.
    pub(crate) fn sweep(&mut self, now: u64, terms: &BTreeMap<InstrumentId, Terms>) {
        for wallet in self.0.values_mut() {
            for (lot, amounts) in wallet.iter_mut() {
                if lot.1 <= now {
                    amounts.0[SPENDABLE] = 0;
                }
                if redemption_end(terms, lot) <= now {
                    amounts.0[CLAIM] = 0;
                }
            }
            wallet.retain(|_, amounts| amounts.0 != [0; 3]);
        }
    }

    /// Compares one wallet.
    pub(crate) fn compare(&self, party: PartyId, real: &Wallet) {
        let real: BTreeMap<Lot, Amounts> = real
            .lots
            .iter()
            .map(|b| {
                let end = b.lot.use_expiry.map_or(u64::MAX, |end| end.0);
                let origin = b.lot.origin as u8;
                let lot = (b.lot.instrument, end, origin, b.lot.funder, b.lot.campaign);
                let amount = |holding| b.amount(holding).0;
                let states = [Holding::Spendable, Holding::Held, Holding::Claim];
                (lot, (states.map(amount), b.since.0))
            })
            .collect();
        let empty = BTreeMap::new();
        assert_eq!(&real, self.0.get(&party).unwrap_or(&empty), "wallet of {party}");
    }
}

/// Until when a claim on a lot can be redeemed; the end of time if for ever.
pub(crate) fn redemption_end(terms: &BTreeMap<InstrumentId, Terms>, lot: &Lot) -> u64 {
    lot.1.saturating_add(u64::from(terms[&lot.0].redemption_days) * 86_400_000)
}

/// An error if `holds` does not.
pub(crate) fn demand(holds: bool, code: Code) -> Result<(), Code> {
    if holds { Ok(()) } else { Err(code) }
}
