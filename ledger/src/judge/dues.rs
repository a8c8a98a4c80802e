//! Dues: one signature asks a list of members, each by a payment request of their own; what is paid in cash settles its request
//! without postings.

use super::{
    case::Case,
    consent::Consents,
    request::{check_tender, tender_well_formed},
};
use crate::{
    code::Code,
    id::{PartyId, TxId},
    limits,
    operation::{DuesLine, Leg, Member, RecordCash, RequestMany},
    party::{Party, PartyKind},
    state::{DueKind, Request, RequestStatus, derived_id},
    transaction::Side,
};

pub(super) fn request_many(case: &mut Case<'_, '_>, op: &RequestMany) -> Result<(), Code> {
    well_formed(op)?;
    let payee = case.active_party(op.payee)?;
    for line in &op.lines {
        if let Member::Party(member) = line.member {
            case.party(member)?;
        }
    }
    let consents = Consents::live(case);
    consents.credit(case.scene(), (op.payee, &payee))?;
    let leg = |line: &DuesLine| Leg { instrument: op.instrument, amount: line.amount };
    for line in &op.lines {
        case.check_legs(&[leg(line)])?;
    }
    check_tender(case, op.instrument, &op.tender)?;
    if op.due <= case.now || op.due > case.now.plus(limits::PROPOSAL_WINDOW_MS) {
        return Err(Code::DeadlineInvalid);
    }
    let signed_by = consents.keys_for(Side::Credit, (op.payee, &payee))?;
    for (at, line) in (0..=u8::MAX).zip(&op.lines) {
        let id = derived_id(&case.id, at);
        let request = Request {
            payee: op.payee,
            payer: None,
            member: Some(line.member),
            list: Some(case.id),
            legs: vec![leg(line)],
            tender: op.tender.clone(),
            due: op.due,
            purpose: case.body().purpose,
            signed_by: signed_by.clone(),
            status: RequestStatus::Open,
        };
        case.state.put_request(id, request);
        case.due_at(op.due, DueKind::Request, id.0);
    }
    Ok(())
}

fn well_formed(op: &RequestMany) -> Result<(), Code> {
    let counted = (1..=limits::DUES_LINES_MAX).contains(&op.lines.len());
    let ascending = op.lines.windows(2).all(|pair| pair[0].member < pair[1].member);
    if !counted || !ascending {
        return Err(Code::NotWellFormed);
    }
    if op.lines.iter().any(|line| line.amount.is_zero()) {
        return Err(Code::AmountInvalid);
    }
    tender_well_formed(&[op.instrument], &op.tender)
}

pub(super) fn record_cash(case: &mut Case<'_, '_>, op: &RecordCash) -> Result<(), Code> {
    let mut request = case.state.request(op.request).ok_or(Code::UnknownRequest)?;
    let payee = case.active_party(request.payee)?;
    receivers(case, (request.payee, &payee), &request)?;
    let over = request.due <= case.now;
    request.status = match (op.received, request.status) {
        (true, RequestStatus::Open | RequestStatus::Expired) => RequestStatus::Cash(case.id),
        (false, RequestStatus::Cash(_)) if over => RequestStatus::Expired,
        (false, RequestStatus::Cash(_)) => RequestStatus::Open,
        _ => return Err(Code::RequestNotOpen),
    };
    // A receipt says that it was paid; it cannot be unsaid.
    if !op.received && case.state.documented(op.request, request.payee).is_some() {
        return Err(Code::DocumentExists);
    }
    if !over && op.received {
        case.settled_before(request.due, DueKind::Request, op.request);
    } else if !over {
        case.due_at(request.due, DueKind::Request, op.request.0);
    }
    case.outcome.cites.push(op.request);
    case.state.put_request(op.request, request);
    Ok(())
}

/// Who says that cash came in. A group that keeps drafting and approving apart, or that would pay out so much only by more
/// than one approval, has two persons say it: one alone with the cash box is what goes wrong.
fn receivers(case: &Case<'_, '_>, payee: (PartyId, &Party), request: &Request) -> Result<(), Code> {
    let consents = Consents::live(case);
    if payee.1.kind != PartyKind::Group {
        return consents.speaks_for(case.scene(), Side::Authority, payee);
    }
    let group = case.group(payee.0)?;
    let amount = super::case::total(&request.legs)?;
    let two = group.policy.exclusive_roles || group.policy.approvers_for(amount) > 1;
    consents.persons_of_group(case.scene(), (payee.0, &group), if two { 2 } else { 1 })
}

/// The payee of a request that was paid in cash.
pub(super) fn paid_in_cash(case: &Case<'_, '_>, request: TxId) -> Option<PartyId> {
    let request = case.state.request(request)?;
    matches!(request.status, RequestStatus::Cash(_)).then_some(request.payee)
}

/// A payment that names a line of a roster does not answer another line's request.
pub(super) fn check_on_behalf(case: &Case<'_, '_>) -> Result<(), Code> {
    let body = case.body();
    let Some((line, answers)) = body.on_behalf_of.zip(body.answers) else {
        return Ok(());
    };
    match case.state.request(answers).and_then(|request| request.member) {
        Some(Member::Roster(asked)) if asked != line => Err(Code::RequestMismatch),
        _ => Ok(()),
    }
}
