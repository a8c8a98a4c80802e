//! Taking of an offer: what is shown, what is used up, what comes.

use super::{check_open, price, right, uses};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    group::GroupLife,
    id::PartyId,
    instrument::{Came, Instrument},
    judge::{
        case::Case,
        consent::Consents,
        mandate::{self, Use},
        movement::check_wallet_max,
        rule::{self, Event},
        touch,
        way::Tender,
    },
    lot::{Lot, OriginKind},
    mandate::Direction,
    offer::{Access, Offer},
    operation::{Citation, Leg, Payment, Take},
    outcome::Form,
    party::{Party, PartyKind},
    rule::Trigger,
    state::{Derived, Settled, SettledLot, Shared},
    wallet::Holding,
};

/// One lot that comes, with its instrument.
type Coming = (Lot, Amount, Shared<Instrument>);

pub(in crate::judge) fn take(case: &mut Case<'_, '_>, op: &Take) -> Result<(), Code> {
    if op.units == 0 || !matches!(op.credit, Citation::Live | Citation::Mandate(_)) {
        return Err(Code::NotWellFormed);
    }
    let to = case.active_party(op.to)?;
    let offer = super::known(case, op.offer)?;
    let issuer = offer.terms.issuer;
    case.active_party(issuer)?;
    let consents = Consents::live(case);
    check_live(case, op, (&to, &offer), &consents)?;
    let coming = coming(case, op, &to, &offer)?;
    check_open(case.scene(), &offer)?;
    let entitlement = right::show(case, (op.offer, &offer), op.to, op.showing, op.units)?;
    let credit = consent(case, op, issuer, &coming, &consents)?;
    // Who has won was counted when they applied.
    if !matches!(offer.terms.access, Access::Lottery(_)) {
        uses::allow(case, op.offer, &offer.terms, (op.to, &to), op.units)?;
    }
    uses::take_stock(case, op.offer, offer.clone(), op.units)?;
    price::pay(case, op, &to, &offer)?;
    let lots = issue(case, op, &to, issuer, &coming)?;
    case.outcome.debit = Form::Offer;
    case.outcome.credit = credit;
    let mut cites = vec![op.offer];
    cites.extend(entitlement);
    case.outcome.cites.splice(0..0, cites);
    case.outcome.facts.push(Fact::Taken { offer: op.offer, units: op.units, entitlement });
    let derived = follow(case, op, issuer, (&lots, &coming))?;
    // What was exchanged stays so: to give back one side alone would be no correction.
    if op.payment != Payment::Value {
        let (from, to, issued, debit) = (issuer, op.to, true, Form::Offer);
        case.settled = Some(Settled { from, to, issued, debit, lots, derived });
    }
    Ok(())
}

/// The taker, unless a mandate speaks for it; who pays, or says that outside funds came; and the code that is shown.
fn check_live(
    case: &Case<'_, '_>,
    op: &Take,
    (to, offer): (&Party, &Offer),
    consents: &Consents,
) -> Result<(), Code> {
    price::check_live(case, op, (to, offer), consents)?;
    if op.credit == Citation::Live {
        consents.credit(case.scene(), (op.to, to))?;
    }
    right::check_code(case, op.to, op.showing)
}

/// What comes, if it may be issued to this party.
fn coming(case: &Case<'_, '_>, op: &Take, to: &Party, offer: &Offer) -> Result<Vec<Coming>, Code> {
    if !matches!(to.kind, PartyKind::Person | PartyKind::Group) {
        return Err(Code::WrongKind);
    }
    if to.kind == PartyKind::Group && case.group(op.to)?.life == GroupLife::Closing {
        return Err(Code::GroupClosing);
    }
    let gives = &offer.terms.gives;
    // A coupon is used in a payment.
    if gives.parts().is_empty() {
        return Err(Code::OfferMismatch);
    }
    let funder = offer.terms.funder();
    let mut coming: Vec<Coming> = Vec::with_capacity(gives.parts().len());
    for part in gives.parts() {
        let instrument = case.instrument(part.instrument)?;
        let paid = part.origin == OriginKind::Paid;
        let use_expiry = instrument.terms.expiry_of_issue(case.now);
        let amount = part.amount.0.checked_mul(u64::from(op.units)).map(Amount);
        let lot = Lot {
            instrument: part.instrument,
            use_expiry,
            origin: part.origin,
            // Paid value is one lot whoever paid.
            funder: if paid { offer.terms.issuer } else { funder },
            campaign: part.campaign,
        };
        coming.push((lot, amount.ok_or(Code::AmountOverflow)?, instrument));
    }
    for (lot, _, instrument) in &coming {
        let terms = &instrument.terms;
        if terms.holders.as_ref().is_some_and(|test| !test.holds(to, case.now)) {
            return Err(Code::HolderNotEligible);
        }
        instrument.check_issuable(case.now, lot.use_expiry)?;
        let of_it = coming.iter().filter(|other| other.0.instrument == lot.instrument);
        let more: u128 = of_it.map(|other| u128::from(other.1.0)).sum();
        let totals = case.state.totals(lot.instrument).unwrap_or_default();
        if terms.supply_max.is_some_and(|max| totals.issued() + more > u128::from(max.0)) {
            return Err(Code::OverSupplyMax);
        }
    }
    Ok(coming)
}

/// How the taker consents.
fn consent(
    case: &mut Case<'_, '_>,
    op: &Take,
    issuer: PartyId,
    coming: &[Coming],
    consents: &Consents,
) -> Result<Form, Code> {
    let Citation::Mandate(id) = op.credit else {
        return Ok(Form::Live);
    };
    let mut legs: Vec<Leg> = Vec::new();
    for (Lot { instrument, .. }, amount, _) in coming {
        match legs.last_mut().filter(|leg| leg.instrument == *instrument) {
            Some(leg) => {
                leg.amount = leg.amount.checked_add(*amount).ok_or(Code::AmountOverflow)?;
            }
            None => legs.push(Leg { instrument: *instrument, amount: *amount }),
        }
    }
    let usage = Use {
        direction: Direction::Credit,
        grantor: op.to,
        counterparty: issuer,
        tender: Tender::Legs(&legs),
        purpose: case.body().purpose,
        medium: None,
    };
    mandate::use_up(case, id, &usage, consents)
}

/// Issues to the taker. A funder who is not the issuer owes as much.
fn issue(
    case: &mut Case<'_, '_>,
    op: &Take,
    to: &Party,
    issuer: PartyId,
    coming: &[Coming],
) -> Result<Vec<SettledLot>, Code> {
    let mut lots = Vec::with_capacity(coming.len());
    for (lot, amount, instrument) in coming {
        let (lot, amount, since) = (*lot, *amount, case.now);
        case.issue(issuer, lot, amount, Came::Issued)?;
        case.credit(op.to, lot, Holding::Spendable, amount)?;
        if lot.funder != issuer {
            case.owe(lot.funder, lot.instrument, amount)?;
        }
        check_wallet_max(case, (op.to, to), (lot.instrument, instrument))?;
        touch::slide(case, op.to, (lot.instrument, instrument))?;
        let (undone, claim, renewed) = (Amount::ZERO, false, None);
        lots.push(SettledLot { lot, amount, undone, claim, since, renewed });
    }
    Ok(lots)
}

/// What rules give because something was taken.
fn follow(
    case: &mut Case<'_, '_>,
    op: &Take,
    issuer: PartyId,
    (lots, coming): (&[SettledLot], &[Coming]),
) -> Result<Vec<Derived>, Code> {
    let trigger = Trigger::Take;
    if coming.iter().all(|(.., instrument)| instrument.triggers & trigger.bit() == 0) {
        return Ok(Vec::new());
    }
    let (purpose, gross) = (case.body().purpose, None);
    let (live, offers) = (op.credit == Citation::Live, &[op.offer]);
    let (payer, payee) = (op.to, issuer);
    rule::fire(case, &Event { trigger, payer, payee, purpose, gross, lots, live, offers })
}
