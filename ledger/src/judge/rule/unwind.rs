//! Undoing: what is refunded or corrected takes along what rules gave for it, in proportion.

use super::{
    fire::{of_family, of_lots},
    post::holding,
    uses::{self, Subjects},
};
use crate::{
    amount::Amount,
    code::Code,
    fact::Fact,
    id::PartyId,
    instrument::{Came, Instrument, OnAccept, Shortfall, Went},
    judge::{
        case::Case,
        refund::{keep_redeemable, kin, restore},
    },
    lot::Lot,
    rule::{
        Base, Give, Giver, Post, RuleTerms, Share,
        formula::{Formula, in_proportion},
    },
    state::{Derived, DerivedPart, Settled, Shared},
    wallet::Holding,
};

/// Takes back what rules gave for a payment or top-up, now that `settled` says what is undone of it. Comes before the payee
/// gives back: what was shared on is its again by then.
pub(in crate::judge) fn unwind(case: &mut Case<'_, '_>, settled: &mut Settled) -> Result<(), Code> {
    let mut derived = core::mem::take(&mut settled.derived);
    // The other way round than they were given.
    for derived in derived.iter_mut().rev() {
        let rule = case.state.rule(derived.rule).expect("rules are kept for ever");
        one(case, settled, derived, &rule.terms)?;
    }
    settled.derived = derived;
    Ok(())
}

/// What is left of a base.
fn left(
    case: &Case<'_, '_>,
    settled: &Settled,
    derived: &Derived,
    terms: &RuleTerms,
) -> Result<Amount, Code> {
    let open = |part: &crate::state::SettledLot| Amount(part.amount.0 - part.undone.0);
    let id = derived.rule.instrument;
    if !terms.base.of_whole() {
        return of_lots(&settled.lots, terms, id, open).ok_or(Code::AmountOverflow);
    }
    let instrument = case.instrument(id)?;
    let all = of_family(case, &settled.lots, &instrument.terms, |part| part.amount)?;
    let open = of_family(case, &settled.lots, &instrument.terms, open)?;
    if terms.base == Base::AfterDiscount {
        return Ok(open);
    }
    // The price before discounts goes back as what was paid does.
    let back = u128::from(derived.base.0) * u128::from(all.0 - open.0) / u128::from(all.0.max(1));
    let back = u64::try_from(back).expect("a part is not larger than the whole");
    Ok(Amount(derived.base.0 - back))
}

fn one(
    case: &mut Case<'_, '_>,
    settled: &Settled,
    derived: &mut Derived,
    terms: &RuleTerms,
) -> Result<(), Code> {
    let left = left(case, settled, derived, terms)?;
    if left == derived.left {
        return Ok(());
    }
    let posted = match &terms.post {
        Post::Give(give) => give.instrument,
        Post::Share(_) | Post::Fee(_) => derived.rule.instrument,
    };
    let posted = case.instrument(posted)?;
    // Of what was received only a part can be shared: what is shared of it goes back in proportion.
    let keep = match terms.post {
        Post::Share(_) => in_proportion(derived.given, derived.base, left).0,
        _ => terms.formula.keeps(derived.given, derived.base, left).0,
    };
    let keep = Amount(keep - keep % posted.terms.step.0);
    let has = derived.given.checked_sub(derived.undone).expect("INV-15: no more undone than given");
    let undo = has.checked_sub(keep).unwrap_or_default();
    let (payer, payee) = match settled.issued {
        true => (settled.to, settled.from),
        false => (settled.from, settled.to),
    };
    if derived.carried != 0 {
        let of = |left| Formula::keeps_carried(derived.carried, derived.base, left);
        let (before, after) = (of(derived.left), of(left));
        let carry = uses::carried(case, derived.rule, payer);
        let carry = carry.checked_sub(before).and_then(|carry| carry.checked_add(after));
        uses::carry(case, derived.rule, payer, carry.ok_or(Code::AmountOverflow)?);
    }
    derived.left = left;
    if undo.is_zero() {
        return Ok(());
    }
    derived.undone = derived.undone.checked_add(undo).expect("bounded by what was given");
    let subjects = Subjects { payer, payee, household: derived.household };
    let all = derived.undone == derived.given;
    uses::give_back(case, (derived.rule, terms), &subjects, derived.at, (undo, all));
    let short = match &terms.post {
        Post::Give(give) => take_back(case, (derived, give), &posted, undo)?,
        Post::Share(share) => {
            let giver = if share.from == Giver::Payer { payer } else { payee };
            call_in(case, (derived, share), (giver, &posted), undo)?
        }
        Post::Fee(_) => Amount::ZERO,
    };
    let taken = undo.checked_sub(short).expect("no more is short than is asked for");
    case.outcome.facts.push(Fact::Unwound { id: derived.rule, taken, short });
    Ok(())
}

/// Burns what the recipient still has of what it was given. What has expired is not asked for again; what is spent is owed,
/// refused or borne, as the instrument's terms say. Tells how much was not found.
fn take_back(
    case: &mut Case<'_, '_>,
    (derived, give): (&mut Derived, &Give),
    posted: &Shared<Instrument>,
    undo: Amount,
) -> Result<Amount, Code> {
    let [part] = derived.parts.as_mut_slice() else {
        panic!("a gift goes to one party");
    };
    part.lot.undone = part.lot.undone.checked_add(undo).expect("bounded by what was given");
    let DerivedPart { to, lot } = *part;
    let issuer = posted.terms.issuer;
    let wallet = case.wallet(to);
    let mut found = kin(&wallet, lot.lot, Holding::Spendable, &posted.terms, undo);
    found.retain(|(lot, _)| lot.usable(case.now));
    let mut missing = undo;
    for (lot, amount) in found {
        missing = missing.checked_sub(amount).expect("no more is found than is asked for");
        case.debit(to, lot, Holding::Spendable, amount);
        case.burn(issuer, lot, amount, Went::Corrected)?;
    }
    if !missing.is_zero() && lot.lot.usable(case.now) {
        match posted.terms.shortfall {
            Shortfall::Refuse => return Err(Code::InsufficientFunds),
            Shortfall::Receivable => case.owe(to, give.instrument, missing)?,
            Shortfall::IssuerBears => {}
        }
    }
    if give.funder != issuer {
        case.settle(give.funder, derived.rule.instrument, undo);
    }
    Ok(missing)
}

/// Returns what was shared to its giver, out of each leg's wallet. What a leg has no more of is restored and owed by it.
fn call_in(
    case: &mut Case<'_, '_>,
    (derived, share): (&mut Derived, &Share),
    (giver, instrument): (PartyId, &Shared<Instrument>),
    undo: Amount,
) -> Result<Amount, Code> {
    let open = |leg: &crate::rule::split::Leg| {
        let of_it = derived.parts.iter().filter(|part| part.to == leg.to);
        Amount(of_it.map(|part| part.open().0).sum())
    };
    let has: Vec<Amount> = share.split.legs.iter().map(open).collect();
    let keep = Amount(has.iter().map(|part| part.0).sum::<u64>() - undo.0);
    let back = share.split.back(&has, keep, instrument.terms.step);
    let mut short = Amount::ZERO;
    for (leg, back) in share.split.legs.iter().zip(back) {
        let mut left = back;
        for part in derived.parts.iter_mut().rev().filter(|part| part.to == leg.to) {
            let amount = left.min(part.open());
            if amount.is_zero() {
                continue;
            }
            left = left.checked_sub(amount).expect("a part is never more than what is left");
            part.lot.undone = part.lot.undone.checked_add(amount).expect("bounded");
            let missing = return_part(case, part, (giver, instrument), amount)?;
            short = short.checked_add(missing).expect("bounded by what is undone");
        }
    }
    Ok(short)
}

fn return_part(
    case: &mut Case<'_, '_>,
    part: &DerivedPart,
    (giver, instrument): (PartyId, &Shared<Instrument>),
    amount: Amount,
) -> Result<Amount, Code> {
    let (terms, lot) = (&instrument.terms, part.lot.lot);
    let there = holding(terms.on_accept == OnAccept::Claim);
    let wallet = case.wallet(part.to);
    let mut found: Vec<(Lot, Amount)> = match part.to == terms.issuer {
        true => Vec::new(),
        false => kin(&wallet, lot, there, terms, amount),
    };
    keep_redeemable(&mut found, (there, terms), case.now);
    let mut missing = amount;
    for (other, amount) in found {
        missing = missing.checked_sub(amount).expect("no more is found than is asked for");
        case.debit(part.to, other, there, amount);
        case.renew(terms.issuer, other, lot, amount)?;
    }
    if !missing.is_zero() {
        case.issue(terms.issuer, lot, missing, Came::Restored)?;
        if part.to != terms.issuer {
            case.owe(part.to, lot.instrument, missing)?;
        }
    }
    if part.lot.claim {
        case.credit_since(giver, lot, Holding::Claim, amount, part.lot.since)?;
    } else {
        restore(case, giver, &part.lot, instrument, amount)?;
    }
    let owes = part.to != terms.issuer;
    Ok(if owes { missing } else { Amount::ZERO })
}
