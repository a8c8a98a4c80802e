//! The generator's own account of who holds what: deliberately simple, so that the ledger can be
//! compared with it.
//!
//! Waves of a day overlap: while one is under way, the next is too. What a wave brings can therefore be
//! spent two waves later at the earliest, and then good payments are good in whatever order the
//! ledger sees them.

use std::collections::{BTreeMap, VecDeque};

use musubi_ledger::id::PartyId;

/// What can be held, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pot {
    /// `MONEY` that can be spent.
    Money,
    /// `POINT`s that can be spent.
    Points,
    /// `MONEY` that a shop can redeem.
    MoneyClaim,
    /// `POINT`s that a shop can redeem.
    PointClaim,
    /// `MONEY` that waits for the issuer's answer.
    MoneyHeld,
}

/// Pots of a purse.
pub const POTS: usize = 5;
/// What one party holds, by pot.
pub type Purse = [u64; POTS];

/// What everybody holds.
#[derive(Clone, Debug, Default)]
pub struct Books {
    purses: BTreeMap<PartyId, Purse>,
    /// What the current wave, the one before and the one before that brought.
    coming: VecDeque<Vec<(PartyId, Pot, u64)>>,
}

impl Books {
    /// Nobody holds anything.
    #[must_use]
    pub fn new() -> Self {
        Self { purses: BTreeMap::new(), coming: VecDeque::from([Vec::new()]) }
    }

    /// What can safely be used now.
    #[must_use]
    pub fn has(&self, party: PartyId, pot: Pot) -> u64 {
        self.purses.get(&party).map_or(0, |purse| purse[pot as usize])
    }

    /// Takes away at once.
    ///
    /// # Panics
    /// If there is less: the generator looks before it takes.
    pub fn take(&mut self, party: PartyId, pot: Pot, amount: u64) {
        let purse = self.purses.entry(party).or_default();
        let held = &mut purse[pot as usize];
        *held = held.checked_sub(amount).expect("the generator looked before it took");
    }

    /// Brings something, to be used from two waves later on.
    pub fn give(&mut self, party: PartyId, pot: Pot, amount: u64) {
        if let Some(newest) = self.coming.back_mut() {
            newest.push((party, pot, amount));
        }
    }

    /// Brings something that can be used from now on.
    pub fn give_now(&mut self, party: PartyId, pot: Pot, amount: u64) {
        self.purses.entry(party).or_default()[pot as usize] += amount;
    }

    /// Nobody counts on what lies in this kind of pot any more.
    pub fn forget(&mut self, pot: Pot) {
        for purse in self.purses.values_mut() {
            purse[pot as usize] = 0;
        }
        for wave in &mut self.coming {
            wave.retain(|(_, kind, _)| *kind != pot);
        }
    }

    /// The next wave begins.
    pub fn next_wave(&mut self) {
        self.coming.push_back(Vec::new());
        while self.coming.len() > 2 {
            for (party, pot, amount) in self.coming.pop_front().unwrap_or_default() {
                self.give_now(party, pot, amount);
            }
        }
    }

    /// What everybody holds when all waves are done.
    #[must_use]
    pub fn settled(mut self) -> BTreeMap<PartyId, Purse> {
        for (party, pot, amount) in std::mem::take(&mut self.coming).into_iter().flatten() {
            self.give_now(party, pot, amount);
        }
        self.purses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_can_be_spent_two_waves_later() {
        let party = PartyId([1; 16]);
        let mut books = Books::new();
        books.give(party, Pot::Money, 5);
        books.next_wave();
        assert_eq!(books.has(party, Pot::Money), 0);
        books.next_wave();
        assert_eq!(books.has(party, Pot::Money), 5);
        books.take(party, Pot::Money, 2);
        books.give(party, Pot::Points, 1);
        assert_eq!(books.settled()[&party], [3, 1, 0, 0, 0]);
    }
}
