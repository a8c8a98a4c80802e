//! Keys of a party: adding, rotating, revoking, freezing, recovering.

use super::{case::Case, consent::Consents, party::add_key};
use crate::{
    code::Code,
    id::PartyId,
    keys::PublicKey,
    operation::{AddKey, Freeze, Recover, RevokeKey, RotateKey},
    party::{KeyRecord, KeyStatus, Party, PartyKind, PartyStatus, PendingRecovery},
    state::{DueKind, padded},
    transaction::Side,
};

pub(super) fn add(case: &mut Case<'_, '_>, op: &AddKey) -> Result<(), Code> {
    case.party(op.party)?;
    case.seat_recovery(op.party);
    let party = case.active_party(op.party)?;
    let consents = Consents::live(case);
    if party.kind == PartyKind::Group {
        // Its officers' keys are their own.
        return Err(Code::WrongKind);
    }
    if official(&party) {
        consents.governance(case.scene())?;
    } else {
        consents.holder(Side::Authority, op.party)?;
    }
    Consents::new_key(case, op.party, op.key)?;
    add_key(case, op.party, op.key, KeyStatus::Active)
}

/// Kinds about whose keys the organisations together decide: no single registrar stops them.
fn official(party: &Party) -> bool {
    matches!(party.kind, PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator)
}

pub(super) fn rotate(case: &mut Case<'_, '_>, op: &RotateKey) -> Result<(), Code> {
    case.party(op.party)?;
    case.seat_recovery(op.party);
    case.active_party(op.party)?;
    let consents = Consents::live(case);
    let old_signs = case.signers.iter().any(|s| s.key == op.old && s.owner == Ok(op.party));
    if !old_signs {
        return Err(consents
            .holder(Side::Authority, op.party)
            .err()
            .unwrap_or(Code::MissingConsent));
    }
    Consents::new_key(case, op.party, op.new)?;
    add_key(case, op.party, op.new, KeyStatus::Active)?;
    let record = KeyRecord { party: op.party, status: KeyStatus::Rotated, since: case.now };
    case.state.put_key(op.old, record);
    Ok(())
}

/// The holder by any key, or one registrar officer.
pub(super) fn revoke(case: &mut Case<'_, '_>, op: &RevokeKey) -> Result<(), Code> {
    case.party(op.party)?;
    case.seat_recovery(op.party);
    let party = case.party(op.party)?;
    holder_or_officers(case, op.party, &party, 1)?;
    let mut record = case.state.key(op.key).ok_or(Code::KeyUnknown)?;
    if record.party != op.party {
        return Err(Code::KeyUnknown);
    }
    let ended = matches!(record.status, KeyStatus::Rotated | KeyStatus::Revoked);
    let worsens = op.compromised && ended;
    if record.status != KeyStatus::Active && !worsens {
        return Err(Code::KeyNotActive);
    }
    let others = active_keys(case, &party).into_iter().filter(|key| *key != op.key).count();
    if others == 0 && !op.compromised {
        return Err(Code::LastKey);
    }
    record.status = if op.compromised { KeyStatus::Compromised } else { KeyStatus::Revoked };
    record.since = case.now;
    case.state.put_key(op.key, record);
    Ok(())
}

fn active_keys(case: &Case<'_, '_>, party: &Party) -> Vec<PublicKey> {
    let active = |key: &&PublicKey| {
        case.state.key(**key).is_some_and(|record| record.status == KeyStatus::Active)
    };
    party.keys.iter().filter(active).copied().collect()
}

/// The holder, one who acts for a group, or `count` officers of the party's registrar; for officials one
/// of their own officers, or the organisations together.
fn holder_or_officers(
    case: &Case<'_, '_>,
    id: PartyId,
    party: &Party,
    count: usize,
) -> Result<(), Code> {
    let consents = Consents::live(case);
    let own = match party.kind {
        PartyKind::Group => {
            let group = case.group(id)?;
            consents.group_member(case.scene(), Side::Authority, (id, &group)).map(drop)
        }
        _ => consents.holder(Side::Authority, id).map(drop),
    };
    own.or_else(|lack| {
        if official(party) {
            let officer = consents.officers(Side::Authority, (id, party), 1).map(drop);
            return officer.or_else(|_| consents.governance(case.scene())).map_err(|_| lack);
        }
        let registrar = case.party(party.registrar)?;
        let by = consents.officers(Side::Authority, (party.registrar, &registrar), count);
        by.map(drop).map_err(|code| if code == Code::MissingConsent { lack } else { code })
    })
}

/// At once: the holder, or one registrar officer.
pub(super) fn freeze(case: &mut Case<'_, '_>, op: &Freeze) -> Result<(), Code> {
    case.party(op.party)?;
    case.seat_recovery(op.party);
    let mut party = case.active_party(op.party)?;
    holder_or_officers(case, op.party, &party, 1)?;
    party.status = PartyStatus::Frozen;
    party.freeze_evidence = Some(op.evidence);
    case.state.put_party(op.party, party);
    Ok(())
}

/// Two registrar officers; for officials the organisations together.
pub(super) fn unfreeze(case: &mut Case<'_, '_>, id: PartyId) -> Result<(), Code> {
    case.party(id)?;
    case.seat_recovery(id);
    let mut party = case.party(id)?;
    registrar_officers(case, &party)?;
    if party.status != PartyStatus::Frozen {
        return Err(Code::NotFrozen);
    }
    if party.recovery.is_some() {
        return Err(Code::RecoveryPending);
    }
    party.status = PartyStatus::Active;
    party.freeze_evidence = None;
    case.state.put_party(id, party);
    Ok(())
}

fn registrar_officers(case: &Case<'_, '_>, party: &Party) -> Result<(), Code> {
    let consents = Consents::live(case);
    if official(party) {
        return consents.governance(case.scene());
    }
    let registrar = case.active_party(party.registrar)?;
    consents.officers(Side::Authority, (party.registrar, &registrar), 2).map(drop)
}

/// Two registrar officers (for officials: the organisations together) and the new key; effective after
/// the chain's delay, so that whoever still holds an old key can stop it.
pub(super) fn recover(case: &mut Case<'_, '_>, op: &Recover) -> Result<(), Code> {
    case.party(op.party)?;
    case.seat_recovery(op.party);
    let party = case.party(op.party)?;
    match party.kind {
        PartyKind::Group => return Err(Code::WrongKind),
        _ if party.status == PartyStatus::Closed => return Err(Code::PartyClosed),
        _ => registrar_officers(case, &party)?,
    }
    Consents::new_key(case, op.party, op.key)?;
    if party.recovery.is_some() {
        return Err(Code::RecoveryPending);
    }
    add_key(case, op.party, op.key, KeyStatus::Waiting)?;
    let effective = case.now.plus(case.parameters.recovery_delay_ms);
    let mut party = case.party(op.party)?;
    party.recovery = Some(PendingRecovery { key: op.key, effective });
    // The freeze that it finds is over with it; see `case::lifts_freeze`.
    party.freeze_evidence = None;
    case.state.put_party(op.party, party);
    case.due_at(effective, DueKind::Recovery, padded(&op.party.0));
    Ok(())
}

/// Any old key of the party, even while it is frozen, or two registrar officers.
pub(super) fn cancel_recovery(case: &mut Case<'_, '_>, id: PartyId) -> Result<(), Code> {
    case.party(id)?;
    case.seat_recovery(id);
    let mut party = case.party(id)?;
    let old_key_signs = case.signers.iter().any(|signer| {
        let record = case.state.key(signer.key);
        record.is_some_and(|r| r.party == id && r.status == KeyStatus::Active)
    });
    if !old_key_signs {
        registrar_officers(case, &party)?;
    }
    let pending = party.recovery.filter(|recovery| recovery.effective > case.now);
    let recovery = pending.ok_or(Code::NoRecovery)?;
    party.recovery = None;
    case.state.put_party(id, party);
    let record = KeyRecord { party: id, status: KeyStatus::Revoked, since: case.now };
    case.state.put_key(recovery.key, record);
    case.state.remove(crate::state::RowKey::Due(
        recovery.effective,
        DueKind::Recovery,
        padded(&id.0),
    ));
    Ok(())
}
