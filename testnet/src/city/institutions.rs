//! The institutions of a test network with all their keys: what would lie in five organisations' safes
//! lies in one place here.

use std::sync::Arc;

use musubi_ledger::{
    batch::NodeId,
    calendar::Span,
    genesis::{
        FirstInstrument, FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION,
    },
    hash::sha256,
    id::{DocumentHash, InstrumentId, PartyId, PersonTag, Salt},
    instrument::{Regime, Shortfall, Terms, TransferRule, Validity},
    keys::{PublicKey, SecretKey},
    party::PartyKind,
    time::Time,
};
use musubi_node::init::NodeKeys;

use crate::random::Dice;

/// A signing key, shared by all who hold the drafts that it will sign.
pub type Key = Arc<SecretKey>;

/// The printed prefix of the test scheme's addresses.
pub const SCHEME: &str = "town";
/// The name of the test networks' log.
const LOG_NAME: &str = "testnet.musubi.example/town";
const ORGANISATIONS: [&str; 3] = ["city", "operator", "partner"];

/// A party and a key of it.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// Who.
    pub party: PartyId,
    /// Their key.
    pub key: Key,
}

/// An organisation that holds the ledger.
#[derive(Clone, Debug)]
pub struct Holder {
    /// Its name.
    pub name: String,
    /// Its party and governance key.
    pub governance: Keyed,
}

/// Everybody who is on the ledger from genesis on.
#[derive(Clone, Debug)]
pub struct Institutions {
    /// At least three organisations, in the order of their nodes.
    pub organisations: Vec<Holder>,
    /// The registrar, of the city. It has no key: its officers act.
    pub registrar: PartyId,
    /// The registrar's officers.
    pub registrar_officers: [Keyed; 3],
    /// The issuer, of the operator, and its automated key.
    pub issuer: Keyed,
    /// The issuer's officers.
    pub issuer_officers: [Keyed; 2],
    /// An officer of the city.
    pub city_officer: Keyed,
    /// An officer of the partner.
    pub partner_officer: Keyed,
    salt: Salt,
}

/// The money of the test city: `MONEY`, yen under a public issuer.
///
/// # Panics
/// Never: the code is well formed.
#[must_use]
pub fn money() -> InstrumentId {
    "MONEY".parse().expect("a well-formed code")
}

/// The points of the test city: `POINT`, given for nothing, good for 180 days.
///
/// # Panics
/// Never: the code is well formed.
#[must_use]
pub fn points() -> InstrumentId {
    "POINT".parse().expect("a well-formed code")
}

fn keyed(dice: &mut Dice) -> Keyed {
    Keyed { party: PartyId(dice.bytes()), key: key(dice) }
}

/// A key from the dice: good enough to test with.
pub fn key(dice: &mut Dice) -> Key {
    Arc::new(SecretKey::from_seed(&dice.bytes()))
}

impl Institutions {
    /// Everybody from one seed, for a network of `validators`.
    #[must_use]
    pub fn from_seed(seed: u64, validators: usize) -> Self {
        let mut dice = Dice::new(seed ^ 0x696e_7374);
        let name = |at: usize| match ORGANISATIONS.get(at) {
            Some(name) => (*name).into(),
            None => format!("org{}", at + 1),
        };
        let organisations = (0..validators.max(ORGANISATIONS.len()))
            .map(|at| Holder { name: name(at), governance: keyed(&mut dice) });
        Self {
            organisations: organisations.collect(),
            registrar: PartyId(dice.bytes()),
            registrar_officers: std::array::from_fn(|_| keyed(&mut dice)),
            issuer: keyed(&mut dice),
            issuer_officers: std::array::from_fn(|_| keyed(&mut dice)),
            city_officer: keyed(&mut dice),
            partner_officer: keyed(&mut dice),
            salt: Salt(dice.bytes()),
        }
    }

    /// The party of an organisation by its place: 0 is the city, 1 the operator, 2 the partner.
    #[must_use]
    pub fn organisation(&self, at: usize) -> PartyId {
        self.organisations[at].governance.party
    }

    /// All officers: persons from genesis on.
    pub fn officers(&self) -> impl Iterator<Item = &Keyed> {
        let all = self.registrar_officers.iter().chain(&self.issuer_officers);
        all.chain([&self.city_officer, &self.partner_officer])
    }

    /// The genesis document of a network whose nodes, one per organisation, have these keys.
    #[must_use]
    pub fn genesis(&self, nodes: &[NodeKeys], time: Time, parameters: Parameters) -> Genesis {
        let holders = self.organisations.iter();
        let mut organisations: Vec<Organisation> = holders
            .map(|o| Organisation {
                party: o.governance.party,
                name: o.name.clone(),
                governance: o.governance.key.public(),
            })
            .collect();
        organisations.sort_by_key(|o| o.party);
        let nodes = (1u64..).zip(&self.organisations).zip(nodes).map(|((id, holder), keys)| Node {
            id: NodeId(id),
            organisation: holder.governance.party,
            transport: keys.transport,
            node: keys.node,
            cosigner: keys.cosigner,
        });
        Genesis {
            name: LOG_NAME.into(),
            scheme: SCHEME.into(),
            time,
            rules_version: RULES_VERSION,
            salt: self.salt,
            parameters,
            organisations,
            nodes: nodes.collect(),
            parties: self.first_parties(),
            instruments: instruments(self.issuer.party),
        }
    }

    fn first_parties(&self) -> Vec<FirstParty> {
        let office = |party, kind, organisation, keys: Vec<PublicKey>, officers: &[Keyed]| {
            let mut officers: Vec<PartyId> = officers.iter().map(|o| o.party).collect();
            officers.sort_unstable();
            FirstParty {
                party,
                kind,
                keys,
                tag: None,
                organisation,
                officers,
                attributes: Vec::new(),
            }
        };
        let mut parties: Vec<FirstParty> = Vec::new();
        for (at, holder) in self.organisations.iter().enumerate() {
            let officers = match at {
                0 => std::slice::from_ref(&self.city_officer),
                2 => std::slice::from_ref(&self.partner_officer),
                _ => &[],
            };
            let party = holder.governance.party;
            parties.push(office(party, PartyKind::Operator, Some(party), Vec::new(), officers));
        }
        let city = Some(self.organisation(0));
        let operator = Some(self.organisation(1));
        let registrar = (self.registrar, PartyKind::Registrar);
        parties.push(office(registrar.0, registrar.1, city, Vec::new(), &self.registrar_officers));
        let auto = vec![self.issuer.key.public()];
        let issuer = (self.issuer.party, PartyKind::Issuer);
        parties.push(office(issuer.0, issuer.1, operator, auto, &self.issuer_officers));
        parties.extend(self.officers().map(|officer| FirstParty {
            party: officer.party,
            kind: PartyKind::Person,
            keys: vec![officer.key.public()],
            tag: Some(PersonTag(sha256(&officer.party.0))),
            organisation: None,
            officers: Vec::new(),
            attributes: Vec::new(),
        }));
        parties.sort_by_key(|p| p.party);
        parties
    }
}

fn instruments(issuer: PartyId) -> Vec<FirstInstrument> {
    let terms = |regime, document: &[u8]| Terms {
        redemption_days: 60,
        shortfall: Shortfall::Receivable,
        ..Terms::plain(issuer, regime, DocumentHash(sha256(document)))
    };
    let yen =
        Terms { transfer: TransferRule::PeerToPeer, ..terms(Regime::Public, b"terms of MONEY") };
    let point = Terms {
        validity: Validity::After(Span::Days(180)),
        ..terms(Regime::Free, b"terms of POINT")
    };
    vec![
        FirstInstrument { instrument: money(), terms: yen },
        FirstInstrument { instrument: points(), terms: point },
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn node_keys(seed: u64) -> NodeKeys {
        let mut dice = Dice::new(seed);
        let mut key = || super::key(&mut dice).public();
        NodeKeys { transport: key(), node: key(), cosigner: key() }
    }

    #[test]
    fn every_size_of_network_has_a_genesis_that_holds_together() {
        for validators in [1, 3, 5] {
            let institutions = Institutions::from_seed(1, validators);
            let nodes: Vec<NodeKeys> = (0..validators as u64).map(node_keys).collect();
            let parameters =
                Parameters { recovery_delay_ms: 1, successor_notice_ms: 1, driven_time: false };
            let genesis = institutions.genesis(&nodes, Time(1), parameters);
            genesis.check().unwrap();
            assert_eq!(genesis.nodes.len(), validators);
        }
    }
}
