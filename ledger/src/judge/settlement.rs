//! Settlements: the issuer freezes merchants' claims at a cut-off, and says line by line what the bank did.
//!
//! Each line is a redemption, with an id of its own. What the merchant owes is netted by it.

use super::{
    case::{Case, whole_steps},
    consent::Consents,
    payout,
    redemption::{self, Claimed},
};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::TxId,
    limits,
    operation::{AnswerSettlement, Leg, Settle, SettleLine, settlement_line},
    outcome::Form,
    party::PartyKind,
    settlement::Settlement,
    state::RedemptionStatus,
    transaction::{Role, Side},
};

/// Two officers of the issuer; merchants consent by the terms: a claim is there to be redeemed.
pub(super) fn settle(case: &mut Case<'_, '_>, op: &Settle) -> Result<(), Code> {
    let counted = (1..=limits::SETTLE_LINES_MAX).contains(&op.lines.len());
    if !counted || !op.lines.windows(2).all(|pair| pair[0].merchant < pair[1].merchant) {
        return Err(Code::NotWellFormed);
    }
    if op.lines.iter().any(|line| line.gross.is_zero()) {
        return Err(Code::AmountInvalid);
    }
    let instrument = case.instrument(op.instrument)?;
    let issuer = instrument.terms.issuer;
    let party = case.active_party(issuer)?;
    Consents::live(case).officers(Side::Authority, (issuer, &party), 2)?;
    instrument.check_redeemable(case.now)?;
    redemption::check_deadline(case, op.deadline)?;
    if op.cut_off > case.now {
        return Err(Code::DeadlineInvalid);
    }
    case.outcome.debit = Form::Terms;
    case.outcome.credit = Form::Live;
    let mut codes = Vec::with_capacity(op.lines.len());
    for (index, line) in (0..).zip(&op.lines) {
        let id = settlement_line(&case.id, index);
        let (code, entitlement) = match freeze(case, op, (index, id), line) {
            Ok(()) => (Code::Applied, Some(id)),
            Err(code) => (code, None),
        };
        case.outcome.facts.push(Fact::Line { index, code, entitlement });
        codes.push(code);
    }
    case.state.put_settlement(case.id, Settlement { list: op.clone(), codes });
    Ok(())
}

/// Freezes one merchant's claim, or tells why not and changes nothing.
fn freeze(
    case: &mut Case<'_, '_>,
    op: &Settle,
    (index, id): (u32, TxId),
    line: &SettleLine,
) -> Result<(), Code> {
    let merchant = case.active_party(line.merchant)?;
    if merchant.kind == PartyKind::Person {
        return Err(Code::WrongKind);
    }
    let leg = Leg { instrument: op.instrument, amount: line.gross };
    whole_steps(&leg, &*case.instrument(op.instrument)?)?;
    let fees = payout::fees(case, op.instrument, line.merchant, line.gross)?;
    let legs = payout::legs(&fees);
    let charged = redemption::sum(&legs);
    let payable = line.gross.checked_sub(charged).expect("fees are never more than the claim");
    let owed = case.state.receivable(line.merchant, op.instrument).unwrap_or_default();
    let netted = owed.min(payable);
    // What is still owed then covers nothing: all of this claim was netted, and none of it is paid out.
    let lots = redemption::choose_claims(case, line.merchant, leg, Amount::ZERO)?;
    payout::tell(case, op.instrument, line.gross, &fees);
    redemption::tell_fees(case, index, (line.gross, netted), legs.clone());
    case.settle(line.merchant, op.instrument, netted);
    let (merchant, deadline) = (line.merchant, op.deadline);
    redemption::hold(case, id, Claimed { merchant, leg, lots, fees: legs, netted, deadline })
}

/// The issuer's automated key answers, as it does for one redemption: each line once.
pub(super) fn answer(case: &mut Case<'_, '_>, op: &AnswerSettlement) -> Result<(), Code> {
    let counted = (1..=limits::SETTLE_LINES_MAX).contains(&op.lines.len());
    if !counted || !op.lines.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(Code::NotWellFormed);
    }
    let mut redemptions = Vec::with_capacity(op.lines.len());
    for index in &op.lines {
        let id = settlement_line(&op.settlement, *index);
        let redemption = case.state.redemption(id).ok_or(Code::UnknownRedemption)?;
        redemptions.push((*index, id, redemption));
    }
    let issuer = case.instrument(redemptions[0].2.instrument)?.terms.issuer;
    case.active_party(issuer)?;
    Consents::live(case).own_key(Side::Credit, Role::Issuer, issuer)?;
    let open = |status| status == RedemptionStatus::Open;
    if redemptions.iter().any(|(.., r)| !open(r.status) || r.deadline <= case.now) {
        return Err(Code::RedemptionNotOpen);
    }
    for (index, id, redemption) in redemptions {
        redemption::conclude(case, (index, id), redemption, (issuer, op.answer))?;
    }
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Live;
    case.outcome.cites.push(op.settlement);
    Ok(())
}
