//! Payment requests: a payee's signed, one-use consent to be paid.

use super::{
    case::{Case, legs_well_formed},
    consent::Consents,
    movement::Origin,
};
use crate::{
    code::Code,
    id::TxId,
    limits,
    operation::{Movement, RequestPayment},
    outcome::Form,
    state::{DueKind, Request, RequestStatus},
    transaction::Side,
};

pub(super) fn open(case: &mut Case<'_, '_>, op: &RequestPayment) -> Result<(), Code> {
    legs_well_formed(&op.legs)?;
    let payee = case.active_party(op.payee)?;
    if let Some(payer) = op.payer {
        case.party(payer)?;
    }
    let consents = Consents::live(case);
    consents.credit(case.scene(), (op.payee, &payee))?;
    case.check_legs(&op.legs)?;
    if op.due <= case.now || op.due > case.now.plus(limits::PROPOSAL_WINDOW_MS) {
        return Err(Code::DeadlineInvalid);
    }
    let request = Request {
        payee: op.payee,
        payer: op.payer,
        legs: op.legs.clone(),
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

/// Lets a movement answer the request that it names.
pub(super) fn answer(
    case: &mut Case<'_, '_>,
    movement: &Movement,
    origin: Origin,
) -> Result<Form, Code> {
    let id = origin.answers.ok_or(Code::MissingConsent)?;
    let mut request = case.state.request(id).ok_or(Code::UnknownRequest)?;
    let compromised = case.any_compromised(&request.signed_by);
    if request.status != RequestStatus::Open || request.due <= case.now || compromised {
        return Err(Code::RequestNotOpen);
    }
    let matches = request.payee == movement.to
        && request.payer.is_none_or(|payer| payer == movement.from)
        && request.legs == movement.legs;
    if !matches {
        return Err(Code::RequestMismatch);
    }
    request.status = RequestStatus::Answered(origin.id);
    case.settled_before(request.due, DueKind::Request, id);
    case.state.put_request(id, request);
    case.outcome.cites.push(id);
    Ok(Form::Request)
}
