//! Which epoch a term and a place in the log belong to, and who its members are (ADR 0018).
//!
//! A recovery gives the log new members from one index on. Entries before it are judged with the members of their own
//! epoch, and the first entry of the new one must be the very recovery that this replica was configured with.

use musubi_ledger::{
    batch::{Batch, NodeId},
    epoch::{epoch_of, first_term},
    id::TxId,
    keys::PublicKey,
    transaction::Transaction,
};

use crate::{Config, EntryFault, LogEntry, MemberKey, Position};

/// An epoch that is over, and the recovery that ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its members.
    pub members: Vec<MemberKey>,
    /// The last of its entries that survived.
    pub last: Position,
    /// The member of the next epoch that signs the recovery's batch.
    pub opener: NodeId,
    /// The recovery: the one item of the entry behind `last`.
    pub recovery: TxId,
}

impl Config {
    /// The epoch that this replica takes part in.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        u32::try_from(self.earlier.len()).map_or(u32::MAX, |ended| ended + 1)
    }

    /// The batch key of a member of an epoch.
    pub(crate) fn key_in(&self, epoch: u32, node: NodeId) -> Option<&PublicKey> {
        let members = match self.earlier.get((epoch as usize).checked_sub(1)?) {
            Some(ended) => &ended.members,
            None if epoch == self.epoch() => &self.members,
            None => return None,
        };
        members.iter().find(|member| member.node == node).map(|member| &member.batch_key)
    }

    /// The recovery that began an epoch.
    fn opening(&self, epoch: u32) -> Option<&Ended> {
        self.earlier.get((epoch as usize).checked_sub(2)?)
    }
}

/// Whether `entry`, which follows `before`, stands at a place of its term's epoch. Gives the recovery, if it must be
/// that one.
///
/// # Errors
/// [`EntryFault::Epoch`].
pub(crate) fn check_place<'c>(
    config: &'c Config,
    entry: &LogEntry,
    before: Position,
) -> Result<Option<&'c Ended>, EntryFault> {
    let epoch = epoch_of(entry.term);
    let holds = |holds: bool| if holds { Ok(()) } else { Err(EntryFault::Epoch) };
    holds(epoch <= config.epoch())?;
    if let Some(next) = config.opening(epoch + 1) {
        holds(entry.index <= next.last.index)?;
        holds(entry.index < next.last.index || entry.term == next.last.term)?;
    }
    let Some(opening) = config.opening(epoch) else { return Ok(None) };
    holds(entry.index > opening.last.index)?;
    if entry.index == opening.last.index + 1 {
        holds(before == opening.last && entry.term == first_term(epoch))?;
        return Ok(Some(opening));
    }
    // The first term is the recovery's alone: nobody is ever elected in it.
    holds(entry.term > first_term(epoch))?;
    Ok(None)
}

/// Whether a batch is this recovery and nothing else.
pub(crate) fn check_recovery(batch: &Batch, opening: &Ended) -> Result<(), EntryFault> {
    let [item] = &batch.items[..] else { return Err(EntryFault::NotTheRecovery) };
    let transaction = Transaction::decode(item).map_err(|_| EntryFault::NotTheRecovery)?;
    let same = transaction.body.id() == opening.recovery && batch.leader == opening.opener;
    if same { Ok(()) } else { Err(EntryFault::NotTheRecovery) }
}

#[cfg(test)]
mod tests;
