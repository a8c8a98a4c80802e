//! Rules: who puts and ends them. What they do is in [`fire`] and [`post`], how it is undone in [`unwind`].

mod fire;
mod post;
mod unwind;
mod uses;

pub(super) use fire::{Event, fire, watched};
pub(super) use unwind::unwind;

use super::{case::Case, consent::Consents, grantor};
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, RuleId},
    instrument::Instrument,
    keys::PublicKey,
    operation::{EndRule, PutRule},
    party::{Party, PartyKind},
    rule::{Give, Post, Recipient, Rule, RuleTerms, split::Split},
    state::{RowKey, Shared},
};

/// Two officers of the issuer whose instrument is watched, two of the issuer of what is given, and who funds it.
pub(super) fn put(case: &mut Case<'_, '_>, op: &PutRule) -> Result<(), Code> {
    let terms = &op.terms;
    if !terms.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let watched = case.instrument(op.id.instrument)?;
    if let Some(tier) = terms.when.tier {
        case.instrument(tier.instrument)?;
    }
    let given = match &terms.post {
        Post::Give(give) => Some((give, case.instrument(give.instrument)?)),
        _ => None,
    };
    let issuer = watched.terms.issuer;
    check_named(case, terms)?;
    let mut granted_by = grantor::officers(case, issuer, 2)?;
    if let Some((give, posted)) = &given {
        if posted.terms.issuer != issuer {
            granted_by.extend(grantor::officers(case, posted.terms.issuer, 2)?);
        }
        if ![issuer, posted.terms.issuer].contains(&give.funder) {
            granted_by.extend(funder_consents(case, give.funder, terms)?);
        }
        check_funded(terms, give, &watched, posted)?;
    }
    if terms.when.until.is_some_and(|until| until <= case.now) {
        return Err(Code::DeadlineInvalid);
    }
    if case.state.rule(op.id).is_some() {
        return Err(Code::RuleExists);
    }
    let rule = Rule { terms: terms.clone(), granted_by, ended: None };
    keep(case, op.id, watched, rule)
}

/// Everybody whom a rule names is there. Persons get rewards, and nothing else by name.
fn check_named(case: &Case<'_, '_>, terms: &RuleTerms) -> Result<(), Code> {
    let organised = |id: PartyId| match case.active_party(id)?.kind {
        PartyKind::Person => Err(Code::WrongKind),
        _ => Ok(()),
    };
    let legs = |split: &Split| split.legs.iter().try_for_each(|leg| organised(leg.to));
    match &terms.post {
        Post::Give(give) => {
            organised(give.funder)?;
            match give.to {
                Recipient::Party(to) => case.active_party(to).map(drop),
                Recipient::Payer | Recipient::Payee => Ok(()),
            }
        }
        Post::Share(share) => legs(&share.split),
        Post::Fee(split) => legs(split),
    }
}

/// Who funds what another issues consents as to a payment of all that it may cost; a group must say how much that is.
fn funder_consents(
    case: &Case<'_, '_>,
    id: PartyId,
    terms: &RuleTerms,
) -> Result<Vec<PublicKey>, Code> {
    let budget = terms.budget();
    if case.active_party(id)?.kind == PartyKind::Group && budget.is_none() {
        return Err(Code::NotWellFormed);
    }
    grantor::funder(case, id, budget.unwrap_or(Amount::ZERO))
}

/// What somebody else funds is owed to the issuer of both instruments, unit for unit. Fractions are carried of what comes in
/// single units.
fn check_funded(
    terms: &RuleTerms,
    give: &Give,
    watched: &Instrument,
    posted: &Instrument,
) -> Result<(), Code> {
    if terms.formula.carries() && posted.terms.step != Amount(1) {
        return Err(Code::NotWellFormed);
    }
    let alike =
        watched.terms.issuer == posted.terms.issuer && watched.terms.pays_with(&posted.terms);
    if give.funder != posted.terms.issuer && !alike {
        return Err(Code::TenderMismatch);
    }
    Ok(())
}

/// Two officers of the issuer, or who funds it and is not the issuer.
pub(super) fn end(case: &mut Case<'_, '_>, op: &EndRule) -> Result<(), Code> {
    let rule = case.state.rule(op.id).ok_or(Code::UnknownRule)?;
    let watched = case.instrument(op.id.instrument)?;
    if !funder_ends(case, &rule, watched.terms.issuer) {
        grantor::officers(case, watched.terms.issuer, 2)?;
    }
    let end = [rule.ended, rule.terms.when.until].into_iter().flatten().min();
    if op.at < case.now || end.is_some_and(|end| end <= op.at) {
        return Err(Code::DeadlineInvalid);
    }
    let rule = Rule { ended: Some(op.at), ..(*rule).clone() };
    keep(case, op.id, watched, rule)
}

fn funder_ends(case: &Case<'_, '_>, rule: &Rule, issuer: PartyId) -> bool {
    let Post::Give(Give { funder, .. }) = rule.terms.post else {
        return false;
    };
    let signs = |party: &Party| {
        let consents = Consents::live(case);
        consents.debit(case.scene(), (funder, party), Amount::ZERO, None, None).is_ok()
    };
    funder != issuer && case.active_party(funder).is_ok_and(|party| signs(&party))
}

/// Writes a rule, its book, and whether the instrument has one.
fn keep(
    case: &mut Case<'_, '_>,
    id: RuleId,
    mut watched: Shared<Instrument>,
    rule: Rule,
) -> Result<(), Code> {
    let trigger = rule.terms.on;
    let book = case.state.rule_book(id.instrument, trigger);
    let mut book = book.map(|book| (*book).clone()).unwrap_or_default();
    if !book.put(id.number, rule.clone(), case.now) {
        return Err(Code::RuleExists);
    }
    let triggers = match book.rules.is_empty() {
        true => watched.triggers & !trigger.bit(),
        false => watched.triggers | trigger.bit(),
    };
    if triggers != watched.triggers {
        watched.triggers = triggers;
        case.state.put_instrument(id.instrument, watched);
    }
    case.state.put_rule(id, rule);
    if book.rules.is_empty() {
        case.state.remove(RowKey::RuleBook(id.instrument, trigger));
    } else {
        case.state.put_rule_book(id.instrument, trigger, book);
    }
    Ok(())
}
