//! Refunds by the payee, corrections by the issuer: both undo in the original's own lots.

use super::{
    allowance,
    case::{Case, legs_well_formed},
    consent::Consents,
};
use crate::{
    amount::Amount,
    code::Code,
    id::TxId,
    instrument::Shortfall,
    operation::{Correct, Leg, Refund},
    outcome::Form,
    party::PartyKind,
    state::{Judged, Settled, Shared},
    transaction::Side,
    wallet::Holding,
};

/// What is to be undone of one lot.
struct Undo {
    /// Position among the original's lots.
    at: usize,
    amount: Amount,
}

pub(super) fn refund(case: &mut Case<'_, '_>, op: &Refund) -> Result<(), Code> {
    legs_well_formed(&op.legs)?;
    let (mut judged, mut settled) = original(case, op.original)?;
    let payee = case.active_party(settled.to)?;
    case.active_party(settled.from)?;
    let amount = super::case::total(&op.legs)?;
    let consents = Consents::live(case);
    consents.debit(case.scene(), (settled.to, &payee), amount, Some(settled.from), None)?;
    case.check_legs(&op.legs)?;
    if settled.issued {
        return Err(Code::NotRefundable);
    }
    for undo in plan(&settled, &op.legs)? {
        give_back(case, &settled, &undo)?;
        mark(&mut settled, &undo);
    }
    case.outcome.debit = Form::Live;
    case.outcome.credit = Form::Terms;
    case.outcome.cites.push(op.original);
    judged.settled = Some(settled);
    case.state.put_judged(op.original, judged);
    Ok(())
}

/// An applied transfer or top-up.
fn original(case: &Case<'_, '_>, id: TxId) -> Result<(Shared<Judged>, Settled), Code> {
    let judged = case.state.judged(id).filter(|j| j.code == Code::Applied);
    let judged = judged.ok_or(Code::UnknownOriginal)?;
    let settled = judged.settled.clone().ok_or(Code::UnknownOriginal)?;
    Ok((judged, settled))
}

/// Which lots to undo: the last spent first, so that what expires latest comes back first.
fn plan(settled: &Settled, legs: &[Leg]) -> Result<Vec<Undo>, Code> {
    let mut undos = Vec::new();
    for leg in legs {
        let mut left = leg.amount;
        for (at, part) in settled.lots.iter().enumerate().rev() {
            if part.lot.instrument != leg.instrument {
                continue;
            }
            let open = part.amount.checked_sub(part.undone).expect("never more undone than moved");
            let amount = left.min(open);
            if !amount.is_zero() {
                undos.push(Undo { at, amount });
                left = left.checked_sub(amount).expect("a part is never more than what is left");
            }
        }
        if !left.is_zero() {
            return Err(Code::OverOriginal);
        }
    }
    Ok(undos)
}

fn mark(settled: &mut Settled, undo: &Undo) {
    let part = &mut settled.lots[undo.at];
    part.undone = part.undone.checked_add(undo.amount).expect("bounded by the original");
    assert!(part.undone <= part.amount, "INV-7: never more is undone than was moved");
}

/// Takes one lot back from the payee. A claim that is redeemed already cannot be taken: the issuer
/// restores the lot, and the payee owes it until the next settlement. What is held for a redemption may
/// still become either, and waits: restored now, it would be there twice if the issuer returned it.
fn give_back(case: &mut Case<'_, '_>, settled: &Settled, undo: &Undo) -> Result<(), Code> {
    let part = settled.lots[undo.at];
    let holding = if part.claim { Holding::Claim } else { Holding::Spendable };
    let wallet = case.wallet(settled.to);
    let balance = wallet.lots.iter().find(|b| b.lot == part.lot);
    let available = balance.map_or(Amount::ZERO, |b| b.amount(holding));
    let held = balance.map_or(Amount::ZERO, |b| b.held);
    let taken = undo.amount.min(available);
    let missing = undo.amount.checked_sub(taken).expect("not more than the whole");
    match (missing.is_zero(), part.claim, held.is_zero()) {
        (true, ..) | (false, true, true) => {}
        (false, false, _) => return Err(Code::InsufficientFunds),
        (false, true, false) => return Err(Code::ClaimHeld),
    }
    if !taken.is_zero() {
        case.debit(settled.to, part.lot, holding, taken);
    }
    if !missing.is_zero() {
        let issuer = case.instrument(part.lot.instrument)?.terms.issuer;
        case.issue(issuer, part.lot, missing)?;
        case.owe(settled.to, part.lot.instrument, missing)?;
    }
    let payer = case.party(settled.from)?;
    let into = if payer.kind == PartyKind::Merchant && part.claim {
        Holding::Claim
    } else {
        Holding::Spendable
    };
    case.credit(settled.from, part.lot, into, undo.amount)
}

/// Two officers of the issuer and one of another organisation; only what the issuer itself issued, and
/// never beyond it. What two holders did with each other's consent is never touched.
pub(super) fn correct(case: &mut Case<'_, '_>, op: &Correct) -> Result<(), Code> {
    legs_well_formed(&op.legs)?;
    let (mut judged, mut settled) = original(case, op.original)?;
    let issuer = case.active_party(settled.from)?;
    if !settled.issued {
        return Err(Code::NotRefundable);
    }
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (settled.from, &issuer), 2)?;
    allowance::two_organisations(case, &consents, settled.from)?;
    case.check_legs(&op.legs)?;
    for undo in plan(&settled, &op.legs)? {
        take_back_issue(case, &settled, &undo)?;
        mark(&mut settled, &undo);
    }
    case.outcome.debit = Form::Terms;
    case.outcome.credit = Form::Live;
    case.outcome.cites.push(op.original);
    judged.settled = Some(settled);
    case.state.put_judged(op.original, judged);
    Ok(())
}

fn take_back_issue(case: &mut Case<'_, '_>, settled: &Settled, undo: &Undo) -> Result<(), Code> {
    let lot = settled.lots[undo.at].lot;
    let shortfall = case.instrument(lot.instrument)?.terms.shortfall;
    let wallet = case.wallet(settled.to);
    let balance = wallet.lots.iter().find(|b| b.lot == lot);
    let taken = undo.amount.min(balance.map_or(Amount::ZERO, |b| b.spendable));
    let missing = undo.amount.checked_sub(taken).expect("not more than the whole");
    match shortfall {
        _ if missing.is_zero() => {}
        Shortfall::Refuse => return Err(Code::InsufficientFunds),
        Shortfall::Receivable => case.owe(settled.to, lot.instrument, missing)?,
        Shortfall::IssuerBears => {}
    }
    if !taken.is_zero() {
        case.debit(settled.to, lot, Holding::Spendable, taken);
        case.burn(settled.from, lot, taken)?;
    }
    Ok(())
}
