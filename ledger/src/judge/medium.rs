//! Media: revocable identifiers for holders without a phone, with attested, bounded consent.

use super::{
    case::{Case, owner_of},
    consent::Consents,
    mandate,
};
use crate::{
    code::Code,
    id::MediumId,
    keys::PublicKey,
    mandate::{Direction, MandateTerms},
    operation::EnrolMedium,
    party::{KeyStatus, Party, PartyKind},
    state::{Medium, derived_id},
    transaction::Side,
};

/// The holder's own registrar attests: one officer for what is received, two persons where money can be
/// paid. A holder who has keys signs too: the consent is then theirs and not marked attested.
pub(super) fn enrol(case: &mut Case<'_, '_>, op: &EnrolMedium) -> Result<(), Code> {
    well_formed(op)?;
    let party = case.active_party(op.party)?;
    let registrar = case.active_of_kind(op.registrar, PartyKind::Registrar)?;
    let consents = Consents::live(case);
    let persons = if op.debit.is_some() { 2 } else { 1 };
    consents.officers(Side::Authority, (op.registrar, &registrar), persons)?;
    if !matches!(party.kind, PartyKind::Person) {
        return Err(Code::WrongKind);
    }
    if op.registrar != party.registrar {
        return Err(Code::WrongRegistrar);
    }
    let holder: Vec<PublicKey> = if keyless(case, &party) {
        consents.holder(Side::Authority, op.party).into_iter().collect()
    } else {
        vec![consents.holder(Side::Authority, op.party)?]
    };
    if case.state.medium(op.medium).is_some() {
        return Err(Code::MediumExists);
    }
    let mut mandates = Vec::new();
    for (index, terms) in [(0, &op.debit), (1, &op.credit)] {
        let Some(terms) = terms else { continue };
        for instrument in &terms.instruments {
            case.instrument(*instrument)?;
        }
        let id = derived_id(&case.id, index);
        let granted =
            mandate::fresh(case, op.party, terms.clone(), Some(op.medium), holder.clone());
        case.state.put_mandate(id, granted);
        mandates.push(id);
    }
    let medium = Medium { party: op.party, registrar: op.registrar, mandates, revoked: None };
    case.state.put_medium(op.medium, medium);
    Ok(())
}

/// Whether officers may attest in the holder's place: no key of theirs signs or waits to, and none has
/// ended so lately that a recovery begun at that moment would still wait. So officers who end a key and
/// then attest gain nothing over a recovery.
fn keyless(case: &Case<'_, '_>, party: &Party) -> bool {
    party.keys.iter().all(|key| {
        let record = case.state.key(*key).expect("a party's key is registered");
        let ended = !matches!(record.status, KeyStatus::Active | KeyStatus::Waiting);
        let settled = record.since.plus(case.parameters.recovery_delay_ms) <= case.now;
        owner_of(case.state, *key, case.now).is_err() && ended && settled
    })
}

fn well_formed(op: &EnrolMedium) -> Result<(), Code> {
    let is = |terms: &Option<MandateTerms>, direction| {
        terms.as_ref().is_none_or(|t| t.direction == direction && t.well_formed())
    };
    // What a printed code can pay must be capped in all and in time: it can be photographed.
    let capped = op.debit.as_ref().is_none_or(|t| t.until.is_some() && t.per_day.is_some());
    let some = op.debit.is_some() || op.credit.is_some();
    if some && is(&op.debit, Direction::Debit) && is(&op.credit, Direction::Credit) && capped {
        Ok(())
    } else {
        Err(Code::NotWellFormed)
    }
}

/// The holder, or one officer of the registrar that enrolled it.
pub(super) fn revoke(case: &mut Case<'_, '_>, id: MediumId) -> Result<(), Code> {
    let mut medium = case.state.medium(id).ok_or(Code::UnknownMedium)?;
    let registrar = case.party(medium.registrar)?;
    let consents = Consents::live(case);
    if let Err(lack) = consents.holder(Side::Authority, medium.party) {
        let by = consents.officers(Side::Authority, (medium.registrar, &registrar), 1);
        by.map_err(|code| if code == Code::MissingConsent { lack } else { code })?;
    }
    if medium.revoked.is_some() {
        return Err(Code::MediumNotActive);
    }
    medium.revoked = Some(case.now);
    case.state.put_medium(id, medium);
    Ok(())
}
