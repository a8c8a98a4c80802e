//! What starts a new epoch when a quorum of disks is lost.

use serde::{Deserialize, Serialize};

use crate::{
    batch::NodeId,
    epoch::{EPOCHS_MAX, FIRST_EPOCH, epoch_of},
    genesis::Node,
    hash::Hash,
    keys::{PublicKey, check_party_key},
    limits,
    policy::{LogKey, Member, WitnessPolicy},
};

/// Longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1_024;
/// Longest note of a checkpoint, in bytes.
const NOTE_BYTES_MAX: usize = 16 * 1_024;

/// A recovery: the log goes on from its best surviving copy, with these validators. It names what was final before,
/// so that whoever holds a later proof can show what it dropped.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginEpoch {
    /// The epoch that begins: one more than the one before.
    pub epoch: u32,
    /// Raft index of the last entry that survives; the recovery is the entry after it.
    pub last_index: u64,
    /// That entry's Raft term; 0 if there is none.
    pub last_term: u64,
    /// Leaves in the log of proof after that entry: the recovery's leaf is the next.
    pub size: u64,
    /// The log's root there.
    #[serde(with = "crate::bytes::digest")]
    pub root: Hash,
    /// The last final checkpoint of the epoch before, as its signed note; none if nothing was ever final.
    pub checkpoint: Option<String>,
    /// The validators of the new epoch, ascending by id.
    pub validators: Vec<Node>,
    /// The one of them whose log this is: it signs the batch that carries the recovery.
    pub opener: NodeId,
    /// The witness policy of the new epoch.
    pub policy: WitnessPolicy,
    /// Why, for people.
    pub reason: String,
}

impl BeginEpoch {
    /// Whether its parts could begin an epoch: bounds, order, keys that are usable and stand once, and a policy whose
    /// log keys and organisations' cosigners are the validators'. The rest is the judge's question.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let validators = &self.validators;
        let keys = validators.iter().flat_map(|v| [v.transport, v.node, v.cosigner]);
        let mut keys: Vec<PublicKey> = keys.collect();
        let usable = keys.iter().all(|key| check_party_key(key).is_ok());
        keys.sort_unstable();
        let logs = validators.iter().map(|v| LogKey { node: v.id, key: v.node });
        let cosigns = |v: &Node| {
            let member = Member::Organisation(v.organisation);
            self.policy.witnesses.iter().any(|w| (w.key, w.member) == (v.cosigner, member))
        };
        (FIRST_EPOCH + 1..=EPOCHS_MAX).contains(&self.epoch)
            && epoch_of(self.last_term) < self.epoch
            && self.last_index < u64::MAX
            && (self.last_index == 0) == (self.last_term == 0)
            && self.size > 0
            && self.checkpoint.as_ref().is_none_or(|note| note.len() <= NOTE_BYTES_MAX)
            && (1..=limits::GENESIS_NODES_MAX).contains(&validators.len())
            && validators[0].id.0 > 0
            && validators.windows(2).all(|w| w[0].id < w[1].id)
            && usable
            && keys.windows(2).all(|w| w[0] != w[1])
            && validators.iter().any(|v| v.id == self.opener)
            && self.policy.well_formed()
            && self.policy.logs.iter().copied().eq(logs)
            && validators.iter().all(cosigns)
            && (1..=REASON_BYTES_MAX).contains(&self.reason.len())
    }
}
