//! Posting what rules give. What cannot be posted is not given: a reward never stops a payment.

use super::fire::{Due, Event};
use crate::{
    amount::Amount,
    code::Code,
    id::PartyId,
    instrument::{Came, Instrument, OnAccept, Went},
    judge::{
        case::{Case, fits},
        gift,
        refund::kin,
    },
    lot::Lot,
    rule::{Give, Giver, Post, Recipient, Share},
    spend,
    state::{Derived, DerivedPart, SettledLot},
    time::Time,
    wallet::Holding,
};

/// The step of what is posted: everything is given in whole steps.
pub(super) fn step(case: &Case<'_, '_>, due: &Due) -> Result<Amount, Code> {
    let instrument = match &due.terms().post {
        Post::Give(give) => give.instrument,
        Post::Share(_) | Post::Fee(_) => due.id.instrument,
    };
    Ok(case.instrument(instrument)?.terms.step)
}

/// What a rule may post at most, caps apart: of what a payee received in the instrument, all its shares together.
pub(super) fn shareable(
    case: &Case<'_, '_>,
    event: &Event<'_>,
    due: &Due,
    before: &[Derived],
) -> Amount {
    let id = due.id.instrument;
    let from_payee = |post: &Post| matches!(post, Post::Share(share) if share.from == Giver::Payee);
    if !from_payee(&due.terms().post) {
        return Amount(u64::MAX);
    }
    let alike = |derived: &&Derived| {
        let rule = case.state.rule(derived.rule).expect("rules are kept for ever");
        derived.rule.instrument == id && from_payee(&rule.terms.post)
    };
    let shared: u64 = before.iter().filter(alike).map(|derived| derived.given.0).sum();
    let of_it = event.lots.iter().filter(|part| part.lot.instrument == id);
    let received: u64 = of_it.map(|part| part.amount.0).sum();
    Amount(received.checked_sub(shared).expect("no more is shared than was received"))
}

/// Posts so much, or nothing at all.
pub(super) fn post(
    case: &mut Case<'_, '_>,
    event: &Event<'_>,
    due: &Due,
    amount: Amount,
) -> Result<Option<Vec<DerivedPart>>, Code> {
    match &due.terms().post {
        Post::Give(give) => new_value(case, event, (due, give), amount),
        Post::Share(rule) => share(case, event, (due, rule), amount),
        Post::Fee(_) => Ok(None),
    }
}

fn part(to: PartyId, lot: Lot, amount: Amount, claim: bool, since: Time) -> DerivedPart {
    let lot = SettledLot { lot, amount, undone: Amount::ZERO, claim, since, renewed: None };
    DerivedPart { to, lot }
}

/// Issues to the recipient. What it owes of the instrument is netted at once; a funder who is not the issuer owes as much.
fn new_value(
    case: &mut Case<'_, '_>,
    event: &Event<'_>,
    (due, give): (&Due, &Give),
    amount: Amount,
) -> Result<Option<Vec<DerivedPart>>, Code> {
    let to = match give.to {
        Recipient::Payer => event.payer,
        Recipient::Payee => event.payee,
        Recipient::Party(party) => party,
    };
    let instrument = case.instrument(give.instrument)?;
    let issuer = instrument.terms.issuer;
    let lot = Lot {
        instrument: give.instrument,
        use_expiry: instrument.terms.expiry_of_issue(case.now),
        origin: give.origin,
        funder: give.funder,
        campaign: give.campaign,
    };
    let watched = due.id.instrument;
    let funded = give.funder != issuer;
    let payable = !funded || case.may_owe(give.funder, watched, amount);
    let into = (Holding::Spendable, amount);
    if !payable || gift::check(case, to, (lot, &instrument), into).is_err() {
        return Ok(None);
    }
    let owed = case.state.receivable(to, give.instrument).unwrap_or_default();
    let netted = owed.min(amount);
    let rest = amount.checked_sub(netted).expect("no more is netted than is given");
    case.issue(issuer, lot, amount, Came::Issued)?;
    if !netted.is_zero() {
        case.burn(issuer, lot, netted, Went::Corrected)?;
        case.settle(to, give.instrument, netted);
    }
    if !rest.is_zero() {
        case.credit(to, lot, Holding::Spendable, rest)?;
    }
    if funded {
        case.owe(give.funder, watched, amount)?;
    }
    Ok(Some(vec![part(to, lot, amount, false, case.now)]))
}

/// What somebody has that can be shared: lots, how much of each, since when.
type Source = Vec<(Lot, Amount, Time)>;

/// Moves part of what the payee received, or more of the payer's, on to the legs: as a merchant would accept it. The
/// issuer's leg is burnt.
fn share(
    case: &mut Case<'_, '_>,
    event: &Event<'_>,
    (due, rule): (&Due, &Share),
    amount: Amount,
) -> Result<Option<Vec<DerivedPart>>, Code> {
    let instrument = case.instrument(due.id.instrument)?;
    let Some((giver, claimed, source)) = source(case, event, (due, rule), &instrument, amount)
    else {
        return Ok(None);
    };
    let claim = instrument.terms.on_accept == OnAccept::Claim;
    let (from, into) = (holding(claimed), holding(claim));
    let fit = |leg: &crate::rule::split::Leg| {
        let mut wallet = case.wallet(leg.to);
        let all = source.iter().all(|(lot, part, since)| {
            wallet.add(*lot, into, *part, *since).is_some() && fits(&wallet, lot.instrument)
        });
        all && gift::receiving(case, leg.to).is_ok()
    };
    if !rule.split.legs.iter().all(fit) {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut source = source.into_iter().rev().collect::<Source>();
    for (leg, amount) in rule.split.legs.iter().zip(rule.split.parts(amount, instrument.terms.step))
    {
        for (lot, amount, since) in draw(&mut source, amount) {
            case.debit(giver, lot, from, amount);
            if leg.to == instrument.terms.issuer {
                case.burn(leg.to, lot, amount, Went::Redeemed)?;
            } else {
                case.credit_since(leg.to, lot, into, amount, case.now)?;
            }
            parts.push(part(leg.to, lot, amount, claimed, since));
        }
    }
    Ok(Some(parts))
}

pub(super) fn holding(claim: bool) -> Holding {
    if claim { Holding::Claim } else { Holding::Spendable }
}

/// Who gives a share, whether out of claims, and which lots; none if it has not enough.
fn source(
    case: &Case<'_, '_>,
    event: &Event<'_>,
    (due, rule): (&Due, &Share),
    instrument: &Instrument,
    amount: Amount,
) -> Option<(PartyId, bool, Source)> {
    let id = due.id.instrument;
    if rule.from == Giver::Payer {
        let wallet = case.wallet(event.payer);
        let named = [(id, instrument)];
        let parts =
            event.live.then(|| spend::choose(&wallet, &named, amount, case.now)).flatten()?;
        let source = parts.iter().map(|part| (part.lot, part.amount, part.since)).collect();
        return Some((event.payer, false, source));
    }
    let terms = due.terms();
    let sees = |part: &&SettledLot| part.lot.instrument == id && terms.when.sees(&part.lot);
    let mut wallet = case.wallet(event.payee);
    let (mut left, mut claimed, mut source) = (amount, false, Source::new());
    for moved in event.lots.iter().filter(sees) {
        claimed = moved.claim;
        let most = left.min(moved.amount);
        let there = holding(moved.claim);
        for (lot, part) in kin(&wallet, moved.received(), there, &instrument.terms, most) {
            wallet.take(lot, there, part)?;
            left = left.checked_sub(part)?;
            source.push((lot, part, moved.since));
        }
    }
    left.is_zero().then_some((event.payee, claimed, source))
}

/// Takes so much off the end.
fn draw(source: &mut Source, amount: Amount) -> Source {
    let (mut left, mut drawn) = (amount.0, Source::new());
    while left > 0 {
        let (lot, there, since) = source.pop().expect("the legs sum to the source");
        let part = left.min(there.0);
        left -= part;
        drawn.push((lot, Amount(part), since));
        if part < there.0 {
            source.push((lot, Amount(there.0 - part), since));
        }
    }
    drawn
}
