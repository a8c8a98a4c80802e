//! Drafts about groups.

use musubi_ledger::{
    group::RoleGrant,
    id::PartyId,
    operation::{ChangeGroup, CreateGroup, InstallSuccessors, Operation, SetParent},
};

use super::{Composer, Draft};

fn ordered(mut roles: Vec<RoleGrant>) -> Vec<RoleGrant> {
    roles.sort_by_key(|grant| grant.person);
    roles
}

impl Composer {
    /// Opens a group; roles may stand in any order.
    pub fn create_group(&self, sender: PartyId, mut group: CreateGroup) -> Draft {
        group.roles = ordered(group.roles);
        self.draft(sender, Operation::CreateGroup(group))
    }

    /// Changes a group; roles may stand in any order.
    pub fn change_group(&self, sender: PartyId, mut change: ChangeGroup) -> Draft {
        change.roles = change.roles.map(ordered);
        self.draft(sender, Operation::ChangeGroup(change))
    }

    /// The registrar installs successors in a group that cannot act.
    pub fn install_successors(&self, sender: PartyId, mut install: InstallSuccessors) -> Draft {
        install.roles = ordered(install.roles);
        self.draft(sender, Operation::InstallSuccessors(install))
    }

    /// Joins a group to a parent body, or takes it out.
    pub fn set_parent(&self, sender: PartyId, group: PartyId, parent: Option<PartyId>) -> Draft {
        self.draft(sender, Operation::SetParent(SetParent { group, parent }))
    }

    /// Begins a group's end; the second time ends it, with what lapses of its wallet.
    pub fn close_group(&self, sender: PartyId, group: PartyId) -> Draft {
        self.draft(sender, Operation::CloseGroup { group })
    }
}
