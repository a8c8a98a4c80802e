//! Lotteries: applying, showing the seed, and counting who has won.
//!
//! A count looks at all applications, so many at a time. It is given the one that takes the last place and proves it: what goes
//! before it leaves something, and with it nothing is left. So nobody chooses, and no step costs more than another.

use super::{check_open, known, uses};
use crate::{
    code::Code,
    fact::Fact,
    group::GroupLife,
    id::TxId,
    judge::{case::Case, consent::Consents, grantor},
    limits,
    offer::{
        Access, Entitlement, Holder, Offer,
        draw::{Application, Count, Draw, Last, Lottery, Place, Won, commitment, list_with},
    },
    operation::{Apply, CountDraw, RevealDraw},
    party::PartyKind,
    state::Shared,
    transaction::Side,
};

/// Who speaks for the one who applies. Caps count, and conditions hold, when they apply.
pub(in crate::judge) fn apply(case: &mut Case<'_, '_>, op: &Apply) -> Result<(), Code> {
    if op.units == 0 {
        return Err(Code::NotWellFormed);
    }
    let to = case.active_party(op.to)?;
    let offer = known(case, op.offer)?;
    let lottery = lottery(&offer)?;
    let consents = Consents::live(case);
    consents.speaks_for(case.scene(), Side::Authority, (op.to, &to))?;
    if !matches!(to.kind, PartyKind::Person | PartyKind::Group) {
        return Err(Code::WrongKind);
    }
    if to.kind == PartyKind::Group && case.group(op.to)?.life == GroupLife::Closing {
        return Err(Code::GroupClosing);
    }
    check_open(case.scene(), &offer)?;
    if lottery.closes <= case.now {
        return Err(Code::OfferNotOpen);
    }
    uses::allow(case, op.offer, &offer.terms, (op.to, &to), op.units)?;
    let mut draw = stands(case, op.offer);
    let entitlement = Entitlement {
        offer: op.offer,
        holder: Holder::Party(op.to),
        units: op.units,
        used: 0,
        until: offer.terms.until,
        given_by: Vec::new(),
        withdrawn: None,
        application: Some(Application { tier: lottery.tier(&to, case.now), before: draw.newest }),
    };
    draw.applications = draw.applications.checked_add(1).ok_or(Code::AmountOverflow)?;
    let units = draw.units.checked_add(u64::from(op.units));
    draw.units = units.ok_or(Code::AmountOverflow)?;
    draw.list = list_with(&draw.list, &case.id);
    draw.newest = Some(case.id);
    case.state.put_draw(op.offer, draw);
    case.state.put_entitlement(case.id, entitlement);
    case.outcome.cites.push(op.offer);
    Ok(())
}

/// An officer of the issuer, between the closing of the list and the time until which it promised to.
pub(in crate::judge) fn reveal(case: &mut Case<'_, '_>, op: &RevealDraw) -> Result<(), Code> {
    let offer = known(case, op.offer)?;
    let lottery = lottery(&offer)?;
    grantor::officers(case, offer.terms.issuer, 1)?;
    if case.now < lottery.closes || lottery.reveal_until <= case.now {
        return Err(Code::DeadlineInvalid);
    }
    check_open(case.scene(), &offer)?;
    let mut draw = stands(case, op.offer);
    if draw.seed.is_some() || commitment(&op.seed) != lottery.commitment {
        return Err(Code::OfferMismatch);
    }
    draw.seed = Some(op.seed);
    if draw.units <= stock(&offer) {
        draw.result = Some(Won::All);
    }
    case.state.put_draw(op.offer, draw);
    case.outcome.cites.push(op.offer);
    Ok(())
}

/// An officer of the issuer. Another last place begins the count anew; one that does not hold is not the result.
pub(in crate::judge) fn count(case: &mut Case<'_, '_>, op: &CountDraw) -> Result<(), Code> {
    let offer = known(case, op.offer)?;
    lottery(&offer)?;
    grantor::officers(case, offer.terms.issuer, 1)?;
    let mut draw = stands(case, op.offer);
    let (Some(seed), None, Some(newest)) = (draw.seed, draw.result, draw.newest) else {
        return Err(Code::OfferMismatch);
    };
    let (last, asked) = application(case, op.offer, op.last)?;
    let place =
        |(id, application): (TxId, Application)| Place::of(&seed, &draw.list, application.tier, id);
    let cut = place((op.last, last));
    let begun = draw.count.filter(|count| count.last == op.last);
    let mut count = begun.unwrap_or(Count { last: op.last, next: newest, before: 0 });
    let mut next = Some(count.next);
    for _ in 0..limits::DRAW_STEP {
        let Some(id) = next else { break };
        let (seen, units) = application(case, op.offer, id)?;
        let at = place((id, seen));
        let won = if at < cut { units } else { 0 };
        count.before = count.before.saturating_add(u64::from(won));
        if at != cut {
            let (application, tier, rank) = (id, at.tier, at.rank);
            case.outcome.facts.push(Fact::Ranked { application, tier, rank, units: won });
        }
        next = seen.before;
    }
    match next {
        Some(next) => draw.count = Some(Count { next, ..count }),
        None => {
            let left = stock(&offer).saturating_sub(count.before);
            if left == 0 || left > u64::from(asked) {
                return Err(Code::OfferMismatch);
            }
            let units = u32::try_from(left).expect("no more than was asked for");
            let (tier, rank) = (cut.tier, cut.rank);
            case.outcome.facts.push(Fact::Ranked { application: op.last, tier, rank, units });
            draw.count = None;
            draw.result = Some(Won::UpTo(Last { place: cut, units }));
        }
    }
    case.state.put_draw(op.offer, draw);
    case.outcome.cites.push(op.offer);
    Ok(())
}

/// How many units an application has won.
pub(super) fn won(
    case: &Case<'_, '_>,
    offer: TxId,
    (id, tier): (TxId, u8),
    units: u32,
) -> Result<u32, Code> {
    let draw = stands(case, offer);
    let (Some(seed), Some(result)) = (draw.seed, draw.result) else {
        return Err(Code::OfferNotOpen);
    };
    Ok(result.units(&Place::of(&seed, &draw.list, tier, id), units))
}

fn lottery(offer: &Offer) -> Result<&Lottery, Code> {
    match &offer.terms.access {
        Access::Lottery(lottery) => Ok(lottery),
        _ => Err(Code::OfferMismatch),
    }
}

fn stock(offer: &Offer) -> u64 {
    u64::from(offer.terms.stock.expect("a lottery has a stock"))
}

fn stands(case: &Case<'_, '_>, offer: TxId) -> Draw {
    case.state.draw(offer).map(Shared::into_value).unwrap_or_default()
}

/// An application to an offer, and for how many units.
fn application(case: &Case<'_, '_>, offer: TxId, id: TxId) -> Result<(Application, u32), Code> {
    let entitlement = case.state.entitlement(id).ok_or(Code::UnknownEntitlement)?;
    match entitlement.application {
        Some(application) if entitlement.offer == offer => Ok((application, entitlement.units)),
        _ => Err(Code::OfferMismatch),
    }
}
