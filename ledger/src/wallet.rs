//! Wallets: what one party holds, lot by lot, in three states.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    hash::{Hash, tagged},
    id::{InstrumentId, PartyId, Salt},
    lot::Lot,
    time::Time,
};

/// BLAKE3 in its mode of derived keys. Contexts are hashed once, not once per wallet.
static HEADER: LazyLock<blake3::Hasher> = LazyLock::new(|| derived("musubi/v1/wallet-header"));
static LOTS: LazyLock<blake3::Hasher> = LazyLock::new(|| derived("musubi/v1/wallet-lots"));
static LEAF: LazyLock<blake3::Hasher> = LazyLock::new(|| derived("musubi/v1/wallet-leaf"));
static PART_SALTS: LazyLock<blake3::Hasher> =
    LazyLock::new(|| derived("musubi/v1/wallet-part-salts"));
static NEXT_SALT: LazyLock<blake3::Hasher> =
    LazyLock::new(|| derived("musubi/v1/wallet-next-salt"));

fn derived(context: &str) -> blake3::Hasher {
    blake3::Hasher::new_derive_key(context)
}

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
    /// Since when there has been any of it: what came first is spent first, of what expires together.
    pub since: Time,
    /// Can be spent.
    pub spendable: Amount,
    /// Waits.
    pub held: Amount,
    /// Can be redeemed.
    pub claim: Amount,
}

/// A wallet as the state keeps it. Lots ascend, none is empty, equal ones are merged. In which order they are spent
/// is for [`crate::spend`] to say.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wallet {
    /// Its number in opening order: its place in the state tree.
    pub serial: u64,
    /// What hides its content in the state tree. Each leaf that touches the wallet mixes its own salt in, so
    /// that whoever may know one state's salt does not know the next one's.
    #[serde(with = "crate::bytes::array")]
    pub salt: Hash,
    /// How many leaves touched it.
    pub leaves: u64,
    /// Running hash over those leaves, so that a statement can be proved to have no gap.
    #[serde(with = "crate::bytes::array")]
    pub history: Hash,
    /// Lots, ascending.
    pub lots: Vec<LotBalance>,
}

/// The part of a wallet that says whose it is and which leaves touched it, without what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalletHeader {
    /// The holder.
    pub party: PartyId,
    /// The wallet's number in opening order.
    pub serial: u64,
    /// How many leaves touched it.
    pub leaves: u64,
    /// Running hash over those leaves.
    #[serde(with = "crate::bytes::array")]
    pub history: Hash,
}

impl LotBalance {
    /// Nothing of `lot`, since `since`.
    #[must_use]
    pub fn empty(lot: Lot, since: Time) -> Self {
        Self { lot, since, spendable: Amount::ZERO, held: Amount::ZERO, claim: Amount::ZERO }
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

    /// What has not expired of `instrument` at `now`. Whether it can be spent depends on the instrument and on the
    /// payee too: [`crate::spend`].
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

    /// The lots of `instrument`, ascending.
    pub fn of(&self, instrument: InstrumentId) -> impl Iterator<Item = &LotBalance> {
        self.lots.iter().filter(move |b| b.lot.instrument == instrument)
    }

    /// Since when there has been any of `lot`; none if there is not.
    #[must_use]
    pub fn since(&self, lot: &Lot) -> Option<Time> {
        let at = self.lots.binary_search_by(|b| b.lot.cmp(lot)).ok()?;
        Some(self.lots[at].since)
    }

    /// Adds to one state of a lot that its holder has had since `since`. `None` if the instrument's whole holding would
    /// leave the range.
    #[must_use]
    pub fn add(&mut self, lot: Lot, holding: Holding, amount: Amount, since: Time) -> Option<()> {
        let all = self
            .of(lot.instrument)
            .map(|b| u128::from(b.spendable.0) + u128::from(b.held.0) + u128::from(b.claim.0));
        let after = all.sum::<u128>() + u128::from(amount.0);
        u64::try_from(after).ok()?;
        let at = match self.lots.binary_search_by(|b| b.lot.cmp(&lot)) {
            Ok(at) => at,
            Err(at) => {
                self.lots.insert(at, LotBalance::empty(lot, since));
                at
            }
        };
        self.lots[at].since = self.lots[at].since.min(since);
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

    /// Takes a leaf (encoded, and its outcome's salt) whose postings touched this wallet: count, running hash and salt go on.
    pub fn touch(&mut self, leaf: &[u8], salt: &Salt) {
        self.leaves += 1;
        self.history = next_history(&self.history, leaf);
        self.salt = hash_of(&NEXT_SALT, &[&self.salt, &salt.0]);
    }

    /// The part of this wallet that says which leaves touched it.
    #[must_use]
    pub fn header(&self, party: &PartyId) -> WalletHeader {
        let Self { serial, leaves, history, .. } = *self;
        WalletHeader { party: *party, serial, leaves, history }
    }

    /// What salts the header and what salts the lots. Neither tells the other or the wallet's own salt, so one
    /// part can be opened without the other.
    #[must_use]
    pub fn part_salts(&self) -> (Hash, Hash) {
        let mut salts = [0; 64];
        PART_SALTS.clone().update(&self.salt).finalize_xof().fill(&mut salts);
        let (mut header, mut lots) = ([0; 32], [0; 32]);
        header.copy_from_slice(&salts[..32]);
        lots.copy_from_slice(&salts[32..]);
        (header, lots)
    }

    /// This wallet's leaf in the state tree: header and lots hashed apart, so that one can be shown
    /// without the other.
    #[must_use]
    pub fn state_leaf(&self, party: &PartyId) -> Hash {
        let (header_salt, lots_salt) = self.part_salts();
        let header = self.header(party).hash(&header_salt);
        state_leaf(&header, &lots_hash(&lots_salt, &self.lots))
    }
}

impl WalletHeader {
    /// The header's part of a wallet's leaf.
    #[must_use]
    pub fn hash(&self, salt: &Hash) -> Hash {
        // As it is encoded, its parts one after the other.
        let Self { party, serial, leaves, history } = self;
        hash_of(&HEADER, &[salt, &party.0, &serial.to_le_bytes(), &leaves.to_le_bytes(), history])
    }
}

/// The lots' part of a wallet's leaf.
#[must_use]
pub fn lots_hash(salt: &Hash, lots: &[LotBalance]) -> Hash {
    hash_of(&LOTS, &[salt, &codec::encode(lots)])
}

/// A wallet's leaf in the state tree, from its two parts.
#[must_use]
pub fn state_leaf(header: &Hash, lots: &Hash) -> Hash {
    hash_of(&LEAF, &[header, lots])
}

/// The running hash over a wallet's leaves after one more, encoded.
#[must_use]
pub fn next_history(history: &Hash, leaf: &[u8]) -> Hash {
    tagged("musubi/v1/history", &[history, leaf])
}

fn hash_of(context: &blake3::Hasher, parts: &[&[u8]]) -> Hash {
    let mut hasher = context.clone();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}
