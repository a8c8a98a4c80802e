//! Outcomes: what a transaction or system action did, and by which form of consent on each side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    fact::Fact,
    hash::{Hash, tagged},
    id::{InstrumentId, PartyId, Salt, TxId},
    lot::Lot,
    wallet::Holding,
};

/// In which form a side consented. Behind every posting stands a signature of each side, now or
/// earlier; the one exception is `Attested`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The operation moves nothing on this side.
    None,
    /// Signatures on the transaction or proposal.
    Live,
    /// A mandate.
    Mandate,
    /// A payment request.
    Request,
    /// An allowance.
    Allowance,
    /// The instrument's terms, accepted at enrolment.
    Terms,
    /// A registrar's attestation for a holder without keys.
    Attested,
    /// Nobody's: block time alone (expiry, time-out).
    Time,
    /// A run's manifest.
    Run,
    /// An offer.
    Offer,
}

/// Where a posting lands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// A party's wallet.
    Wallet(PartyId),
    /// An issuer's liability: issue posts from it, burning posts to it.
    Issuance(PartyId),
}

/// Which way a posting goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Out of the account.
    Minus,
    /// Into the account.
    Plus,
}

/// One posting. All postings of an outcome sum to zero per lot (INV-1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// Of which lot.
    pub lot: Lot,
    /// In which state of the wallet; `Spendable` for an issuance account.
    pub holding: Holding,
    /// Which way.
    pub sign: Sign,
    /// How much; not zero.
    pub amount: Amount,
}

/// A change of what a party owes an instrument's issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Owed {
    /// Who owes.
    pub party: PartyId,
    /// Value of which instrument.
    pub instrument: InstrumentId,
    /// `Plus`: it owes more from now on. `Minus`: so much of it is settled.
    pub sign: Sign,
    /// How much; not zero.
    pub amount: Amount,
}

/// What a transaction or system action did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What moved, in the order in which it was posted.
    pub postings: Vec<Posting>,
    /// How the giving side consented.
    pub debit: Form,
    /// How the receiving side consented.
    pub credit: Form,
    /// Grants that were cited: mandates, requests, allowances, originals, proposals.
    pub cites: Vec<TxId>,
    /// Changes of what parties owe issuers.
    pub receivables: Vec<Owed>,
    /// What explains the postings.
    pub facts: Vec<Fact>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            postings: Vec::new(),
            debit: Form::None,
            credit: Form::None,
            cites: Vec::new(),
            receivables: Vec::new(),
            facts: Vec::new(),
        }
    }
}

impl Outcome {
    /// The hash that the leaf carries, salted by the body's salt so that it hides small amounts.
    #[must_use]
    pub fn hash(&self, salt: &Salt) -> Hash {
        tagged("musubi/v1/outcome", &[&salt.0, &codec::encode(self)])
    }

    /// Wallets that the postings touch, ascending, each once.
    #[must_use]
    pub fn wallets(&self) -> Vec<PartyId> {
        let mut wallets: Vec<PartyId> = self
            .postings
            .iter()
            .filter_map(|p| match p.account {
                Account::Wallet(party) => Some(party),
                Account::Issuance(_) => None,
            })
            .collect();
        wallets.sort_unstable();
        wallets.dedup();
        wallets
    }

    /// Whether postings sum to zero per lot (INV-1), for outcomes that somebody else computed.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let mut sums: BTreeMap<Lot, i128> = BTreeMap::new();
        for posting in &self.postings {
            *sums.entry(posting.lot).or_default() += posting.signed();
        }
        sums.values().all(|&sum| sum == 0)
    }

    /// INV-1: postings sum to zero per lot.
    ///
    /// # Panics
    /// If they do not: value would be invented or lost.
    pub fn assert_balanced(&self) {
        let mut lots: Vec<Lot> = self.postings.iter().map(|p| p.lot).collect();
        lots.sort_unstable();
        lots.dedup();
        for lot in lots {
            let of_lot = self.postings.iter().filter(|p| p.lot == lot);
            let sum: i128 = of_lot.map(|p| p.signed()).sum();
            assert_eq!(sum, 0, "INV-1: postings of {lot:?} sum to zero");
        }
    }
}

impl Posting {
    /// The amount with its sign.
    #[must_use]
    pub fn signed(&self) -> i128 {
        match self.sign {
            Sign::Minus => -i128::from(self.amount.0),
            Sign::Plus => i128::from(self.amount.0),
        }
    }
}
