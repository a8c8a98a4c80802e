//! Allowances: how much an issuer's automated key may issue.

use super::{
    case::{Case, owner_of},
    consent::Consents,
};
use crate::{
    amount::Amount,
    code::Code,
    id::{PartyId, TxId},
    operation::GrantAllowance,
    state::{Allowance, Shared},
    time::Day,
    transaction::{Role, Side},
};

pub(super) fn grant(case: &mut Case<'_, '_>, op: &GrantAllowance) -> Result<(), Code> {
    let bounded = [op.total, op.per_wallet, op.per_day].iter().all(|cap| !cap.is_zero());
    if !bounded {
        return Err(Code::NotWellFormed);
    }
    let instrument = case.instrument(op.instrument)?;
    let issuer = instrument.terms.issuer;
    case.active_party(issuer)?;
    let consents = Consents::live(case);
    let granted_by = two_organisations(case, &consents, issuer)?;
    if owner_of(case.state, op.key, case.now) != Ok(issuer) {
        return Err(Code::WrongKind);
    }
    if op.end <= case.now {
        return Err(Code::DeadlineInvalid);
    }
    let allowance = Allowance {
        instrument: op.instrument,
        issuer,
        key: op.key,
        total: op.total,
        per_wallet: op.per_wallet,
        per_day: op.per_day,
        end: op.end,
        granted_by,
        revoked: None,
        used: Amount::ZERO,
        day: Day::default(),
        used_today: Amount::ZERO,
    };
    case.state.put_allowance(case.id, allowance);
    Ok(())
}

/// An officer of the issuer and one of another organisation, two persons. Returns their keys.
pub(super) fn two_organisations(
    case: &Case<'_, '_>,
    consents: &Consents,
    issuer: PartyId,
) -> Result<Vec<crate::keys::PublicKey>, Code> {
    let mut officers = Vec::new();
    for consent in consents.all() {
        if consent.side != Side::Authority || consent.role != Role::Officer {
            continue;
        }
        // Whoever attached a signature chose its party: that must not become a verdict (INV-5).
        let party = case.active_party(consent.party);
        let party = party.map_err(|_| Code::RoleMissing)?;
        if party.officers.binary_search(&consent.signer).is_err() {
            return Err(Code::RoleMissing);
        }
        let organisation = party.organisation.unwrap_or(consent.party);
        officers.push((consent.party, consent.signer, organisation, consent.key));
    }
    let mut lack = consents.lack(Side::Authority, Role::Officer, issuer);
    for own in officers.iter().filter(|officer| officer.0 == issuer) {
        let others = || officers.iter().filter(|officer| officer.2 != own.2);
        if let Some(other) = others().find(|other| other.1 != own.1) {
            return Ok(vec![own.3, other.3]);
        }
        lack =
            if others().next().is_some() { Code::SamePerson } else { Code::OrganisationsMissing };
    }
    Err(lack)
}

/// One officer of the issuer ends it at once.
pub(super) fn revoke(case: &mut Case<'_, '_>, id: TxId) -> Result<(), Code> {
    let mut allowance = case.state.allowance(id).ok_or(Code::UnknownAllowance)?;
    let issuer = case.party(allowance.issuer)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (allowance.issuer, &issuer), 1)?;
    if allowance.revoked.is_some() {
        return Err(Code::AllowanceNotActive);
    }
    allowance.revoked = Some(case.now);
    case.state.put_allowance(id, allowance);
    Ok(())
}

/// Counts an issue against its allowance.
pub(super) fn use_up(
    case: &mut Case<'_, '_>,
    id: TxId,
    mut allowance: Shared<Allowance>,
    wallet: PartyId,
    amount: Amount,
) -> Result<(), Code> {
    let compromised = case.any_compromised(&allowance.granted_by);
    if allowance.revoked.is_some() || allowance.end <= case.now || compromised {
        return Err(Code::AllowanceNotActive);
    }
    let today = case.now.day();
    if allowance.day != today {
        allowance.day = today;
        allowance.used_today = Amount::ZERO;
    }
    let grow = |used: Amount| used.checked_add(amount).ok_or(Code::AmountOverflow);
    allowance.used = grow(allowance.used)?;
    allowance.used_today = grow(allowance.used_today)?;
    let into_wallet = grow(case.state.allowance_use(id, wallet).unwrap_or_default())?;
    let over = allowance.used > allowance.total
        || allowance.used_today > allowance.per_day
        || into_wallet > allowance.per_wallet;
    if over {
        return Err(Code::OverAllowance);
    }
    case.state.put_allowance_use(id, wallet, into_wallet);
    case.state.put_allowance(id, allowance);
    Ok(())
}
