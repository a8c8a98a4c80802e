//! Refunds of payments with coupons: what a sponsor added goes back in proportion, and who has everything back has the coupon back.

use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{PartyId, TxId},
    instrument::Went,
    judge::{case::Case, due::lasts, offer::give_back, refund::kin},
    rule::formula::in_proportion,
    state::{Settled, SettledLot, Sponsored},
    wallet::Holding,
};

/// Undoes a payment's coupons, now that `settled` says what is undone of the payment. With so much of what was paid left, a shop keeps
/// that share of a sponsor's part, rounded down: refunds in parts take back as much as one refund.
pub(in crate::judge) fn unwind(
    case: &mut Case<'_, '_>,
    payment: TxId,
    settled: &Settled,
) -> Result<(), Code> {
    let Some(row) = case.state.coupons(payment) else {
        return Ok(());
    };
    let mut coupons = (*row).clone();
    let sum = |of: fn(&SettledLot) -> u64| Amount(settled.lots.iter().map(of).sum());
    let (paid, left) = (sum(|lot| lot.amount.0), sum(|lot| lot.amount.0 - lot.undone.0));
    let returned = left.is_zero();
    for used in coupons.used.iter_mut().rev() {
        let (taken, short) = match &mut used.sponsored {
            Some(sponsored) => take_back(case, settled.to, sponsored, (paid, left))?,
            None => (Amount::ZERO, Amount::ZERO),
        };
        if returned {
            give_back(case, used, settled.from, coupons.at);
        }
        if returned || !(taken.is_zero() && short.is_zero()) {
            let offer = used.offer;
            case.outcome.facts.push(Fact::CouponBack { offer, taken, short, returned });
        }
    }
    case.state.put_coupons(payment, coupons);
    Ok(())
}

/// Burns what the shop no longer keeps of a sponsor's part. What of it was redeemed already, the shop owes; what has expired is not asked for
/// again. Tells how much was there, and how much is owed.
fn take_back(
    case: &mut Case<'_, '_>,
    shop: PartyId,
    sponsored: &mut Sponsored,
    (paid, left): (Amount, Amount),
) -> Result<(Amount, Amount), Code> {
    let Sponsored { by, lot: part } = *sponsored;
    let instrument = case.instrument(part.lot.instrument)?;
    let (terms, lot) = (&instrument.terms, part.lot);
    let keep = in_proportion(part.amount, paid, left).0;
    let keep = Amount(keep - keep % terms.step.0);
    let has = part.amount.checked_sub(part.undone).expect("no more is undone than was added");
    let undo = has.checked_sub(keep).unwrap_or_default();
    if undo.is_zero() {
        return Ok((Amount::ZERO, Amount::ZERO));
    }
    sponsored.lot.undone = part.undone.checked_add(undo).expect("bounded by what was added");
    let holding = if part.claim { Holding::Claim } else { Holding::Spendable };
    let wallet = case.wallet(shop);
    let mut missing = undo;
    for (lot, amount) in kin(&wallet, lot, holding, terms, undo) {
        if lasts(case.state, &lot, holding, case.now) {
            missing = missing.checked_sub(amount).expect("no more is found than is asked for");
            case.debit(shop, lot, holding, amount);
            case.burn(terms.issuer, lot, amount, Went::Corrected)?;
        }
    }
    let held = wallet.lots.iter().any(|b| b.lot == lot && !b.held.is_zero());
    let expired = !part.claim && !lot.usable(case.now);
    let owed = if expired { Amount::ZERO } else { missing };
    match (owed.is_zero(), part.claim, held) {
        (true, ..) => {}
        (false, true, false) => case.owe(shop, lot.instrument, owed)?,
        (false, true, true) => return Err(Code::ClaimHeld),
        (false, false, _) => return Err(Code::InsufficientFunds),
    }
    if by != terms.issuer {
        case.settle(by, lot.instrument, undo);
    }
    Ok((undo.checked_sub(missing).expect("found of what is undone"), owed))
}
