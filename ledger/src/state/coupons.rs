//! The coupons that a payment used, kept so that a refund gives them back.

use serde::{Deserialize, Serialize};

use super::SettledLot;
use crate::{
    amount::Amount,
    id::{PartyId, TxId},
    rule::cap::Subject,
    time::Time,
};

/// The coupons of one payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsedCoupons {
    /// The price before them.
    pub gross: Amount,
    /// When: the period in which their uses count.
    pub at: Time,
    /// In the payment's order.
    pub used: Vec<UsedCoupon>,
}

/// One coupon that was used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UsedCoupon {
    /// The offer that it is of.
    pub offer: TxId,
    /// The entitlement of which a unit was used.
    pub entitlement: Option<TxId>,
    /// The payer's household, where caps count by that.
    pub household: Option<Subject>,
    /// What it took off.
    pub discount: Amount,
    /// What its sponsor added for the shop.
    pub sponsored: Option<Sponsored>,
}

/// What a sponsor added for a shop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sponsored {
    /// Who bears it.
    pub by: PartyId,
    /// What the shop got, and how much of it was taken back.
    pub lot: SettledLot,
}
