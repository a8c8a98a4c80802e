//! Redemption: a merchant's claim is held until the issuer confirms the payout, or returned.

use super::{case::Case, consent::Consents, payout};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{PartyId, TxId},
    limits,
    lot::Lot,
    operation::{AnswerRedemption, Leg, RedemptionAnswer, RequestRedemption},
    outcome::Form,
    party::PartyKind,
    state::{DueKind, Redemption, RedemptionStatus, Shared},
    time::Time,
    transaction::{Role, Side},
    wallet::Holding,
};

const DEADLINE_MIN_MS: u64 = 7 * 24 * 3_600_000;

pub(super) fn request(case: &mut Case<'_, '_>, op: &RequestRedemption) -> Result<(), Code> {
    if op.leg.amount.is_zero() {
        return Err(Code::AmountInvalid);
    }
    let party = case.active_party(op.merchant)?;
    if party.kind == PartyKind::Person {
        return Err(Code::WrongKind);
    }
    let consents = Consents::live(case);
    consents.debit(case.scene(), (op.merchant, &party), op.leg.amount, None, None)?;
    case.check_legs(&[op.leg])?;
    case.instrument(op.leg.instrument)?.check_redeemable(case.now)?;
    check_deadline(case, op.deadline)?;
    // As much as the merchant owes stays where it is: the issuer has paid for that once, and restored it for a refund.
    let owed = case.state.receivable(op.merchant, op.leg.instrument).unwrap_or_default();
    let lots = choose_claims(case, op.merchant, op.leg, owed)?;
    let fees = payout::fees(case, op.leg.instrument, op.merchant, op.leg.amount)?;
    payout::tell(case, op.leg.instrument, op.leg.amount, &fees);
    let fees = payout::legs(&fees);
    if !fees.is_empty() {
        tell_fees(case, 0, (op.leg.amount, Amount::ZERO), fees.clone());
    }
    let (merchant, netted) = (op.merchant, Amount::ZERO);
    let (leg, deadline) = (op.leg, op.deadline);
    hold(case, case.id, Claimed { merchant, leg, lots, fees, netted, deadline })?;
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    Ok(())
}

pub(super) fn check_deadline(case: &Case<'_, '_>, deadline: Time) -> Result<(), Code> {
    let from = case.now.plus(DEADLINE_MIN_MS);
    let until = case.now.plus(limits::REDEMPTION_WINDOW_MS);
    if (from..=until).contains(&deadline) { Ok(()) } else { Err(Code::DeadlineInvalid) }
}

/// Part of a merchant's claims that is to be paid out.
pub(super) struct Claimed {
    pub(super) merchant: PartyId,
    pub(super) leg: Leg,
    pub(super) lots: Vec<(Lot, Amount)>,
    pub(super) fees: Vec<(PartyId, Amount)>,
    pub(super) netted: Amount,
    pub(super) deadline: Time,
}

/// Holds claims until the issuer answers.
pub(super) fn hold(case: &mut Case<'_, '_>, id: TxId, claimed: Claimed) -> Result<(), Code> {
    let Claimed { merchant, leg, lots, fees, netted, deadline } = claimed;
    for (lot, amount) in &lots {
        case.turn(merchant, *lot, (Holding::Claim, Holding::Held), *amount)?;
    }
    let (instrument, status) = (leg.instrument, RedemptionStatus::Open);
    let redemption = Redemption { merchant, instrument, lots, fees, netted, deadline, status };
    case.state.put_redemption(id, redemption);
    case.due_at(deadline, DueKind::Redemption, id.0);
    Ok(())
}

/// Claims that can still be redeemed, earliest expiry first; so much beside them stays where it is.
pub(super) fn choose_claims(
    case: &Case<'_, '_>,
    merchant: PartyId,
    leg: Leg,
    stays: Amount,
) -> Result<Vec<(Lot, Amount)>, Code> {
    let instrument = case.instrument(leg.instrument)?;
    let wallet = case.wallet(merchant);
    let redeemable = wallet
        .of(leg.instrument)
        .filter(|balance| instrument.terms.redeemable(balance.lot.use_expiry, case.now));
    let claims: Vec<(Lot, Amount)> = redeemable.map(|b| (b.lot, b.claim)).collect();
    let all = claims.iter().map(|(_, claim)| u128::from(claim.0)).sum::<u128>();
    if u128::from(leg.amount.0) + u128::from(stays.0) > all {
        return Err(Code::InsufficientClaim);
    }
    take_in_order(claims.into_iter(), leg.amount).ok_or(Code::InsufficientClaim)
}

/// What parts sum to.
pub(super) fn sum<T>(parts: &[(T, Amount)]) -> Amount {
    Amount(parts.iter().map(|(_, amount)| amount.0).sum())
}

/// Tells what of a payout the merchant gets.
pub(super) fn tell_fees(
    case: &mut Case<'_, '_>,
    index: u32,
    (gross, netted): (Amount, Amount),
    legs: Vec<(PartyId, Amount)>,
) {
    let left = gross.checked_sub(sum(&legs)).and_then(|left| left.checked_sub(netted));
    let net = left.expect("fees and what is netted are never more than the claim");
    case.outcome.facts.push(Fact::Fee { index, gross, net, netted, legs });
}

/// The issuer's automated key answers.
pub(super) fn answer(case: &mut Case<'_, '_>, op: &AnswerRedemption) -> Result<(), Code> {
    let redemption = case.state.redemption(op.redemption).ok_or(Code::UnknownRedemption)?;
    let issuer = case.instrument(redemption.instrument)?.terms.issuer;
    case.active_party(issuer)?;
    Consents::live(case).own_key(Side::Credit, Role::Issuer, issuer)?;
    if redemption.status != RedemptionStatus::Open || redemption.deadline <= case.now {
        return Err(Code::RedemptionNotOpen);
    }
    conclude(case, (0, op.redemption), redemption, (issuer, op.answer))?;
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Live;
    case.outcome.cites.push(op.redemption);
    Ok(())
}

/// Does to an open redemption what the issuer's answer says.
pub(super) fn conclude(
    case: &mut Case<'_, '_>,
    (index, id): (u32, TxId),
    mut redemption: Shared<Redemption>,
    (issuer, answer): (PartyId, RedemptionAnswer),
) -> Result<(), Code> {
    let (lots, merchant) = (redemption.lots.clone(), redemption.merchant);
    let netted = redemption.netted;
    match answer {
        RedemptionAnswer::Paid { .. } => {
            let gross = sum(&lots);
            let legs = payout::pay_out(case, (merchant, issuer), lots, &redemption.fees)?;
            if !legs.is_empty() || !netted.is_zero() {
                tell_fees(case, index, (gross, netted), legs);
            }
        }
        RedemptionAnswer::Returned { .. } => {
            for (lot, amount) in lots {
                case.turn(merchant, lot, (Holding::Held, Holding::Claim), amount)?;
            }
            if !netted.is_zero() {
                case.owe(merchant, redemption.instrument, netted)?;
            }
        }
    }
    redemption.status = RedemptionStatus::Answered(answer);
    case.settled_before(redemption.deadline, DueKind::Redemption, id);
    case.state.put_redemption(id, redemption);
    Ok(())
}

/// The hold times out: the claim returns, if it was not answered.
pub(super) fn time_out(
    state: &mut crate::state::Overlay<'_>,
    id: TxId,
) -> Option<Shared<Redemption>> {
    let mut redemption = state.redemption(id).expect("a due redemption exists");
    if redemption.status != RedemptionStatus::Open {
        return None;
    }
    redemption.status = RedemptionStatus::TimedOut;
    state.put_redemption(id, redemption.clone());
    Some(redemption)
}

/// Takes `amount` from lots in the given order; `None` if they hold less.
pub(super) fn take_in_order(
    lots: impl Iterator<Item = (Lot, Amount)>,
    amount: Amount,
) -> Option<Vec<(Lot, Amount)>> {
    let mut left = amount;
    let mut chosen = Vec::new();
    for (lot, available) in lots {
        let part = left.min(available);
        if !part.is_zero() {
            chosen.push((lot, part));
            left = left.checked_sub(part).expect("a part is never more than what is left");
        }
    }
    left.is_zero().then_some(chosen)
}
