//! Top-ups (チャージ): issue against outside funds, inside an allowance.

use super::{
    allowance,
    case::Case,
    consent::Consents,
    mandate::{self, Use},
    movement::check_wallet_max,
    rule::{self, Event},
    touch,
    way::Tender,
};
use crate::{
    amount::Amount,
    code::Code,
    group::GroupLife,
    id::PartyId,
    instrument::{Came, Instrument},
    lot::{Lot, OriginKind},
    mandate::Direction,
    operation::{Citation, Leg, TopUp},
    outcome::Form,
    party::{Party, PartyKind},
    rule::Trigger,
    state::{Allowance, Derived, Settled, SettledLot},
    transaction::{Role, Side},
    wallet::Holding,
};

pub(super) fn top_up(case: &mut Case<'_, '_>, op: &TopUp) -> Result<(), Code> {
    if op.amount.is_zero() {
        return Err(Code::AmountInvalid);
    }
    if !matches!(op.credit, Citation::Live | Citation::Mandate(_)) {
        return Err(Code::NotWellFormed);
    }
    let to = case.active_party(op.to)?;
    let consents = Consents::live(case);
    let granted = case.state.allowance(op.allowance).ok_or(Code::UnknownAllowance)?;
    case.active_party(granted.issuer)?;
    check_live(case, op, &to, &granted, &consents)?;
    let legs = [Leg { instrument: granted.instrument, amount: op.amount }];
    case.check_legs(&legs)?;
    let lot = lot_of(case, op, &to, &granted)?;
    let funding_used = case.state.funding(granted.issuer, op.funding).is_some();
    allowance::use_up(case, op.allowance, granted.clone(), op.to, op.amount)?;
    let credit = match op.credit {
        Citation::Mandate(id) => {
            let usage = Use {
                direction: Direction::Credit,
                grantor: op.to,
                counterparty: granted.issuer,
                tender: Tender::Legs(&legs),
                purpose: case.body().purpose,
                medium: None,
            };
            mandate::use_up(case, id, &usage, &consents)?
        }
        _ => Form::Live,
    };
    if funding_used {
        return Err(Code::FundingUsed);
    }
    case.issue(granted.issuer, lot, op.amount, Came::Issued)?;
    case.credit(op.to, lot, Holding::Spendable, op.amount)?;
    let instrument = case.instrument(granted.instrument)?;
    check_wallet_max(case, (op.to, &to), (granted.instrument, &instrument))?;
    touch::slide(case, op.to, (granted.instrument, &instrument))?;
    case.state.put_funding(granted.issuer, op.funding, case.id);
    case.outcome.debit = Form::Allowance;
    case.outcome.credit = credit;
    case.outcome.cites.insert(0, op.allowance);
    let moved = SettledLot {
        lot,
        amount: op.amount,
        undone: Amount::ZERO,
        claim: false,
        since: case.now,
        renewed: None,
    };
    let derived = bonus(case, op, (granted.issuer, &instrument), &[moved])?;
    case.settled = Some(Settled {
        from: granted.issuer,
        to: op.to,
        issued: true,
        debit: Form::Allowance,
        lots: vec![moved],
        derived,
    });
    Ok(())
}

/// What rules give on top.
fn bonus(
    case: &mut Case<'_, '_>,
    op: &TopUp,
    (issuer, instrument): (PartyId, &Instrument),
    lots: &[SettledLot],
) -> Result<Vec<Derived>, Code> {
    let trigger = Trigger::TopUp;
    if instrument.triggers & trigger.bit() == 0 {
        return Ok(Vec::new());
    }
    let purpose = case.body().purpose;
    let live = op.credit == Citation::Live;
    let (payer, payee, gross, offers) = (op.to, issuer, None, &[]);
    rule::fire(case, &Event { trigger, payer, payee, purpose, gross, lots, live, offers })
}

/// The issuer's automated key, the funder if it is not the holder, and the holder.
fn check_live(
    case: &Case<'_, '_>,
    op: &TopUp,
    to: &Party,
    granted: &Allowance,
    consents: &Consents,
) -> Result<(), Code> {
    let key = consents.own_key(Side::Debit, Role::Issuer, granted.issuer)?;
    if key != granted.key {
        return Err(Code::RoleMissing);
    }
    // The issuer funds its own free value by the same key.
    if op.funder != op.to && op.funder != granted.issuer {
        case.active_party(op.funder)?;
        consents.own_key(Side::Debit, Role::Funder, op.funder)?;
    }
    if op.credit == Citation::Live {
        consents.credit(case.scene(), (op.to, to))?;
    }
    Ok(())
}

fn lot_of(case: &Case<'_, '_>, op: &TopUp, to: &Party, granted: &Allowance) -> Result<Lot, Code> {
    let instrument = case.instrument(granted.instrument)?;
    let terms = &instrument.terms;
    if !matches!(to.kind, PartyKind::Person | PartyKind::Group) {
        return Err(Code::WrongKind);
    }
    if to.kind == PartyKind::Group && case.group(op.to)?.life == GroupLife::Closing {
        return Err(Code::GroupClosing);
    }
    if terms.holders.as_ref().is_some_and(|test| !test.holds(to, case.now)) {
        return Err(Code::HolderNotEligible);
    }
    let use_expiry = terms.expiry_of_issue(case.now);
    instrument.check_issuable(case.now, use_expiry)?;
    let totals = case.state.totals(granted.instrument).unwrap_or_default();
    let after = totals.issued() + u128::from(op.amount.0);
    if terms.supply_max.is_some_and(|max| after > u128::from(max.0)) {
        return Err(Code::OverSupplyMax);
    }
    // Paid value is one lot whoever paid: that it was paid is what the law asks for.
    let funder = if op.origin == OriginKind::Paid { granted.issuer } else { op.funder };
    Ok(Lot {
        instrument: granted.instrument,
        use_expiry,
        origin: op.origin,
        funder,
        campaign: op.campaign,
    })
}
