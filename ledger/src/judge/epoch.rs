//! Beginning an epoch: the organisations together, from where the log ends. That it stands at that place, and alone
//! in its batch, is for [`crate::execute`] to see, which knows the place.

use super::{case::Case, consent::Consents};
use crate::{
    code::Code,
    epoch::FIRST_EPOCH,
    operation::BeginEpoch,
    policy::{Member, Trusted},
    state::{Epoch, Meta, NumberedPolicy, Row, RowKey, Shared},
    tlog::{checkpoint::Checkpoint, note::SignedNote},
};

pub(super) fn begin(case: &mut Case<'_, '_>, op: &BeginEpoch) -> Result<(), Code> {
    if !op.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let meta = case.state.meta();
    let known = |party| meta.organisations.binary_search(&party).is_ok();
    let cosigners = op.policy.witnesses.iter().filter_map(|w| match w.member {
        Member::Organisation(party) => Some(party),
        Member::Independent => None,
    });
    if !op.validators.iter().map(|v| v.organisation).chain(cosigners).all(known) {
        return Err(Code::UnknownParty);
    }
    Consents::live(case).governance(case.scene())?;
    let begun = |epoch| epoch == FIRST_EPOCH || case.state.epoch(epoch).is_some();
    if begun(op.epoch) || !begun(op.epoch - 1) {
        return Err(Code::EpochNotNext);
    }
    if op.policy.number != meta.witness_policy + 1 {
        return Err(Code::WrongPolicyNumber);
    }
    check_identities(case, op, &meta)?;
    check_final(case, op, &meta)?;
    let set_by = Some(case.id);
    let row = NumberedPolicy { policy: op.policy.clone(), set_by };
    case.state.put_policy(op.policy.number, row);
    let (policy, validators) = (op.policy.number, op.validators.clone());
    case.state.put_epoch(op.epoch, Epoch { begun_by: case.id, policy, validators });
    let meta = Meta { witness_policy: policy, ..Shared::into_value(meta) };
    case.state.put(RowKey::Meta, Row::Meta(meta.into()));
    Ok(())
}

/// A validator comes back as it was, or is new: an id beyond all earlier ones, and keys that signed nothing before.
/// So a disk that was lost does not return under its old id.
fn check_identities(case: &Case<'_, '_>, op: &BeginEpoch, meta: &Meta) -> Result<(), Code> {
    let policies = (1..=meta.witness_policy).filter_map(|number| case.state.policy(number));
    let policies: Vec<_> = policies.collect();
    let logs = || policies.iter().flat_map(|row| &row.policy.logs);
    let cosigners = || policies.iter().flat_map(|row| &row.policy.witnesses);
    let highest = logs().map(|log| log.node).max();
    let same = op.validators.iter().all(|v| {
        let keys = [v.node, v.cosigner, v.transport];
        let used =
            || logs().any(|l| keys.contains(&l.key)) || cosigners().any(|w| keys.contains(&w.key));
        let returns = logs().any(|log| (log.node, log.key) == (v.id, v.node));
        returns || (Some(v.id) > highest && !used())
    });
    if same { Ok(()) } else { Err(Code::ReusedValidator) }
}

/// The checkpoint is one of the epoch before, no larger than what survives, and final by the policy for its size.
fn check_final(case: &Case<'_, '_>, op: &BeginEpoch, meta: &Meta) -> Result<(), Code> {
    let Some(note) = &op.checkpoint else { return Ok(()) };
    let parsed = SignedNote::parse(note.as_bytes()).map_err(|_| Code::CheckpointNotFinal)?;
    let checkpoint: Checkpoint = parsed.text().parse().map_err(|_| Code::CheckpointNotFinal)?;
    let (origin, size) = (checkpoint.origin(), checkpoint.size());
    if !origin.ends_with(&format!("/{}", op.epoch - 1)) || size > op.size {
        return Err(Code::CheckpointNotFinal);
    }
    let covers = |number: &u32| {
        let row = case.state.policy(*number);
        let set_by = row.and_then(|row| row.set_by).and_then(|id| case.state.judged(id));
        set_by.is_some_and(|judged| judged.leaf < size)
    };
    let number = (2..=meta.witness_policy).rev().find(covers).unwrap_or(1);
    let row = case.state.policy(number).ok_or(Code::CheckpointNotFinal)?;
    let trusted = Trusted::new(origin, &row.policy).map_err(|_| Code::CheckpointNotFinal)?;
    trusted.check(note.as_bytes()).map(drop).map_err(|_| Code::CheckpointNotFinal)
}
