//! Repayment: what a party owes an instrument's issuer is paid out of its wallet, or by funds outside.

use super::{case::Case, consent::Consents, due::lasts, redemption::take_in_order};
use crate::{
    amount::Amount,
    code::Code,
    instrument::{Instrument, Went},
    lot::Lot,
    operation::{Repay, RepayBy},
    outcome::Form,
    party::{Party, PartyKind},
    spend,
    wallet::Holding,
};

pub(super) fn repay(case: &mut Case<'_, '_>, op: &Repay) -> Result<(), Code> {
    if op.leg.amount.is_zero() {
        return Err(Code::AmountInvalid);
    }
    let party = case.party(op.party)?;
    let instrument = case.instrument(op.leg.instrument)?;
    let issuer = instrument.terms.issuer;
    let consents = Consents::live(case);
    match op.by {
        RepayBy::Wallet => {
            case.active_party(op.party)?;
            let side = (op.party, &*party);
            consents.debit(case.scene(), side, op.leg.amount, None, None)?;
        }
        RepayBy::Outside { .. } => {
            let receiver = case.active_party(issuer)?;
            consents.credit(case.scene(), (issuer, &receiver))?;
        }
    }
    let owed = case.state.receivable(op.party, op.leg.instrument).unwrap_or_default();
    if op.leg.amount > owed {
        return Err(Code::OverOwed);
    }
    match op.by {
        RepayBy::Wallet => pay_back(case, op, (&party, &instrument))?,
        RepayBy::Outside { funding } => {
            if case.state.funding(issuer, funding).is_some() {
                return Err(Code::FundingUsed);
            }
            case.state.put_funding(issuer, funding, case.id);
            case.outcome.credit = Form::Live;
        }
    }
    case.settle(op.party, op.leg.instrument, op.leg.amount);
    Ok(())
}

/// Burns what the wallet has: a merchant's claims, what others can spend.
fn pay_back(
    case: &mut Case<'_, '_>,
    op: &Repay,
    (party, instrument): (&Party, &Instrument),
) -> Result<(), Code> {
    let claims = party.kind == PartyKind::Merchant;
    let holding = if claims { Holding::Claim } else { Holding::Spendable };
    for (lot, amount) in choose(case, op, (holding, instrument))? {
        case.debit(op.party, lot, holding, amount);
        case.burn(instrument.terms.issuer, lot, amount, Went::Redeemed)?;
    }
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    Ok(())
}

fn choose(
    case: &Case<'_, '_>,
    op: &Repay,
    (holding, instrument): (Holding, &Instrument),
) -> Result<Vec<(Lot, Amount)>, Code> {
    let wallet = case.wallet(op.party);
    let mut lots: Vec<_> = wallet.of(op.leg.instrument).collect();
    lots.sort_by_cached_key(|balance| spend::order(&instrument.terms, balance));
    let there = lots.into_iter().filter(|b| lasts(case.state, &b.lot, holding, case.now));
    let there = there.map(|b| (b.lot, b.amount(holding)));
    let lack = match holding {
        Holding::Claim => Code::InsufficientClaim,
        _ => Code::InsufficientFunds,
    };
    take_in_order(there, op.leg.amount).ok_or(lack)
}
