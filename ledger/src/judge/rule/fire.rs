//! What happened, and which rules have something to say about it.
//!
//! All bases and conditions are looked at before any rule posts; then they post by instrument and number. So what a rule
//! gives makes no other one give.

use super::{
    post,
    uses::{self, Subjects},
};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::{InstrumentId, PartyId, RuleId, TxId},
    instrument::{Instrument, Terms},
    judge::case::Case,
    limits,
    lot::OriginKind,
    party::{Party, PartyKind},
    rule::{
        Base, Rule, RuleBook, RuleTerms, Trigger,
        cap::Over,
        when::{Reached, Seen},
    },
    state::{Derived, SettledLot, Shared},
    transaction::Purpose,
};

/// Something that rules may follow.
#[derive(Clone, Copy)]
pub(in crate::judge) struct Event<'e> {
    pub(in crate::judge) trigger: Trigger,
    /// Who paid: the holder, for a top-up; who takes, for an offer.
    pub(in crate::judge) payer: PartyId,
    /// Who was paid: the issuer, for a top-up.
    pub(in crate::judge) payee: PartyId,
    pub(in crate::judge) purpose: Purpose,
    /// What the price was before discounts, where there were any.
    pub(in crate::judge) gross: Option<Amount>,
    /// What moved or came.
    pub(in crate::judge) lots: &'e [SettledLot],
    /// Whether the payer itself signed.
    pub(in crate::judge) live: bool,
    /// The offer that was taken of, or those whose coupons were used.
    pub(in crate::judge) offers: &'e [TxId],
}

/// Which kind of event a payment is, by who is paid.
pub(in crate::judge) fn of_payment(payee: PartyKind) -> Option<Trigger> {
    match payee {
        PartyKind::Merchant => Some(Trigger::Purchase),
        PartyKind::Person | PartyKind::Group => Some(Trigger::Transfer),
        _ => None,
    }
}

/// The kind of event that a payment is, if one of these instruments has rules for it.
pub(in crate::judge) fn watched<'i>(
    payee: &Party,
    mut instruments: impl Iterator<Item = &'i Instrument>,
) -> Option<Trigger> {
    let trigger = of_payment(payee.kind)?;
    instruments.any(|instrument| instrument.triggers & trigger.bit() != 0).then_some(trigger)
}

/// A rule that has something to say.
pub(super) struct Due {
    pub(super) id: RuleId,
    book: Shared<RuleBook>,
    at: usize,
    pub(super) base: Amount,
}

impl Due {
    fn rule(&self) -> &Rule {
        &self.book.rules[self.at].1
    }

    pub(super) fn terms(&self) -> &RuleTerms {
        &self.rule().terms
    }
}

/// Lets the rules of all instruments that moved post, and tells what they did.
pub(in crate::judge) fn fire(
    case: &mut Case<'_, '_>,
    event: &Event<'_>,
) -> Result<Vec<Derived>, Code> {
    let mut instruments: Vec<_> = event.lots.iter().map(|part| part.lot.instrument).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let mut due = Vec::new();
    for id in instruments {
        let instrument = case.instrument(id)?;
        if instrument.triggers & event.trigger.bit() != 0 {
            look(case, event, (id, &instrument), &mut due)?;
        }
    }
    let mut derived = Vec::new();
    for due in &due {
        derived.extend(one(case, event, due, &derived)?);
    }
    Ok(derived)
}

/// Gathers the rules of one instrument that hold.
fn look(
    case: &Case<'_, '_>,
    event: &Event<'_>,
    (id, instrument): (InstrumentId, &Instrument),
    due: &mut Vec<Due>,
) -> Result<(), Code> {
    let book = case.state.rule_book(id, event.trigger).expect("a trigger's bit stands for a book");
    let (payer, payee) = (case.party(event.payer)?, case.party(event.payee)?);
    let seen = Seen {
        now: case.now,
        purpose: event.purpose,
        payer: &payer,
        payee: (event.payee, &payee),
        offers: event.offers,
    };
    for (at, (number, rule)) in book.rules.iter().enumerate() {
        if !rule.in_force(case.now) || !rule.terms.when.holds(&seen) {
            continue;
        }
        let base = base(case, event, &rule.terms, (id, &instrument.terms))?;
        let reached = |tier: Reached| {
            case.wallet(event.payer).spendable(tier.instrument, case.now) >= tier.from
        };
        let holds = rule.terms.when.fits_base(base) && rule.terms.when.tier.is_none_or(reached);
        if holds && !case.any_compromised(&rule.granted_by) {
            let id = RuleId { instrument: id, number: *number };
            due.push(Due { id, book: book.clone(), at, base });
        }
    }
    Ok(())
}

/// What a rule reckons from.
fn base(
    case: &Case<'_, '_>,
    event: &Event<'_>,
    terms: &RuleTerms,
    (id, instrument): (InstrumentId, &Terms),
) -> Result<Amount, Code> {
    let part = of_lots(event.lots, terms, id, |part| part.amount).ok_or(Code::AmountOverflow)?;
    if !terms.base.of_whole() || part.is_zero() {
        return Ok(part);
    }
    let all = of_family(case, event.lots, instrument, |part| part.amount)?;
    Ok(if terms.base == Base::Gross { event.gross.unwrap_or(all) } else { all })
}

/// The sum over the lots that a rule sees: the paid ones, where it reckons from those.
pub(super) fn of_lots(
    lots: &[SettledLot],
    terms: &RuleTerms,
    id: InstrumentId,
    measure: impl Fn(&SettledLot) -> Amount,
) -> Option<Amount> {
    let counts = |part: &&SettledLot| {
        part.lot.instrument == id
            && terms.when.sees(&part.lot)
            && (terms.base != Base::PaidLots || part.lot.origin == OriginKind::Paid)
    };
    lots.iter().filter(counts).map(measure).try_fold(Amount::ZERO, Amount::checked_add)
}

/// The sum over everything of the same unit.
pub(super) fn of_family(
    case: &Case<'_, '_>,
    lots: &[SettledLot],
    instrument: &Terms,
    measure: impl Fn(&SettledLot) -> Amount,
) -> Result<Amount, Code> {
    let mut sum = Amount::ZERO;
    for part in lots {
        if case.instrument(part.lot.instrument)?.terms.pays_with(instrument) {
            sum = sum.checked_add(measure(part)).ok_or(Code::AmountOverflow)?;
        }
    }
    Ok(sum)
}

/// Evaluates one rule and posts what it gives.
fn one(
    case: &mut Case<'_, '_>,
    event: &Event<'_>,
    due: &Due,
    before: &[Derived],
) -> Result<Option<Derived>, Code> {
    let terms = due.terms();
    let subjects = Subjects::of(case, (event.payer, event.payee), terms);
    let carried = match terms.formula.carries() {
        true => uses::carried(case, due.id, event.payer),
        false => 0,
    };
    // What leaves the range of amounts is no reward.
    let Some(worth) = terms.formula.worth(due.base, carried) else {
        return Ok(None);
    };
    let step = post::step(case, due)?;
    let floor = |amount: Amount| Amount(amount.0 - amount.0 % step.0);
    let wanted = floor(worth.given);
    let room = uses::room(case, due.id, terms, &subjects);
    let allowed = match terms.over {
        _ if wanted <= room => wanted,
        Over::Truncate => floor(room),
        Over::Skip => Amount::ZERO,
        Over::Refuse => return Err(Code::RuleCapReached),
    };
    let posted = before.iter().map(|derived| derived.parts.len()).sum::<usize>();
    let room = posted < limits::DERIVED_MAX && post::shareable(case, event, due, before) >= allowed;
    let parts = match room && !allowed.is_zero() {
        true => post::post(case, event, due, allowed)?,
        false => None,
    };
    let given = if parts.is_some() { allowed } else { Amount::ZERO };
    if given.is_zero() && !wanted.is_zero() && terms.over == Over::Refuse {
        return Err(Code::RuleCapReached);
    }
    if !given.is_zero() {
        uses::count(case, due.id, terms, &subjects, given);
    }
    if worth.carry != carried {
        uses::carry(case, due.id, event.payer, worth.carry);
    }
    if !wanted.is_zero() {
        let capped = given < wanted;
        case.outcome.facts.push(Fact::Rule { id: due.id, base: due.base, given, capped });
    }
    let derived = Derived {
        rule: due.id,
        at: case.now,
        base: due.base,
        left: due.base,
        given,
        undone: Amount::ZERO,
        carried: worth.carry.checked_sub(carried).ok_or(Code::AmountOverflow)?,
        household: subjects.household,
        parts: parts.unwrap_or_default(),
    };
    let kept = !given.is_zero() || derived.carried != 0;
    Ok(kept.then_some(derived))
}
