//! Registering parties, attesting attributes, naming officers.

use super::{case::Case, consent::Consents};
use crate::{
    code::Code,
    id::PartyId,
    keys::PublicKey,
    limits,
    operation::{Attest, RegisterParty, SetOfficers},
    party::{Attribute, KeyRecord, KeyStatus, Party, PartyKind, PartyStatus},
    transaction::Side,
};

pub(super) fn register(case: &mut Case<'_, '_>, op: &RegisterParty) -> Result<(), Code> {
    well_formed(op)?;
    let registrar = case.active_of_kind(op.registrar, PartyKind::Registrar)?;
    let consents = Consents::live(case);
    if official(op.kind) {
        consents.governance(case.scene())?;
        let organisation = op.organisation.ok_or(Code::NotWellFormed)?;
        case.active_of_kind(organisation, PartyKind::Operator)?;
    } else {
        consents.officers(Side::Authority, (op.registrar, &registrar), 1)?;
    }
    for key in &op.keys {
        Consents::new_key(case, op.party, *key)?;
    }
    if case.state.party(op.party).is_some() {
        return Err(Code::PartyExists);
    }
    if let Some(tag) = op.tag {
        if case.state.person(tag).is_some() {
            return Err(Code::PersonExists);
        }
        case.state.put_person(tag, op.party);
    }
    let party = Party {
        kind: op.kind,
        status: PartyStatus::Active,
        tag: op.tag,
        registrar: op.registrar,
        organisation: op.organisation,
        keys: Vec::new(),
        officers: Vec::new(),
        attributes: op.attributes.clone(),
        recovery: None,
        freeze_evidence: None,
        opened: case.now,
    };
    case.state.put_party(op.party, party);
    for key in &op.keys {
        add_key(case, op.party, *key, KeyStatus::Active)?;
    }
    case.open_wallet(op.party);
    Ok(())
}

/// Kinds that only the organisations together may add.
fn official(kind: PartyKind) -> bool {
    matches!(kind, PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator)
}

fn well_formed(op: &RegisterParty) -> Result<(), Code> {
    let keys_ok = op.keys.len() <= limits::KEYS_PER_REGISTRATION_MAX
        && (op.kind == PartyKind::Person || !op.keys.is_empty());
    let person = op.kind == PartyKind::Person;
    // Organisations are fixed at genesis for now; groups come with their own operation.
    let kind_ok = !matches!(op.kind, PartyKind::Group | PartyKind::Operator);
    let organisation_ok = op.organisation.is_some() == official(op.kind);
    let attributes_ok = attributes_well_formed(&op.attributes);
    if keys_ok && person == op.tag.is_some() && kind_ok && organisation_ok && attributes_ok {
        Ok(())
    } else {
        Err(Code::NotWellFormed)
    }
}

fn attributes_well_formed(attributes: &[Attribute]) -> bool {
    attributes.len() <= limits::ATTRIBUTES_MAX
        && attributes.iter().all(Attribute::well_formed)
        && attributes.windows(2).all(|pair| pair[0].name < pair[1].name)
}

/// Registers a key for ever: a key is never shared and never comes back.
pub(super) fn add_key(
    case: &mut Case<'_, '_>,
    id: PartyId,
    key: PublicKey,
    status: KeyStatus,
) -> Result<(), Code> {
    if !case.is_fit(&key) {
        return Err(Code::WeakKey);
    }
    if case.state.key(key).is_some() {
        return Err(Code::KeyExists);
    }
    let mut party = case.party(id)?;
    if party.keys.len() == limits::KEYS_PER_PARTY_MAX {
        let oldest = ended_first(case, &party).ok_or(Code::TooManyKeys)?;
        party.keys.remove(oldest);
    }
    party.keys.push(key);
    case.state.put_party(id, party);
    case.state.put_key(key, KeyRecord { party: id, status, since: case.now });
    Ok(())
}

/// The position of the key that ended first. Its own row stays: the key is the party's for ever.
fn ended_first(case: &Case<'_, '_>, party: &Party) -> Option<usize> {
    let records = party.keys.iter().enumerate().map(|(at, key)| {
        let record = case.state.key(*key).expect("a party's key is registered");
        (record.since, at, record.status)
    });
    let ended = records.filter(|r| !matches!(r.2, KeyStatus::Active | KeyStatus::Waiting));
    ended.min_by_key(|(since, at, _)| (*since, *at)).map(|(_, at, _)| at)
}

pub(super) fn attest(case: &mut Case<'_, '_>, op: &Attest) -> Result<(), Code> {
    if op.attributes.is_empty() || !attributes_well_formed(&op.attributes) {
        return Err(Code::NotWellFormed);
    }
    let mut party = case.party(op.party)?;
    let registrar = case.active_of_kind(op.registrar, PartyKind::Registrar)?;
    let consents = Consents::live(case);
    consents.officers(Side::Authority, (op.registrar, &registrar), 1)?;
    for attribute in &op.attributes {
        match party.attributes.binary_search_by(|a| a.name.cmp(&attribute.name)) {
            Ok(at) => party.attributes[at] = attribute.clone(),
            Err(at) => party.attributes.insert(at, attribute.clone()),
        }
    }
    if party.attributes.len() > limits::ATTRIBUTES_MAX {
        return Err(Code::NotWellFormed);
    }
    case.state.put_party(op.party, party);
    Ok(())
}

/// Two present officers, or the organisations together, name the officers anew.
pub(super) fn set_officers(case: &mut Case<'_, '_>, op: &SetOfficers) -> Result<(), Code> {
    let count_ok = (2..=limits::OFFICERS_MAX).contains(&op.officers.len());
    if !count_ok || !op.officers.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(Code::NotWellFormed);
    }
    let mut party = case.active_party(op.party)?;
    if !official(party.kind) {
        return Err(Code::WrongKind);
    }
    for officer in &op.officers {
        case.active_of_kind(*officer, PartyKind::Person)?;
    }
    let consents = Consents::live(case);
    if let Err(code) = consents.governance(case.scene()) {
        let by_officers = consents.officers(Side::Authority, (op.party, &party), 2);
        by_officers.map_err(|lack| if code == Code::MissingConsent { lack } else { code })?;
    }
    party.officers.clone_from(&op.officers);
    case.state.put_party(op.party, party);
    Ok(())
}
