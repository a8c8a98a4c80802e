//! In which capacity a key signs.

use musubi_ledger::{
    id::PartyId,
    transaction::{Role, Side},
};

/// What a signature consents to besides the body: its side, the signer's role, the party acted for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot {
    /// For which side.
    pub side: Side,
    /// In which role.
    pub role: Role,
    /// Acting for whom.
    pub party: PartyId,
}

impl Slot {
    /// Any slot.
    #[must_use]
    pub const fn new(side: Side, role: Role, party: PartyId) -> Self {
        Self { side, role, party }
    }

    /// A person or merchant who gives.
    #[must_use]
    pub const fn payer(party: PartyId) -> Self {
        Self::new(Side::Debit, Role::Holder, party)
    }

    /// A person or merchant who receives.
    #[must_use]
    pub const fn payee(party: PartyId) -> Self {
        Self::new(Side::Credit, Role::Holder, party)
    }

    /// A party that decides about itself, where nothing moves.
    #[must_use]
    pub const fn holder(party: PartyId) -> Self {
        Self::new(Side::Authority, Role::Holder, party)
    }

    /// A person who drafts a group's payout.
    #[must_use]
    pub const fn drafter(group: PartyId) -> Self {
        Self::new(Side::Debit, Role::Drafter, group)
    }

    /// A person who approves a group's payout.
    #[must_use]
    pub const fn approver(group: PartyId) -> Self {
        Self::new(Side::Debit, Role::Approver, group)
    }

    /// A person with `role` who receives for a group.
    #[must_use]
    pub const fn receiver(group: PartyId, role: Role) -> Self {
        Self::new(Side::Credit, role, group)
    }

    /// A person with `role` who decides about a group.
    #[must_use]
    pub const fn member(group: PartyId, role: Role) -> Self {
        Self::new(Side::Authority, role, group)
    }

    /// An officer of a registrar, issuer or organisation, where nothing moves.
    #[must_use]
    pub const fn officer(office: PartyId) -> Self {
        Self::new(Side::Authority, Role::Officer, office)
    }

    /// An issuer's automated key that issues.
    #[must_use]
    pub const fn issuer(issuer: PartyId) -> Self {
        Self::new(Side::Debit, Role::Issuer, issuer)
    }

    /// Somebody who pays for another's top-up.
    #[must_use]
    pub const fn funder(party: PartyId) -> Self {
        Self::new(Side::Debit, Role::Funder, party)
    }

    /// A merchant's terminal that was shown a medium.
    #[must_use]
    pub const fn terminal(merchant: PartyId) -> Self {
        Self::new(Side::Debit, Role::Terminal, merchant)
    }

    /// An organisation's governance key.
    #[must_use]
    pub const fn governance(organisation: PartyId) -> Self {
        Self::new(Side::Authority, Role::Governance, organisation)
    }
}
