//! When a rule gives: its window, what moved, who took part.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{InstrumentId, PartyId, TxId},
    lot::{Lot, OriginKind},
    party::Party,
    predicate::Predicate,
    time::Time,
    transaction::Purpose,
};

/// The conditions of a rule; all must hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// From then on.
    pub from: Time,
    /// Exclusive end.
    pub until: Option<Time>,
    /// For payments of this purpose.
    pub purpose: Option<Purpose>,
    /// It sees lots of these origins, ascending; of all if empty.
    pub origins: Vec<OriginKind>,
    /// It sees lots of this campaign.
    pub campaign: Option<u32>,
    /// Of the payer; of the holder, for a top-up.
    pub payer: Option<Predicate>,
    /// Of the payee; of the issuer, for a top-up.
    pub payee: Option<Predicate>,
    /// This payee alone: a shop's own rule.
    pub payee_is: Option<PartyId>,
    /// The least base.
    pub least: Amount,
    /// The base must be whole multiples of this: premium sets.
    pub multiple: Option<Amount>,
    /// The payer must have reached so much of a counter.
    pub tier: Option<Reached>,
    /// What was taken of this offer, or paid with a coupon of it.
    pub offer: Option<TxId>,
}

/// So much of an instrument, usually a counter, in the payer's wallet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reached {
    /// Of which.
    pub instrument: InstrumentId,
    /// How much that can be spent.
    pub from: Amount,
}

/// What happened, as conditions see it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub now: Time,
    /// What for.
    pub purpose: Purpose,
    /// Who paid.
    pub payer: &'a Party,
    /// Who was paid.
    pub payee: (PartyId, &'a Party),
    /// The offer that something was taken of, or those whose coupons were used.
    pub offers: &'a [TxId],
}

impl When {
    /// Always, from `from` on.
    #[must_use]
    pub fn always(from: Time) -> Self {
        Self {
            from,
            until: None,
            purpose: None,
            origins: Vec::new(),
            campaign: None,
            payer: None,
            payee: None,
            payee_is: None,
            least: Amount::ZERO,
            multiple: None,
            tier: None,
            offer: None,
        }
    }

    /// Whether parts are within bounds.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        self.until.is_none_or(|until| self.from < until)
            && self.origins.windows(2).all(|pair| pair[0] < pair[1])
            && [&self.payer, &self.payee].into_iter().flatten().all(Predicate::well_formed)
            && self.multiple.is_none_or(|multiple| !multiple.is_zero())
    }

    /// Whether its window is open.
    #[must_use]
    pub fn open(&self, now: Time) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// Whether it sees a lot.
    #[must_use]
    pub fn sees(&self, lot: &Lot) -> bool {
        (self.origins.is_empty() || self.origins.contains(&lot.origin))
            && self.campaign.is_none_or(|campaign| campaign == lot.campaign)
    }

    /// Whether a base is enough, and of whole multiples.
    #[must_use]
    pub fn fits_base(&self, base: Amount) -> bool {
        !base.is_zero()
            && self.least <= base
            && self.multiple.is_none_or(|multiple| base.0.is_multiple_of(multiple.0))
    }

    /// Whether what happened is what it asks for, cheap questions first. The counter is asked elsewhere.
    #[must_use]
    pub fn holds(&self, seen: &Seen<'_>) -> bool {
        let of = |test: &Option<Predicate>, party: &Party| {
            test.as_ref().is_none_or(|test| test.holds(party, seen.now))
        };
        self.open(seen.now)
            && self.purpose.is_none_or(|purpose| purpose == seen.purpose)
            && self.payee_is.is_none_or(|payee| payee == seen.payee.0)
            && self.offer.is_none_or(|offer| seen.offers.contains(&offer))
            && of(&self.payer, seen.payer)
            && of(&self.payee, seen.payee.1)
    }
}
