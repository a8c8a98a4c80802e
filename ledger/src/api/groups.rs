//! Groups below a body.

use serde::{Deserialize, Serialize};

use crate::{group::GroupLife, id::PartyId, party::PartyStatus};

/// A group that lies directly under a body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChildView {
    /// The group.
    pub group: PartyId,
    /// Who answers for it.
    pub representative: PartyId,
    /// Where it is in its life.
    pub life: GroupLife,
    /// Whether it is active, frozen or closed.
    pub status: PartyStatus,
}

/// A body's groups, a page of them: `GET /v1/parties/{party}/children`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChildrenView {
    /// The body.
    pub body: PartyId,
    /// Its groups, by id.
    pub children: Vec<ChildView>,
    /// Where the next page begins: ask with `after`. None on the last.
    pub next: Option<PartyId>,
    /// Height as of which.
    pub height: u64,
}

/// Where a group lies under a body: `GET /v1/parties/{party}/children/{group}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlaceView {
    /// The body.
    pub body: PartyId,
    /// The group.
    pub group: PartyId,
    /// How many layers below: 1 where it belongs to the body itself.
    pub layers: u32,
    /// Height as of which.
    pub height: u64,
}
