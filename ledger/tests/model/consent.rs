//! The model's reading of signatures: who is behind them, and what a group asks for.

use std::collections::BTreeSet;

use musubi_ledger::{
    code::Code,
    id::PartyId,
    keys::PublicKey,
    transaction::{Role, Side},
};

use super::{book::demand, rules::Group};

/// A signature, with the party behind its key or why there is none.
#[derive(Clone, Copy)]
pub(crate) struct Signed {
    pub(crate) side: Side,
    pub(crate) role: Role,
    pub(crate) party: PartyId,
    pub(crate) key: PublicKey,
    pub(crate) owner: Result<PartyId, Code>,
    /// Whether a recovery of the signer's waits: no role in a group counts then.
    pub(crate) suspended: bool,
    /// Whether the signer is an officer of the party acted for.
    pub(crate) officer: bool,
}

/// Signatures of a transaction, or consents of a proposal.
#[derive(Clone, Default)]
pub(crate) struct Signatures(pub(crate) Vec<Signed>);

impl Signatures {
    /// Who signed in a slot, and what to say if nobody good did.
    fn slot(&self, side: Side, role: Role, party: PartyId) -> (Vec<PartyId>, Code) {
        let here = self.0.iter().filter(|s| (s.side, s.role, s.party) == (side, role, party));
        let good = here.clone().filter_map(|s| s.owner.ok()).collect();
        let bad = here.filter_map(|s| s.owner.err()).next();
        (good, bad.unwrap_or(Code::MissingConsent))
    }

    /// Why a slot is empty.
    pub(crate) fn lack(&self, side: Side, role: Role, party: PartyId) -> Code {
        self.slot(side, role, party).1
    }

    /// Everybody who had a part in a payout's consent.
    pub(crate) fn consenting(&self, side: Side, party: PartyId) -> Vec<PartyId> {
        [Role::Drafter, Role::Approver]
            .into_iter()
            .flat_map(|role| self.slot(side, role, party).0)
            .collect()
    }

    /// A key of the party itself.
    pub(crate) fn own(&self, side: Side, role: Role, party: PartyId) -> Result<(), Code> {
        let (good, lack) = self.slot(side, role, party);
        demand(!good.is_empty(), lack)?;
        demand(good.contains(&party), Code::KeyUnknown)
    }

    /// Distinct persons in a slot, each with the right to be there.
    pub(crate) fn persons(
        &self,
        side: Side,
        role: Role,
        party: PartyId,
        may: impl Fn(PartyId) -> Result<(), Code>,
    ) -> Result<Vec<PartyId>, Code> {
        let (good, lack) = self.slot(side, role, party);
        for (at, person) in good.iter().enumerate() {
            may(*person)?;
            demand(!good[..at].contains(person), Code::SamePerson)?;
        }
        demand(!good.is_empty(), lack)?;
        Ok(good)
    }

    /// Whether a signer has a role of a group, and it does not rest.
    fn acts(&self, person: PartyId, group: &Group, role: Role) -> Result<(), Code> {
        demand(group.has_role(person, role), Code::RoleMissing)?;
        let rests = self.0.iter().any(|s| s.suspended && s.owner == Ok(person));
        demand(!rests, Code::RolesSuspended)
    }

    /// Everybody who signed in a role of a group: at least one.
    pub(crate) fn members(
        &self,
        side: Side,
        (id, group): (PartyId, &Group),
    ) -> Result<BTreeSet<PartyId>, Code> {
        let results = [Role::Drafter, Role::Approver, Role::Representative]
            .map(|role| self.persons(side, role, id, |p| self.acts(p, group, role)));
        let mut trouble = results.iter().rev().filter_map(|r| r.as_ref().err());
        let last = trouble.find(|code| **code != Code::MissingConsent);
        match last {
            Some(code) => Err(*code),
            None if results.iter().all(Result::is_err) => Err(Code::MissingConsent),
            None => Ok(results.into_iter().flatten().flatten().collect()),
        }
    }

    /// A drafter and enough others who approve.
    pub(crate) fn payout(
        &self,
        (id, group): (PartyId, &Group),
        amount: u64,
        payee: Option<PartyId>,
    ) -> Result<(), Code> {
        let of = |role| self.persons(Side::Debit, role, id, |p| self.acts(p, group, role));
        let drafters = of(Role::Drafter)?;
        let approvers = of(Role::Approver)?;
        demand(!approvers.iter().any(|a| drafters.contains(a)), Code::SamePerson)?;
        demand(!payee.is_some_and(|p| approvers.contains(&p)), Code::PayeeApproves)?;
        demand(approvers.len() >= group.approvers_for(amount), Code::ApproversMissing)
    }
}
