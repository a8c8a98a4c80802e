//! The model's reading of signatures: who is behind them, and what a group asks for.

use musubi_ledger::{
    code::Code,
    id::PartyId,
    keys::PublicKey,
    transaction::{Role, Side},
};

use super::{book::demand, common::id};

/// A signature, with the party behind its key or why there is none.
#[derive(Clone, Copy)]
pub(crate) struct Signed {
    pub(crate) side: Side,
    pub(crate) role: Role,
    pub(crate) party: PartyId,
    pub(crate) key: PublicKey,
    pub(crate) owner: Result<PartyId, Code>,
}

/// Signatures of a transaction, or consents of a proposal.
#[derive(Clone, Default)]
pub(crate) struct Signatures(pub(crate) Vec<Signed>);

/// Who may do what for the club: (drafts, approves, represents).
pub(crate) fn roles(person: PartyId) -> (bool, bool, bool) {
    match person {
        p if p == id("alice") => (true, false, false),
        p if p == id("bob") => (false, true, false),
        p if p == id("carol") => (true, true, false),
        p if p == id("dave") => (false, false, true),
        _ => (false, false, false),
    }
}

/// Whether a person has a role in the club.
pub(crate) fn has_role(person: PartyId, role: Role) -> bool {
    let (drafts, approves, represents) = roles(person);
    match role {
        Role::Drafter => drafts,
        Role::Approver => approves,
        Role::Representative => represents,
        _ => false,
    }
}

/// Approvers that the club asks for.
pub(crate) fn approvers_for(amount: u64) -> usize {
    if amount >= 100_000 { 2 } else { 1 }
}

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
        may: impl Fn(PartyId) -> bool,
    ) -> Result<Vec<PartyId>, Code> {
        let (good, lack) = self.slot(side, role, party);
        for (at, person) in good.iter().enumerate() {
            demand(may(*person), Code::RoleMissing)?;
            demand(!good[..at].contains(person), Code::SamePerson)?;
        }
        demand(!good.is_empty(), lack)?;
        Ok(good)
    }

    /// Anybody with a role in the club.
    pub(crate) fn member(&self, side: Side, group: PartyId) -> Result<(), Code> {
        let results = [Role::Drafter, Role::Approver, Role::Representative]
            .map(|role| self.persons(side, role, group, |p| has_role(p, role)));
        let mut trouble = results.iter().rev().filter_map(|r| r.as_ref().err());
        let last = trouble.find(|code| **code != Code::MissingConsent);
        match last {
            Some(code) => Err(*code),
            None => demand(results.iter().any(Result::is_ok), Code::MissingConsent),
        }
    }

    /// A drafter and enough others who approve.
    pub(crate) fn payout(
        &self,
        group: PartyId,
        amount: u64,
        payee: Option<PartyId>,
    ) -> Result<(), Code> {
        let of = |role| self.persons(Side::Debit, role, group, |p| has_role(p, role));
        let drafters = of(Role::Drafter)?;
        let approvers = of(Role::Approver)?;
        demand(!approvers.iter().any(|a| drafters.contains(a)), Code::SamePerson)?;
        demand(!payee.is_some_and(|p| approvers.contains(&p)), Code::PayeeApproves)?;
        demand(approvers.len() >= approvers_for(amount), Code::ApproversMissing)
    }

    /// Officers of the registrar.
    pub(crate) fn registrars(&self, count: usize) -> Result<(), Code> {
        let officers = ["r1", "r2", "r3"].map(id);
        let may = |person| officers.contains(&person);
        let found = self.persons(Side::Authority, Role::Officer, id("registrar"), may)?;
        demand(found.len() >= count, Code::ApproversMissing)
    }
}
