//! Payouts: what a merchant's claim costs in fees, and where all of it goes when the bank has paid.

use super::{
    case::{Case, fits},
    gift::receiving,
};
use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId, RuleId},
    instrument::Went,
    lot::Lot,
    rule::{RuleBook, Trigger, fee::Fee, when::Seen},
    wallet::Holding,
};

/// What a claim's payout costs by the rules of its instrument, as they are now.
pub(super) fn fees(
    case: &Case<'_, '_>,
    id: InstrumentId,
    merchant: PartyId,
    gross: Amount,
) -> Result<Vec<Fee>, Code> {
    let instrument = case.instrument(id)?;
    if instrument.triggers & Trigger::Redeem.bit() == 0 {
        return Ok(Vec::new());
    }
    let book = case.state.rule_book(id, Trigger::Redeem).expect("a bit stands for a book");
    let mut rules = book.rules.clone();
    rules.retain(|(_, rule)| !case.any_compromised(&rule.granted_by));
    let (issuer, payee) = (case.party(instrument.terms.issuer)?, case.party(merchant)?);
    let seen = Seen {
        now: case.now,
        purpose: case.body().purpose,
        payer: &issuer,
        payee: (merchant, &payee),
        offers: &[],
    };
    Ok(RuleBook { rules }.fees(gross, instrument.terms.step, &seen))
}

/// Who gets how much of some fees, in the order of the rules and of their legs.
pub(super) fn legs(fees: &[Fee]) -> Vec<(PartyId, Amount)> {
    let legs = fees.iter().flat_map(|fee| fee.legs.iter().copied());
    legs.filter(|(_, amount)| !amount.is_zero()).collect()
}

/// Tells which rules charged what.
pub(super) fn tell(case: &mut Case<'_, '_>, id: InstrumentId, gross: Amount, fees: &[Fee]) {
    for fee in fees {
        let id = RuleId { instrument: id, number: fee.number };
        let (given, capped) = (fee.amount, false);
        case.outcome.facts.push(crate::fact::Fact::Rule { id, base: gross, given, capped });
    }
}

/// Burns what was paid out of a held claim and passes its fees on: as claims, out of the lots that can be redeemed
/// longest. What a leg cannot receive, and the issuer's own leg, stays with the issuer. Tells who got how much.
pub(super) fn pay_out(
    case: &mut Case<'_, '_>,
    (merchant, issuer): (PartyId, PartyId),
    mut lots: Vec<(Lot, Amount)>,
    fees: &[(PartyId, Amount)],
) -> Result<Vec<(PartyId, Amount)>, Code> {
    let drawn: Vec<_> =
        fees.iter().map(|(to, amount)| (*to, *amount, draw_last(&mut lots, *amount))).collect();
    for (lot, amount) in lots {
        case.debit(merchant, lot, Holding::Held, amount);
        case.burn(issuer, lot, amount, Went::Redeemed)?;
    }
    let mut got = Vec::with_capacity(drawn.len());
    for (to, amount, lots) in drawn {
        let to = if takes(case, to, &lots) { to } else { issuer };
        for (lot, amount) in lots {
            case.debit(merchant, lot, Holding::Held, amount);
            if to == issuer {
                case.burn(issuer, lot, amount, Went::Redeemed)?;
            } else {
                case.credit(to, lot, Holding::Claim, amount)?;
            }
        }
        got.push((to, amount));
    }
    Ok(got)
}

fn takes(case: &Case<'_, '_>, to: PartyId, lots: &[(Lot, Amount)]) -> bool {
    if receiving(case, to).is_err() {
        return false;
    }
    let mut wallet = case.wallet(to);
    lots.iter().all(|(lot, amount)| {
        let instrument = case.instrument(lot.instrument);
        let lasts = instrument.is_ok_and(|i| i.terms.redeemable(lot.use_expiry, case.now));
        let added = lasts && wallet.add(*lot, Holding::Claim, *amount, case.now).is_some();
        added && fits(&wallet, lot.instrument)
    })
}

/// Takes so much off the end.
fn draw_last(lots: &mut Vec<(Lot, Amount)>, amount: Amount) -> Vec<(Lot, Amount)> {
    let (mut left, mut drawn) = (amount, Vec::new());
    while !left.is_zero() {
        let (lot, there) = lots.pop().expect("fees are never more than the claim");
        let part = left.min(there);
        let rest = there.checked_sub(part).expect("a part is never more than the whole");
        left = left.checked_sub(part).expect("a part is never more than what is left");
        drawn.push((lot, part));
        if !rest.is_zero() {
            lots.push((lot, rest));
        }
    }
    drawn
}
