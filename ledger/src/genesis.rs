//! The genesis document: who holds the ledger, the first parties and instruments, the constants.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    address::{PrefixError, SchemePrefix},
    batch::NodeId,
    codec::{self, CodecError},
    hash::sha256,
    id::{ChainId, InstrumentId, PartyId, PersonTag, Salt},
    instrument::Terms,
    keys::{PublicKey, WeakKey, check_party_key},
    limits,
    party::{Attribute, PartyKind},
    time::Time,
};

/// Constants of the chain, fixed at genesis.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How long a recovery waits before it takes effect, in milliseconds.
    pub recovery_delay_ms: u64,
    /// How long installed successors wait, in milliseconds.
    pub successor_notice_ms: u64,
    /// Whether the validators' clocks are set by whoever tests with them: then no time of this chain is to be
    /// believed. A draft that does not say so has clocks that run.
    #[serde(default)]
    pub driven_time: bool,
}

/// An organisation that holds the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its party, of kind operator, listed among the parties.
    pub party: PartyId,
    /// Its name, for people.
    pub name: String,
    /// Its governance key.
    pub governance: PublicKey,
}

/// A node and its keys.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its Raft id.
    pub id: NodeId,
    /// Whose it is.
    pub organisation: PartyId,
    /// Its key on the wire.
    pub transport: PublicKey,
    /// Its key for batches and checkpoints.
    pub node: PublicKey,
    /// Its key for cosignatures.
    pub cosigner: PublicKey,
}

/// A party that exists from the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstParty {
    /// Its id.
    pub party: PartyId,
    /// What it is; no group.
    pub kind: PartyKind,
    /// Its keys.
    pub keys: Vec<PublicKey>,
    /// For persons.
    pub tag: Option<PersonTag>,
    /// For registrars, issuers and operators.
    pub organisation: Option<PartyId>,
    /// Persons who act for it, ascending.
    pub officers: Vec<PartyId>,
    /// Attributes, ascending by name.
    pub attributes: Vec<Attribute>,
}

/// An instrument that exists from the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstInstrument {
    /// Its code.
    pub instrument: InstrumentId,
    /// Its rules.
    pub terms: Terms,
}

/// The genesis document.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The log's name, a schema-less URL: origin of its checkpoints up to `/epoch`.
    pub name: String,
    /// Printed prefix of addresses.
    pub scheme: String,
    /// When the chain begins.
    pub time: Time,
    /// The rules in force from the start.
    pub rules_version: u16,
    /// What salts the first wallets.
    pub salt: Salt,
    /// Constants.
    pub parameters: Parameters,
    /// Organisations, at least one.
    pub organisations: Vec<Organisation>,
    /// Nodes, ascending by id.
    pub nodes: Vec<Node>,
    /// Parties, ascending by id.
    pub parties: Vec<FirstParty>,
    /// Instruments, ascending by code.
    pub instruments: Vec<FirstInstrument>,
}

/// Why a document cannot open a chain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// Not a document's canonical bytes.
    #[error("not a genesis document: {0}")]
    Codec(#[from] CodecError),
    /// A bad scheme prefix.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// A bad name.
    #[error("the log's name must be 1 to 128 visible ASCII characters without `+`")]
    Name,
    /// A weak key.
    #[error("a key in the document is {0}")]
    Key(#[from] WeakKey),
    /// A key stands in two places.
    #[error("one key stands in two places: {0}")]
    SharedKey(PublicKey),
    /// A list is empty, too long, unsorted or repeats an entry.
    #[error("{0} must be ascending without repetition, not empty, and within limits")]
    List(&'static str),
    /// Something refers to what is not there, or to the wrong kind.
    #[error("{0}")]
    Reference(String),
    /// Rules that this software does not have.
    #[error("rules version {0} is unknown to this software")]
    Rules(u16),
}

pub use crate::epoch::FIRST_EPOCH;

/// The rules that this software has.
pub const RULES_VERSION: u16 = 1;

impl Genesis {
    /// The document's canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads and checks a document.
    ///
    /// # Errors
    /// [`GenesisError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, GenesisError> {
        let genesis: Self = codec::decode_versioned(bytes, limits::GENESIS_BYTES_MAX)?;
        genesis.check()?;
        Ok(genesis)
    }

    /// The chain's id.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        ChainId(sha256(&self.encode()))
    }

    /// The origin of the log's checkpoints in the first epoch: `name/epoch`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin_of(FIRST_EPOCH)
    }

    /// The origin of the log's checkpoints in an epoch.
    #[must_use]
    pub fn origin_of(&self, epoch: u32) -> String {
        format!("{}/{epoch}", self.name)
    }

    /// The epoch that an origin names, if it is this ledger's.
    #[must_use]
    pub fn epoch_of_origin(&self, origin: &str) -> Option<u32> {
        let epoch = origin.strip_prefix(&self.name)?.strip_prefix('/')?;
        let number = epoch.parse().ok().filter(|number| *number >= FIRST_EPOCH)?;
        (epoch == u32::to_string(&number)).then_some(number)
    }

    /// The printed prefix.
    ///
    /// # Errors
    /// [`PrefixError`] for a document that was not checked.
    pub fn prefix(&self) -> Result<SchemePrefix, PrefixError> {
        SchemePrefix::new(&self.scheme)
    }

    /// The organisation of a party, for the parties of this document.
    #[must_use]
    pub fn organisation(&self, party: &PartyId) -> Option<&Organisation> {
        self.organisations.iter().find(|o| o.party == *party)
    }

    /// Checks that the document holds together.
    ///
    /// # Errors
    /// [`GenesisError`], naming the first thing that is wrong.
    pub fn check(&self) -> Result<(), GenesisError> {
        self.prefix()?;
        let name_ok = (1..=128).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_graphic() && b != b'+');
        if !name_ok {
            return Err(GenesisError::Name);
        }
        if self.rules_version != RULES_VERSION {
            return Err(GenesisError::Rules(self.rules_version));
        }
        self.check_lists()?;
        self.check_keys()?;
        self.check_references()
    }

    fn check_lists(&self) -> Result<(), GenesisError> {
        let nodes_ok = (1..=limits::GENESIS_NODES_MAX).contains(&self.nodes.len())
            && self.nodes[0].id.0 > 0
            && self.nodes.windows(2).all(|w| w[0].id < w[1].id);
        let parties_ok = self.parties.windows(2).all(|w| w[0].party < w[1].party);
        let instruments_ok = self.instruments.windows(2).all(|w| w[0].instrument < w[1].instrument);
        let officers_ok = self.parties.iter().all(|p| p.officers.windows(2).all(|w| w[0] < w[1]));
        let attributes_ok = self.parties.iter().all(|p| {
            p.attributes.iter().all(Attribute::well_formed)
                && p.attributes.windows(2).all(|w| w[0].name < w[1].name)
        });
        let organisations_ok = !self.organisations.is_empty()
            && self.organisations.windows(2).all(|w| w[0].party < w[1].party);
        for (holds, list) in [
            (organisations_ok, "organisations"),
            (nodes_ok, "nodes"),
            (parties_ok && officers_ok, "parties and officers"),
            (attributes_ok, "attributes"),
            (instruments_ok, "instruments"),
        ] {
            if !holds {
                return Err(GenesisError::List(list));
            }
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), GenesisError> {
        let organisations = self.organisations.iter().map(|o| o.governance);
        let nodes = self.nodes.iter().flat_map(|n| [n.transport, n.node, n.cosigner]);
        let parties = self.parties.iter().flat_map(|p| p.keys.iter().copied());
        let mut keys: Vec<PublicKey> = organisations.chain(nodes).chain(parties).collect();
        keys.iter().try_for_each(check_party_key)?;
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(GenesisError::SharedKey(pair[0])),
            None => Ok(()),
        }
    }

    fn check_references(&self) -> Result<(), GenesisError> {
        let kind = |id: &PartyId| {
            let found = self.parties.binary_search_by(|p| p.party.cmp(id));
            found.ok().map(|at| self.parties[at].kind)
        };
        let demand = |holds: bool, what: String| {
            if holds { Ok(()) } else { Err(GenesisError::Reference(what)) }
        };
        for o in &self.organisations {
            let holds = kind(&o.party) == Some(PartyKind::Operator);
            demand(holds, format!("organisation {} is no operator among the parties", o.name))?;
        }
        for n in &self.nodes {
            let holds = self.organisation(&n.organisation).is_some();
            demand(holds, format!("node {} belongs to no organisation", n.id.0))?;
        }
        for p in &self.parties {
            demand(p.kind != PartyKind::Group, format!("{} cannot begin as a group", p.party))?;
            let person = p.kind == PartyKind::Person;
            demand(person == p.tag.is_some(), format!("{} needs a tag iff a person", p.party))?;
            let officers_ok = p.officers.iter().all(|o| kind(o) == Some(PartyKind::Person));
            demand(officers_ok, format!("an officer of {} is no person", p.party))?;
            let organisation_ok = p.organisation.is_none_or(|o| self.organisation(&o).is_some());
            demand(organisation_ok, format!("{} names an unknown organisation", p.party))?;
        }
        let mut tags: Vec<_> = self.parties.iter().filter_map(|p| p.tag).collect();
        tags.sort_unstable();
        let unique = tags.windows(2).all(|w| w[0] != w[1]);
        demand(unique, "two persons share a tag".into())?;
        for i in &self.instruments {
            let holds = kind(&i.terms.issuer) == Some(PartyKind::Issuer) && i.terms.well_formed();
            demand(holds, format!("instrument {} has no issuer, or bad terms", i.instrument))?;
        }
        Ok(())
    }
}
