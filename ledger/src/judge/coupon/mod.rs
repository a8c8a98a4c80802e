//! Coupons in payments: whether they may be used here and now, what they take off, what a sponsor adds for the shop. How a refund
//! gives them back is in [`unwind`](mod@unwind), what one would take off in [`quote`].

mod quote;
mod unwind;

pub use quote::{Quote, coupon_quote};
pub(super) use unwind::unwind;

use super::{
    case::Case,
    gift, movement,
    offer::{check_code, check_open, household, known, use_one},
    way::Way,
};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{PartyId, TxId},
    instrument::{Came, OnAccept},
    limits,
    lot::{Lot, OriginKind},
    offer::{Coupon, Gives, Offer, Sponsor},
    operation::{Citation, PayWithCoupons},
    party::{Party, PartyKind},
    state::{SettledLot, Shared, Sponsored, UsedCoupon, UsedCoupons},
    wallet::Holding,
};

/// A payment of a price less what coupons take off it.
pub(super) fn pay(case: &mut Case<'_, '_>, op: &PayWithCoupons) -> Result<(), Code> {
    let counted = (1..=limits::COUPONS_MAX).contains(&op.coupons.len());
    if !counted || !op.coupons.windows(2).all(|pair| pair[0].offer < pair[1].offer) {
        return Err(Code::NotWellFormed);
    }
    movement::pay_well_formed(&op.pay)?;
    movement::complete_own(case, Way::of_coupons(op))
}

/// The shops that a coupon names are shops.
pub(super) fn check_named(case: &Case<'_, '_>, coupon: &Coupon) -> Result<(), Code> {
    coupon.at.iter().try_for_each(|shop| {
        let kind = case.active_party(*shop)?.kind;
        if kind == PartyKind::Merchant { Ok(()) } else { Err(Code::WrongKind) }
    })
}

/// Codes that are shown sign.
pub(super) fn check_codes(case: &Case<'_, '_>, way: Way<'_>) -> Result<(), Code> {
    way.coupons.iter().try_for_each(|used| check_code(case, way.from, used.showing))
}

/// Uses a payment's coupons: each reckons from the price before all of them, and together they leave what is paid. A sponsor's part comes
/// to the shop.
pub(super) fn use_up(
    case: &mut Case<'_, '_>,
    way: Way<'_>,
    gross: Amount,
    (from, to): (&Party, &Party),
    payment: TxId,
) -> Result<(), Code> {
    if !matches!(from.kind, PartyKind::Person | PartyKind::Group) || to.kind != PartyKind::Merchant
    {
        return Err(Code::WrongKind);
    }
    // A standing acceptance says nothing of a price.
    if !matches!(way.credit, Citation::Live | Citation::Request) {
        return Err(Code::CouponNotAccepted);
    }
    let (mut left, mut used, mut sponsors) = (gross, Vec::new(), Vec::new());
    for using in way.coupons {
        let offer = known(case, using.offer)?;
        let coupon = coupon_of(&offer)?;
        check_open(case.scene(), &offer)?;
        coupon.good_for((way.to, to), gross, case.now)?;
        check_unit(case, way, coupon)?;
        let entitlement = use_one(case, (using.offer, &offer), (way.from, from), using.showing)?;
        let step = case.instrument(coupon.instrument)?.terms.step;
        let discount = coupon.takes_off(gross, step).ok_or(Code::AmountOverflow)?;
        left = left.checked_sub(discount).ok_or(Code::CouponMismatch)?;
        sponsors.push(sponsor(coupon, way, discount)?);
        let household = household(case, &offer.terms, (way.from, from));
        let (offer, sponsored) = (using.offer, None);
        used.push(UsedCoupon { offer, entitlement, household, discount, sponsored });
    }
    if Ok(left) != way.tender.total() {
        return Err(Code::CouponMismatch);
    }
    for (used, by) in used.iter_mut().zip(sponsors) {
        if let Some(by) = by {
            let offer = known(case, used.offer)?;
            used.sponsored = Some(add(case, way.to, (&offer, by), used.discount)?);
        }
        let (offer, discount) = (used.offer, used.discount);
        case.outcome.cites.push(offer);
        case.outcome.cites.extend(used.entitlement);
        case.outcome.facts.push(Fact::Coupon { offer, discount, sponsor: by });
    }
    case.state.put_coupons(payment, UsedCoupons { gross, at: case.now, used });
    Ok(())
}

fn coupon_of(offer: &Offer) -> Result<&Coupon, Code> {
    match &offer.terms.gives {
        Gives::Coupon(coupon) => Ok(coupon),
        Gives::Gift(_) | Gives::Set(_) => Err(Code::OfferMismatch),
    }
}

/// Whether what is paid in is of a coupon's unit, and the coupon goes with the others.
fn check_unit(case: &Case<'_, '_>, way: Way<'_>, coupon: &Coupon) -> Result<(), Code> {
    let unit = case.instrument(coupon.instrument)?;
    for id in way.tender.instruments() {
        if !unit.terms.pays_with(&case.instrument(id)?.terms) {
            return Err(Code::CouponMismatch);
        }
    }
    let fits = !coupon.alone || way.coupons.len() == 1;
    if fits { Ok(()) } else { Err(Code::CouponMismatch) }
}

/// Who adds what a coupon takes off; nobody, where the shop bears it. A shop that has not signed the offer has to sign the payment.
fn sponsor(coupon: &Coupon, way: Way<'_>, discount: Amount) -> Result<Option<PartyId>, Code> {
    let unsigned = coupon.sponsor == Sponsor::Payee && way.credit != Citation::Live;
    if unsigned && !discount.is_zero() {
        return Err(Code::CouponNotAccepted);
    }
    Ok(coupon.adds(way.to, discount))
}

/// Issues to the shop what a sponsor bears. One that is not the issuer owes as much.
fn add(
    case: &mut Case<'_, '_>,
    to: PartyId,
    (offer, by): (&Shared<Offer>, PartyId),
    amount: Amount,
) -> Result<Sponsored, Code> {
    let coupon = coupon_of(offer)?;
    let issuer = offer.terms.issuer;
    case.active_party(issuer)?;
    let instrument = case.instrument(coupon.instrument)?;
    let terms = &instrument.terms;
    let shop = case.party(to)?;
    if terms.acceptors.as_ref().is_some_and(|test| !test.holds(&shop, case.now)) {
        return Err(Code::AcceptorNotEligible);
    }
    let lot = Lot {
        instrument: coupon.instrument,
        use_expiry: terms.expiry_of_issue(case.now),
        origin: OriginKind::Grant,
        funder: by,
        campaign: coupon.campaign,
    };
    let claim = terms.on_accept == OnAccept::Claim;
    let into = if claim { Holding::Claim } else { Holding::Spendable };
    gift::check(case, to, (lot, &instrument), (into, amount))?;
    case.issue(issuer, lot, amount, Came::Issued)?;
    case.credit(to, lot, into, amount)?;
    if by != issuer {
        case.owe(by, coupon.instrument, amount)?;
    }
    let (undone, since, renewed) = (Amount::ZERO, case.now, None);
    Ok(Sponsored { by, lot: SettledLot { lot, amount, undone, claim, since, renewed } })
}
