//! Who consents for a party: itself, or a group's members, or staff.

use super::*;

impl Model {
    pub(super) fn debit(
        &self,
        by: &Signatures,
        party: PartyId,
        amount: u64,
        payee: Option<PartyId>,
    ) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Group => by.payout((party, &self.groups[&party]), amount, payee),
            _ => by.own(Side::Debit, Role::Holder, party),
        }
    }

    pub(super) fn holder(&self, by: &Signatures, side: Side, party: PartyId) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Group => by.members(side, (party, &self.groups[&party])).map(drop),
            _ => by.own(side, Role::Holder, party),
        }
    }
}

pub(super) fn staff(terms: &MandateTerms, by: &Signatures) -> bool {
    by.0.iter().any(|s| {
        let itself = s.owner == Ok(s.party);
        itself && s.side == Side::Debit && s.role == Role::Holder && terms.staff.contains(&s.party)
    })
}
