//! Groups: roles, payout policy, life.

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, id::PartyId, limits, time::Time};

/// What one person may do for a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// May draft payouts and receive for the group.
    pub drafts: bool,
    /// May approve payouts that somebody else drafted.
    pub approves: bool,
}

/// A person and their roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleGrant {
    /// Who.
    pub person: PartyId,
    /// What they may do.
    pub roles: Roles,
}

/// From an amount on, more approvers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// For payouts of at least this much, over all legs.
    pub from: Amount,
    /// This many approvers, distinct persons, none the drafter.
    pub approvers: u8,
}

/// What a group's payouts need. The floor, drafter plus one distinct approver, cannot be undercut.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPolicy {
    /// Whether nobody may both draft and approve for this group.
    pub exclusive_roles: bool,
    /// Ascending by amount; approvers never decrease.
    pub bands: Vec<Band>,
    /// How long a payout proposal may stay open, in hours: 1 to 2160.
    pub proposal_hours: u16,
}

impl GroupPolicy {
    /// Whether bands ascend, ask for 1 to 8 approvers, and hours are in range.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let in_range = |b: &Band| (1..=limits::APPROVERS_MAX).contains(&b.approvers);
        let rising = |w: &[Band]| w[0].from < w[1].from && w[0].approvers <= w[1].approvers;
        self.bands.len() <= limits::BANDS_MAX
            && self.bands.iter().all(in_range)
            && self.bands.windows(2).all(rising)
            && (1..=2160).contains(&self.proposal_hours)
    }

    /// Approvers that a payout of `amount` needs: never fewer than one.
    #[must_use]
    pub fn approvers_for(&self, amount: Amount) -> u8 {
        let reached = self.bands.iter().rev().find(|band| band.from <= amount);
        reached.map_or(1, |band| band.approvers.max(1))
    }
}

/// Where a group is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupLife {
    /// Has too few officers to pay: only receives.
    Forming,
    /// Receives and pays.
    Active,
    /// Receives nothing but what comes back to it (refunds, returns), pays only to empty itself.
    Closing,
}

/// Successors who wait for their notice period.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Successors {
    /// The new representative.
    pub representative: PartyId,
    /// All roles anew.
    pub roles: Vec<RoleGrant>,
    /// From when on.
    pub effective: Time,
}

/// A group as the state keeps it, beside its party.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Who answers for it.
    pub representative: PartyId,
    /// Persons and roles, ascending by person.
    pub roles: Vec<RoleGrant>,
    /// What payouts need.
    pub policy: GroupPolicy,
    /// Where it is in its life.
    pub life: GroupLife,
    /// When it began to close: what it proposed or granted before is dead.
    pub closing_since: Option<Time>,
    /// Successors to come.
    pub successors: Option<Successors>,
    /// The body that it belongs to: it may look at the group, and never acts for it.
    pub parent: Option<PartyId>,
}

impl Group {
    /// The roles of `person`; none if they have none.
    #[must_use]
    pub fn roles_of(&self, person: &PartyId) -> Roles {
        let found = self.roles.binary_search_by(|grant| grant.person.cmp(person));
        found.map(|at| self.roles[at].roles).unwrap_or_default()
    }

    /// Puts successors whose notice is over into office: from that moment on, also where the leaf that says so is
    /// still to come.
    pub fn seat_successors(&mut self, now: Time) {
        if let Some(successors) = self.successors.take_if(|next| next.effective <= now) {
            self.representative = successors.representative;
            self.roles = successors.roles;
            self.settle_life();
        }
    }

    /// A group that can pay is active, one that cannot is forming; closing stays closing.
    pub fn settle_life(&mut self) {
        if self.life != GroupLife::Closing {
            let able = Self::can_pay(&self.roles);
            self.life = if able { GroupLife::Active } else { GroupLife::Forming };
        }
    }

    /// Whether roles are ascending, within limits, exclusive where the policy says so.
    #[must_use]
    pub fn roles_well_formed(roles: &[RoleGrant], policy: &GroupPolicy) -> bool {
        let both = |g: &RoleGrant| g.roles.drafts && g.roles.approves;
        let none = |g: &RoleGrant| !g.roles.drafts && !g.roles.approves;
        roles.len() <= limits::GROUP_ROLES_MAX
            && roles.windows(2).all(|pair| pair[0].person < pair[1].person)
            && !roles.iter().any(none)
            && !(policy.exclusive_roles && roles.iter().any(both))
    }

    /// Whether some drafter has an approver who is somebody else: the least that can pay.
    #[must_use]
    pub fn can_pay(roles: &[RoleGrant]) -> bool {
        roles.iter().any(|drafter| {
            drafter.roles.drafts
                && roles.iter().any(|a| a.roles.approves && a.person != drafter.person)
        })
    }
}
