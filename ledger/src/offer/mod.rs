//! Offers: what may be taken, by whom, by which right, and how much of it there is.
//!
//! An offer is put once and taken many times. Whoever takes a unit of it shows nothing, an entitlement that officers gave,
//! or a code; what the unit gives is issued at once. Types stand here and know nothing of the state.

mod coupon;
pub mod draw;
mod gives;
mod right;

pub use coupon::{Coupon, Sponsor};
pub use gives::*;
pub use right::*;

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    id::{DocumentHash, PartyId},
    keys::PublicKey,
    limits,
    lot::OriginKind,
    predicate::Predicate,
    rule::cap::{Cap, CapOf, Scope},
    time::Time,
};
use draw::Lottery;

/// Officers who give entitlements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenBy {
    /// Whose officers: a registrar's, an issuer's, an organisation's.
    pub party: PartyId,
    /// How many of them sign each time: one or two.
    pub officers: u8,
}

/// What somebody must show to take of an offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Nothing: it is there for everybody whom it is for.
    Open,
    /// An entitlement, in their own name or behind a code.
    Entitled(GivenBy),
    /// One code for all, shown at an event, say: its key signs.
    Code(PublicKey),
    /// An application that has won.
    Lottery(Lottery),
}

/// An offer as it is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferTerms {
    /// Whose it is: the issuer of everything that it gives.
    pub issuer: PartyId,
    /// What one unit gives.
    pub gives: Gives,
    /// For whom: as they are attested when they take.
    pub who: Option<Predicate>,
    /// What they must show.
    pub access: Access,
    /// Units in all.
    pub stock: Option<u32>,
    /// How many units one taker or household gets; ascending by scope and period, each once.
    pub caps: Vec<Cap>,
    /// From then on.
    pub from: Time,
    /// Exclusive end.
    pub until: Time,
    /// Hash of the public notice with its conditions.
    pub document: DocumentHash,
}

impl OfferTerms {
    /// Whether every part is within its bounds and they go together.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        // What is sold for outside funds is bounded, as an allowance is.
        let sold = matches!(self.gives.price(), Some(Price::Outside(_)));
        let counted = match &self.access {
            Access::Entitled(given) => (1..=2).contains(&given.officers),
            Access::Open | Access::Code(_) => true,
            Access::Lottery(lottery) => {
                self.stock.is_some() && lottery.well_formed(self.from, self.until)
            }
        };
        let units = |cap: &Cap| {
            cap.of == CapOf::Given
                && matches!(cap.scope, Scope::Payer | Scope::Household)
                && !cap.most.is_zero()
        };
        self.gives.well_formed()
            && counted
            && (!sold || self.stock.is_some())
            && self.who.as_ref().is_none_or(Predicate::well_formed)
            && self.stock != Some(0)
            && self.caps.len() <= limits::RULE_CAPS_MAX
            && self.caps.iter().all(units)
            && self.caps.windows(2).all(|w| (w[0].scope, w[0].per) < (w[1].scope, w[1].per))
            && self.from < self.until
            && codec::encode(self).len() <= limits::OFFER_BYTES_MAX
    }

    /// Who funds it: the issuer, where it does not say so.
    #[must_use]
    pub fn funder(&self) -> PartyId {
        self.gives.funder().unwrap_or(self.issuer)
    }

    /// The sum of one unit's parts that are not paid for (or the most that a coupon takes off), times the stock, if there is one and it is in
    /// range: what it may cost who funds it. A shop's own coupon makes it owe nothing.
    #[must_use]
    pub fn whole(&self) -> Option<Amount> {
        if let Gives::Coupon(coupon) = &self.gives {
            if coupon.own() {
                return Some(Amount::ZERO);
            }
            return coupon.bound()?.0.checked_mul(u64::from(self.stock?)).map(Amount);
        }
        let parts = self.gives.parts().iter().filter(|part| part.origin != OriginKind::Paid);
        let unit = parts.map(|part| part.amount).try_fold(Amount::ZERO, Amount::checked_add)?;
        unit.0.checked_mul(u64::from(self.stock?)).map(Amount)
    }
}

/// An offer as the state keeps it, for ever.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// What was signed.
    pub terms: OfferTerms,
    /// The keys that signed.
    pub granted_by: Vec<PublicKey>,
    /// From when on it is no longer there.
    pub ended: Option<Time>,
    /// Units taken.
    pub taken: u64,
}

impl Offer {
    /// Whether something can be taken of it at `now`, as far as time says.
    #[must_use]
    pub fn open(&self, now: Time) -> bool {
        self.terms.from <= now && now < self.terms.until && self.ended.is_none_or(|end| now < end)
    }

    /// Units that are left, if they are counted.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        self.terms.stock.map(|stock| u64::from(stock).saturating_sub(self.taken))
    }
}
