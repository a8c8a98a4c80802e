//! Offers, what a coupon takes off, and lotteries.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount, code::Code, id::PartyId, id::TxId, offer::Offer, offer::draw::Draw, time::Time,
};

/// An offer: `GET /v1/offers/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferView {
    /// Its id.
    pub id: TxId,
    /// What the state keeps of it.
    pub offer: Offer,
    /// Height as of which.
    pub height: u64,
}

/// What a coupon would take off a price: `GET /v1/offers/{id}/quote`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CouponQuote {
    /// The offer.
    pub id: TxId,
    /// The price before it.
    pub gross: Amount,
    /// What it takes off.
    pub discount: Amount,
    /// What is left to pay.
    pub pays: Amount,
    /// Who adds the rest for the shop; none, where the shop bears it.
    pub sponsor: Option<PartyId>,
    /// Why it cannot be used there, if it cannot: what a payment would be told.
    pub code: Option<Code>,
    /// Height as of which.
    pub height: u64,
    /// Block time as of which.
    pub time: Time,
}

/// An application to a lottery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationView {
    /// Its id.
    pub id: TxId,
    /// Its tier.
    pub tier: u8,
    /// For how many units.
    pub units: u32,
}

/// Where a lottery stands: `GET /v1/offers/{id}/draw`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrawView {
    /// The offer.
    pub id: TxId,
    /// What the state keeps of it.
    pub draw: Draw,
    /// A page of applications, the newest first.
    pub applications: Vec<ApplicationView>,
    /// Pass as `before` to go on; none at the first application.
    pub next: Option<TxId>,
    /// Height as of which.
    pub height: u64,
}

/// A page of offers: `GET /v1/offers`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfferPage {
    /// By id, ascending.
    pub offers: Vec<OfferView>,
    /// Pass as `after` to go on; none at the end.
    pub next: Option<TxId>,
}
