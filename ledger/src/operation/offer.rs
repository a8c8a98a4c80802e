//! Operations about offers and entitlements.

use serde::{Deserialize, Serialize};

use super::Citation;
use crate::{
    id::{DocumentHash, PartyId, Seed, TxId},
    keys::PublicKey,
    offer::OfferTerms,
    time::Time,
};

/// An issuer puts something up to be taken.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutOffer {
    /// What it is.
    pub terms: OfferTerms,
}

/// Nothing more is taken of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOffer {
    /// The offer.
    pub offer: TxId,
    /// From when on; not in the past, and earlier than it would end anyway.
    pub at: Time,
}

/// Something that happened to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Happening {
    /// To whom.
    pub party: PartyId,
    /// Hash of its reference: a birth's, a marriage's, a donation's. It gives cause once.
    pub reference: DocumentHash,
}

/// Why there is an entitlement, and for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Something happened to a party.
    Event(Happening),
    /// Somebody will show a code: its key.
    Code(PublicKey),
}

/// Officers give rights to take of an offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitle {
    /// The offer.
    pub offer: TxId,
    /// One entitlement each.
    pub causes: Vec<Cause>,
    /// Units of each.
    pub units: u32,
    /// Exclusive end, not behind the offer's.
    pub until: Time,
}

/// What somebody shows to take of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Showing {
    /// Nothing.
    Nothing,
    /// An entitlement in their own name.
    Entitlement(TxId),
    /// A code: its key, which signs as well.
    Code(PublicKey),
}

/// How somebody pays for what they take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// It costs nothing.
    Nothing,
    /// With outside funds: hash of that payment's reference; each is used once, for ever, per issuer.
    Outside(DocumentHash),
    /// With value in their wallet.
    Value,
}

/// Somebody takes of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// The offer.
    pub offer: TxId,
    /// Who.
    pub to: PartyId,
    /// How many units.
    pub units: u32,
    /// What they show.
    pub showing: Showing,
    /// How they pay.
    pub payment: Payment,
    /// How they consent: live, or by a credit mandate.
    pub credit: Citation,
}

/// Somebody applies to a lottery. The application bears this transaction's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The offer.
    pub offer: TxId,
    /// Who.
    pub to: PartyId,
    /// For how many units.
    pub units: u32,
}

/// The issuer shows what it has committed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevealDraw {
    /// The offer.
    pub offer: TxId,
    /// Its seed.
    pub seed: Seed,
}

/// A step of the count that shows who has won.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountDraw {
    /// The offer.
    pub offer: TxId,
    /// The application that takes the last place; the count ends well only if it does.
    pub last: TxId,
}
