//! Who must have consented: one place for live signatures and for the consents a proposal collected.
//! `docs/CONSENT.md` is this file in a table.

use serde::{Deserialize, Serialize};

use super::case::{Case, status_at};
use crate::{
    amount::Amount,
    code::Code,
    group::Group,
    id::PartyId,
    keys::PublicKey,
    party::{KeyStatus, Party, PartyKind, PartyStatus},
    state::{Overlay, Proposal, ProposalConsent, ReadState, Shared},
    time::Time,
    transaction::{Role, Side},
};

/// Consents to judge: good ones, and why the others are not.
pub(super) struct Consents {
    good: Vec<ProposalConsent>,
    bad: Vec<(Side, Role, PartyId, Code)>,
}

/// The state as of a moment: all that judging consents takes.
#[derive(Clone, Copy)]
pub(super) struct Scene<'s, 'a> {
    pub(super) state: &'s Overlay<'a>,
    pub(super) now: Time,
}

impl Scene<'_, '_> {
    /// A group, with successors in office if their notice is over.
    pub(super) fn group(&self, id: PartyId) -> Result<Shared<Group>, Code> {
        let mut group = self.state.group(id).ok_or(Code::UnknownParty)?;
        group.seat_successors(self.now);
        Ok(group)
    }
}

/// A consent that a proposal still waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Missing {
    /// For which side.
    pub side: Side,
    /// In which role.
    pub role: Role,
    /// Acting for whom.
    pub party: PartyId,
    /// From how many distinct persons.
    pub count: u8,
}

impl Consents {
    /// The signatures of the transaction being judged.
    pub(super) fn live(case: &Case<'_, '_>) -> Self {
        let mut consents = Self { good: Vec::new(), bad: Vec::new() };
        for s in &case.signers {
            match s.owner {
                Ok(signer) => consents.good.push(ProposalConsent {
                    side: s.side,
                    role: s.role,
                    party: s.party,
                    signer,
                    key: s.key,
                    carried_by: case.id,
                }),
                // Not the codes of a frozen or closed party: those are verdicts about a party that the
                // body names, and anybody can attach a frozen person's signature (INV-5).
                Err(Code::PartyFrozen | Code::PartyClosed) => {
                    consents.bad.push((s.side, s.role, s.party, Code::KeyNotActive));
                }
                Err(code) => consents.bad.push((s.side, s.role, s.party, code)),
            }
        }
        consents
    }

    /// What a proposal collected, judged again: a rotated or revoked key's consent stands, one of a
    /// compromised key or of a person who is frozen by now does not.
    pub(super) fn collected(scene: Scene<'_, '_>, proposal: &Proposal) -> Self {
        let stands = |consent: &&ProposalConsent| consent_stands(scene, consent);
        let good = proposal.consents.iter().filter(stands).copied().collect();
        Self { good, bad: Vec::new() }
    }

    /// One consent alone, to ask whether its signer may give it.
    pub(super) fn one(consent: ProposalConsent) -> Self {
        Self { good: vec![consent], bad: Vec::new() }
    }

    /// How many signers of a slot still have the role in which they signed.
    pub(super) fn able(
        &self,
        scene: Scene<'_, '_>,
        side: Side,
        role: Role,
        party: PartyId,
    ) -> usize {
        let group = scene.group(party).ok();
        let able = |c: &&ProposalConsent| match &group {
            Some(group) => has_role(scene, group, role, &c.signer) == Ok(true),
            None => true,
        };
        self.slot(side, role, party).filter(able).count()
    }

    /// Keeps only what was signed for one party.
    pub(super) fn keep_party(&mut self, party: PartyId) {
        self.good.retain(|c| c.party == party);
        self.bad.retain(|b| b.2 == party);
    }

    /// The good consents.
    pub(super) fn all(&self) -> &[ProposalConsent] {
        &self.good
    }

    /// Good consents in one slot.
    pub(super) fn slot(
        &self,
        side: Side,
        role: Role,
        party: PartyId,
    ) -> impl Iterator<Item = &ProposalConsent> {
        self.good.iter().filter(move |c| (c.side, c.role, c.party) == (side, role, party))
    }

    /// Why a slot has no good consent.
    pub(super) fn lack(&self, side: Side, role: Role, party: PartyId) -> Code {
        let bad = self.bad.iter().find(|b| (b.0, b.1, b.2) == (side, role, party));
        bad.map_or(Code::MissingConsent, |b| b.3)
    }

    /// A key of the party itself.
    pub(super) fn holder(&self, side: Side, party: PartyId) -> Result<PublicKey, Code> {
        self.own_key(side, Role::Holder, party)
    }

    /// A key of the party itself, in a given role.
    pub(super) fn own_key(
        &self,
        side: Side,
        role: Role,
        party: PartyId,
    ) -> Result<PublicKey, Code> {
        let mut found = self.slot(side, role, party).peekable();
        if found.peek().is_none() {
            return Err(self.lack(side, role, party));
        }
        found.find(|c| c.signer == party).map(|c| c.key).ok_or(Code::KeyUnknown)
    }

    /// Distinct persons in one slot for whom `may` holds. One signer without the role, or one person
    /// twice, spoils the slot.
    pub(super) fn persons(
        &self,
        side: Side,
        role: Role,
        party: PartyId,
        may: impl Fn(&PartyId) -> Result<bool, Code>,
    ) -> Result<Vec<PartyId>, Code> {
        let mut persons: Vec<PartyId> = Vec::new();
        for consent in self.slot(side, role, party) {
            if !may(&consent.signer)? {
                return Err(Code::RoleMissing);
            }
            if persons.contains(&consent.signer) {
                return Err(Code::SamePerson);
            }
            persons.push(consent.signer);
        }
        if persons.is_empty() { Err(self.lack(side, role, party)) } else { Ok(persons) }
    }

    /// Officers of a registrar, issuer or organisation: at least `count` distinct persons.
    pub(super) fn officers(
        &self,
        side: Side,
        (id, party): (PartyId, &Party),
        count: usize,
    ) -> Result<Vec<PartyId>, Code> {
        let persons = self.persons(side, Role::Officer, id, |person| {
            Ok(party.officers.binary_search(person).is_ok())
        })?;
        if persons.len() < count { Err(Code::ApproversMissing) } else { Ok(persons) }
    }

    /// A majority of organisations by their governance keys.
    pub(super) fn governance(&self, scene: Scene<'_, '_>) -> Result<(), Code> {
        let meta = scene.state.meta();
        let signed = meta.organisations.iter().filter(|organisation| {
            self.own_key(Side::Authority, Role::Governance, **organisation).is_ok()
        });
        let signed = signed.count();
        match signed {
            0 => Err(Code::MissingConsent),
            n if 2 * n > meta.organisations.len() => Ok(()),
            _ => Err(Code::OrganisationsMissing),
        }
    }

    /// One person who holds any role in the group, or represents it: enough to receive.
    pub(super) fn group_member(
        &self,
        scene: Scene<'_, '_>,
        side: Side,
        group: (PartyId, &Group),
    ) -> Result<Vec<PartyId>, Code> {
        self.in_roles(scene, side, group, &MEMBERS)
    }

    /// The distinct persons who signed in any of these roles of a group, at least one.
    fn in_roles(
        &self,
        scene: Scene<'_, '_>,
        side: Side,
        (id, group): (PartyId, &Group),
        roles: &[Role],
    ) -> Result<Vec<PartyId>, Code> {
        let mut persons = Vec::new();
        let mut lack = Code::MissingConsent;
        for &role in roles {
            match self.persons(side, role, id, |person| has_role(scene, group, role, person)) {
                Ok(found) => persons.extend(found),
                Err(Code::MissingConsent) => {}
                Err(code) => lack = code,
            }
        }
        persons.sort_unstable();
        persons.dedup();
        if persons.is_empty() || lack != Code::MissingConsent { Err(lack) } else { Ok(persons) }
    }

    /// One who speaks for a party where no value leaves it: a group's role-holder, an officer, or a key
    /// of the party itself.
    pub(super) fn speaks_for(
        &self,
        scene: Scene<'_, '_>,
        side: Side,
        (id, party): (PartyId, &Party),
    ) -> Result<(), Code> {
        match party.kind {
            PartyKind::Group => {
                let group = scene.group(id)?;
                self.group_member(scene, side, (id, &group)).map(drop)
            }
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => {
                self.officers(side, (id, party), 1).map(drop)
            }
            PartyKind::Person | PartyKind::Merchant | PartyKind::External => {
                self.holder(side, id).map(drop)
            }
        }
    }

    /// Whether these may give one of the consents that a proposal wants of a side: what [`Self::debit`] or
    /// [`Self::credit`] would count.
    pub(super) fn takes_part(
        &self,
        scene: Scene<'_, '_>,
        side: Side,
        (id, party): (PartyId, &Party),
    ) -> Result<(), Code> {
        match (side, party.kind) {
            (Side::Debit, PartyKind::Group) => {
                let group = scene.group(id)?;
                self.in_roles(scene, side, (id, &group), &PAYOUT).map(drop)
            }
            (Side::Credit, _) => self.credit(scene, (id, party)),
            _ => self.speaks_for(scene, side, (id, party)),
        }
    }

    /// At least `count` distinct persons with roles in the group, its representative among them or not.
    pub(super) fn persons_of_group(
        &self,
        scene: Scene<'_, '_>,
        group: (PartyId, &Group),
        count: usize,
    ) -> Result<(), Code> {
        let persons = self.group_member(scene, Side::Authority, group)?;
        if persons.len() < count { Err(Code::ApproversMissing) } else { Ok(()) }
    }

    /// A group's payout: a drafter, and by the amount one or more approvers, all distinct persons; the
    /// payee never approves (INV-4). `drafter` is the recorded one, if there is.
    pub(super) fn group_payout(
        &self,
        scene: Scene<'_, '_>,
        (id, group): (PartyId, &Group),
        amount: Amount,
        payee: Option<PartyId>,
        drafter: Option<PartyId>,
    ) -> Result<PartyId, Code> {
        let may = |role: Role| move |person: &PartyId| has_role(scene, group, role, person);
        let drafters = self.persons(Side::Debit, Role::Drafter, id, may(Role::Drafter))?;
        let drafter = drafter.filter(|d| drafters.contains(d)).unwrap_or(drafters[0]);
        let approvers = self.persons(Side::Debit, Role::Approver, id, may(Role::Approver))?;
        if approvers.iter().any(|approver| drafters.contains(approver)) {
            return Err(Code::SamePerson);
        }
        if payee.is_some_and(|payee| approvers.contains(&payee)) {
            return Err(Code::PayeeApproves);
        }
        if approvers.len() < usize::from(group.policy.approvers_for(amount)) {
            return Err(Code::ApproversMissing);
        }
        assert!(!approvers.contains(&drafter), "INV-4: dual control is never bypassed");
        Ok(drafter)
    }

    /// The giving side's live consent, by the kind of party. `payee` never approves.
    pub(super) fn debit(
        &self,
        scene: Scene<'_, '_>,
        (id, party): (PartyId, &Party),
        amount: Amount,
        payee: Option<PartyId>,
        drafter: Option<PartyId>,
    ) -> Result<(), Code> {
        match party.kind {
            PartyKind::Group => {
                let group = scene.group(id)?;
                self.group_payout(scene, (id, &group), amount, payee, drafter).map(drop)
            }
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => {
                self.officers(Side::Debit, (id, party), 2).map(drop)
            }
            PartyKind::Person | PartyKind::Merchant | PartyKind::External => {
                self.holder(Side::Debit, id).map(drop)
            }
        }
    }

    /// The receiving side's live consent, by the kind of party.
    pub(super) fn credit(
        &self,
        scene: Scene<'_, '_>,
        receiver: (PartyId, &Party),
    ) -> Result<(), Code> {
        // An issuer's automated key may receive for it; its officers may too.
        let issuer = receiver.1.kind == PartyKind::Issuer;
        if issuer && self.own_key(Side::Credit, Role::Issuer, receiver.0).is_ok() {
            return Ok(());
        }
        self.speaks_for(scene, Side::Credit, receiver)
    }

    /// The keys by which [`Self::debit`] or [`Self::credit`] consented, after it has said yes: whatever
    /// else was attached has no part in what is granted.
    pub(super) fn keys_for(
        &self,
        side: Side,
        (id, party): (PartyId, &Party),
    ) -> Result<Vec<PublicKey>, Code> {
        let itself = |role| self.slot(side, role, id).filter(|c| c.signer == id).map(|c| c.key);
        let of = |roles: &[Role]| {
            let slots = roles.iter().flat_map(|role| self.slot(side, *role, id));
            slots.map(|c| c.key).collect::<Vec<_>>()
        };
        let keys = match (party.kind, side) {
            (PartyKind::Group, Side::Debit) => of(&PAYOUT),
            (PartyKind::Group, _) => of(&MEMBERS),
            (PartyKind::Issuer, Side::Credit) if itself(Role::Issuer).next().is_some() => {
                itself(Role::Issuer).collect()
            }
            (PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator, _) => {
                of(&[Role::Officer])
            }
            (PartyKind::Person | PartyKind::Merchant | PartyKind::External, _) => {
                itself(Role::Holder).collect()
            }
        };
        if keys.is_empty() { Err(Code::MissingConsent) } else { Ok(keys) }
    }

    /// Whether a new key, not registered yet, signed for `party`: proof that somebody holds it.
    pub(super) fn new_key(case: &Case<'_, '_>, party: PartyId, key: PublicKey) -> Result<(), Code> {
        let signed =
            case.signers.iter().any(|s| s.key == key && s.party == party && s.role == Role::Holder);
        if signed { Ok(()) } else { Err(Code::MissingConsent) }
    }
}

/// Roles of a group's payout.
const PAYOUT: [Role; 2] = [Role::Drafter, Role::Approver];
/// Roles in which somebody speaks for a group.
const MEMBERS: [Role; 3] = [Role::Drafter, Role::Approver, Role::Representative];

/// Whether `person` acts for the group in `role` now.
fn has_role(
    scene: Scene<'_, '_>,
    group: &Group,
    role: Role,
    person: &PartyId,
) -> Result<bool, Code> {
    let roles = group.roles_of(person);
    let holds = match role {
        Role::Drafter => roles.drafts,
        Role::Approver => roles.approves,
        Role::Representative => group.representative == *person,
        _ => false,
    };
    if holds && suspended(scene, *person) { Err(Code::RolesSuspended) } else { Ok(holds) }
}

/// Whether a person's group roles rest while their recovery waits.
pub(super) fn suspended(scene: Scene<'_, '_>, person: PartyId) -> bool {
    let party = scene.state.party(person);
    party.and_then(|p| p.recovery).is_some_and(|r| r.effective > scene.now)
}

fn consent_stands(scene: Scene<'_, '_>, consent: &ProposalConsent) -> bool {
    let key = scene.state.key(consent.key).expect("a consent's key is registered");
    let signer = scene.state.party(consent.signer).expect("a consent's signer exists");
    let role_held = scene
        .group(consent.party)
        .is_ok_and(|group| has_role(scene, &group, consent.role, &consent.signer) == Ok(true));
    let acts_for_itself = consent.party == consent.signer;
    let officer = consent.role == Role::Officer
        && scene
            .state
            .party(consent.party)
            .is_some_and(|party| party.officers.binary_search(&consent.signer).is_ok());
    key.status != KeyStatus::Compromised
        && status_at(&signer, scene.now) == PartyStatus::Active
        && (role_held || acts_for_itself || officer)
}

/// What an open proposal still waits for; empty if it is not open.
#[must_use]
pub fn missing_consents(state: &dyn ReadState, proposal: &Proposal, now: Time) -> Vec<Missing> {
    let overlay = Overlay::new(state);
    super::proposal::missing(&overlay, proposal, now)
}
