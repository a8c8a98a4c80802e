//! Whose keys evidence may name: the nodes' keys and cosigners of a ledger, from its genesis document on.

use serde::{Deserialize, Serialize};

use crate::{
    batch::NodeId,
    genesis::Genesis,
    id::{ChainId, PartyId},
    keys::PublicKey,
    policy::{Member, PolicyChain, WitnessPolicy, cosigner_name},
    tlog::vkey::{Algorithm, VerifierKey},
};

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signs {
    /// A node key: batches, and checkpoints as the log (plain Ed25519).
    Log,
    /// A cosigner's key: `cosignature/v1`.
    Cosignatures,
}

/// One key, and who answers for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Suspect {
    /// The validator; none for an independent witness.
    pub node: Option<NodeId>,
    /// The organisation that runs it; none for an independent witness.
    pub organisation: Option<PartyId>,
    /// Its name: the organisation's, or the witness' own.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// What it signs.
    pub signs: Signs,
    /// For a cosigner, the name under which it signs.
    pub cosigns_as: Option<String>,
}

/// The keys of one ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suspects {
    chain: ChainId,
    name: String,
    list: Vec<Suspect>,
}

impl Suspects {
    /// The keys that the genesis document names.
    #[must_use]
    pub fn of_genesis(genesis: &Genesis) -> Self {
        let mut list = Vec::new();
        for node in &genesis.nodes {
            let organisation = genesis.organisation(&node.organisation);
            let name = organisation.map(|o| o.name.clone()).unwrap_or_default();
            let log = Suspect {
                node: Some(node.id),
                organisation: Some(node.organisation),
                name,
                key: node.node,
                signs: Signs::Log,
                cosigns_as: None,
            };
            let cosigns_as = Some(cosigner_name(genesis, node.id));
            let cosigner = Suspect {
                key: node.cosigner,
                signs: Signs::Cosignatures,
                cosigns_as,
                ..log.clone()
            };
            list.extend([log, cosigner]);
        }
        Self { chain: genesis.chain(), name: genesis.name.clone(), list }
    }

    /// The keys of all policies there have been: a key that was rotated out answers for what it signed.
    #[must_use]
    pub fn of_policies(policies: &PolicyChain) -> Self {
        let genesis = policies.genesis();
        policies.all().fold(Self::of_genesis(genesis), |suspects, policy| {
            of_policy(genesis, policy).into_iter().fold(suspects, Self::with)
        })
    }

    /// With one more key, as a later policy names it. A key that is known already is not added.
    #[must_use]
    pub fn with(mut self, suspect: Suspect) -> Self {
        let known = |s: &Suspect| s.key == suspect.key && s.signs == suspect.signs;
        if !self.list.iter().any(known) {
            self.list.push(suspect);
        }
        self
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// All keys: the genesis document's, then later ones.
    #[must_use]
    pub fn list(&self) -> &[Suspect] {
        &self.list
    }

    /// Whether `origin` is this ledger's log in any epoch: `name/epoch`.
    #[must_use]
    pub fn is_origin(&self, origin: &str) -> bool {
        let epoch = origin.strip_prefix(&self.name).and_then(|rest| rest.strip_prefix('/'));
        epoch.is_some_and(|epoch| {
            epoch.parse::<u32>().is_ok_and(|n| n > 0 && n.to_string() == epoch)
        })
    }

    /// The node keys that `leader` has had.
    pub fn leaders(&self, leader: NodeId) -> impl Iterator<Item = &Suspect> {
        self.list.iter().filter(move |s| s.signs == Signs::Log && s.node == Some(leader))
    }
}

/// The keys that one policy names.
fn of_policy(genesis: &Genesis, policy: &WitnessPolicy) -> Vec<Suspect> {
    let cosigner_of =
        |node| policy.witnesses.iter().find(|w| w.name == cosigner_name(genesis, node));
    let logs = policy.logs.iter().map(|log| {
        let witness = cosigner_of(log.node);
        let known = genesis.nodes.iter().find(|n| n.id == log.node).map(|n| n.organisation);
        let organisation = witness.map_or(known, |witness| organisation(witness.member));
        Suspect {
            node: Some(log.node),
            organisation,
            name: name_of(genesis, organisation).unwrap_or_else(|| "no organisation".into()),
            key: log.key,
            signs: Signs::Log,
            cosigns_as: None,
        }
    });
    let witnesses = policy.witnesses.iter().map(|witness| {
        let organisation = organisation(witness.member);
        // Only an organisation's cosigner is a node's, and is then named so.
        let nodes = policy.logs.iter().map(|log| log.node);
        let node = nodes.into_iter().find(|node| witness.name == cosigner_name(genesis, *node));
        Suspect {
            node: node.filter(|_| organisation.is_some()),
            organisation,
            name: name_of(genesis, organisation).unwrap_or_else(|| witness.name.clone()),
            key: witness.key,
            signs: Signs::Cosignatures,
            cosigns_as: Some(witness.name.clone()),
        }
    });
    logs.chain(witnesses).collect()
}

fn organisation(member: Member) -> Option<PartyId> {
    match member {
        Member::Organisation(party) => Some(party),
        Member::Independent => None,
    }
}

/// An organisation's name; its party where the genesis document has no name for it.
fn name_of(genesis: &Genesis, organisation: Option<PartyId>) -> Option<String> {
    let party = organisation?;
    let known = genesis.organisation(&party).map(|o| o.name.clone());
    Some(known.unwrap_or_else(|| party.to_string()))
}

impl Suspect {
    /// How it signs checkpoints of the log `origin`; `None` if no such key can be.
    #[must_use]
    pub fn verifier_key(&self, origin: &str) -> Option<VerifierKey> {
        let (name, algorithm) = match (self.signs, &self.cosigns_as) {
            (Signs::Log, _) => (origin, Algorithm::Ed25519),
            (Signs::Cosignatures, Some(name)) => (name.as_str(), Algorithm::CosignatureV1),
            (Signs::Cosignatures, None) => return None,
        };
        VerifierKey::new(name, algorithm, &self.key.0).ok()
    }
}
