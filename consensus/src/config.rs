//! What a replica is told once: who it is, who the members are, and every limit by number.

use musubi_ledger::{
    batch::NodeId,
    id::ChainId,
    keys::{PublicKey, SecretKey},
    limits,
};
use thiserror::Error;

use crate::Ended;

/// A member and the key that signs its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberKey {
    /// Raft id, 1 or more, never reused.
    pub node: NodeId,
    /// Node key: verifies the batches this member cuts as a leader.
    pub batch_key: PublicKey,
}

/// How much a leader's pool may hold; beyond it submissions are refused as busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// Transactions.
    pub items: usize,
    /// Their bytes together.
    pub bytes: usize,
}

/// When a leader cuts a batch. With nothing in flight it cuts at once, whatever these say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPolicy {
    /// A full batch's canonical bytes, at most [`limits::BATCH_BYTES_MAX`].
    pub bytes: usize,
    /// A full batch's items, at most [`limits::BATCH_ITEMS_MAX`].
    pub items: usize,
    /// The oldest item waits no longer than this, in milliseconds.
    pub max_age_ms: u64,
    /// Batches proposed and not yet committed.
    pub max_in_flight: usize,
}

/// raft-rs's limits and the replica's own around it. None is left to a default of raft-rs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaftLimits {
    /// Ticks without a leader before an election; the timeout is drawn from `[n, 2n)`.
    pub election_ticks: usize,
    /// Ticks between heartbeats.
    pub heartbeat_ticks: usize,
    /// Bytes of entries in one append, at least one full batch.
    pub append_bytes: u64,
    /// Appends sent to one follower and not yet answered.
    pub append_window: usize,
    /// Bytes of committed entries handed to execution per turn.
    pub feed_bytes: u64,
    /// Entries handed to execution and not yet executed.
    pub unexecuted_max: u64,
    /// Bytes of persisted entries kept in memory for followers that lag a little.
    pub tail_bytes: usize,
    /// Bytes of entries accepted from a leader and not yet persisted; beyond it appends are
    /// ignored.
    pub unpersisted_bytes: usize,
    /// Messages withheld until their persist is done; beyond it the newest are dropped.
    pub held_messages: usize,
}

/// Everything a replica is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The chain; batches for another are refused.
    pub chain: ChainId,
    /// This member.
    pub me: NodeId,
    /// All members of the epoch, this one included. Fixed at genesis, and by each recovery.
    pub members: Vec<MemberKey>,
    /// Epochs that recoveries have ended, oldest first; none in the first epoch.
    pub earlier: Vec<Ended>,
    /// This member's node key.
    pub batch_key: SecretKey,
    /// The leader's pool.
    pub pool: PoolLimits,
    /// When to cut a batch.
    pub cut: CutPolicy,
    /// Raft's limits.
    pub raft: RaftLimits,
    /// A bug to run with, so that a simulator can show that it catches it.
    #[cfg(feature = "planted-bugs")]
    pub planted: Option<Planted>,
}

/// Bugs planted on purpose, each a historic one. Present only under the feature `planted-bugs`.
#[cfg(feature = "planted-bugs")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Messages leave before the state they rest on is persisted (etcd 14370, tikv 994).
    AckBeforePersist,
    /// The vote is left out of what is persisted, so a restarted node may vote twice.
    VoteNotPersisted,
    /// After a restart the last executed entry is executed again.
    ExecuteTwice,
    /// After a restart one entry is never executed.
    SkipAfterRestart,
    /// A conflicting tail is not truncated on disk.
    KeepConflictingTail,
    /// A leader counts itself towards the quorum, and executes, before its own write is durable.
    CommitBeforePersist,
    /// A leader whose disk hangs goes on with its heartbeats, so nobody deposes it.
    LeadWithHungDisk,
    /// Members that have forgotten are believed, and whoever has forgotten goes on (TigerBeetle 2767).
    BelieveTheForgetful,
    /// The cosigner signs whatever another named, executed here or not.
    CosignUnexecuted,
    /// Two cosigners of one organisation count as two in the quorum.
    OrganisationTwice,
}

/// Why a configuration is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// This node is not among the members.
    #[error("node {0} is not among the members: check its id against the genesis document")]
    NotAMember(u64),
    /// Two members share an id, or an id is zero.
    #[error("member ids must be distinct and at least 1, found {0} twice or zero")]
    MemberIds(u64),
    /// The secret key does not belong to this member.
    #[error("the node key is not the one that the members list for node {0}")]
    WrongKey(u64),
    /// A limit is zero, or contradicts another.
    #[error("limit `{0}` is out of range")]
    Limit(&'static str),
}

impl Config {
    /// A configuration with the limits that production starts from.
    #[must_use]
    pub fn new(chain: ChainId, me: NodeId, members: Vec<MemberKey>, batch_key: SecretKey) -> Self {
        Self {
            chain,
            me,
            members,
            earlier: Vec::new(),
            batch_key,
            pool: PoolLimits { items: 16_384, bytes: 16 << 20 },
            cut: CutPolicy {
                bytes: limits::BATCH_BYTES_MAX,
                items: limits::BATCH_ITEMS_MAX,
                max_age_ms: 5,
                max_in_flight: 4,
            },
            raft: RaftLimits {
                election_ticks: 10,
                heartbeat_ticks: 2,
                append_bytes: APPEND_BYTES_MIN,
                append_window: 32,
                feed_bytes: 4 << 20,
                unexecuted_max: 16,
                tail_bytes: 16 << 20,
                unpersisted_bytes: 64 << 20,
                held_messages: 1_024,
            },
            #[cfg(feature = "planted-bugs")]
            planted: None,
        }
    }

    /// The batch key of a member.
    #[must_use]
    pub fn key_of(&self, node: NodeId) -> Option<&PublicKey> {
        let member = self.members.iter().find(|member| member.node == node)?;
        Some(&member.batch_key)
    }

    /// Checks members and limits against each other.
    ///
    /// # Errors
    /// The first [`ConfigError`] found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut ids: Vec<u64> = self.members.iter().map(|member| member.node.0).collect();
        ids.sort_unstable();
        for (position, &id) in ids.iter().enumerate() {
            if id == 0 || ids.get(position + 1) == Some(&id) {
                return Err(ConfigError::MemberIds(id));
            }
        }
        let key = self.key_of(self.me).ok_or(ConfigError::NotAMember(self.me.0))?;
        if *key != self.batch_key.public() {
            return Err(ConfigError::WrongKey(self.me.0));
        }
        let (cut, raft) = (&self.cut, &self.raft);
        let ranges = [
            ("pool.items", self.pool.items > 0),
            ("pool.bytes", self.pool.bytes >= limits::TRANSACTION_BYTES_MAX),
            ("cut.bytes", (CUT_BYTES_MIN..=limits::BATCH_BYTES_MAX).contains(&cut.bytes)),
            ("cut.items", (1..=limits::BATCH_ITEMS_MAX).contains(&cut.items)),
            ("cut.max_in_flight", (1..=1_024).contains(&cut.max_in_flight)),
            ("raft.heartbeat_ticks", raft.heartbeat_ticks > 0),
            ("raft.election_ticks", raft.election_ticks > raft.heartbeat_ticks),
            (
                "raft.append_bytes",
                (APPEND_BYTES_MIN..=APPEND_BYTES_MAX).contains(&raft.append_bytes),
            ),
            ("raft.append_window", raft.append_window > 0),
            ("raft.feed_bytes", raft.feed_bytes > 0),
            ("raft.unexecuted_max", raft.unexecuted_max >= 1),
            ("raft.unpersisted_bytes", raft.unpersisted_bytes >= limits::MESSAGE_BYTES_MAX),
            ("raft.held_messages", raft.held_messages > 0),
        ];
        match ranges.iter().find(|(_, holds)| !holds) {
            Some((name, _)) => Err(ConfigError::Limit(name)),
            None => Ok(()),
        }
    }
}

/// Room for one transaction of the largest size and a batch's head around it.
const CUT_BYTES_MIN: usize = limits::TRANSACTION_BYTES_MAX + 256;
/// One full batch with its entry's head, as raft-rs counts.
const APPEND_BYTES_MIN: u64 = limits::BATCH_BYTES_MAX as u64 + 1_024;
/// What still fits one message with the head of every entry it may carry.
const APPEND_BYTES_MAX: u64 =
    (limits::MESSAGE_BYTES_MAX - 1_024 - ENTRIES_PER_APPEND_MAX * ENTRY_HEAD_BYTES) as u64;
/// Entries in one append. raft-rs has no such limit: `raft_core::storage` keeps it.
pub(crate) const ENTRIES_PER_APPEND_MAX: usize = 512;
/// Index, term and length in front of an entry's data on the wire.
const ENTRY_HEAD_BYTES: usize = 24;

const _: () = assert!(APPEND_BYTES_MIN <= APPEND_BYTES_MAX);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config() -> Config {
        let key = SecretKey::from_seed(&[7; 32]);
        let member = MemberKey { node: NodeId(1), batch_key: key.public() };
        Config::new(ChainId([1; 32]), NodeId(1), vec![member], key)
    }

    #[test]
    fn the_defaults_pass_and_each_contradiction_is_named() {
        config().check().unwrap();
        let mut stranger = config();
        stranger.me = NodeId(9);
        assert_eq!(stranger.check(), Err(ConfigError::NotAMember(9)));
        let mut twins = config();
        twins.members.push(twins.members[0]);
        assert_eq!(twins.check(), Err(ConfigError::MemberIds(1)));
        let mut wrong = config();
        wrong.batch_key = SecretKey::from_seed(&[8; 32]);
        assert_eq!(wrong.check(), Err(ConfigError::WrongKey(1)));
        let mut slow = config();
        slow.raft.heartbeat_ticks = slow.raft.election_ticks;
        assert_eq!(slow.check(), Err(ConfigError::Limit("raft.election_ticks")));
        let mut small = config();
        small.raft.append_bytes = limits::BATCH_BYTES_MAX as u64;
        assert_eq!(small.check(), Err(ConfigError::Limit("raft.append_bytes")));
    }
}
