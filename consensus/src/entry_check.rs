//! What a leader wants persisted is checked before it is (decisions 2, 3, 8): is it a batch of this
//! chain, for this very place in the log, cut and signed by that term's leader, stamped not too far
//! ahead of our clock? Its items are not judged: that happens after commit, on every node alike.

use musubi_ledger::{
    batch::{Batch, BatchError, NodeId},
    epoch::epoch_of,
    limits,
    time::Time,
};
use thiserror::Error;

use crate::{
    Config, LogEntry, Position,
    epoch::{check_place, check_recovery},
};

/// Why an entry must not be persisted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EntryFault {
    /// Its data is no batch of this chain for this place by the leader it names.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// Cut by a node that does not lead its term, or is no member.
    #[error("cut by a node that does not lead its term")]
    Leader,
    /// Stamped too far ahead of this node's clock.
    #[error("stamped {ahead_ms} ms ahead of this node's clock")]
    StampAhead {
        /// By how much.
        ahead_ms: u64,
    },
    /// Of a term or at a place of another epoch.
    #[error("its term or its place is another epoch's")]
    Epoch,
    /// Where the recovery must stand that began the epoch, and another entry.
    #[error("not the recovery that began its epoch")]
    NotTheRecovery,
    /// Empty, but not the first entry of its term; or the first, but not empty.
    #[error("an empty entry must be the first of its term, and only that")]
    Empty,
}

impl EntryFault {
    /// Stable code for metrics and evidence files.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Batch(BatchError::Codec(_)) => "batch_malformed",
            Self::Batch(BatchError::Limits) => "batch_over_limits",
            Self::Batch(BatchError::Chain) => "batch_wrong_chain",
            Self::Batch(BatchError::Envelope) => "batch_wrong_envelope",
            Self::Batch(BatchError::Signature) => "batch_bad_signature",
            Self::Leader => "batch_wrong_leader",
            Self::StampAhead { .. } => "stamp_ahead",
            Self::Epoch => "entry_of_other_epoch",
            Self::NotTheRecovery => "not_the_recovery",
            Self::Empty => "empty_entry_misplaced",
        }
    }
}

/// Checks `entry`, which follows `before` in the log and came from `sender`, the leader of
/// `sender_term`.
///
/// # Errors
/// The first [`EntryFault`] found.
pub(crate) fn check_entry(
    config: &Config,
    now: Time,
    entry: &LogEntry,
    before: Position,
    (sender, sender_term): (NodeId, u64),
) -> Result<(), EntryFault> {
    let opening = check_place(config, entry, before)?;
    if opening.is_none() && entry.data.is_empty() != (entry.term > before.term) {
        return Err(EntryFault::Empty);
    }
    if opening.is_none() && entry.data.is_empty() {
        return Ok(());
    }
    let batch = Batch::decode(&entry.data)?;
    if entry.term == sender_term && batch.leader != sender {
        return Err(EntryFault::Leader);
    }
    let key = config.key_in(epoch_of(entry.term), batch.leader).ok_or(EntryFault::Leader)?;
    batch.check(&config.chain, (entry.term, entry.index), key)?;
    if let Some(opening) = opening {
        check_recovery(&batch, opening)?;
    }
    // Ahead only: entries that a follower catches up on are old, and a late stamp is clamped at
    // execution.
    let ahead_ms = batch.time.0.saturating_sub(now.0);
    if ahead_ms > limits::STAMP_AHEAD_MS_MAX {
        return Err(EntryFault::StampAhead { ahead_ms });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::{id::ChainId, keys::SecretKey};

    use super::*;
    use crate::MemberKey;

    const NOW: Time = Time(1_000_000);
    const CHAIN: ChainId = ChainId([9; 32]);

    fn key(node: u64) -> SecretKey {
        SecretKey::from_seed(&[node as u8; 32])
    }

    fn config() -> Config {
        let member = |node| MemberKey { node: NodeId(node), batch_key: key(node).public() };
        Config::new(CHAIN, NodeId(1), [1, 2, 3].map(member).to_vec(), key(1))
    }

    fn entry(change: impl FnOnce(&mut Batch), signer: u64) -> LogEntry {
        let mut batch = Batch::sign(CHAIN, (4, 7), NOW, vec![vec![1]], (NodeId(2), &key(2)));
        change(&mut batch);
        let Batch { chain, term, index, time, leader, items, .. } = batch;
        let batch = Batch::sign(chain, (term, index), time, items, (leader, &key(signer)));
        LogEntry { index: 7, term: 4, data: batch.encode() }
    }

    fn check(entry: &LogEntry) -> Result<(), EntryFault> {
        let before = Position { index: 6, term: 4 };
        check_entry(&config(), NOW, entry, before, (NodeId(2), 4))
    }

    #[test]
    fn a_sound_batch_passes() {
        assert_eq!(check(&entry(|_| (), 2)), Ok(()));
        assert_eq!(check(&entry(|b| b.time = Time(0), 2)), Ok(()), "late stamps are clamped later");
        assert_eq!(check(&entry(|b| b.time = NOW.plus(limits::STAMP_AHEAD_MS_MAX), 2)), Ok(()));
    }

    #[test]
    fn each_falsehood_is_named() {
        let cases: [(LogEntry, EntryFault); 7] = [
            (entry(|b| b.chain = ChainId([8; 32]), 2), BatchError::Chain.into()),
            (entry(|b| b.term = 3, 2), BatchError::Envelope.into()),
            (entry(|b| b.index = 8, 2), BatchError::Envelope.into()),
            (entry(|_| (), 3), BatchError::Signature.into()),
            (entry(|b| b.leader = NodeId(3), 3), EntryFault::Leader),
            (
                entry(|b| b.time = NOW.plus(limits::STAMP_AHEAD_MS_MAX + 1), 2),
                EntryFault::StampAhead { ahead_ms: limits::STAMP_AHEAD_MS_MAX + 1 },
            ),
            (LogEntry { index: 7, term: 4, data: vec![] }, EntryFault::Empty),
        ];
        for (entry, fault) in cases {
            assert_eq!(check(&entry), Err(fault));
        }
        let mut torn = entry(|_| (), 2);
        torn.data.pop();
        assert!(matches!(check(&torn), Err(EntryFault::Batch(BatchError::Codec(_)))));
    }

    #[test]
    fn a_term_begins_with_an_empty_entry_and_only_then() {
        let before = Position { index: 6, term: 3 };
        let from = (NodeId(2), 4);
        let empty = LogEntry { index: 7, term: 4, data: vec![] };
        assert_eq!(check_entry(&config(), NOW, &empty, before, from), Ok(()));
        let full = entry(|_| (), 2);
        assert_eq!(check_entry(&config(), NOW, &full, before, from), Err(EntryFault::Empty));
    }
}
