//! What one unit of an offer gives, and what it costs. Coupons are in [`super::coupon`].

use serde::{Deserialize, Serialize};

use super::coupon::Coupon;
use crate::{
    amount::Amount,
    id::{InstrumentId, PartyId},
    keys::PublicKey,
    limits,
    lot::OriginKind,
};

/// So much of an instrument, as one unit of an offer gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How much; not zero.
    pub amount: Amount,
    /// Free or grant; paid, in a set that is bought with outside funds.
    pub origin: OriginKind,
    /// Campaign number under which reports group it; 0 for none.
    pub campaign: u32,
}

/// Value for nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gift {
    /// One to four parts, ascending by instrument, origin and campaign.
    pub parts: Vec<Part>,
    /// Who funds it: who is not the issuer owes the issuer as much.
    pub funder: PartyId,
}

/// Outside funds for one unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {
    /// How many yen.
    pub yen: Amount,
    /// The issuer's automated key that says they have come.
    pub key: PublicKey,
}

/// Value of an instrument for one unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Of which.
    pub instrument: InstrumentId,
    /// How much; not zero.
    pub amount: Amount,
}

/// What one unit costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// Outside funds. What is paid for so is issued as paid value, neither more nor less.
    Outside(Outside),
    /// Value that the issuer takes back: points for a currency.
    Exchange(Exchange),
}

/// A set that is bought: what was paid for, and a premium.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// What it costs.
    pub price: Price,
    /// One to four parts, ascending by instrument, origin and campaign.
    pub parts: Vec<Part>,
    /// Who funds the parts that are not paid for.
    pub funder: PartyId,
}

/// What one unit of an offer gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// Value for nothing: gifts, benefits, points for coming.
    Gift(Gift),
    /// The right to buy a set.
    Set(Set),
    /// The right to pay less, or to be given something back, at a shop.
    Coupon(Coupon),
}

impl Gives {
    /// What one unit gives.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        match self {
            Self::Gift(gift) => &gift.parts,
            Self::Set(set) => &set.parts,
            Self::Coupon(_) => &[],
        }
    }

    /// Who funds what is not paid for; none, where every shop bears what a coupon takes off there.
    #[must_use]
    pub fn funder(&self) -> Option<PartyId> {
        match self {
            Self::Gift(gift) => Some(gift.funder),
            Self::Set(set) => Some(set.funder),
            Self::Coupon(coupon) => coupon.sponsor(),
        }
    }

    /// What one unit costs.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        match self {
            Self::Gift(_) | Self::Coupon(_) => None,
            Self::Set(set) => Some(set.price),
        }
    }

    pub(super) fn well_formed(&self) -> bool {
        if let Self::Coupon(coupon) = self {
            return coupon.well_formed();
        }
        let parts = self.parts();
        let key = |part: &Part| (part.instrument, part.origin, part.campaign);
        let paid = parts.iter().any(|part| part.origin == OriginKind::Paid);
        let priced = match self.price() {
            Some(Price::Outside(outside)) => !outside.yen.is_zero() && paid,
            Some(Price::Exchange(exchange)) => !exchange.amount.is_zero() && !paid,
            None => !paid,
        };
        priced
            && (1..=limits::LEGS_MAX).contains(&parts.len())
            && parts.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]))
            && parts.iter().all(|part| !part.amount.is_zero())
    }
}
