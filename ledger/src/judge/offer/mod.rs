//! Offers: who puts and ends them. Rights to them are in [`right`], drawing lots in [`lottery`], taking is in [`take`], what it costs in [`price`],
//! what caps count in [`uses`].

mod lottery;
mod price;
mod right;
mod take;
mod uses;

pub(super) use lottery::{apply, count, reveal};
pub(super) use right::{check_code, entitle, withdraw};
pub(super) use take::take;
pub(super) use uses::{check_room, give_back, household, use_one};

use super::{
    allowance,
    case::{Case, any_compromised},
    consent::{Consents, Scene},
    coupon, grantor,
};
use crate::{
    amount::Amount,
    code::Code,
    id::TxId,
    offer::{Access, Gives, Offer, OfferTerms, Price},
    operation::{EndOffer, PutOffer},
    party::PartyKind,
    state::Shared,
};

/// Two officers of the issuer, and who funds it.
pub(super) fn put(case: &mut Case<'_, '_>, op: &PutOffer) -> Result<(), Code> {
    let terms = &op.terms;
    if !terms.well_formed() {
        return Err(Code::NotWellFormed);
    }
    case.active_of_kind(terms.issuer, PartyKind::Issuer)?;
    check_named(case, terms)?;
    let mut granted_by = grantor::officers(case, terms.issuer, 2)?;
    let funder = terms.funder();
    if funder != terms.issuer {
        // What it may cost in all must be known.
        let whole = terms.whole().ok_or(Code::NotWellFormed)?;
        granted_by.extend(grantor::funder(case, funder, whole)?);
    }
    if let Some(Price::Outside(_)) = terms.gives.price() {
        // It is an allowance: another organisation grants it too.
        let consents = Consents::live(case);
        granted_by.extend(allowance::two_organisations(case, &consents, terms.issuer)?);
    }
    check_given(case, terms)?;
    price::check(case, terms)?;
    if terms.until <= case.now {
        return Err(Code::DeadlineInvalid);
    }
    let offer = Offer { terms: terms.clone(), granted_by, ended: None, taken: 0 };
    case.state.put_offer(case.id, offer);
    Ok(())
}

/// Whoever funds it is no person; whoever gives entitlements has officers; a code's key is one.
fn check_named(case: &Case<'_, '_>, terms: &OfferTerms) -> Result<(), Code> {
    if case.active_party(terms.funder())?.kind == PartyKind::Person {
        return Err(Code::WrongKind);
    }
    if let Gives::Coupon(coupon) = &terms.gives {
        coupon::check_named(case, coupon)?;
    }
    match &terms.access {
        Access::Open | Access::Lottery(_) => Ok(()),
        Access::Code(key) if case.is_fit(key) => Ok(()),
        Access::Code(_) => Err(Code::WeakKey),
        Access::Entitled(given) => match case.active_party(given.party)?.kind {
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => Ok(()),
            _ => Err(Code::WrongKind),
        },
    }
}

/// Every part is of an instrument of the issuer, in whole steps; so is what a coupon's sponsor adds.
fn check_given(case: &Case<'_, '_>, terms: &OfferTerms) -> Result<(), Code> {
    if let Gives::Coupon(coupon) = &terms.gives {
        let issuer = case.instrument(coupon.instrument)?.terms.issuer;
        return if issuer == terms.issuer { Ok(()) } else { Err(Code::OfferMismatch) };
    }
    for part in terms.gives.parts() {
        let given = &case.instrument(part.instrument)?.terms;
        if given.issuer != terms.issuer {
            return Err(Code::OfferMismatch);
        }
        if !part.amount.0.is_multiple_of(given.step.0) {
            return Err(Code::AmountInvalid);
        }
    }
    Ok(())
}

/// Two officers of the issuer, or who funds it and is not the issuer.
pub(super) fn end(case: &mut Case<'_, '_>, op: &EndOffer) -> Result<(), Code> {
    let offer = case.state.offer(op.offer).ok_or(Code::UnknownOffer)?;
    if !funder_ends(case, &offer) {
        grantor::officers(case, offer.terms.issuer, 2)?;
    }
    let end = offer.ended.map_or(offer.terms.until, |end| end.min(offer.terms.until));
    if op.at < case.now || end <= op.at {
        return Err(Code::DeadlineInvalid);
    }
    let ended = Offer { ended: Some(op.at), ..(*offer).clone() };
    case.state.put_offer(op.offer, ended);
    Ok(())
}

fn funder_ends(case: &Case<'_, '_>, offer: &Offer) -> bool {
    let funder = offer.terms.funder();
    let signs = |party: &crate::party::Party| {
        let consents = Consents::live(case);
        consents.debit(case.scene(), (funder, party), Amount::ZERO, None, None).is_ok()
    };
    funder != offer.terms.issuer && case.active_party(funder).is_ok_and(|party| signs(&party))
}

/// An offer of which something can be had now.
pub(super) fn check_open(scene: Scene<'_, '_>, offer: &Offer) -> Result<(), Code> {
    let good = offer.open(scene.now) && !any_compromised(scene.state, &offer.granted_by);
    if good { Ok(()) } else { Err(Code::OfferNotOpen) }
}

/// An offer that is known.
pub(super) fn known(case: &Case<'_, '_>, id: TxId) -> Result<Shared<Offer>, Code> {
    case.state.offer(id).ok_or(Code::UnknownOffer)
}
