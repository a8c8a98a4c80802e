//! Operations about groups (自治会, サークル).

use serde::{Deserialize, Serialize};

use crate::{
    group::{GroupPolicy, RoleGrant},
    id::PartyId,
    time::Time,
};

/// A new group with its wallet. Its id becomes a party of kind group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// Its random id.
    pub group: PartyId,
    /// The registrar whose officer attests.
    pub registrar: PartyId,
    /// The person who answers for it.
    pub representative: PartyId,
    /// Persons and their roles, ascending by person.
    pub roles: Vec<RoleGrant>,
    /// What its payouts need.
    pub policy: GroupPolicy,
}

/// A change decided by as many persons of the group as its largest payout takes. What is absent stays;
/// if all is, successors who wait are cancelled.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeGroup {
    /// The group.
    pub group: PartyId,
    /// All roles anew.
    pub roles: Option<Vec<RoleGrant>>,
    /// Another policy.
    pub policy: Option<GroupPolicy>,
    /// Another representative, who signs too.
    pub representative: Option<PartyId>,
}

/// Successors named by two registrar officers for a group that cannot act.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallSuccessors {
    /// The group.
    pub group: PartyId,
    /// The new representative.
    pub representative: PartyId,
    /// All roles anew.
    pub roles: Vec<RoleGrant>,
    /// From when they act: at least the chain's notice period ahead.
    pub effective: Time,
}

/// A group joins a parent body, or leaves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetParent {
    /// The group.
    pub group: PartyId,
    /// A group, registrar, issuer or operator; none to leave.
    pub parent: Option<PartyId>,
}
