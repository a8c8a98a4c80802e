//! Changing whose cosignatures make a checkpoint final.

use super::{case::Case, consent::Consents};
use crate::{
    code::Code,
    policy::{Member, WitnessPolicy},
    state::{Meta, NumberedPolicy, Row, RowKey, Shared},
};

/// The organisations together. The change holds for every checkpoint that covers it, and the first of
/// those is final only if the quorum before it cosigns too (see [`crate::policy`]).
pub(super) fn change(case: &mut Case<'_, '_>, policy: &WitnessPolicy) -> Result<(), Code> {
    if !policy.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let meta = case.state.meta();
    let known = |member: Member| match member {
        Member::Organisation(party) => meta.organisations.binary_search(&party).is_ok(),
        Member::Independent => true,
    };
    if !policy.witnesses.iter().all(|witness| known(witness.member)) {
        return Err(Code::UnknownParty);
    }
    Consents::live(case).governance(case.scene())?;
    if policy.number != meta.witness_policy + 1 {
        return Err(Code::WrongPolicyNumber);
    }
    let row = NumberedPolicy { policy: policy.clone(), set_by: Some(case.id) };
    case.state.put_policy(policy.number, row);
    let meta = Meta { witness_policy: policy.number, ..Shared::into_value(meta) };
    case.state.put(RowKey::Meta, Row::Meta(meta.into()));
    Ok(())
}
