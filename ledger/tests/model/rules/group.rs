//! Groups: who may do what for them, and how they begin, change, get help and end.

use musubi_ledger::group::{GroupPolicy, RoleGrant};

use super::*;
use crate::common::NOTICE;

/// Representative, roles, and from when on.
type Successors = (PartyId, Vec<RoleGrant>, u64);

#[derive(Clone, PartialEq)]
pub(crate) struct Group {
    representative: PartyId,
    roles: Vec<RoleGrant>,
    pub(super) policy: GroupPolicy,
    pub(super) closing_since: Option<u64>,
    successors: Option<Successors>,
    parent: Option<PartyId>,
}

impl Group {
    pub(super) fn new(representative: PartyId, roles: &[RoleGrant], policy: &GroupPolicy) -> Self {
        let (roles, policy) = (roles.to_vec(), policy.clone());
        Self { representative, roles, policy, closing_since: None, successors: None, parent: None }
    }

    pub(crate) fn has_role(&self, person: PartyId, role: Role) -> bool {
        let grant = self.roles.iter().find(|grant| grant.person == person);
        match role {
            Role::Drafter => grant.is_some_and(|g| g.roles.drafts),
            Role::Approver => grant.is_some_and(|g| g.roles.approves),
            Role::Representative => self.representative == person,
            _ => false,
        }
    }

    /// Approvers that a payout of so much takes.
    pub(crate) fn approvers_for(&self, amount: u64) -> usize {
        let mut reached = self.policy.bands.iter().filter(|band| band.from.0 <= amount);
        reached.next_back().map_or(1, |band| usize::from(band.approvers))
    }

    /// Whether there are a drafter and another approver among those of whom `acts` holds.
    pub(super) fn can_pay(&self, acts: impl Fn(PartyId) -> bool) -> bool {
        let acting: Vec<&RoleGrant> = self.roles.iter().filter(|g| acts(g.person)).collect();
        acting.iter().any(|drafter| {
            let other = |a: &&RoleGrant| a.roles.approves && a.person != drafter.person;
            drafter.roles.drafts && acting.iter().copied().any(|a| other(&a))
        })
    }

    /// Successors whose notice is over take office.
    pub(super) fn seat(&mut self, now: u64) {
        if let Some((representative, roles, from)) = self.successors.clone()
            && from <= now
        {
            (self.representative, self.roles, self.successors) = (representative, roles, None);
        }
    }

    fn well_formed(&self) -> bool {
        let GroupPolicy { exclusive_roles, bands, proposal_hours } = &self.policy;
        let rising = bands.windows(2).all(|w| w[0].from < w[1].from)
            && bands.windows(2).all(|w| w[0].approvers <= w[1].approvers);
        let named = self.roles.windows(2).all(|w| w[0].person < w[1].person);
        let idle = |g: &RoleGrant| !g.roles.drafts && !g.roles.approves;
        let both = |g: &RoleGrant| g.roles.drafts && g.roles.approves;
        rising
            && bands.len() <= 8
            && bands.iter().all(|band| (1..=8).contains(&band.approvers))
            && (1..=2160).contains(proposal_hours)
            && named
            && self.roles.len() <= 128
            && !self.roles.iter().any(idle)
            && !(*exclusive_roles && self.roles.iter().any(both))
    }
}

impl Model {
    pub(super) fn create_group(&mut self, op: &CreateGroup, by: &Signatures) -> Result<(), Code> {
        let group = Group::new(op.representative, &op.roles, &op.policy);
        demand(group.well_formed(), Code::NotWellFormed)?;
        self.of_kind(op.registrar, PartyKind::Registrar)?;
        self.all_persons(&group)?;
        by.officers(op.registrar, 1)?;
        let side = Side::Authority;
        by.persons(side, Role::Representative, op.group, |person| {
            demand(person == op.representative, Code::RoleMissing)
        })?;
        persons_of(by, (op.group, &group), 2)?;
        demand(!self.kinds.contains_key(&op.group), Code::PartyExists)?;
        self.kinds.insert(op.group, PartyKind::Group);
        self.register.registrars.insert(op.group, op.registrar);
        self.register.officers.insert(op.group, Vec::new());
        self.groups.insert(op.group, group);
        Ok(())
    }

    pub(super) fn change_group(&mut self, op: &ChangeGroup, by: &Signatures) -> Result<(), Code> {
        self.of_kind(op.group, PartyKind::Group)?;
        let before = self.groups[&op.group].clone();
        let mut after = Group { successors: None, ..before.clone() };
        if let Some(roles) = &op.roles {
            after.roles.clone_from(roles);
        }
        if let Some(policy) = &op.policy {
            after.policy.clone_from(policy);
        }
        if let Some(representative) = op.representative {
            after.representative = representative;
        }
        demand(after != before && after.well_formed(), Code::NotWellFormed)?;
        if after.roles != before.roles || after.representative != before.representative {
            self.all_persons(&after)?;
        }
        if let Some(representative) = op.representative {
            by.own(Side::Authority, Role::Holder, representative)?;
        }
        let largest = 1 + before.approvers_for(u64::MAX);
        let acts = |person: &PartyId| self.active(*person).is_ok() && !self.suspended(*person);
        let able = self.members(&before).filter(acts).count();
        persons_of(by, (op.group, &before), largest.min(able).max(2))?;
        self.groups.insert(op.group, after);
        Ok(())
    }

    pub(super) fn install(&mut self, op: &InstallSuccessors, by: &Signatures) -> Result<(), Code> {
        self.of_kind(op.group, PartyKind::Group)?;
        let group = &self.groups[&op.group];
        let next = Group::new(op.representative, &op.roles, &group.policy);
        demand(next.well_formed(), Code::NotWellFormed)?;
        self.all_persons(&next)?;
        let registrar = self.register.registrars[&op.group];
        self.active(registrar)?;
        by.officers(registrar, 2)?;
        demand(!group.can_pay(|person| self.active(person).is_ok()), Code::GroupCanAct)?;
        demand(op.effective.0 >= self.now + NOTICE, Code::DeadlineInvalid)?;
        let successors = (op.representative, op.roles.clone(), op.effective.0);
        self.groups.get_mut(&op.group).unwrap().successors = Some(successors);
        Ok(())
    }

    pub(super) fn close_group(&mut self, id: PartyId, by: &Signatures) -> Result<(), Code> {
        self.of_kind(id, PartyKind::Group)?;
        persons_of(by, (id, &self.groups[&id]), 2)?;
        let group = self.groups.get_mut(&id).unwrap();
        if group.closing_since.is_none() {
            (group.closing_since, group.successors) = (Some(self.now), None);
            return Ok(());
        }
        self.lapses(id)?;
        self.closed.insert(id);
        Ok(())
    }

    /// What was given is gone; what was paid, held or claimed must have gone before.
    fn lapses(&mut self, id: PartyId) -> Result<(), Code> {
        let wallet = self.book.0.get(&id).cloned().unwrap_or_default();
        for (lot, (amounts, _)) in wallet {
            let paid = lot.2 == 2;
            let nothing = [Regime::Free, Regime::Counter].contains(&self.terms[&lot.0].regime);
            let stays = amounts[HELD] + amounts[CLAIM] > 0 || (paid && !nothing);
            demand(!stays, Code::WalletNotEmpty)?;
            self.book.take(id, lot, SPENDABLE, amounts[SPENDABLE]);
        }
        Ok(())
    }

    pub(super) fn set_parent(&mut self, op: &SetParent, by: &Signatures) -> Result<(), Code> {
        self.of_kind(op.group, PartyKind::Group)?;
        let group = self.groups[&op.group].clone();
        demand(group.parent != op.parent, Code::NotWellFormed)?;
        let joins = persons_of(by, (op.group, &group), 2);
        match op.parent {
            Some(parent) => {
                self.active(parent)?;
                joins?;
                self.speaks(by, parent)?;
                let bodies = [PartyKind::Person, PartyKind::Merchant, PartyKind::External];
                demand(!bodies.contains(&self.kinds[&parent]), Code::ParentInvalid)?;
                let above = |party: &PartyId| self.groups.get(party).and_then(|g| g.parent);
                let chain: Vec<PartyId> =
                    std::iter::successors(Some(parent), above).take(9).collect();
                let fits = chain.len() <= 8 && !chain.contains(&op.group);
                demand(fits, Code::ParentInvalid)?;
                demand(group.closing_since.is_none(), Code::GroupClosing)?;
            }
            None => self.speaks(by, group.parent.unwrap()).or(joins)?,
        }
        self.groups.get_mut(&op.group).unwrap().parent = op.parent;
        Ok(())
    }

    /// Whether what a party did at `then` died since, because it is a group that began to close.
    pub(super) fn died(&self, party: PartyId, then: u64) -> bool {
        let closing = self.groups.get(&party).and_then(|group| group.closing_since);
        closing.is_some_and(|since| then <= since)
    }

    pub(super) fn can_pay(&self, party: PartyId) -> Result<(), Code> {
        let group = self.groups.get(&party);
        demand(group.is_none_or(|group| group.can_pay(|_| true)), Code::GroupCannotPay)
    }

    pub(super) fn still_receives(&self, party: PartyId) -> Result<(), Code> {
        let closing = self.groups.get(&party).is_some_and(|group| group.closing_since.is_some());
        demand(!closing, Code::GroupClosing)
    }

    fn of_kind(&self, party: PartyId, kind: PartyKind) -> Result<(), Code> {
        demand(self.active(party)? == kind, Code::WrongKind)
    }

    fn all_persons(&self, group: &Group) -> Result<(), Code> {
        self.of_kind(group.representative, PartyKind::Person)?;
        group.roles.iter().try_for_each(|g| self.of_kind(g.person, PartyKind::Person))
    }

    fn members(&self, group: &Group) -> impl Iterator<Item = PartyId> {
        let mut all: BTreeSet<PartyId> = group.roles.iter().map(|grant| grant.person).collect();
        all.insert(group.representative);
        all.into_iter()
    }
}

/// Distinct persons who decide for the group as it is.
fn persons_of(by: &Signatures, group: (PartyId, &Group), count: usize) -> Result<(), Code> {
    let persons = by.members(Side::Authority, group)?;
    demand(persons.len() >= count, Code::ApproversMissing)
}
