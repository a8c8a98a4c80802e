//! In which capacities somebody signs: matches what an operation asks for with what a signer can be.
//! Pure; whether it suffices is the ledger's to judge.

use std::collections::BTreeMap;

use musubi_sdk::{PartyId, PartyKind, PublicKey, Role, Side, Slot, Wanted};

/// What a signer can be.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    /// Their own party.
    pub(crate) party: PartyId,
    /// What it is, where known.
    pub(crate) kind: Option<PartyKind>,
    /// The key that signs.
    pub(crate) key: PublicKey,
    /// Registrars, issuers, organisations for which they are an officer.
    pub(crate) offices: Vec<PartyId>,
    /// Their roles in groups.
    pub(crate) roles: BTreeMap<PartyId, Vec<Role>>,
}

/// What the person asked for explicitly.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    /// This role alone.
    pub(crate) role: Option<Role>,
    /// For this party alone.
    pub(crate) party: Option<PartyId>,
}

impl Signer {
    /// Whether they can sign in `role` for `party`.
    fn can(&self, role: Role, party: PartyId) -> bool {
        match role {
            Role::Holder | Role::Terminal | Role::Funder => self.party == party,
            Role::Issuer => self.party == party && self.kind == Some(PartyKind::Issuer),
            Role::Governance => self.party == party && self.kind == Some(PartyKind::Operator),
            Role::Officer => self.offices.contains(&party),
            // A code's own key signs, and nobody's else.
            Role::Code => false,
            Role::Drafter | Role::Approver | Role::Representative => {
                self.roles.get(&party).is_some_and(|roles| roles.contains(&role))
            }
        }
    }

    /// Whom they could act for, themselves first.
    fn parties(&self) -> impl Iterator<Item = PartyId> {
        let groups = self.roles.keys().copied();
        let offices = self.offices.iter().copied();
        [self.party].into_iter().chain(offices).chain(groups)
    }

    /// One slot for each thing wanted that they can give; at most one for each side of a party, since
    /// nobody fills two roles of one consent.
    pub(crate) fn slots(&self, wanted: &[Wanted], wish: Wish) -> Vec<Slot> {
        let mut slots: Vec<Slot> = Vec::new();
        for want in wanted {
            // "Anybody" is somebody already.
            if want.party.is_none() && want.roles.is_empty() && !slots.is_empty() {
                continue;
            }
            let Some(slot) = self.fill(want, wish) else {
                continue;
            };
            let taken = slots.iter().any(|s| (s.side, s.party) == (slot.side, slot.party));
            if !taken {
                slots.push(slot);
            }
        }
        slots
    }

    fn fill(&self, want: &Wanted, wish: Wish) -> Option<Slot> {
        if want.key.is_some_and(|key| key != self.key) {
            return None;
        }
        let side = want.side.unwrap_or(Side::Authority);
        let parties: Vec<PartyId> = match want.party.or(wish.party) {
            Some(party) => vec![party],
            None => self.parties().collect(),
        };
        let asked: &[Role] = match &want.roles[..] {
            [] => &ANY,
            roles => roles,
        };
        // A certain key may be new: the ledger does not know yet whose it is.
        let may = |role, party| want.key.is_some() || self.can(role, party);
        let fits = |role: &Role, party: PartyId| {
            wish.role.is_none_or(|wished| wished == *role)
                && wish.party.is_none_or(|wished| wished == party)
                && may(*role, party)
        };
        let found = parties.into_iter().find_map(|party| {
            let role = asked.iter().find(|role| fits(role, party))?;
            Some(Slot::new(side, *role, party))
        });
        // Whoever names role and party knows better than the address book.
        found.or(match (wish.role, want.party.or(wish.party)) {
            (Some(role), Some(party)) if asked.contains(&role) => {
                let wished = wish.party.is_none_or(|wished| wished == party);
                wished.then(|| Slot::new(side, role, party))
            }
            _ => None,
        })
    }
}

/// Roles in the order in which one is taken for granted.
const ANY: [Role; 7] = [
    Role::Holder,
    Role::Officer,
    Role::Issuer,
    Role::Drafter,
    Role::Approver,
    Role::Representative,
    Role::Governance,
];

/// Roles of which any one speaks for a group.
pub(crate) const MEMBERS: [Role; 3] = [Role::Drafter, Role::Approver, Role::Representative];

/// What an operation asks for, that its body does not tell: `role` for `party` on `side`.
pub(crate) fn want(side: Side, roles: &[Role], party: PartyId) -> Wanted {
    Wanted { side: Some(side), roles: roles.to_vec(), party: Some(party), key: None, count: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: PartyId = PartyId([1; 16]);
    const GROUP: PartyId = PartyId([2; 16]);
    const OFFICE: PartyId = PartyId([3; 16]);

    fn me() -> Signer {
        Signer {
            party: ME,
            kind: Some(PartyKind::Person),
            key: PublicKey([7; 32]),
            offices: vec![OFFICE],
            roles: BTreeMap::from([(GROUP, vec![Role::Drafter, Role::Approver])]),
        }
    }

    fn slots(wanted: &[Wanted], role: Option<Role>) -> Vec<Slot> {
        me().slots(wanted, Wish { role, party: None })
    }

    #[test]
    fn one_signs_for_oneself_an_office_and_a_group() {
        let own = want(Side::Credit, &[Role::Holder], ME);
        assert_eq!(slots(&[own], None), [Slot::payee(ME)]);
        let office = want(Side::Authority, &[Role::Officer], OFFICE);
        assert_eq!(slots(&[office], None), [Slot::officer(OFFICE)]);
        let stranger = want(Side::Debit, &[Role::Holder], PartyId([9; 16]));
        assert_eq!(slots(&[stranger], None), []);
    }

    #[test]
    fn nobody_drafts_and_approves_at_once() {
        let payout = [
            want(Side::Debit, &[Role::Drafter], GROUP),
            want(Side::Debit, &[Role::Approver], GROUP),
        ];
        assert_eq!(slots(&payout, None), [Slot::drafter(GROUP)]);
        assert_eq!(slots(&payout, Some(Role::Approver)), [Slot::approver(GROUP)]);
    }

    #[test]
    fn an_officer_stands_for_an_office_that_the_body_does_not_name() {
        let some = Wanted { party: None, ..want(Side::Authority, &[Role::Officer], ME) };
        assert_eq!(slots(&[some], None), [Slot::officer(OFFICE)]);
    }

    #[test]
    fn a_certain_key_is_wanted_by_that_key_alone() {
        let keyed =
            |key| Wanted { key: Some(key), ..want(Side::Authority, &[Role::Holder], GROUP) };
        assert_eq!(slots(&[keyed(PublicKey([7; 32]))], None), [Slot::holder(GROUP)]);
        assert_eq!(slots(&[keyed(PublicKey([8; 32]))], None), []);
    }

    #[test]
    fn an_explicit_role_and_party_win_over_the_address_book() {
        let office = PartyId([5; 16]);
        let wanted = want(Side::Authority, &[Role::Officer], office);
        let wish = Wish { role: Some(Role::Officer), party: Some(office) };
        assert_eq!(me().slots(&[wanted], wish), [Slot::officer(office)]);
    }
}
