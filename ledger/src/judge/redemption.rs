//! Redemption: a merchant's claim is held until the issuer confirms the payout, or returned.

use super::{case::Case, consent::Consents, payout};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{PartyId, TxId},
    limits,
    lot::Lot,
    operation::{AnswerRedemption, RedemptionAnswer, RequestRedemption},
    outcome::Form,
    party::PartyKind,
    state::{DueKind, Redemption, RedemptionStatus},
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
    let from = case.now.plus(DEADLINE_MIN_MS);
    let until = case.now.plus(limits::REDEMPTION_WINDOW_MS);
    if !(from..=until).contains(&op.deadline) {
        return Err(Code::DeadlineInvalid);
    }
    let lots = choose_claims(case, op)?;
    for (lot, amount) in &lots {
        case.turn(op.merchant, *lot, (Holding::Claim, Holding::Held), *amount)?;
    }
    let fees = payout::fees(case, op.leg.instrument, op.merchant, op.leg.amount)?;
    payout::tell(case, op.leg.instrument, op.leg.amount, &fees);
    let fees = payout::legs(&fees);
    tell_fees(case, op.leg.amount, fees.clone());
    let redemption = Redemption {
        merchant: op.merchant,
        instrument: op.leg.instrument,
        lots,
        fees,
        deadline: op.deadline,
        status: RedemptionStatus::Open,
    };
    case.state.put_redemption(case.id, redemption);
    case.due_at(op.deadline, DueKind::Redemption, case.id.0);
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    Ok(())
}

/// Claims that can still be redeemed, earliest expiry first. As much of them as the merchant owes stays
/// where it is: the issuer has paid for that once, and restored it for a refund.
fn choose_claims(case: &Case<'_, '_>, op: &RequestRedemption) -> Result<Vec<(Lot, Amount)>, Code> {
    let instrument = case.instrument(op.leg.instrument)?;
    let wallet = case.wallet(op.merchant);
    let redeemable = wallet.of(op.leg.instrument).filter(|balance| {
        instrument.terms.redemption_end(balance.lot.use_expiry).is_none_or(|end| case.now < end)
    });
    let claims: Vec<(Lot, Amount)> = redeemable.map(|b| (b.lot, b.claim)).collect();
    let owed = case.state.receivable(op.merchant, op.leg.instrument).unwrap_or_default();
    let all = claims.iter().map(|(_, claim)| u128::from(claim.0)).sum::<u128>();
    if u128::from(op.leg.amount.0) + u128::from(owed.0) > all {
        return Err(Code::InsufficientClaim);
    }
    take_in_order(claims.into_iter(), op.leg.amount).ok_or(Code::InsufficientClaim)
}

/// Tells what of a payout the merchant gets, if that is not all.
fn tell_fees(case: &mut Case<'_, '_>, gross: Amount, legs: Vec<(PartyId, Amount)>) {
    let fees = Amount(legs.iter().map(|(_, amount)| amount.0).sum());
    if fees.is_zero() {
        return;
    }
    let net = gross.checked_sub(fees).expect("fees are never more than the claim");
    case.outcome.facts.push(Fact::Fee { index: 0, gross, net, netted: Amount::ZERO, legs });
}

/// The issuer's automated key answers.
pub(super) fn answer(case: &mut Case<'_, '_>, op: &AnswerRedemption) -> Result<(), Code> {
    let mut redemption = case.state.redemption(op.redemption).ok_or(Code::UnknownRedemption)?;
    let issuer = case.instrument(redemption.instrument)?.terms.issuer;
    case.active_party(issuer)?;
    Consents::live(case).own_key(Side::Credit, Role::Issuer, issuer)?;
    if redemption.status != RedemptionStatus::Open || redemption.deadline <= case.now {
        return Err(Code::RedemptionNotOpen);
    }
    let lots = redemption.lots.clone();
    match op.answer {
        RedemptionAnswer::Paid { .. } => {
            let gross = Amount(lots.iter().map(|(_, amount)| amount.0).sum());
            let sides = (redemption.merchant, issuer);
            let legs = payout::pay_out(case, sides, lots, &redemption.fees)?;
            tell_fees(case, gross, legs);
        }
        RedemptionAnswer::Returned { .. } => {
            for (lot, amount) in lots {
                let back = (Holding::Held, Holding::Claim);
                case.turn(redemption.merchant, lot, back, amount)?;
            }
        }
    }
    redemption.status = RedemptionStatus::Answered(op.answer);
    case.settled_before(redemption.deadline, DueKind::Redemption, op.redemption);
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Live;
    case.outcome.cites.push(op.redemption);
    case.state.put_redemption(op.redemption, redemption);
    Ok(())
}

/// The hold times out: the claim returns.
pub(super) fn time_out(
    state: &mut crate::state::Overlay<'_>,
    id: TxId,
) -> Option<(crate::id::PartyId, Vec<(Lot, Amount)>)> {
    let mut redemption = state.redemption(id).expect("a due redemption exists");
    if redemption.status != RedemptionStatus::Open {
        return None;
    }
    redemption.status = RedemptionStatus::TimedOut;
    let held = (redemption.merchant, redemption.lots.clone());
    state.put_redemption(id, redemption);
    Some(held)
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
