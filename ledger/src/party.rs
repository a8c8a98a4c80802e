//! Parties: who takes part, in what state, with which coarse attributes.

use serde::{Deserialize, Serialize};

use crate::{
    id::{DocumentHash, PartyId, PersonTag},
    keys::PublicKey,
    limits,
    time::Time,
};

/// What a party is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// One identified human.
    Person,
    /// A group without legal personality of its own.
    Group,
    /// A shop.
    Merchant,
    /// Issues and redeems instruments.
    Issuer,
    /// Attests who is who.
    Registrar,
    /// An organisation that runs nodes.
    Operator,
    /// Stands for a system outside: a bank, another point scheme.
    External,
}

/// Whether a party acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyStatus {
    /// Acts.
    Active,
    /// Stopped: neither gives nor receives, its keys authorise nothing but cancelling a recovery.
    Frozen,
    /// Ended.
    Closed,
}

/// A coarse attribute attested by a registrar: `resident` = `yes`, `age-band` = `60s`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// 1 to 64 visible ASCII characters.
    pub name: String,
    /// 1 to 64 visible ASCII characters.
    pub value: String,
    /// From when on it no longer counts.
    pub until: Option<Time>,
}

/// A condition on a party's attributes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeTest {
    /// The attribute.
    pub name: String,
    /// Any of these values, ascending.
    pub any_of: Vec<String>,
}

impl Attribute {
    /// Whether name and value are well formed.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        [&self.name, &self.value].into_iter().all(|text| is_word(text))
    }
}

impl AttributeTest {
    /// Whether name and values are well formed and values ascend.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        is_word(&self.name)
            && (1..=limits::ATTRIBUTES_MAX).contains(&self.any_of.len())
            && self.any_of.iter().all(|value| is_word(value))
            && self.any_of.windows(2).all(|pair| pair[0] < pair[1])
    }
}

/// Whether this may be an attribute's name or value: 1 to 64 visible ASCII characters.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=limits::ATTRIBUTE_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A recovery that waits for its delay, or whose delay is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingRecovery {
    /// The key that will be the only one.
    pub key: PublicKey,
    /// From when on.
    pub effective: Time,
}

/// A party as the state keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Whether it acts.
    pub status: PartyStatus,
    /// For persons: what makes the human unique.
    pub tag: Option<PersonTag>,
    /// Who registered it; the first registrar for the parties of the genesis document.
    pub registrar: PartyId,
    /// The organisation behind a registrar, issuer or operator.
    pub organisation: Option<PartyId>,
    /// Keys in the order in which they came: all that sign or wait, and those that ended, until the
    /// number of keys is reached.
    pub keys: Vec<PublicKey>,
    /// Persons who act for a registrar, issuer or organisation, ascending.
    pub officers: Vec<PartyId>,
    /// Attested attributes, ascending by name.
    pub attributes: Vec<Attribute>,
    /// A recovery under way.
    pub recovery: Option<PendingRecovery>,
    /// Why it is frozen. None once a recovery has begun that will end the freeze: its own evidence stands
    /// for both.
    pub freeze_evidence: Option<DocumentHash>,
    /// When it was registered.
    pub opened: Time,
}

impl Party {
    /// The value of an attribute that is valid at `now`.
    #[must_use]
    pub fn attribute(&self, name: &str, now: Time) -> Option<&str> {
        let valid = |a: &&Attribute| a.name == name && a.until.is_none_or(|end| now < end);
        self.attributes.iter().find(valid).map(|a| a.value.as_str())
    }

    /// Whether `test` holds for an attribute that is valid at `now`.
    #[must_use]
    pub fn meets(&self, test: &AttributeTest, now: Time) -> bool {
        let value = self.attribute(&test.name, now);
        value.is_some_and(|value| test.any_of.iter().any(|wanted| wanted == value))
    }

    /// Whether `key`, which is this party's and has this status, signs at `now`: a recovery whose delay is
    /// over has replaced all keys by its own, also where its leaf is still to come.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey, status: KeyStatus, now: Time) -> bool {
        match self.recovery {
            Some(recovery) if recovery.effective <= now => recovery.key == *key,
            _ => status == KeyStatus::Active,
        }
    }
}

/// What a key is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Signs.
    Active,
    /// Replaced: signs no more, what it consented to stands.
    Rotated,
    /// Ended: signs no more, what it consented to stands.
    Revoked,
    /// Ended: signs no more, what it consented to and is not executed yet is void.
    Compromised,
    /// Belongs to a recovery that waits: signs nothing yet.
    Waiting,
}

/// A key as the state keeps it. A key belongs to one party for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Whose.
    pub party: PartyId,
    /// What it is.
    pub status: KeyStatus,
    /// Since when it is that.
    pub since: Time,
}
