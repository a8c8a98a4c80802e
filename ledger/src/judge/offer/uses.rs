//! How much of an offer there is, and how much of it one taker and one household get.

use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    judge::case::Case,
    offer::{Offer, OfferTerms},
    party::Party,
    rule::cap::{Cap, RuleUse, Scope, Subject},
    state::Shared,
};

/// Whether an offer is for a party, and counts what it wants of it against the caps.
pub(super) fn allow(
    case: &mut Case<'_, '_>,
    id: TxId,
    terms: &OfferTerms,
    (taker, party): (PartyId, &Party),
    units: u32,
) -> Result<(), Code> {
    if terms.who.as_ref().is_some_and(|who| !who.holds(party, case.now)) {
        return Err(Code::TakerNotEligible);
    }
    let wanted = Amount(u64::from(units));
    let subject = |cap: &Cap| match cap.scope {
        Scope::Household => Subject::household(taker, party, case.now),
        _ => Subject::party(taker),
    };
    let counted: Vec<_> = terms.caps.iter().map(|cap| (cap.scope, subject(cap), *cap)).collect();
    for (scope, subject, cap) in &counted {
        if used(case, id, *scope, *subject).room(cap, case.now) < wanted {
            return Err(Code::OverOffer);
        }
    }
    for (scope, subject, cap) in counted {
        let mut uses = used(case, id, scope, subject);
        uses.count(cap.per, case.now, wanted);
        case.state.put_offer_use(id, scope, subject, uses);
    }
    Ok(())
}

/// Takes units out of the stock.
pub(super) fn take_stock(
    case: &mut Case<'_, '_>,
    id: TxId,
    mut offer: Shared<Offer>,
    units: u32,
) -> Result<(), Code> {
    let wanted = u64::from(units);
    if offer.left().is_some_and(|left| left < wanted) {
        return Err(Code::OutOfStock);
    }
    offer.taken = offer.taken.checked_add(wanted).ok_or(Code::AmountOverflow)?;
    case.state.put_offer(id, offer);
    Ok(())
}

fn used(case: &Case<'_, '_>, id: TxId, scope: Scope, subject: Subject) -> RuleUse {
    let row = case.state.offer_use(id, scope, subject);
    row.map(|row| (*row).clone()).unwrap_or_default()
}
