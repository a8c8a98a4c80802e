//! Who is who: keys, officers, registrars, attributes, and the recoveries that wait.

use musubi_ledger::{
    id::PersonTag,
    party::{Attribute, AttributeTest, KeyStatus, PartyStatus},
    predicate::{Predicate, Test},
    transaction::Signature,
};

use super::*;

/// What a key is. Whether it was rotated or revoked makes no difference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyIs {
    Active,
    Waiting,
    Ended,
    Compromised,
}

#[derive(Clone, Copy)]
pub(super) struct Recovery {
    pub(super) key: PublicKey,
    pub(super) effective: u64,
    /// Whether it found a freeze, which it ends.
    pub(super) lifts: bool,
}

#[derive(Clone, Default)]
pub(super) struct Register {
    pub(super) keys: BTreeMap<PublicKey, (PartyId, KeyIs)>,
    /// When keys stopped signing, or were told to be compromised after that.
    ended: BTreeMap<PublicKey, u64>,
    pub(super) recoveries: BTreeMap<PartyId, Recovery>,
    pub(super) registrars: BTreeMap<PartyId, PartyId>,
    pub(super) officers: BTreeMap<PartyId, Vec<PartyId>>,
    pub(super) organisations: BTreeMap<PartyId, PartyId>,
    pub(super) tags: BTreeSet<PersonTag>,
    pub(super) attributes: BTreeMap<PartyId, BTreeMap<String, Attribute>>,
    /// The keys by which mandates and allowances were granted and requests signed.
    pub(super) behind: BTreeMap<TxId, Vec<PublicKey>>,
}

impl Register {
    pub(super) fn new(world: &World) -> Self {
        let mut register = Self::default();
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Key(key), Row::Key(record)) => {
                    register.keys.insert(*key, (record.party, KeyIs::Active));
                }
                (RowKey::Party(id), Row::Party(party)) => {
                    register.registrars.insert(*id, party.registrar);
                    register.officers.insert(*id, party.officers.clone());
                    let organisation = party.organisation.unwrap_or(*id);
                    register.organisations.insert(*id, organisation);
                    register.tags.extend(party.tag);
                }
                (RowKey::Allowance(id), Row::Allowance(allowance)) => {
                    register.behind.insert(*id, allowance.granted_by.clone());
                }
                _ => {}
            }
        }
        register
    }

    /// A key stops, or is found to be compromised.
    pub(super) fn end(&mut self, key: PublicKey, is: KeyIs, at: u64) {
        if let Some((_, was)) = self.keys.get_mut(&key) {
            *was = is;
            self.ended.insert(key, at);
        }
    }

    /// Whether a party's consent is its own to give: a key of theirs signs or waits, or one ended less than
    /// a recovery's delay ago.
    pub(super) fn has_keys(&self, party: PartyId, now: u64) -> bool {
        let theirs = self.keys.iter().filter(|(_, (owner, _))| *owner == party);
        theirs.into_iter().any(|(key, (_, is))| {
            let lately = |at: &u64| now < at + crate::common::DELAY;
            [KeyIs::Active, KeyIs::Waiting].contains(is) || self.ended.get(key).is_some_and(lately)
        })
    }

    /// The party whose current key this is, frozen or not.
    pub(super) fn signs(&self, key: &PublicKey) -> Option<PartyId> {
        self.keys.get(key).filter(|(_, is)| *is == KeyIs::Active).map(|(owner, _)| *owner)
    }

    pub(super) fn compromised(&self, key: &PublicKey) -> bool {
        self.keys.get(key).is_some_and(|(_, is)| *is == KeyIs::Compromised)
    }

    /// Whether a grant dies because a key behind it is compromised.
    pub(super) fn tainted(&self, grant: TxId) -> bool {
        self.behind.get(&grant).is_some_and(|keys| keys.iter().any(|key| self.compromised(key)))
    }

    pub(super) fn keys_of(&self, party: PartyId, wanted: &[KeyIs]) -> Vec<PublicKey> {
        let theirs =
            self.keys.iter().filter(|(_, (owner, is))| *owner == party && wanted.contains(is));
        theirs.map(|(key, _)| *key).collect()
    }
}

impl Model {
    /// Attributes by name: the newest counts.
    pub(super) fn attribute(&mut self, party: PartyId, attributes: &[Attribute]) {
        let all = self.register.attributes.entry(party).or_default();
        all.extend(attributes.iter().map(|a| (a.name.clone(), a.clone())));
    }

    pub(super) fn meets(&self, party: PartyId, test: &AttributeTest) -> bool {
        let found = self.register.attributes.get(&party).and_then(|all| all.get(&test.name));
        found.is_some_and(|a| {
            a.until.is_none_or(|end| self.now < end.0) && test.any_of.contains(&a.value)
        })
    }

    /// Whether a party may hold or accept what asks for an attribute.
    pub(super) fn eligible(
        &self,
        party: PartyId,
        test: &Option<Predicate>,
        lack: Code,
    ) -> Result<(), Code> {
        let meets = |test: &Test| {
            let Test { name, any_of, not } = test.clone();
            self.meets(party, &AttributeTest { name, any_of }) != not
        };
        let any = |predicate: &Predicate| predicate.any.iter().any(|all| all.iter().all(meets));
        demand(test.as_ref().is_none_or(any), lack)
    }

    /// A signature as it counts now.
    pub(super) fn seen(&self, s: &Signature) -> Signed {
        let owner = self.owner(&s.signer);
        let officers = self.register.officers.get(&s.party);
        Signed {
            side: s.side,
            role: s.role,
            party: s.party,
            key: s.signer,
            owner,
            suspended: owner.is_ok_and(|person| self.suspended(person)),
            officer: owner.is_ok_and(|person| officers.is_some_and(|all| all.contains(&person))),
        }
    }

    pub(super) fn suspended(&self, person: PartyId) -> bool {
        self.register.recoveries.contains_key(&person)
    }

    /// Whether a consent that a proposal has collected still counts.
    pub(super) fn stands(&self, consent: &Signed) -> bool {
        consent.owner.is_ok_and(|person| {
            let in_role = self.groups.get(&consent.party).is_some_and(|group| {
                group.has_role(person, consent.role) && !self.suspended(person)
            });
            !self.frozen.contains(&person)
                && !self.register.compromised(&consent.key)
                && (consent.party == person || in_role)
        })
    }

    /// Remembers by whose keys something was granted.
    pub(super) fn granted(&mut self, id: TxId, by: &Signatures, side: Side, party: PartyId) {
        let group = self.kinds[&party] == PartyKind::Group;
        self.register.behind.insert(id, by.keys_behind(side, party, group));
    }

    /// Compares every key, and what else is known about parties.
    pub(super) fn compare_register(&self, world: &World) {
        let mut keys = 0;
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Key(key), Row::Key(record)) => {
                    let is = match record.status {
                        KeyStatus::Active => KeyIs::Active,
                        KeyStatus::Waiting => KeyIs::Waiting,
                        KeyStatus::Rotated | KeyStatus::Revoked => KeyIs::Ended,
                        KeyStatus::Compromised => KeyIs::Compromised,
                    };
                    assert_eq!(self.register.keys.get(key), Some(&(record.party, is)), "{key}");
                    keys += 1;
                }
                (RowKey::Party(id), Row::Party(party)) => {
                    assert_eq!(self.kinds[id], party.kind);
                    let frozen = party.status == PartyStatus::Frozen;
                    assert_eq!(self.frozen.contains(id), frozen, "frozen: {id}");
                    let closed = party.status == PartyStatus::Closed;
                    assert_eq!(self.closed.contains(id), closed, "closed: {id}");
                    assert_eq!(self.suspended(*id), party.recovery.is_some());
                    assert_eq!(self.register.officers[id], party.officers);
                    let attributes = self.register.attributes.get(id);
                    let known: Vec<&Attribute> =
                        attributes.into_iter().flatten().map(|a| a.1).collect();
                    assert_eq!(known, party.attributes.iter().collect::<Vec<_>>());
                }
                _ => {}
            }
        }
        assert_eq!(keys, self.register.keys.len());
    }
}

impl Signatures {
    /// That many officers of a registrar, issuer or organisation.
    pub(crate) fn officers(&self, party: PartyId, count: usize) -> Result<(), Code> {
        let in_office = |person| {
            let holds = |s: &Signed| s.officer && s.party == party && s.owner == Ok(person);
            demand(self.0.iter().any(holds), Code::RoleMissing)
        };
        let found = self.persons(Side::Authority, Role::Officer, party, in_office)?;
        demand(found.len() >= count, Code::ApproversMissing)
    }

    /// A majority of the three organisations.
    pub(crate) fn governance(&self) -> Result<(), Code> {
        let signs = |o: &PartyId| self.own(Side::Authority, Role::Governance, *o).is_ok();
        let signed = ["city", "operator", "partner"].map(id).iter().filter(|o| signs(o)).count();
        demand(signed > 0, Code::MissingConsent)?;
        demand(signed > 1, Code::OrganisationsMissing)
    }

    /// A new key signs for its party.
    pub(crate) fn proves(&self, party: PartyId, key: PublicKey) -> Result<(), Code> {
        let slot = |s: &Signed| s.key == key && s.party == party && s.role == Role::Holder;
        demand(self.0.iter().any(slot), Code::MissingConsent)
    }

    /// The keys by which a party consented, and no other that was attached.
    fn keys_behind(&self, side: Side, party: PartyId, group: bool) -> Vec<PublicKey> {
        let speaks = |s: &&Signed| match s.role {
            Role::Drafter | Role::Approver => group,
            Role::Representative => group && side != Side::Debit,
            Role::Holder => !group && s.owner == Ok(party),
            _ => false,
        };
        let good = self.0.iter().filter(|s| s.owner.is_ok() && (s.side, s.party) == (side, party));
        good.filter(speaks).map(|s| s.key).collect()
    }
}

pub(super) fn well_formed_attributes(attributes: &[Attribute]) -> bool {
    let word = |w: &str| (1..=64).contains(&w.len()) && w.bytes().all(|b| (33..127).contains(&b));
    attributes.len() <= 32
        && attributes.windows(2).all(|pair| pair[0].name < pair[1].name)
        && attributes.iter().all(|a| word(&a.name) && word(&a.value))
}
