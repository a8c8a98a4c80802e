//! Transfers: whether value may go from one wallet to another, and moving it.

use super::{
    case::{Case, legs_well_formed, total, whole_steps},
    consent::Consents,
    mandate::{self, Use},
    request,
};
use crate::{
    amount::Amount,
    code::Code,
    group::GroupLife,
    id::{InstrumentId, PartyId, TxId},
    instrument::{OnAccept, Terms, TransferRule},
    lot::Lot,
    mandate::Direction,
    operation::{Citation, Leg, Movement},
    outcome::Form,
    party::{Party, PartyKind},
    state::{Settled, SettledLot},
    transaction::{Purpose, Role, Side},
    wallet::Holding,
};

/// Where a movement comes from: its own transaction, or a proposal with its own purpose and answer.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    /// The id under which it is known: its transaction's, or the proposal's.
    pub(super) id: TxId,
    pub(super) purpose: Purpose,
    pub(super) answers: Option<TxId>,
    /// The recorded drafter of a proposal.
    pub(super) drafter: Option<PartyId>,
}

pub(super) fn transfer(case: &mut Case<'_, '_>, movement: &Movement) -> Result<(), Code> {
    well_formed(movement)?;
    let consents = Consents::live(case);
    let body = case.body();
    let origin =
        Origin { id: case.id, purpose: body.purpose, answers: body.answers, drafter: None };
    let settled = complete(case, movement, &consents, origin)?;
    case.settled = Some(settled);
    Ok(())
}

/// What can be said about a movement without the state.
pub(super) fn well_formed(movement: &Movement) -> Result<(), Code> {
    legs_well_formed(&movement.legs)?;
    let debit_ok = !matches!(movement.debit, Citation::Request);
    let credit_ok = !matches!(movement.credit, Citation::Medium { .. });
    if !debit_ok || !credit_ok { Err(Code::NotWellFormed) } else { Ok(()) }
}

/// Judges a movement with its consents and carries it out.
pub(super) fn complete(
    case: &mut Case<'_, '_>,
    movement: &Movement,
    consents: &Consents,
    origin: Origin,
) -> Result<Settled, Code> {
    let from = case.active_party(movement.from)?;
    let to = case.active_party(movement.to)?;
    check_live(case, movement, (&from, &to), consents, origin)?;
    check_allowed(case, movement, &from, &to)?;
    let debit = cite(case, movement, Side::Debit, consents, origin)?;
    let credit = cite(case, movement, Side::Credit, consents, origin)?;
    case.outcome.debit = debit;
    case.outcome.credit = credit;
    let lots = carry_out(case, movement, &to)?;
    Ok(Settled { from: movement.from, to: movement.to, issued: false, debit, lots })
}

/// The live consents that the movement's citations ask for.
fn check_live(
    case: &Case<'_, '_>,
    movement: &Movement,
    (from, to): (&Party, &Party),
    consents: &Consents,
    origin: Origin,
) -> Result<(), Code> {
    let amount = total(&movement.legs)?;
    match movement.debit {
        Citation::Live => {
            let side = (movement.from, from);
            consents.debit(case.scene(), side, amount, Some(movement.to), origin.drafter)?;
        }
        Citation::Medium { .. } => {
            consents.own_key(Side::Debit, Role::Terminal, movement.to)?;
        }
        Citation::Mandate(_) | Citation::Request => {}
    }
    match movement.credit {
        Citation::Live => consents.credit(case.scene(), (movement.to, to)),
        Citation::Request if origin.answers.is_none() => Err(Code::MissingConsent),
        _ => Ok(()),
    }
}

/// Whether the instruments may go from one party to the other at all.
pub(super) fn check_allowed(
    case: &Case<'_, '_>,
    movement: &Movement,
    from: &Party,
    to: &Party,
) -> Result<(), Code> {
    let instruments = movement.legs.iter().map(|leg| case.instrument(leg.instrument));
    let instruments = instruments.collect::<Result<Vec<_>, Code>>()?;
    let legs = || movement.legs.iter().zip(&instruments);
    legs().try_for_each(|(leg, instrument)| whole_steps(leg, instrument))?;
    for (leg, instrument) in legs() {
        check_terms(case, &instrument.terms, (movement, leg), from, to)?;
    }
    if movement.from == movement.to {
        return Err(Code::SameParty);
    }
    if from.kind == PartyKind::Group {
        let group = case.group(movement.from)?;
        case.check_can_pay(&group)?;
    }
    if to.kind == PartyKind::Group && case.group(movement.to)?.life == GroupLife::Closing {
        return Err(Code::GroupClosing);
    }
    Ok(())
}

fn check_terms(
    case: &Case<'_, '_>,
    terms: &Terms,
    (movement, leg): (&Movement, &Leg),
    from: &Party,
    to: &Party,
) -> Result<(), Code> {
    let holders = [PartyKind::Person, PartyKind::Group];
    let between_holders = holders.contains(&from.kind) && holders.contains(&to.kind);
    let with_group = [from.kind, to.kind].contains(&PartyKind::Group);
    let allowed = match (from.kind, to.kind) {
        _ if between_holders => match terms.transfer {
            TransferRule::None => false,
            TransferRule::WithGroups => with_group,
            TransferRule::PeerToPeer => true,
        },
        (PartyKind::Person | PartyKind::Group | PartyKind::Merchant, PartyKind::Merchant) => true,
        (_, PartyKind::Issuer) => movement.to == terms.issuer,
        (PartyKind::Issuer, PartyKind::Person | PartyKind::Group) => true,
        _ => false,
    };
    if !allowed {
        return Err(Code::TransferNotAllowed);
    }
    let unmet = |test: &Option<_>| test.as_ref().is_some_and(|test| !to.meets(test, case.now));
    if holders.contains(&to.kind) && unmet(&terms.holders) {
        return Err(Code::HolderNotEligible);
    }
    if to.kind == PartyKind::Merchant && unmet(&terms.acceptors) {
        return Err(Code::AcceptorNotEligible);
    }
    if between_holders && terms.transfer_max.is_some_and(|max| leg.amount > max) {
        return Err(Code::OverTransferMax);
    }
    Ok(())
}

/// Uses what a side cites and tells the form of its consent.
fn cite(
    case: &mut Case<'_, '_>,
    movement: &Movement,
    side: Side,
    consents: &Consents,
    origin: Origin,
) -> Result<Form, Code> {
    let debit = side == Side::Debit;
    let (citation, grantor, counterparty) = if debit {
        (movement.debit, movement.from, movement.to)
    } else {
        (movement.credit, movement.to, movement.from)
    };
    let direction = if debit { Direction::Debit } else { Direction::Credit };
    let usage = |medium| Use {
        direction,
        grantor,
        counterparty,
        legs: &movement.legs,
        purpose: origin.purpose,
        medium,
    };
    match citation {
        Citation::Live => Ok(Form::Live),
        Citation::Request => request::answer(case, movement, origin),
        Citation::Mandate(id) => {
            if debit && !payee_takes_part(case, movement, origin) {
                mandate::check_staff(case, id, consents)?;
            }
            mandate::use_up(case, id, &usage(None), consents)
        }
        Citation::Medium { medium, mandate: id } => {
            mandate::use_up(case, id, &usage(Some(medium)), consents)
        }
    }
}

/// A debit mandate without staff is used by its payee, who signs, or has requested exactly this of
/// exactly this payer: a request that anyone may answer lets nobody pull from somebody else.
fn payee_takes_part(case: &Case<'_, '_>, movement: &Movement, origin: Origin) -> bool {
    match movement.credit {
        Citation::Live => true,
        Citation::Request => {
            let request = origin.answers.and_then(|id| case.state.request(id));
            request.is_some_and(|request| request.payer == Some(movement.from))
        }
        Citation::Mandate(_) | Citation::Medium { .. } => false,
    }
}

fn carry_out(
    case: &mut Case<'_, '_>,
    movement: &Movement,
    to: &Party,
) -> Result<Vec<SettledLot>, Code> {
    let mut settled = Vec::new();
    for leg in &movement.legs {
        let instrument = case.instrument(leg.instrument)?;
        let terms = &instrument.terms;
        let claim = to.kind == PartyKind::Merchant && terms.on_accept == OnAccept::Claim;
        let into = if claim { Holding::Claim } else { Holding::Spendable };
        for (lot, amount) in choose_lots(case, movement.from, leg.instrument, leg.amount)? {
            case.debit(movement.from, lot, Holding::Spendable, amount);
            case.credit(movement.to, lot, into, amount)?;
            settled.push(SettledLot { lot, amount, undone: Amount::ZERO, claim });
        }
        check_wallet_max(case, movement.to, leg.instrument, terms)?;
    }
    Ok(settled)
}

/// The lots that a payment of `amount` spends: earliest expiry first.
fn choose_lots(
    case: &Case<'_, '_>,
    from: PartyId,
    instrument: InstrumentId,
    amount: Amount,
) -> Result<Vec<(Lot, Amount)>, Code> {
    let wallet = case.wallet(from);
    let usable = wallet.of(instrument).filter(|b| b.lot.usable(case.now));
    let chosen = take_in_order(usable.map(|b| (b.lot, b.spendable)), amount);
    chosen.ok_or(Code::InsufficientFunds)
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

/// The receiving wallet's ceiling, on what it can spend; claims do not count.
pub(super) fn check_wallet_max(
    case: &Case<'_, '_>,
    to: PartyId,
    instrument: InstrumentId,
    terms: &Terms,
) -> Result<(), Code> {
    let holds = case.wallet(to).spendable(instrument, case.now);
    let over = terms.wallet_max.is_some_and(|max| holds > max);
    if over { Err(Code::OverWalletMax) } else { Ok(()) }
}
