//! The witness policy: whose signatures make a checkpoint final.
//!
//! Raft survives crashes, not lies. So a checkpoint counts as *final* only when the organisations that
//! the policy names have cosigned it, each after having executed the log up to it (design decision 1).
//! The ledger's policies are numbered; the first follows from the genesis document, each later one is
//! set by the governance quorum with `ChangeWitnessPolicy` and holds for every checkpoint that covers
//! that transaction. The first final checkpoint that covers it needs the old *and* the new quorum, so the
//! chain of policies can be followed from genesis (decision 13): [`bundle`] is that chain, exported.
//!
//! Who owns what: this file the policy itself and its bounds; [`trusted`] the check of one note against one
//! policy; [`chain`] which policy a note needs; [`bundle`] the file for verifiers; [`text`] the C2SP
//! tlog-policy that other tools read; [`recovery`] and [`survival`] what a new epoch means for all that.

pub mod bundle;
pub mod chain;
pub mod recovery;
pub mod survival;
pub mod text;
pub mod trusted;

use serde::{Deserialize, Serialize};

pub use bundle::{BundleError, PolicyBundle, PolicyStep};
pub use chain::PolicyChain;
pub use recovery::{Recovery, RecoveryError};
pub use survival::Fate;
pub use trusted::{Cosigned, FinalCheckpoint, PolicyError, Trusted};

use crate::{
    batch::NodeId,
    genesis::{Genesis, Node},
    id::PartyId,
    keys::{PublicKey, check_party_key},
    limits,
    tlog::vkey::{MAX_NAME_BYTES, is_key_name},
};

/// Whose signatures make a checkpoint final.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessPolicy {
    /// 1 for the genesis document's, then one more for each change.
    pub number: u32,
    /// Keys that sign checkpoints as the log, ascending by node: one of them must have signed.
    pub logs: Vec<LogKey>,
    /// Cosigners, ascending by name.
    pub witnesses: Vec<Witness>,
    /// How many members must have cosigned: more than half of them, so that two quorums always share one.
    pub quorum: u8,
}

/// A validator's key for checkpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKey {
    /// The validator.
    pub node: NodeId,
    /// Its node key.
    pub key: PublicKey,
}

/// A cosigner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The name under which it cosigns: 1 to 255 bytes without white space, control characters or `+`.
    pub name: String,
    /// Its key for `cosignature/v1`, used for nothing else.
    pub key: PublicKey,
    /// For whom it speaks.
    pub member: Member,
}

/// One voice in the quorum, however many cosigners it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// An organisation that holds the ledger: any of its validators cosigns for it.
    Organisation(PartyId),
    /// A witness outside the ledger, which checks consistency and executes nothing: a member by itself.
    Independent,
}

impl WitnessPolicy {
    /// The first policy: every node of the document, and a majority of the organisations that run one.
    #[must_use]
    pub fn of_genesis(genesis: &Genesis) -> Self {
        Self::of_nodes(genesis, 1, &genesis.nodes, &[])
    }

    /// The policy of these nodes and independent witnesses, and a majority of the members.
    #[must_use]
    pub fn of_nodes(
        genesis: &Genesis,
        number: u32,
        nodes: &[Node],
        independent: &[Witness],
    ) -> Self {
        let logs = nodes.iter().map(|n| LogKey { node: n.id, key: n.node });
        let mut witnesses: Vec<Witness> = nodes
            .iter()
            .map(|n| Witness {
                name: cosigner_name(genesis, n.id),
                key: n.cosigner,
                member: Member::Organisation(n.organisation),
            })
            .chain(independent.iter().cloned())
            .collect();
        witnesses.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut policy = Self { number, logs: logs.collect(), witnesses, quorum: 0 };
        policy.quorum = majority(policy.members().len());
        policy
    }

    /// The voices of the quorum, each once: organisations ascending, then independent witnesses in the
    /// order of their names, each as the position of its first cosigner.
    #[must_use]
    pub fn members(&self) -> Vec<usize> {
        let mut members: Vec<usize> = Vec::new();
        for (at, witness) in self.witnesses.iter().enumerate() {
            let known = members.iter().any(|&m| self.same_member(m, at));
            if !known || witness.member == Member::Independent {
                members.push(at);
            }
        }
        members.sort_unstable_by_key(|&at| (self.witnesses[at].member, at));
        members
    }

    /// Whether two cosigners speak for one member.
    fn same_member(&self, a: usize, b: usize) -> bool {
        let (one, other) = (self.witnesses[a].member, self.witnesses[b].member);
        a == b || (one == other && one != Member::Independent)
    }

    /// Whether it could follow any policy: bounds, order, keys that are usable and stand once, and a quorum
    /// of more than half. Whether its organisations exist is the judge's question.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let names = |w: &Witness| is_key_name(&w.name) && w.name.len() <= MAX_NAME_BYTES;
        let logs = self.logs.iter().map(|log| log.key);
        let mut keys: Vec<PublicKey> = logs.chain(self.witnesses.iter().map(|w| w.key)).collect();
        let usable = keys.iter().all(|key| check_party_key(key).is_ok());
        keys.sort_unstable();
        let members = self.members().len();
        let quorum = usize::from(self.quorum);
        (1..=limits::GENESIS_NODES_MAX).contains(&self.logs.len())
            && (1..=limits::WITNESSES_MAX).contains(&self.witnesses.len())
            && self.logs[0].node.0 > 0
            && self.logs.windows(2).all(|w| w[0].node < w[1].node)
            && self.witnesses.windows(2).all(|w| w[0].name < w[1].name)
            && self.witnesses.iter().all(names)
            && usable
            && keys.windows(2).all(|w| w[0] != w[1])
            && quorum <= members
            && 2 * quorum > members
    }
}

/// The name under which a node of the genesis document cosigns: `name/node/id`.
#[must_use]
pub fn cosigner_name(genesis: &Genesis, node: NodeId) -> String {
    format!("{}/node/{}", genesis.name, node.0)
}

/// More than half of `members`.
fn majority(members: usize) -> u8 {
    u8::try_from(members / 2 + 1).expect("members are bounded by the number of nodes")
}
