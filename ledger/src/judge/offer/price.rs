//! What a set costs: outside funds that the issuer's key attests, or value that the issuer takes back.

use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId},
    instrument::{Instrument, Went},
    judge::{case::Case, consent::Consents},
    lot::OriginKind,
    offer::{Offer, OfferTerms, Price},
    operation::{Payment, Take},
    party::{Party, PartyKind},
    spend,
    transaction::{Role, Side},
    wallet::Holding,
};

/// Values are compared in parts of a yen as small as any instrument's unit.
const DECIMALS_MAX: u32 = 8;

/// Whether an offer's price goes with what it gives. Paid value is what was paid: the law counts it so.
pub(super) fn check(case: &Case<'_, '_>, terms: &OfferTerms) -> Result<(), Code> {
    match terms.gives.price() {
        None => Ok(()),
        Some(Price::Outside(outside)) => {
            let owner = case.state.key(outside.key).map(|record| record.party);
            if owner != Some(terms.issuer) {
                return Err(Code::WrongKind);
            }
            let price = u128::from(outside.yen.0) * 10_u128.pow(DECIMALS_MAX);
            if paid_value(case, terms)? == price { Ok(()) } else { Err(Code::OfferMismatch) }
        }
        Some(Price::Exchange(exchange)) => {
            let instrument = case.instrument(exchange.instrument)?;
            if instrument.terms.issuer != terms.issuer {
                return Err(Code::OfferMismatch);
            }
            let whole = exchange.amount.0.is_multiple_of(instrument.terms.step.0);
            if whole { Ok(()) } else { Err(Code::AmountInvalid) }
        }
    }
}

/// What the paid parts are worth, in yen and eight decimal places.
fn paid_value(case: &Case<'_, '_>, terms: &OfferTerms) -> Result<u128, Code> {
    let mut sum = 0_u128;
    for part in terms.gives.parts().iter().filter(|part| part.origin == OriginKind::Paid) {
        let given = &case.instrument(part.instrument)?.terms;
        let finer = DECIMALS_MAX.checked_sub(u32::from(given.decimals));
        let finer = finer.expect("terms have at most eight decimal places");
        let units = u128::from(part.amount.0) * u128::from(given.face);
        let value = units.checked_mul(10_u128.pow(finer));
        let value = value.and_then(|value| sum.checked_add(value));
        sum = value.ok_or(Code::AmountOverflow)?;
    }
    Ok(sum)
}

/// Who says that outside funds came, or gives value of their own.
pub(super) fn check_live(
    case: &Case<'_, '_>,
    op: &Take,
    (to, offer): (&Party, &Offer),
    consents: &Consents,
) -> Result<(), Code> {
    match (offer.terms.gives.price(), op.payment) {
        (None, Payment::Nothing) => Ok(()),
        (Some(Price::Outside(outside)), Payment::Outside(_)) => {
            let key = consents.own_key(Side::Debit, Role::Issuer, offer.terms.issuer)?;
            if key == outside.key { Ok(()) } else { Err(Code::RoleMissing) }
        }
        (Some(Price::Exchange(exchange)), Payment::Value) => {
            let whole = times(exchange.amount, op)?;
            consents.debit(case.scene(), (op.to, to), whole, None, None)
        }
        _ => Err(Code::OfferMismatch),
    }
}

fn times(amount: Amount, op: &Take) -> Result<Amount, Code> {
    amount.0.checked_mul(u64::from(op.units)).map(Amount).ok_or(Code::AmountOverflow)
}

/// Uses up what is paid with.
pub(super) fn pay(
    case: &mut Case<'_, '_>,
    op: &Take,
    to: &Party,
    offer: &Offer,
) -> Result<(), Code> {
    match (offer.terms.gives.price(), op.payment) {
        (_, Payment::Outside(funding)) => {
            let issuer: PartyId = offer.terms.issuer;
            if case.state.funding(issuer, funding).is_some() {
                return Err(Code::FundingUsed);
            }
            case.state.put_funding(issuer, funding, case.id);
            Ok(())
        }
        (Some(Price::Exchange(exchange)), _) => {
            if to.kind == PartyKind::Group {
                let group = case.group(op.to)?;
                case.check_can_pay(&group)?;
            }
            let instrument = case.instrument(exchange.instrument)?;
            let amount = times(exchange.amount, op)?;
            take_back(case, op, (exchange.instrument, &instrument), amount)
        }
        _ => Ok(()),
    }
}

/// What is exchanged goes back to its issuer, in the order in which it would be spent.
fn take_back(
    case: &mut Case<'_, '_>,
    op: &Take,
    (id, instrument): (InstrumentId, &Instrument),
    amount: Amount,
) -> Result<(), Code> {
    instrument.check_spendable(case.now)?;
    let wallet = case.wallet(op.to);
    let parts = spend::choose(&wallet, &[(id, instrument)], amount, case.now);
    for part in parts.ok_or(Code::InsufficientFunds)? {
        case.debit(op.to, part.lot, Holding::Spendable, part.amount);
        case.burn(instrument.terms.issuer, part.lot, part.amount, Went::Redeemed)?;
    }
    Ok(())
}
