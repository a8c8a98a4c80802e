//! How much of an offer there is, and how much of it one taker and one household get. What a refund undoes was not taken.

use super::right;
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    judge::{case::Case, consent::Scene},
    offer::{Access, Offer, OfferTerms},
    operation::Showing,
    party::Party,
    rule::cap::{Cap, RuleUse, Scope, Subject},
    state::{Overlay, Shared, UsedCoupon},
    time::Time,
};

/// What an offer's caps count for a party: of whom, and by which cap.
type Counted = Vec<(Scope, Subject, Cap)>;

/// Whether an offer is for a party, and its caps let it have so many units more.
pub(in crate::judge) fn check_room(
    scene: Scene<'_, '_>,
    (id, terms): (TxId, &OfferTerms),
    (taker, party): (PartyId, &Party),
    wanted: Amount,
) -> Result<Counted, Code> {
    if terms.who.as_ref().is_some_and(|who| !who.holds(party, scene.now)) {
        return Err(Code::TakerNotEligible);
    }
    let subject = |cap: &Cap| match cap.scope {
        Scope::Household => Subject::household(taker, party, scene.now),
        _ => Subject::party(taker),
    };
    let counted: Counted = terms.caps.iter().map(|cap| (cap.scope, subject(cap), *cap)).collect();
    for (scope, subject, cap) in &counted {
        if used(scene.state, id, *scope, *subject).room(cap, scene.now) < wanted {
            return Err(Code::OverOffer);
        }
    }
    Ok(counted)
}

/// Whether an offer is for a party, and counts what it wants of it against the caps.
pub(super) fn allow(
    case: &mut Case<'_, '_>,
    id: TxId,
    terms: &OfferTerms,
    taker: (PartyId, &Party),
    units: u32,
) -> Result<(), Code> {
    let wanted = Amount(u64::from(units));
    let counted = check_room(case.scene(), (id, terms), taker, wanted)?;
    for (scope, subject, cap) in counted {
        let mut uses = used(case.state, id, scope, subject);
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

fn used(state: &Overlay<'_>, id: TxId, scope: Scope, subject: Subject) -> RuleUse {
    let row = state.offer_use(id, scope, subject);
    row.map(|row| (*row).clone()).unwrap_or_default()
}

/// One unit for one party, and what it shows.
pub(in crate::judge) fn use_one(
    case: &mut Case<'_, '_>,
    (id, offer): (TxId, &Shared<Offer>),
    (taker, party): (PartyId, &Party),
    showing: Showing,
) -> Result<Option<TxId>, Code> {
    let entitlement = right::show(case, (id, offer), taker, showing, 1)?;
    // Who has won was counted when they applied.
    if !matches!(offer.terms.access, Access::Lottery(_)) {
        allow(case, id, &offer.terms, (taker, party), 1)?;
    }
    take_stock(case, id, offer.clone(), 1)?;
    Ok(entitlement)
}

/// A payer's household, where an offer's caps count by that.
pub(in crate::judge) fn household(
    case: &Case<'_, '_>,
    terms: &OfferTerms,
    (taker, party): (PartyId, &Party),
) -> Option<Subject> {
    let asked = terms.caps.iter().any(|cap| cap.scope == Scope::Household);
    asked.then(|| Subject::household(taker, party, case.now))
}

/// A coupon's unit was not used after all: it is there again, in the period in which it was.
pub(in crate::judge) fn give_back(
    case: &mut Case<'_, '_>,
    used: &UsedCoupon,
    taker: PartyId,
    at: Time,
) {
    if let Some(entitlement) = used.entitlement {
        right::give_back(case, entitlement);
    }
    let mut offer = case.state.offer(used.offer).expect("offers are kept for ever");
    if !matches!(offer.terms.access, Access::Lottery(_)) {
        for cap in &offer.terms.caps {
            let subject = match cap.scope {
                Scope::Household => used.household.expect("kept where caps count by it"),
                _ => Subject::party(taker),
            };
            let mut uses = self::used(case.state, used.offer, cap.scope, subject);
            uses.give_back(cap.per, at, Amount(1), true);
            case.state.put_offer_use(used.offer, cap.scope, subject, uses);
        }
    }
    offer.taken = offer.taken.checked_sub(1).expect("INV-16: taken once");
    case.state.put_offer(used.offer, offer);
}
