//! Parent bodies: a layer above a group, joined by both sides' word and left by either's. It may look, and never acts: no
//! consent of a group's is looked for anywhere above it.

use super::{case::Case, consent::Consents};
use crate::{
    code::Code,
    group::GroupLife,
    id::PartyId,
    limits,
    operation::SetParent,
    party::PartyKind,
    state::{Row, RowKey},
    transaction::Side,
};

pub(super) fn set(case: &mut Case<'_, '_>, op: &SetParent) -> Result<(), Code> {
    case.active_of_kind(op.group, PartyKind::Group)?;
    let mut group = case.group(op.group)?;
    if op.parent == group.parent {
        return Err(Code::NotWellFormed);
    }
    let consents = Consents::live(case);
    let joins = consents.persons_of_group(case.scene(), (op.group, &group), 2);
    match (op.parent, group.parent) {
        (Some(parent), _) => {
            let body = case.active_party(parent)?;
            joins?;
            consents.speaks_for(case.scene(), Side::Authority, (parent, &body))?;
            check_place(case, op.group, parent)?;
        }
        (None, Some(left)) => {
            let body = case.party(left)?;
            let lets_go = consents.speaks_for(case.scene(), Side::Authority, (left, &body));
            lets_go.or(joins)?;
        }
        (None, None) => return Err(Code::NotWellFormed),
    }
    if group.life == GroupLife::Closing && op.parent.is_some() {
        return Err(Code::GroupClosing);
    }
    if let Some(left) = group.parent {
        case.state.remove(RowKey::Child(left, op.group));
    }
    if let Some(parent) = op.parent {
        case.state.put(RowKey::Child(parent, op.group), Row::Child);
    }
    group.parent = op.parent;
    case.state.put_group(op.group, group);
    Ok(())
}

/// A body that groups belong to, and no ring of them. Layers below the group are not counted: they were when they joined.
fn check_place(case: &Case<'_, '_>, group: PartyId, parent: PartyId) -> Result<(), Code> {
    let bodies = [PartyKind::Group, PartyKind::Registrar, PartyKind::Issuer, PartyKind::Operator];
    if !bodies.contains(&case.party(parent)?.kind) {
        return Err(Code::ParentInvalid);
    }
    let mut above = Some(parent);
    for _ in 0..limits::GROUP_LAYERS_MAX {
        match above {
            None => return Ok(()),
            Some(party) if party == group => return Err(Code::ParentInvalid),
            Some(party) => above = case.state.group(party).and_then(|group| group.parent),
        }
    }
    if above.is_none() { Ok(()) } else { Err(Code::ParentInvalid) }
}
