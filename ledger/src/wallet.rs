//! Wallets: what one party holds, lot by lot, in three states.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, codec, hash::Hash, id::InstrumentId, lot::Lot, time::Time};

/// BLAKE3 in its mode of derived keys, for the two parts of a wallet's leaf and for the leaf. The context is
/// hashed once, not once per wallet.
static PART: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("musubi/v1/wallet-part"));
static LEAF: LazyLock<blake3::Hasher> =
    LazyLock::new(|| blake3::Hasher::new_derive_key("musubi/v1/wallet-leaf"));

/// In which state value is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// Can be spent until the lot's use expiry.
    Spendable,
    /// Waits for a release or a time-out.
    Held,
    /// Accepted by a merchant: can only be redeemed.
    Claim,
}

/// What a wallet holds of one lot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LotBalance {
    /// The lot.
    pub lot: Lot,
    /// Can be spent.
    pub spendable: Amount,
    /// Waits.
    pub held: Amount,
    /// Can be redeemed.
    pub claim: Amount,
}

/// A wallet as the state keeps it. Lots are in spending order, none is empty, equal ones are merged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wallet {
    /// Its number in opening order: its place in the state tree.
    pub serial: u64,
    /// What hides its content in the state tree.
    #[serde(with = "crate::bytes::array")]
    pub salt: Hash,
    /// How many leaves touched it.
    pub leaves: u64,
    /// Running hash over those leaves, so that a statement can be proved to have no gap.
    #[serde(with = "crate::bytes::array")]
    pub history: Hash,
    /// Lots, in spending order.
    pub lots: Vec<LotBalance>,
}

impl LotBalance {
    /// Nothing of `lot`.
    #[must_use]
    pub fn empty(lot: Lot) -> Self {
        Self { lot, spendable: Amount::ZERO, held: Amount::ZERO, claim: Amount::ZERO }
    }

    /// The amount in one state.
    pub fn amount_mut(&mut self, holding: Holding) -> &mut Amount {
        match holding {
            Holding::Spendable => &mut self.spendable,
            Holding::Held => &mut self.held,
            Holding::Claim => &mut self.claim,
        }
    }

    /// The amount in one state.
    #[must_use]
    pub fn amount(&self, holding: Holding) -> Amount {
        match holding {
            Holding::Spendable => self.spendable,
            Holding::Held => self.held,
            Holding::Claim => self.claim,
        }
    }

    fn is_empty(&self) -> bool {
        self.spendable.is_zero() && self.held.is_zero() && self.claim.is_zero()
    }
}

impl Wallet {
    /// An empty wallet.
    #[must_use]
    pub fn open(serial: u64, salt: Hash) -> Self {
        Self { serial, salt, leaves: 0, history: [0; 32], lots: Vec::new() }
    }

    /// What can be spent of `instrument` at `now`. The one place that says so.
    #[must_use]
    pub fn spendable(&self, instrument: InstrumentId, now: Time) -> Amount {
        let usable = self.of(instrument).filter(|b| b.lot.usable(now));
        Amount(usable.map(|b| b.spendable.0).sum())
    }

    /// All of `instrument` in one state, expired or not.
    #[must_use]
    pub fn total(&self, instrument: InstrumentId, holding: Holding) -> Amount {
        Amount(self.of(instrument).map(|b| b.amount(holding).0).sum())
    }

    /// The lots of `instrument`, in spending order.
    pub fn of(&self, instrument: InstrumentId) -> impl Iterator<Item = &LotBalance> {
        self.lots.iter().filter(move |b| b.lot.instrument == instrument)
    }

    /// Adds to one state of a lot. `None` if the instrument's whole holding would leave the range.
    #[must_use]
    pub fn add(&mut self, lot: Lot, holding: Holding, amount: Amount) -> Option<()> {
        let all = self
            .of(lot.instrument)
            .map(|b| u128::from(b.spendable.0) + u128::from(b.held.0) + u128::from(b.claim.0));
        let after = all.sum::<u128>() + u128::from(amount.0);
        u64::try_from(after).ok()?;
        let at = match self.lots.binary_search_by(|b| b.lot.cmp(&lot)) {
            Ok(at) => at,
            Err(at) => {
                self.lots.insert(at, LotBalance::empty(lot));
                at
            }
        };
        let balance = self.lots[at].amount_mut(holding);
        *balance = balance.checked_add(amount)?;
        Some(())
    }

    /// Takes from one state of a lot; `None` (and unchanged) if there is less.
    #[must_use]
    pub fn take(&mut self, lot: Lot, holding: Holding, amount: Amount) -> Option<()> {
        let at = self.lots.binary_search_by(|b| b.lot.cmp(&lot)).ok()?;
        let balance = self.lots[at].amount_mut(holding);
        *balance = balance.checked_sub(amount)?;
        if self.lots[at].is_empty() {
            self.lots.remove(at);
        }
        Some(())
    }

    /// This wallet's leaf in the state tree: header and lots hashed apart, so that one can be shown
    /// without the other.
    #[must_use]
    pub fn state_leaf(&self, party: &crate::id::PartyId) -> Hash {
        let header = codec::encode(&(party, self.serial, self.leaves, self.history));
        let parts = [header, codec::encode(&self.lots)].map(|part| {
            let mut hasher = PART.clone();
            hasher.update(&self.salt);
            hasher.update(&part);
            *hasher.finalize().as_bytes()
        });
        let mut hasher = LEAF.clone();
        hasher.update(parts.as_flattened());
        *hasher.finalize().as_bytes()
    }
}
