//! Mandates: granting, revoking, and using them up.

use super::{case::Case, consent::Consents, way::Tender};
use crate::{
    amount::Amount,
    code::Code,
    id::{MediumId, PartyId, TxId},
    keys::PublicKey,
    mandate::{Counterparty, Direction, Mandate, MandateTerms},
    operation::GrantMandate,
    outcome::Form,
    party::PartyKind,
    time::Day,
    transaction::{Purpose, Role, Side},
};

/// One use of a mandate.
pub(super) struct Use<'u> {
    pub(super) direction: Direction,
    pub(super) grantor: PartyId,
    pub(super) counterparty: PartyId,
    pub(super) tender: Tender<'u>,
    pub(super) purpose: Purpose,
    pub(super) medium: Option<MediumId>,
}

pub(super) fn grant(case: &mut Case<'_, '_>, op: &GrantMandate) -> Result<(), Code> {
    if !op.terms.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let grantor = case.active_party(op.grantor)?;
    let group_gives = grantor.kind == PartyKind::Group && op.terms.direction == Direction::Debit;
    let cap = match (group_gives, op.terms.total, op.terms.until) {
        (true, Some(total), Some(_)) => total,
        (true, ..) => return Err(Code::NotWellFormed),
        (false, total, _) => total.unwrap_or_default(),
    };
    let consents = Consents::live(case);
    let side = match op.terms.direction {
        Direction::Debit => {
            let payee = match op.terms.counterparty {
                Counterparty::Party(party) => Some(party),
                _ => None,
            };
            // An event budget needs the consents of a payout of its whole cap (INV-4).
            consents.debit(case.scene(), (op.grantor, &grantor), cap, payee, None)?;
            Side::Debit
        }
        Direction::Credit => {
            consents.credit(case.scene(), (op.grantor, &grantor))?;
            Side::Credit
        }
    };
    for instrument in &op.terms.instruments {
        case.instrument(*instrument)?;
    }
    if group_gives {
        let group = case.group(op.grantor)?;
        case.check_can_pay(&group)?;
    }
    let keys = consents.keys_for(side, (op.grantor, &grantor))?;
    let mandate = fresh(case, op.grantor, op.terms.clone(), None, keys);
    case.state.put_mandate(case.id, mandate);
    Ok(())
}

/// A mandate nobody has used yet; without keys it is attested.
pub(super) fn fresh(
    case: &Case<'_, '_>,
    grantor: PartyId,
    terms: MandateTerms,
    medium: Option<MediumId>,
    granted_by: Vec<PublicKey>,
) -> Mandate {
    Mandate {
        grantor,
        terms,
        medium,
        attested: granted_by.is_empty(),
        granted_by,
        granted: case.now,
        revoked: None,
        used: Amount::ZERO,
        uses: 0,
        day: Day::default(),
        used_today: Amount::ZERO,
    }
}

pub(super) fn revoke(case: &mut Case<'_, '_>, id: TxId) -> Result<(), Code> {
    let mut mandate = case.state.mandate(id).ok_or(Code::UnknownMandate)?;
    let grantor = case.party(mandate.grantor)?;
    let consents = Consents::live(case);
    consents.speaks_for(case.scene(), Side::Authority, (mandate.grantor, &grantor))?;
    if mandate.revoked.is_some() {
        return Err(Code::MandateNotActive);
    }
    mandate.revoked = Some(case.now);
    case.state.put_mandate(id, mandate);
    Ok(())
}

/// A debit mandate that the payee does not take part in is used by its staff alone.
pub(super) fn check_staff(case: &Case<'_, '_>, id: TxId, consents: &Consents) -> Result<(), Code> {
    let mandate = case.state.mandate(id).ok_or(Code::UnknownMandate)?;
    if mandate.terms.staff.is_empty() {
        Err(Code::MissingConsent)
    } else {
        // That the payee is not the one who signs is checked when the mandate is used.
        staff_signs(&mandate, None, consents)
    }
}

/// One of the staff signs, who is not the one who is paid.
fn staff_signs(mandate: &Mandate, payee: Option<PartyId>, consents: &Consents) -> Result<(), Code> {
    let mut staff = consents.all().iter().filter(|c| {
        let own = c.side == Side::Debit && c.role == Role::Holder && c.party == c.signer;
        own && mandate.terms.staff.binary_search(&c.signer).is_ok()
    });
    match staff.next() {
        None => Err(Code::MissingConsent),
        Some(first) if Some(first.signer) != payee || staff.any(|c| Some(c.signer) != payee) => {
            Ok(())
        }
        Some(_) => Err(Code::SamePerson),
    }
}

/// Checks a use against a mandate's bounds and counts it.
pub(super) fn use_up(
    case: &mut Case<'_, '_>,
    id: TxId,
    usage: &Use<'_>,
    consents: &Consents,
) -> Result<Form, Code> {
    let mut mandate = case.state.mandate(id).ok_or(Code::UnknownMandate)?;
    check_active(case, &mandate)?;
    check_match(case, &mandate, usage)?;
    if usage.direction == Direction::Debit && !mandate.terms.staff.is_empty() {
        staff_signs(&mandate, Some(usage.counterparty), consents)?;
    }
    count(case, id, &mut mandate, usage)?;
    let form = if mandate.attested { Form::Attested } else { Form::Mandate };
    case.state.put_mandate(id, mandate);
    case.outcome.cites.push(id);
    Ok(form)
}

fn check_active(case: &Case<'_, '_>, mandate: &Mandate) -> Result<(), Code> {
    let begun = mandate.terms.from <= case.now;
    let over = mandate.terms.until.is_some_and(|end| end <= case.now);
    let compromised = case.any_compromised(&mandate.granted_by);
    let closing = case.state.group(mandate.grantor).and_then(|group| group.closing_since);
    let died = closing.is_some_and(|since| mandate.granted <= since);
    if mandate.revoked.is_some() || !begun || over || compromised || died {
        return Err(Code::MandateNotActive);
    }
    match mandate.medium.map(|id| case.state.medium(id)) {
        Some(Some(medium)) if !medium.active() => Err(Code::MediumNotActive),
        _ => Ok(()),
    }
}

fn check_match(case: &Case<'_, '_>, mandate: &Mandate, usage: &Use<'_>) -> Result<(), Code> {
    if let Some(medium) = usage.medium {
        case.state.medium(medium).ok_or(Code::UnknownMedium)?;
    }
    let terms = &mandate.terms;
    let counterparty = case.party(usage.counterparty)?;
    let right_counterparty = match &terms.counterparty {
        Counterparty::Any => true,
        Counterparty::Party(party) => *party == usage.counterparty,
        Counterparty::Kind(kind) => *kind == counterparty.kind,
        Counterparty::Attribute(kind, test) => {
            *kind == counterparty.kind && counterparty.meets(test, case.now)
        }
    };
    // Who consented to a group's budget is not paid by it (INV-4).
    let granted_it = |key: &PublicKey| {
        case.state.key(*key).is_some_and(|record| record.party == usage.counterparty)
    };
    let pays_its_grantor = case.state.group(mandate.grantor).is_some()
        && usage.direction == Direction::Debit
        && mandate.granted_by.iter().any(granted_it);
    let covered = |id| terms.instruments.binary_search(&id).is_ok();
    // A medium's debit mandate works through that medium alone; its credit mandate needs no showing.
    let medium_ok = mandate.medium == usage.medium
        || (usage.direction == Direction::Credit && usage.medium.is_none());
    let matches = mandate.grantor == usage.grantor
        && terms.direction == usage.direction
        && usage.tender.instruments().all(covered)
        && terms.purpose.is_none_or(|purpose| purpose == usage.purpose)
        && right_counterparty
        && !pays_its_grantor
        && medium_ok;
    if matches { Ok(()) } else { Err(Code::MandateMismatch) }
}

fn count(
    case: &mut Case<'_, '_>,
    id: TxId,
    mandate: &mut Mandate,
    usage: &Use<'_>,
) -> Result<(), Code> {
    let amount = usage.tender.total()?;
    let today = case.now.day();
    if mandate.day != today {
        mandate.day = today;
        mandate.used_today = Amount::ZERO;
    }
    let grow = |used: Amount| used.checked_add(amount).ok_or(Code::AmountOverflow);
    mandate.used = grow(mandate.used)?;
    mandate.used_today = grow(mandate.used_today)?;
    mandate.uses = mandate.uses.checked_add(1).ok_or(Code::OverMandate)?;
    let terms = &mandate.terms;
    let over = |used: Amount, cap: Option<Amount>| cap.is_some_and(|cap| used > cap);
    let mut exceeded = amount > terms.per_use
        || over(mandate.used, terms.total)
        || over(mandate.used_today, terms.per_day)
        || terms.uses.is_some_and(|most| mandate.uses > most);
    // Counted per counterparty only where that is limited: a busy shop's mandate stays one row.
    if terms.per_counterparty.is_some() {
        let before = case.state.mandate_use(id, usage.counterparty).unwrap_or_default();
        let after = grow(before)?;
        exceeded |= over(after, terms.per_counterparty);
        case.state.put_mandate_use(id, usage.counterparty, after);
    }
    if exceeded { Err(Code::OverMandate) } else { Ok(()) }
}
