//! What a coupon would take off a price: the question that a till asks before anybody signs.

use super::coupon_of;
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    judge::{
        consent::Scene,
        offer::{check_open, check_room},
    },
    offer::Access,
    party::PartyKind,
    state::{Overlay, ReadState},
    time::Time,
};

/// What a coupon would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
    /// What it takes off.
    pub discount: Amount,
    /// Who adds that for the shop; none, where the shop bears it.
    pub sponsor: Option<PartyId>,
}

/// What one coupon of an offer would take off a price at a shop for a payer, at a time. It does not ask for the right or code that is shown, for the money, or
/// whether what a sponsor adds can be issued.
///
/// # Errors
/// The code that a payment would bear.
pub fn coupon_quote(
    state: &dyn ReadState,
    offer: TxId,
    (payer, shop): (PartyId, PartyId),
    gross: Amount,
    now: Time,
) -> Result<Quote, Code> {
    let overlay = Overlay::new(state);
    let scene = Scene { state: &overlay, now };
    let party = |id| overlay.party(id).ok_or(Code::UnknownParty);
    let (from, to) = (party(payer)?, party(shop)?);
    let pays = matches!(from.kind, PartyKind::Person | PartyKind::Group);
    if !pays || to.kind != PartyKind::Merchant {
        return Err(Code::WrongKind);
    }
    let terms = overlay.offer(offer).ok_or(Code::UnknownOffer)?;
    let coupon = coupon_of(&terms)?;
    check_open(scene, &terms)?;
    coupon.good_for((shop, &to), gross, now)?;
    if !matches!(terms.terms.access, Access::Lottery(_)) {
        check_room(scene, (offer, &terms.terms), (payer, &from), Amount(1))?;
    }
    if terms.left() == Some(0) {
        return Err(Code::OutOfStock);
    }
    let unit = overlay.instrument(coupon.instrument).ok_or(Code::UnknownInstrument)?;
    let discount = coupon.takes_off(gross, unit.terms.step).ok_or(Code::AmountOverflow)?;
    if discount >= gross {
        return Err(Code::CouponMismatch);
    }
    Ok(Quote { discount, sponsor: coupon.adds(shop, discount) })
}
