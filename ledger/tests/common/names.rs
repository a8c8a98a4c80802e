//! Names instead of bytes: ids and keys are hashes of what they are called, so every run is the same.

use musubi_ledger::{
    hash::sha256,
    id::{DocumentHash, InstrumentId, MediumId, PartyId, PersonTag},
    keys::SecretKey,
    transaction::{Role, Side},
};

fn first16(text: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256(text.as_bytes())[..16]);
    bytes
}

/// The key called `name`: `alice` is Alice's first, `alice/2` another.
pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&sha256(format!("key {name}").as_bytes()))
}

/// The party called `name`.
pub fn id(name: &str) -> PartyId {
    PartyId(first16(&format!("party {name}")))
}

/// The medium called `name`.
pub fn medium(name: &str) -> MediumId {
    MediumId(first16(&format!("medium {name}")))
}

/// The human called `name`.
pub fn tag(name: &str) -> PersonTag {
    PersonTag(sha256(format!("tag {name}").as_bytes()))
}

/// A document called `name`.
pub fn document(name: &str) -> DocumentHash {
    DocumentHash(sha256(format!("document {name}").as_bytes()))
}

/// The instrument called `name`.
pub fn instrument(name: &str) -> InstrumentId {
    name.parse().unwrap()
}

/// The ids of `names`, ascending.
pub fn ids(names: &[&str]) -> Vec<PartyId> {
    let mut ids: Vec<PartyId> = names.iter().map(|name| id(name)).collect();
    ids.sort_unstable();
    ids
}

/// Who signs: for which side, in which role, for which party, with which key.
#[derive(Clone, Debug)]
pub struct By {
    pub side: Side,
    pub role: Role,
    pub party: String,
    pub key: String,
}

/// Any signature.
pub fn by(side: Side, role: Role, party: &str, key: &str) -> By {
    By { side, role, party: party.into(), key: key.into() }
}

impl By {
    /// The same with another key.
    pub fn key(mut self, key: &str) -> Self {
        self.key = key.into();
        self
    }
}

/// A holder gives.
pub fn debit(party: &str) -> By {
    by(Side::Debit, Role::Holder, party, party)
}

/// A holder receives.
pub fn credit(party: &str) -> By {
    by(Side::Credit, Role::Holder, party, party)
}

/// A holder decides about their own affairs.
pub fn own(party: &str) -> By {
    by(Side::Authority, Role::Holder, party, party)
}

/// A person drafts a group's payout.
pub fn drafts(group: &str, person: &str) -> By {
    by(Side::Debit, Role::Drafter, group, person)
}

/// A person approves a group's payout.
pub fn approves(group: &str, person: &str) -> By {
    by(Side::Debit, Role::Approver, group, person)
}

/// A person receives for a group.
pub fn receives(group: &str, person: &str) -> By {
    by(Side::Credit, Role::Drafter, group, person)
}

/// A person decides about a group, as somebody who may draft.
pub fn member(group: &str, person: &str) -> By {
    by(Side::Authority, Role::Drafter, group, person)
}

/// A person decides about a group, as somebody who may approve.
pub fn checker(group: &str, person: &str) -> By {
    by(Side::Authority, Role::Approver, group, person)
}

/// A person represents a group.
pub fn represents(group: &str, person: &str) -> By {
    by(Side::Authority, Role::Representative, group, person)
}

/// An officer acts for a registrar, issuer or organisation.
pub fn officer(party: &str, person: &str) -> By {
    by(Side::Authority, Role::Officer, party, person)
}

/// The issuer's automated key issues.
pub fn issues() -> By {
    by(Side::Debit, Role::Issuer, "issuer", "issuer/auto")
}

/// The issuer's automated key takes back or confirms.
pub fn settles() -> By {
    by(Side::Credit, Role::Issuer, "issuer", "issuer/auto")
}

/// Somebody pays for another's top-up.
pub fn funds(party: &str) -> By {
    by(Side::Debit, Role::Funder, party, party)
}

/// A merchant's terminal shows a medium.
pub fn terminal(merchant: &str) -> By {
    by(Side::Debit, Role::Terminal, merchant, merchant)
}

/// An organisation's governance key.
pub fn governs(organisation: &str) -> By {
    by(Side::Authority, Role::Governance, organisation, &format!("{organisation}/governance"))
}

/// A new key proves that somebody holds it.
pub fn proves(party: &str, key: &str) -> By {
    by(Side::Authority, Role::Holder, party, key)
}
