//! Operations about parties and their keys.

use serde::{Deserialize, Serialize};

use crate::{
    id::{DocumentHash, PartyId, PersonTag},
    keys::PublicKey,
    party::{Attribute, PartyKind},
};

/// A new party with its wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterParty {
    /// Its random id.
    pub party: PartyId,
    /// What it is; groups come by [`super::CreateGroup`].
    pub kind: PartyKind,
    /// Its keys, each of which signs; none for a holder who will use a medium.
    pub keys: Vec<PublicKey>,
    /// For persons: the pseudonym that makes a human unique.
    pub tag: Option<PersonTag>,
    /// The registrar whose officer attests.
    pub registrar: PartyId,
    /// For issuers, registrars and operators: the organisation they belong to.
    pub organisation: Option<PartyId>,
    /// First attributes, ascending by name.
    pub attributes: Vec<Attribute>,
}

/// Attributes attested by a registrar; a name that exists is replaced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attest {
    /// About whom.
    pub party: PartyId,
    /// The registrar whose officer attests.
    pub registrar: PartyId,
    /// Ascending by name.
    pub attributes: Vec<Attribute>,
}

/// New officers of a registrar, issuer or organisation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetOfficers {
    /// Of whom.
    pub party: PartyId,
    /// Persons, ascending, at least two.
    pub officers: Vec<PartyId>,
}

/// One more key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddKey {
    /// For whom.
    pub party: PartyId,
    /// The new key, which signs too.
    pub key: PublicKey,
}

/// A new key for an old one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// For whom.
    pub party: PartyId,
    /// The key that ends; it signs.
    pub old: PublicKey,
    /// The key that begins; it signs.
    pub new: PublicKey,
}

/// The end of a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Whose.
    pub party: PartyId,
    /// Which.
    pub key: PublicKey,
    /// Whether somebody else may have it: then unexecuted consents by it die too.
    pub compromised: bool,
}

/// An immediate stop.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Whom.
    pub party: PartyId,
    /// Hash of the report that asks for it.
    pub evidence: DocumentHash,
}

/// A new key for a person who lost theirs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// Who.
    pub party: PartyId,
    /// The new key, which signs.
    pub key: PublicKey,
    /// Hash of the identity check.
    pub evidence: DocumentHash,
}
