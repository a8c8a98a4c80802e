//! Changing whose cosignatures make a checkpoint final.

use super::{case::Case, consent::Consents};
use crate::{
    code::Code,
    policy::{Member, WitnessPolicy},
    state::{Row, RowKey},
};

/// The organisations together. The change holds for every checkpoint that covers it, and the first of
/// those is final only if the quorum before it cosigns too (see [`crate::policy`]).
pub(super) fn change(case: &mut Case<'_, '_>, policy: &WitnessPolicy) -> Result<(), Code> {
    if !policy.well_formed() {
        return Err(Code::NotWellFormed);
    }
    let organisations = case.state.meta().organisations.clone();
    let known = |member: Member| match member {
        Member::Organisation(party) => organisations.binary_search(&party).is_ok(),
        Member::Independent => true,
    };
    if !policy.witnesses.iter().all(|witness| known(witness.member)) {
        return Err(Code::UnknownParty);
    }
    Consents::live(case).governance(case.scene())?;
    if policy.number != case.state.policy().number + 1 {
        return Err(Code::WrongPolicyNumber);
    }
    case.state.put(RowKey::Policy, Row::Policy(policy.clone().into()));
    Ok(())
}
