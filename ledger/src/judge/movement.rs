//! Payments: whether value may go from one wallet to another, and moving it.

use super::{
    case::{Case, legs_well_formed, whole_steps},
    consent::Consents,
    coupon, dues, limit,
    mandate::{self, Use},
    request,
    rule::{self, Event},
    way::{Tender, Way},
};
use crate::{
    amount::Amount,
    code::Code,
    group::GroupLife,
    id::{InstrumentId, PartyId, TxId},
    instrument::{Instrument, OnAccept},
    mandate::Direction,
    operation::{Citation, Member, Movement, Pay},
    outcome::Form,
    party::{Party, PartyKind},
    spend::{self, Between, Part},
    state::{Renewed, Settled, SettledLot, Shared},
    transaction::{Purpose, Role, Side},
    wallet::Holding,
};

/// Where a payment comes from: its own transaction, or a proposal with its own purpose and answer.
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
    complete_own(case, Way::of_movement(movement))
}

/// A payment in whatever the payer's lots make up, points before money, say.
pub(super) fn pay(case: &mut Case<'_, '_>, pay: &Pay) -> Result<(), Code> {
    pay_well_formed(pay)?;
    complete_own(case, Way::of_pay(pay))
}

pub(super) fn pay_well_formed(pay: &Pay) -> Result<(), Code> {
    let counted = (1..=crate::limits::TENDER_MAX).contains(&pay.instruments.len());
    if !counted || !pay.instruments.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(Code::NotWellFormed);
    }
    if pay.amount.is_zero() {
        return Err(Code::AmountInvalid);
    }
    citations_well_formed(pay.debit, pay.credit)
}

/// A payment that its own transaction carries out.
pub(super) fn complete_own(case: &mut Case<'_, '_>, way: Way<'_>) -> Result<(), Code> {
    dues::check_on_behalf(case)?;
    let consents = Consents::live(case);
    let body = case.body();
    let origin =
        Origin { id: case.id, purpose: body.purpose, answers: body.answers, drafter: None };
    let settled = complete(case, way, &consents, origin)?;
    case.settled = Some(settled);
    Ok(())
}

/// What can be said about a movement without the state.
pub(super) fn well_formed(movement: &Movement) -> Result<(), Code> {
    legs_well_formed(&movement.legs)?;
    citations_well_formed(movement.debit, movement.credit)
}

fn citations_well_formed(debit: Citation, credit: Citation) -> Result<(), Code> {
    let debit_ok = !matches!(debit, Citation::Request);
    let credit_ok = !matches!(credit, Citation::Medium { .. });
    if !debit_ok || !credit_ok { Err(Code::NotWellFormed) } else { Ok(()) }
}

/// Judges a payment with its consents and carries it out.
pub(super) fn complete(
    case: &mut Case<'_, '_>,
    way: Way<'_>,
    consents: &Consents,
    origin: Origin,
) -> Result<Settled, Code> {
    let from = case.active_party(way.from)?;
    let to = case.active_party(way.to)?;
    check_live(case, way, (&from, &to), consents, origin)?;
    let instruments = check_allowed(case, way, &from, &to)?;
    let debit = cite(case, way, Side::Debit, consents, origin)?;
    let credit = cite(case, way, Side::Credit, consents, origin)?;
    case.outcome.debit = debit;
    case.outcome.credit = credit;
    if let Some(gross) = way.gross {
        coupon::use_up(case, way, gross, (&from, &to), origin.id)?;
    }
    let lots = carry_out(case, way, (&from, &to), &instruments)?;
    let watched = rule::watched(&to, instruments.iter().map(|(_, instrument)| &**instrument));
    let derived = match watched {
        None => Vec::new(),
        Some(trigger) => {
            let offers: Vec<TxId> = way.coupons.iter().map(|used| used.offer).collect();
            let event = Event {
                trigger,
                payer: way.from,
                payee: way.to,
                purpose: origin.purpose,
                gross: way.gross,
                lots: &lots,
                live: debit == Form::Live,
                offers: &offers,
            };
            rule::fire(case, &event)?
        }
    };
    Ok(Settled { from: way.from, to: way.to, issued: false, debit, lots, derived })
}

/// The live consents that the payment's citations ask for.
fn check_live(
    case: &Case<'_, '_>,
    way: Way<'_>,
    (from, to): (&Party, &Party),
    consents: &Consents,
    origin: Origin,
) -> Result<(), Code> {
    let amount = way.tender.total()?;
    match way.debit {
        Citation::Live => {
            let side = (way.from, from);
            consents.debit(case.scene(), side, amount, Some(way.to), origin.drafter)?;
        }
        Citation::Medium { .. } => {
            consents.own_key(Side::Debit, Role::Terminal, way.to)?;
        }
        Citation::Mandate(_) | Citation::Request => {}
    }
    match way.credit {
        Citation::Live => consents.credit(case.scene(), (way.to, to))?,
        Citation::Request if origin.answers.is_none() => return Err(Code::MissingConsent),
        _ => {}
    }
    coupon::check_codes(case, way)
}

/// An instrument that a payment may be made in.
pub(super) type Allowed = (InstrumentId, Shared<Instrument>);

/// The instruments that may go from one party to the other, now: all that a movement names, or those of a tender that
/// may, at least one.
pub(super) fn check_allowed(
    case: &Case<'_, '_>,
    way: Way<'_>,
    from: &Party,
    to: &Party,
) -> Result<Vec<Allowed>, Code> {
    let named = way.tender.instruments();
    let named = named.map(|id| case.instrument(id).map(|instrument| (id, instrument)));
    let mut instruments = named.collect::<Result<Vec<Allowed>, Code>>()?;
    let between = Between { from: (way.from, from), to: (way.to, to), now: case.now };
    match way.tender {
        Tender::Legs(legs) => {
            let legs = || legs.iter().zip(&instruments);
            legs().try_for_each(|(leg, (_, instrument))| whole_steps(leg, instrument))?;
            for (leg, (_, instrument)) in legs() {
                between.check_terms(&instrument.terms)?;
                limit::check_transfer(&between, &instrument.terms, leg.amount)?;
            }
        }
        Tender::Any { .. } => {
            let first = instruments.first().map(|(_, instrument)| instrument.clone());
            let mixed =
                |(_, i): &Allowed| first.as_ref().is_some_and(|f| !f.terms.pays_with(&i.terms));
            if instruments.iter().any(mixed) {
                return Err(Code::TenderMismatch);
            }
            let mut bar = Code::TransferNotAllowed;
            instruments.retain(|(_, instrument)| {
                let checked = between.check_terms(&instrument.terms);
                checked
                    .and_then(|()| between.check_life(instrument))
                    .inspect_err(|code| bar = *code)
                    .is_ok()
            });
            if instruments.is_empty() {
                return Err(bar);
            }
        }
    }
    check_parties(case, way, from, to)?;
    if let Tender::Legs(legs) = way.tender {
        for (leg, (_, instrument)) in legs.iter().zip(&instruments) {
            between.check_life(instrument)?;
            limit::check_purchase(&between, &instrument.terms, leg.amount)?;
        }
    }
    Ok(instruments)
}

fn check_parties(case: &Case<'_, '_>, way: Way<'_>, from: &Party, to: &Party) -> Result<(), Code> {
    if way.from == way.to {
        return Err(Code::SameParty);
    }
    if from.kind == PartyKind::Group {
        let group = case.group(way.from)?;
        case.check_can_pay(&group)?;
    }
    if to.kind == PartyKind::Group && case.group(way.to)?.life == GroupLife::Closing {
        return Err(Code::GroupClosing);
    }
    Ok(())
}

/// Uses what a side cites and tells the form of its consent.
fn cite(
    case: &mut Case<'_, '_>,
    way: Way<'_>,
    side: Side,
    consents: &Consents,
    origin: Origin,
) -> Result<Form, Code> {
    let debit = side == Side::Debit;
    let (citation, grantor, counterparty) =
        if debit { (way.debit, way.from, way.to) } else { (way.credit, way.to, way.from) };
    let direction = if debit { Direction::Debit } else { Direction::Credit };
    let (tender, purpose) = (way.tender, origin.purpose);
    let usage = |medium| Use { direction, grantor, counterparty, tender, purpose, medium };
    match citation {
        Citation::Live => Ok(Form::Live),
        Citation::Request => request::answer(case, way, origin),
        Citation::Mandate(id) => {
            if debit && !payee_takes_part(case, way, origin) {
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
fn payee_takes_part(case: &Case<'_, '_>, way: Way<'_>, origin: Origin) -> bool {
    match way.credit {
        Citation::Live => true,
        Citation::Request => {
            let request = origin.answers.and_then(|id| case.state.request(id));
            request.is_some_and(|request| {
                request.payer == Some(way.from) || request.member == Some(Member::Party(way.from))
            })
        }
        Citation::Mandate(_) | Citation::Medium { .. } => false,
    }
}

fn carry_out(
    case: &mut Case<'_, '_>,
    way: Way<'_>,
    (from, to): (&Party, &Party),
    instruments: &[Allowed],
) -> Result<Vec<SettledLot>, Code> {
    let between = Between { from: (way.from, from), to: (way.to, to), now: case.now };
    let parts = choose(case, way, instruments)?;
    let mut settled = Vec::with_capacity(parts.len());
    for (id, instrument) in instruments {
        let of_it = || parts.iter().filter(|part| part.lot.instrument == *id);
        if of_it().next().is_none() {
            continue;
        }
        limit::count(case, &between, (*id, &instrument.terms), of_it().map(|part| part.amount))?;
        for part in of_it() {
            settled.push(hand_over(case, way, to, (part, instrument))?);
        }
        check_wallet_max(case, (way.to, to), (*id, instrument))?;
        super::touch::slide(case, way.from, (*id, instrument))?;
        super::touch::slide(case, way.to, (*id, instrument))?;
    }
    Ok(settled)
}

/// The parts of the payer's lots that are spent.
fn choose(case: &Case<'_, '_>, way: Way<'_>, instruments: &[Allowed]) -> Result<Vec<Part>, Code> {
    let wallet = case.wallet(way.from);
    let of = |allowed: &[Allowed], amount| {
        let named: Vec<(InstrumentId, &Instrument)> =
            allowed.iter().map(|(id, instrument)| (*id, &**instrument)).collect();
        spend::choose(&wallet, &named, amount, case.now).ok_or(Code::InsufficientFunds)
    };
    match way.tender {
        Tender::Any { amount, .. } => of(instruments, amount),
        Tender::Legs(legs) => {
            let mut parts = Vec::new();
            for (leg, allowed) in legs.iter().zip(instruments) {
                parts.extend(of(std::slice::from_ref(allowed), leg.amount)?);
            }
            Ok(parts)
        }
    }
}

/// Moves one part to the payee, as its instrument's terms have it accepted.
fn hand_over(
    case: &mut Case<'_, '_>,
    way: Way<'_>,
    to: &Party,
    (part, instrument): (&Part, &Instrument),
) -> Result<SettledLot, Code> {
    let terms = &instrument.terms;
    let &Part { lot, amount, since } = part;
    let accepted = to.kind == PartyKind::Merchant;
    let claim = accepted && terms.on_accept == OnAccept::Claim;
    let into = if claim { Holding::Claim } else { Holding::Spendable };
    let renews = accepted && terms.on_accept == OnAccept::Renew;
    let use_expiry = if renews { terms.expiry_of_issue(case.now) } else { lot.use_expiry };
    let renewed = (use_expiry != lot.use_expiry).then_some(Renewed { use_expiry });
    let settled = SettledLot { lot, amount, undone: Amount::ZERO, claim, since, renewed };
    case.debit(way.from, lot, Holding::Spendable, amount);
    case.renew(terms.issuer, lot, settled.received(), amount)?;
    case.credit(way.to, settled.received(), into, amount)?;
    Ok(settled)
}

/// The receiving wallet's ceiling, on what it can spend; claims do not count.
pub(super) fn check_wallet_max(
    case: &Case<'_, '_>,
    (to, party): (PartyId, &Party),
    (id, instrument): (InstrumentId, &Instrument),
) -> Result<(), Code> {
    let holds = case.wallet(to).spendable(id, case.now);
    let most = limit::wallet_max(&instrument.terms, party, case.now);
    if most.is_some_and(|max| holds > max) { Err(Code::OverWalletMax) } else { Ok(()) }
}
