//! Payment requests: a payee's signed, one-use consent to be paid.

use super::{
    case::{Case, legs_well_formed},
    consent::Consents,
    movement::Origin,
    way::{Tender, Way},
};
use crate::{
    code::Code,
    id::{InstrumentId, TxId},
    limits,
    operation::RequestPayment,
    outcome::Form,
    state::{DueKind, Request, RequestStatus},
    transaction::Side,
};

pub(super) fn open(case: &mut Case<'_, '_>, op: &RequestPayment) -> Result<(), Code> {
    legs_well_formed(&op.legs)?;
    let asked: Vec<InstrumentId> = op.legs.iter().map(|leg| leg.instrument).collect();
    tender_well_formed(&asked, &op.tender)?;
    let payee = case.active_party(op.payee)?;
    if let Some(payer) = op.payer {
        case.party(payer)?;
    }
    let consents = Consents::live(case);
    consents.credit(case.scene(), (op.payee, &payee))?;
    case.check_legs(&op.legs)?;
    check_tender(case, asked[0], &op.tender)?;
    if op.due <= case.now || op.due > case.now.plus(limits::PROPOSAL_WINDOW_MS) {
        return Err(Code::DeadlineInvalid);
    }
    let request = Request {
        payee: op.payee,
        payer: op.payer,
        member: None,
        list: None,
        legs: op.legs.clone(),
        tender: op.tender.clone(),
        due: op.due,
        purpose: case.body().purpose,
        signed_by: consents.keys_for(Side::Credit, (op.payee, &payee))?,
        status: RequestStatus::Open,
    };
    case.state.put_request(case.id, request);
    case.due_at(op.due, DueKind::Request, case.id.0);
    Ok(())
}

pub(super) fn cancel(case: &mut Case<'_, '_>, id: TxId) -> Result<(), Code> {
    let mut request = case.state.request(id).ok_or(Code::UnknownRequest)?;
    let payee = case.party(request.payee)?;
    let consents = Consents::live(case);
    consents.speaks_for(case.scene(), Side::Authority, (request.payee, &payee))?;
    if request.status != RequestStatus::Open || request.due <= case.now {
        return Err(Code::RequestNotOpen);
    }
    request.status = RequestStatus::Withdrawn;
    case.settled_before(request.due, DueKind::Request, id);
    case.state.put_request(id, request);
    Ok(())
}

/// Lets a payment answer the request that it names.
pub(super) fn answer(case: &mut Case<'_, '_>, way: Way<'_>, origin: Origin) -> Result<Form, Code> {
    let id = origin.answers.ok_or(Code::MissingConsent)?;
    let mut request = case.state.request(id).ok_or(Code::UnknownRequest)?;
    let compromised = case.any_compromised(&request.signed_by);
    if request.status != RequestStatus::Open || request.due <= case.now || compromised {
        return Err(Code::RequestNotOpen);
    }
    let matches = request.payee == way.to
        && request.payer.is_none_or(|payer| payer == way.from)
        && fits(&request, way);
    if !matches {
        return Err(Code::RequestMismatch);
    }
    request.status = RequestStatus::Answered(origin.id);
    case.settled_before(request.due, DueKind::Request, id);
    case.state.put_request(id, request);
    case.outcome.cites.push(id);
    Ok(Form::Request)
}

/// A tender is for one leg's amount, and names the leg's own instrument among others.
pub(super) fn tender_well_formed(
    asked: &[InstrumentId],
    tender: &[InstrumentId],
) -> Result<(), Code> {
    let counted = tender.len() <= limits::TENDER_MAX;
    let fits = match asked {
        [one] => tender.is_empty() || (counted && tender.binary_search(one).is_ok()),
        _ => tender.is_empty(),
    };
    let ascending = tender.windows(2).all(|pair| pair[0] < pair[1]);
    if fits && ascending { Ok(()) } else { Err(Code::NotWellFormed) }
}

/// What is asked for can be paid together.
pub(super) fn check_tender(
    case: &Case<'_, '_>,
    asked: InstrumentId,
    tender: &[InstrumentId],
) -> Result<(), Code> {
    let asked = case.instrument(asked)?;
    for id in tender {
        if !asked.terms.pays_with(&case.instrument(*id)?.terms) {
            return Err(Code::TenderMismatch);
        }
    }
    Ok(())
}

/// Whether this is what the request asks for: its legs exactly, or its amount in instruments of its tender. It asks for the
/// price before coupons.
fn fits(request: &Request, way: Way<'_>) -> bool {
    match (request.tender.as_slice(), way.tender) {
        ([], Tender::Legs(legs)) => request.legs == legs,
        ([], tender) => match (request.legs.as_slice(), way.gross) {
            ([asked], Some(gross)) => {
                tender.instruments().all(|id| id == asked.instrument) && gross == asked.amount
            }
            _ => false,
        },
        (named, tender) => {
            let asked = request.legs.iter().map(|leg| leg.amount).next();
            let amount = way.gross.or(tender.total().ok());
            tender.instruments().all(|id| named.binary_search(&id).is_ok()) && amount == asked
        }
    }
}
