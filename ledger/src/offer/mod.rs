//! Offers: what may be taken, by whom, by which right, and how much of it there is.
//!
//! An offer is put once and taken many times. Whoever takes a unit of it shows nothing, an entitlement that officers gave,
//! or a code; what the unit gives is issued at once. Types stand here and know nothing of the state.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    hash::tagged,
    id::{DocumentHash, InstrumentId, PartyId, TxId},
    keys::PublicKey,
    limits,
    lot::OriginKind,
    predicate::Predicate,
    rule::cap::{Cap, CapOf, Scope},
    time::Time,
};

/// So much of an instrument, as one unit of an offer gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How much; not zero.
    pub amount: Amount,
    /// Free or grant.
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

/// What one unit of an offer gives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// Value for nothing: gifts, benefits, points for coming.
    Gift(Gift),
}

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Nothing: it is there for everybody whom it is for.
    Open,
    /// An entitlement, in their own name or behind a code.
    Entitled(GivenBy),
    /// One code for all, shown at an event, say: its key signs.
    Code(PublicKey),
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

impl Gift {
    fn well_formed(&self) -> bool {
        let key = |part: &Part| (part.instrument, part.origin, part.campaign);
        (1..=limits::LEGS_MAX).contains(&self.parts.len())
            && self.parts.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]))
            && self.parts.iter().all(|part| part.origin != OriginKind::Paid)
            && self.parts.iter().all(|part| !part.amount.is_zero())
    }
}

impl OfferTerms {
    /// Whether every part is within its bounds and they go together.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let Gives::Gift(gift) = &self.gives;
        let counted = match self.access {
            Access::Entitled(given) => (1..=2).contains(&given.officers),
            Access::Open | Access::Code(_) => true,
        };
        let units = |cap: &Cap| {
            cap.of == CapOf::Given
                && matches!(cap.scope, Scope::Payer | Scope::Household)
                && !cap.most.is_zero()
        };
        gift.well_formed()
            && counted
            && self.who.as_ref().is_none_or(Predicate::well_formed)
            && self.stock != Some(0)
            && self.caps.len() <= limits::RULE_CAPS_MAX
            && self.caps.iter().all(units)
            && self.caps.windows(2).all(|w| (w[0].scope, w[0].per) < (w[1].scope, w[1].per))
            && self.from < self.until
            && codec::encode(self).len() <= limits::OFFER_BYTES_MAX
    }

    /// The sum of one unit's parts times the stock, if there is one and it is in range: what it may cost who funds it.
    #[must_use]
    pub fn whole(&self) -> Option<Amount> {
        let Gives::Gift(gift) = &self.gives;
        let amounts = gift.parts.iter().map(|part| part.amount);
        let unit = amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add)?;
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

/// For whom an entitlement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A party.
    Party(PartyId),
    /// Whoever knows a code: its key signs.
    Code(PublicKey),
}

/// A right to take of an offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entitlement {
    /// The offer.
    pub offer: TxId,
    /// For whom.
    pub holder: Holder,
    /// How many units.
    pub units: u32,
    /// How many of them were taken.
    pub used: u32,
    /// Exclusive end.
    pub until: Time,
    /// The officers' keys that gave it.
    pub given_by: Vec<PublicKey>,
    /// When it was withdrawn.
    pub withdrawn: Option<Time>,
}

/// The id of an entitlement: one for each offer and cause, so that nothing gives cause twice. The cause is the hash of an
/// event's reference, or a code's key.
#[must_use]
pub fn entitlement_id(offer: &TxId, cause: &[u8; 32]) -> TxId {
    TxId(tagged("musubi/v1/entitlement", &[&offer.0, cause]))
}

/// The seed of a code's key. Who knows the code can sign by it, for one party and one transaction: shown in a log or to a
/// node it is worth nothing to anybody else.
#[must_use]
pub fn code_seed(issuer: &PartyId, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    tagged("musubi/v1/code", &[&issuer.0, plain.to_ascii_uppercase().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let (issuer, other) = (PartyId([1; 16]), PartyId([2; 16]));
        let seed = code_seed(&issuer, "K7QM-2XPA");
        assert_eq!(seed, code_seed(&issuer, " k7qm 2xpa "));
        assert_ne!(seed, code_seed(&other, "K7QM-2XPA"));
        assert_ne!(seed, code_seed(&issuer, "K7QM-2XPB"));
    }
}
