//! What a session learns from its nodes: chain and time, parties, and what somebody can sign as.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use musubi_sdk::{
    Body, Composer, HalfSigned, Operation, PartyId, PartyKind, PublicKey, Role, SchemePrefix, Time,
    TxId, Wanted,
    api::{Info, KeyView, PartyView},
    ledger::group::{Group, RoleGrant},
};

use super::{error::CliError, memo::KEYS_PER_PARTY, session::Session, slots::Signer};

impl Session {
    /// Who answers, on which chain, at what block time. A node of another chain than the profile's is
    /// refused: what is signed for one ledger must not be shown as another's.
    pub(crate) async fn info(&mut self) -> Result<Info, CliError> {
        if let Some(info) = &self.info {
            return Ok(info.clone());
        }
        let info = self.client()?.info().await?;
        if self.profile().chain.is_some_and(|chain| chain != info.chain) {
            let what = format!("this node serves chain {}, another than this home's", info.chain);
            let next = "use another --home for another ledger, or check the node's address";
            return Err(CliError::new("wrong_chain", what).next(next));
        }
        self.info = Some(info.clone());
        Ok(info)
    }

    /// A composer at the chain's present.
    pub(crate) async fn composer(&mut self) -> Result<Composer, CliError> {
        Ok(Composer::from_info(&self.info().await?))
    }

    /// The scheme's prefix, if this run or an earlier one heard of it.
    pub(crate) fn scheme_if_known(&self) -> Option<SchemePrefix> {
        let heard = self.info.as_ref().map(|info| info.scheme.as_str());
        let text = heard.or(self.profile().scheme.as_deref())?;
        SchemePrefix::new(text).ok()
    }

    /// The scheme's prefix.
    pub(crate) async fn scheme(&mut self) -> Result<SchemePrefix, CliError> {
        if let Some(scheme) = self.scheme_if_known() {
            return Ok(scheme);
        }
        let text = self.info().await?.scheme;
        SchemePrefix::new(&text)
            .map_err(|cause| CliError::new("bad_answer", format!("the node's scheme: {cause}")))
    }

    /// A party by name or address.
    pub(crate) async fn party(&mut self, text: &str) -> Result<PartyId, CliError> {
        if self.book().contacts.contains_key(text) {
            return self.book().party(text, None);
        }
        let scheme = self.scheme().await.ok();
        self.book().party(text, scheme.as_ref())
    }

    /// The party that an argument names, or the one it is by default.
    pub(crate) async fn party_or(
        &mut self,
        text: Option<&str>,
        default: PartyId,
    ) -> Result<PartyId, CliError> {
        match text {
            Some(text) => self.party(text).await,
            None => Ok(default),
        }
    }

    /// The party that an argument names, or the acting identity's: who names one needs no identity here.
    pub(crate) async fn party_or_own(&mut self, text: Option<&str>) -> Result<PartyId, CliError> {
        match text {
            Some(text) => self.party(text).await,
            None => Ok(self.actor_contact()?.1.party),
        }
    }

    /// A party on the ledger.
    pub(crate) async fn party_view(&mut self, party: PartyId) -> Result<PartyView, CliError> {
        if let Some(Some(view)) = self.parties.get(&party) {
            return Ok(view.clone());
        }
        let view = self.client()?.party(party).await?;
        self.parties.insert(party, Some(view.clone()));
        Ok(view)
    }

    /// What an id stands for, word by word: it is the hash of this body, so no node can show another.
    /// Who is to sign something about it must see this, or sign nothing.
    pub(crate) async fn signed_body(&mut self, id: TxId) -> Result<Body, CliError> {
        let full = match self.client() {
            Ok(client) => client.transaction(id).await.map_err(CliError::from),
            Err(error) => Err(error),
        };
        full.map(|full| full.transaction.body).map_err(|error| {
            let what = format!("what this is about could not be read and checked: {}", error.what);
            let next = "name a node and a reader token that show it, or do not sign";
            CliError::new("content_unknown", what).about(id).next(next)
        })
    }

    /// A party on the ledger, if a node tells: without a token, or for one that is not there yet, the
    /// command goes on with what the address book says.
    async fn party_if_told(&mut self, party: PartyId) -> Option<PartyView> {
        if let Some(known) = self.parties.get(&party) {
            return known.clone();
        }
        let view = match (self.token().is_some(), self.client()) {
            (true, Ok(client)) => client.party(party).await.ok(),
            _ => None,
        };
        self.parties.insert(party, view.clone());
        view
    }

    /// What a party is, as far as address book or ledger tell.
    pub(crate) async fn kind(&mut self, party: PartyId) -> Option<PartyKind> {
        match self.kind_here(&party) {
            Some(kind) => Some(kind),
            None => self.party_if_told(party).await.map(|view| view.party.kind),
        }
    }

    /// What the parties are on whose kind it depends who still has to sign.
    pub(crate) async fn kinds_of(&mut self, half: &HalfSigned) -> BTreeMap<PartyId, PartyKind> {
        let (mut kinds, mut looked) = (BTreeMap::new(), BTreeSet::new());
        loop {
            let asked = RefCell::new(BTreeSet::new());
            let _ = half.missing(&|party: &PartyId| {
                asked.borrow_mut().insert(*party);
                kinds.get(party).copied()
            });
            // What was looked up may lead on to further parties.
            let new: Vec<PartyId> = asked.into_inner().difference(&looked).copied().collect();
            if new.is_empty() {
                return kinds;
            }
            for party in new {
                looked.insert(party);
                if let Some(kind) = self.kind(party).await {
                    kinds.insert(party, kind);
                }
            }
        }
    }

    /// The keys with which a party can read what is written for it now: its own, and those of the persons who act for
    /// it. Of very many the first [`KEYS_PER_PARTY`]: its own, then the representative's, then in the ledger's order.
    ///
    /// Whoever tells them could name a key of his own among them: that is the node's trust, as docs/PROOFS.md says.
    /// Without a token they are what the address book has.
    pub(crate) async fn memo_keys(&mut self, party: PartyId) -> Result<Vec<PublicKey>, CliError> {
        let Some(view) = self.party_if_told(party).await else {
            let known = self.book().contacts.values().filter(|contact| contact.party == party);
            return Ok(known.filter_map(|contact| contact.public).take(KEYS_PER_PARTY).collect());
        };
        let now = self.info().await?.time;
        let mut keys = signing_keys(&view, now);
        let group = view.group.iter();
        let group = group.flat_map(|group| {
            let others = group.roles.iter().map(|grant| grant.person);
            [group.representative].into_iter().chain(others)
        });
        for person in group.chain(view.party.officers.iter().copied()) {
            if keys.len() < KEYS_PER_PARTY
                && let Some(view) = self.party_if_told(person).await
            {
                keys.extend(signing_keys(&view, now));
            }
        }
        keys.truncate(KEYS_PER_PARTY);
        Ok(keys)
    }

    /// A group's roles and policy.
    pub(crate) async fn group(&mut self, party: PartyId) -> Result<Group, CliError> {
        let view = self.party_view(party).await?;
        view.group.ok_or_else(|| {
            let what = format!("{} is no group", self.name(&party));
            CliError::usage("wrong_kind", what)
        })
    }

    /// What somebody can sign as, for what is wanted from them.
    pub(crate) async fn signer(
        &mut self,
        name: &str,
        half: &HalfSigned,
        wanted: &[Wanted],
    ) -> Result<Signer, CliError> {
        let contact = self.book().get(name)?.clone();
        let key = match contact.public {
            Some(key) => key,
            None => self.unlock(name)?.public(),
        };
        let mut roles = BTreeMap::new();
        let groups: BTreeSet<PartyId> =
            wanted.iter().filter(|w| of_group(w)).filter_map(|w| w.party).collect();
        for group in groups {
            let in_group = match &half.body().operation {
                Operation::CreateGroup(op) if op.group == group => {
                    roles_of(contact.party, op.representative, &op.roles)
                }
                _ => match self.party_if_told(group).await.and_then(|view| view.group) {
                    Some(g) => roles_of(contact.party, g.representative, &g.roles),
                    None => Vec::new(),
                },
            };
            roles.insert(group, in_group);
        }
        Ok(Signer {
            party: contact.party,
            kind: self.kind(contact.party).await,
            key,
            offices: self.book().offices(&contact),
            roles,
        })
    }
}

/// The keys that sign for a party at `now`.
fn signing_keys(view: &PartyView, now: Time) -> Vec<PublicKey> {
    let signs = |key: &&KeyView| view.party.is_signed_by(&key.key, key.record.status, now);
    view.keys.iter().filter(signs).map(|key| key.key).collect()
}

fn of_group(want: &Wanted) -> bool {
    let roles = [Role::Drafter, Role::Approver, Role::Representative];
    want.roles.is_empty() || want.roles.iter().any(|role| roles.contains(role))
}

/// A person's roles in a group, in the order in which one is taken for granted.
pub(crate) fn roles_of(
    person: PartyId,
    representative: PartyId,
    grants: &[RoleGrant],
) -> Vec<Role> {
    let grant = grants.iter().find(|grant| grant.person == person);
    let roles = grant.map(|grant| grant.roles).unwrap_or_default();
    [
        (representative == person, Role::Representative),
        (roles.drafts, Role::Drafter),
        (roles.approves, Role::Approver),
    ]
    .into_iter()
    .filter_map(|(has, role)| has.then_some(role))
    .collect()
}
