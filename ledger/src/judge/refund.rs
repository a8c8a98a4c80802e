//! Refunds by the payee, corrections by the issuer: both undo in the original's own lots.

use super::{
    allowance,
    case::{Case, legs_well_formed},
    consent::Consents,
    coupon, rule, touch,
};
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    instrument::{Came, Instrument, LateRefund, Shortfall, Terms, Validity, Went},
    lot::Lot,
    operation::{Correct, Leg, Refund},
    outcome::Form,
    party::PartyKind,
    state::{Judged, Settled, SettledLot, Shared},
    time::Time,
    transaction::Side,
    wallet::{Holding, Wallet},
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
    let undos = plan(&settled, &op.legs)?;
    undos.iter().for_each(|undo| mark(&mut settled, undo));
    rule::unwind(case, &mut settled)?;
    coupon::unwind(case, op.original, &settled)?;
    for undo in &undos {
        give_back(case, &settled, undo)?;
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

/// Takes one lot back from the payee. A claim that is redeemed already, or has lapsed, cannot be taken: the issuer
/// restores the lot, and the payee owes it until the next settlement. What is held for a redemption may
/// still become either, and waits: restored now, it would be there twice if the issuer returned it.
fn give_back(case: &mut Case<'_, '_>, settled: &Settled, undo: &Undo) -> Result<(), Code> {
    let part = settled.lots[undo.at];
    let instrument = case.instrument(part.lot.instrument)?;
    let issuer = instrument.terms.issuer;
    let holding = if part.claim { Holding::Claim } else { Holding::Spendable };
    let wallet = case.wallet(settled.to);
    let mut taken = kin(&wallet, part.received(), holding, &instrument.terms, undo.amount);
    keep_redeemable(&mut taken, (holding, &instrument.terms), case.now);
    let missing = undo.amount.checked_sub(sum(&taken)).expect("not more than the whole");
    let held = wallet.lots.iter().any(|b| b.lot == part.lot && !b.held.is_zero());
    match (missing.is_zero(), part.claim, held) {
        (true, ..) | (false, true, false) => {}
        (false, false, _) => return Err(Code::InsufficientFunds),
        (false, true, true) => return Err(Code::ClaimHeld),
    }
    for (lot, amount) in taken {
        case.debit(settled.to, lot, holding, amount);
        case.renew(issuer, lot, part.lot, amount)?;
    }
    if !missing.is_zero() {
        case.issue(issuer, part.lot, missing, Came::Restored)?;
        case.owe(settled.to, part.lot.instrument, missing)?;
    }
    let payer = case.party(settled.from)?;
    if payer.kind == PartyKind::Merchant && part.claim {
        return case.credit_since(settled.from, part.lot, Holding::Claim, undo.amount, part.since);
    }
    restore(case, settled.from, &part, &instrument, undo.amount)
}

/// Gives spendable value back to whom it came from, as old as it was. What has expired meanwhile expires now, or lives on
/// for some days: the terms say which.
pub(super) fn restore(
    case: &mut Case<'_, '_>,
    to: PartyId,
    part: &SettledLot,
    instrument: &Instrument,
    amount: Amount,
) -> Result<(), Code> {
    let (lot, issuer) = (part.lot, instrument.terms.issuer);
    let lot = match instrument.terms.late_refund {
        LateRefund::Grace(days) if !lot.usable(case.now) => {
            let use_expiry = Some(case.now.end_of_day_after(days));
            let later = Lot { use_expiry, ..lot };
            case.renew(issuer, lot, later, amount)?;
            later
        }
        _ => lot,
    };
    case.credit_since(to, lot, Holding::Spendable, amount, part.since)?;
    if !lot.usable(case.now) {
        case.debit(to, lot, Holding::Spendable, amount);
        case.burn(issuer, lot, amount, Went::Expired)?;
    }
    touch::slide(case, to, (lot.instrument, instrument))
}

/// What a wallet still has of a lot that it got: that lot, and where its validity slides, what it has become since. No
/// more than `amount`.
pub(super) fn kin(
    wallet: &Wallet,
    lot: Lot,
    holding: Holding,
    terms: &Terms,
    amount: Amount,
) -> Vec<(Lot, Amount)> {
    let slides = holding == Holding::Spendable && matches!(terms.validity, Validity::Sliding(_));
    let alike = |other: &Lot| slides && Lot { use_expiry: lot.use_expiry, ..*other } == lot;
    let mut left = amount;
    let mut found = Vec::new();
    for balance in wallet.of(lot.instrument).filter(|b| b.lot == lot || alike(&b.lot)) {
        let part = left.min(balance.amount(holding));
        if !part.is_zero() {
            left = left.checked_sub(part).expect("a part is never more than what is left");
            found.push((balance.lot, part));
        }
    }
    found
}

/// Leaves claims that have lapsed and are not swept yet where they are.
pub(super) fn keep_redeemable(
    found: &mut Vec<(Lot, Amount)>,
    (holding, terms): (Holding, &Terms),
    now: Time,
) {
    found.retain(|(lot, _)| holding != Holding::Claim || terms.redeemable(lot.use_expiry, now));
}

fn sum(parts: &[(Lot, Amount)]) -> Amount {
    let sum = parts.iter().try_fold(Amount::ZERO, |sum, (_, part)| sum.checked_add(*part));
    sum.expect("parts of an amount sum to no more than it")
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
    let undos = plan(&settled, &op.legs)?;
    undos.iter().for_each(|undo| mark(&mut settled, undo));
    rule::unwind(case, &mut settled)?;
    for undo in &undos {
        take_back_issue(case, &settled, undo)?;
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
    let instrument = case.instrument(lot.instrument)?;
    let wallet = case.wallet(settled.to);
    let taken = kin(&wallet, lot, Holding::Spendable, &instrument.terms, undo.amount);
    let missing = undo.amount.checked_sub(sum(&taken)).expect("not more than the whole");
    match instrument.terms.shortfall {
        _ if missing.is_zero() => {}
        Shortfall::Refuse => return Err(Code::InsufficientFunds),
        Shortfall::Receivable => case.owe(settled.to, lot.instrument, missing)?,
        Shortfall::IssuerBears => {}
    }
    // Who funded what an offer gave owes less by what is undone.
    if settled.debit == Form::Offer && lot.funder != settled.from {
        case.settle(lot.funder, lot.instrument, undo.amount);
    }
    for (lot, amount) in taken {
        case.debit(settled.to, lot, Holding::Spendable, amount);
        case.burn(settled.from, lot, amount, Went::Corrected)?;
    }
    Ok(())
}
