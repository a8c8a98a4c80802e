//! Entitlements: officers give them, and take back what was not used; whoever takes shows them.

use super::{known, lottery};
use crate::{
    code::Code,
    id::{PartyId, TxId},
    judge::{case::Case, grantor},
    keys::PublicKey,
    limits,
    offer::{Access, Entitlement, GivenBy, Holder, Offer, entitlement_id},
    operation::{Cause, Entitle, Showing},
    transaction::{Role, Side},
};

/// As many officers as the offer says. Each cause gives one entitlement, ever; withdrawn, it can be given anew.
pub(in crate::judge) fn entitle(case: &mut Case<'_, '_>, op: &Entitle) -> Result<(), Code> {
    let counted = (1..=limits::ENTITLEMENTS_MAX).contains(&op.causes.len());
    if !counted || op.units == 0 {
        return Err(Code::NotWellFormed);
    }
    let offer = known(case, op.offer)?;
    for cause in &op.causes {
        if let Cause::Event(event) = cause {
            case.active_party(event.party)?;
        }
    }
    let given = given_by(&offer)?;
    let given_by = grantor::officers(case, given.party, usize::from(given.officers))?;
    let over = offer.ended.is_some_and(|end| end <= case.now) || offer.terms.until <= case.now;
    if over || case.any_compromised(&offer.granted_by) {
        return Err(Code::OfferNotOpen);
    }
    if op.until <= case.now || offer.terms.until < op.until {
        return Err(Code::DeadlineInvalid);
    }
    for cause in &op.causes {
        let (holder, id) = match cause {
            Cause::Event(event) => {
                (Holder::Party(event.party), entitlement_id(&op.offer, &event.reference.0))
            }
            Cause::Code(key) if case.is_fit(key) => {
                (Holder::Code(*key), entitlement_id(&op.offer, &key.0))
            }
            Cause::Code(_) => return Err(Code::WeakKey),
        };
        if case.state.entitlement(id).is_some_and(|there| there.withdrawn.is_none()) {
            return Err(Code::AlreadyEntitled);
        }
        let entitlement = Entitlement {
            offer: op.offer,
            holder,
            units: op.units,
            used: 0,
            until: op.until,
            given_by: given_by.clone(),
            withdrawn: None,
            application: None,
        };
        case.state.put_entitlement(id, entitlement);
    }
    Ok(())
}

/// As many officers as give it. What was taken by it stays taken, and then it cannot be given anew.
pub(in crate::judge) fn withdraw(case: &mut Case<'_, '_>, id: TxId) -> Result<(), Code> {
    let mut entitlement = case.state.entitlement(id).ok_or(Code::UnknownEntitlement)?;
    let offer = known(case, entitlement.offer)?;
    let given = given_by(&offer)?;
    grantor::officers(case, given.party, usize::from(given.officers))?;
    if entitlement.withdrawn.is_some() || entitlement.used > 0 || entitlement.until <= case.now {
        return Err(Code::EntitlementNotOpen);
    }
    entitlement.withdrawn = Some(case.now);
    case.state.put_entitlement(id, entitlement);
    Ok(())
}

/// Who gives entitlements to an offer; nobody to one for which none is asked.
fn given_by(offer: &Offer) -> Result<GivenBy, Code> {
    match &offer.terms.access {
        Access::Entitled(given) => Ok(*given),
        Access::Open | Access::Code(_) | Access::Lottery(_) => Err(Code::OfferMismatch),
    }
}

/// Whether the code that is shown signs.
pub(in crate::judge) fn check_code(
    case: &Case<'_, '_>,
    taker: PartyId,
    showing: Showing,
) -> Result<(), Code> {
    match showing {
        Showing::Code(key) if !code_signs(case, taker, key) => Err(Code::MissingConsent),
        _ => Ok(()),
    }
}

/// A code's key is no party's: that it signed for this taker is all that it takes.
fn code_signs(case: &Case<'_, '_>, taker: PartyId, key: PublicKey) -> bool {
    let slot = (Side::Authority, Role::Code, taker, key);
    case.signers.iter().any(|s| (s.side, s.role, s.party, s.key) == slot)
}

/// Uses what is shown; the entitlement, if it is one.
pub(in crate::judge) fn show(
    case: &mut Case<'_, '_>,
    (of, offer): (TxId, &Offer),
    taker: PartyId,
    showing: Showing,
    units: u32,
) -> Result<Option<TxId>, Code> {
    let id = match (&offer.terms.access, showing) {
        (Access::Open, Showing::Nothing) => return Ok(None),
        (Access::Code(wanted), Showing::Code(key)) if key == *wanted => return Ok(None),
        (Access::Entitled(_) | Access::Lottery(_), Showing::Entitlement(id)) => id,
        (Access::Entitled(_), Showing::Code(key)) => entitlement_id(&of, &key.0),
        _ => return Err(Code::OfferMismatch),
    };
    let entitlement = case.state.entitlement(id).ok_or(Code::UnknownEntitlement)?;
    let holds = match (entitlement.holder, showing) {
        (Holder::Party(party), _) => party == taker,
        (Holder::Code(wanted), Showing::Code(key)) => key == wanted,
        (Holder::Code(_), _) => false,
    };
    if entitlement.offer != of || !holds {
        return Err(Code::OfferMismatch);
    }
    let most = match &entitlement.application {
        Some(application) => lottery::won(case, of, (id, application.tier), entitlement.units)?,
        None => entitlement.units,
    };
    use_up(case, id, units, most)?;
    Ok(Some(id))
}

/// Uses so many units of an entitlement, of which no more than `most` are worth something.
fn use_up(case: &mut Case<'_, '_>, id: TxId, units: u32, most: u32) -> Result<(), Code> {
    let mut entitlement = case.state.entitlement(id).expect("the caller has read it");
    let left = most.min(entitlement.units).saturating_sub(entitlement.used);
    let good = entitlement.withdrawn.is_none()
        && case.now < entitlement.until
        && units <= left
        && !case.any_compromised(&entitlement.given_by);
    if !good {
        return Err(Code::EntitlementNotOpen);
    }
    entitlement.used = entitlement.used.checked_add(units).expect("bounded by what was given");
    case.state.put_entitlement(id, entitlement);
    Ok(())
}

/// A unit of it was not used after all.
pub(super) fn give_back(case: &mut Case<'_, '_>, id: TxId) {
    let mut entitlement = case.state.entitlement(id).expect("it was used");
    entitlement.used = entitlement.used.checked_sub(1).expect("INV-16: used once");
    case.state.put_entitlement(id, entitlement);
}
