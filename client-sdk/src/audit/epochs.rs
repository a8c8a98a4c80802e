//! Recoveries in a record: which validators a batch may be of, and what the report says of them.

use musubi_ledger::{
    batch::Batch,
    epoch::{FIRST_EPOCH, epoch_of},
    execute::CheckedItem,
    genesis::{Genesis, Node},
    id::TxId,
    operation::{BeginEpoch, Operation},
    policy::Recovery,
    transaction::Transaction,
};
use serde::Serialize;

use super::{fault::Fault, finding::Signer};

/// A recovery that took effect, for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// The epoch that it began.
    pub epoch: u32,
    /// Its transaction.
    pub id: TxId,
    /// Leaves from which the log went on: its own leaf is the next.
    pub size: u64,
    /// Leaves that were final before, as far as the surviving log knew; none if nothing was.
    pub final_before: Option<u64>,
    /// The organisations that signed it.
    pub signed_by: Vec<String>,
    /// The reason that they gave.
    pub reason: String,
}

/// The recoveries of these transactions, which execution has applied.
pub(super) fn recoveries(genesis: &Genesis, applied: &[Transaction]) -> Vec<Recovery> {
    let one = |transaction| Recovery::drafted(transaction, genesis);
    applied.iter().map(one).collect::<Result<_, _>>().expect("execution has applied them")
}

pub(super) fn lines(genesis: &Genesis, recoveries: &[Recovery]) -> Vec<Recovered> {
    let line = |recovery: &Recovery| Recovered {
        epoch: recovery.begins.epoch,
        id: recovery.id,
        size: recovery.begins.size,
        final_before: recovery.last_final.as_ref().map(|last| last.size()),
        signed_by: recovery.names(genesis),
        reason: recovery.begins.reason.clone(),
    };
    recoveries.iter().map(line).collect()
}

/// The document with the validators of the epoch in force in place of its own: who signs now.
pub(super) fn present(genesis: &Genesis, recoveries: &[Recovery]) -> Genesis {
    let validators = recoveries.last().map(|last| last.begins.validators.clone());
    let nodes = validators.unwrap_or_else(|| genesis.nodes.clone());
    Genesis { nodes, ..genesis.clone() }
}

/// The document with every validator there has been: ids are never used again.
pub(super) fn everybody(genesis: &Genesis, recoveries: &[Recovery]) -> Genesis {
    let later = recoveries.iter().flat_map(|recovery| &recovery.begins.validators);
    let mut nodes: Vec<Node> = genesis.nodes.iter().chain(later).cloned().collect();
    nodes.sort_by_key(|node| node.id);
    nodes.dedup_by_key(|node| node.id);
    Genesis { nodes, ..genesis.clone() }
}

/// Who signed a recovery.
pub(super) fn signers(genesis: &Genesis, recovery: &Recovery) -> Vec<Signer> {
    let one = |organisation| Signer { node: None, organisation, did: "signed the recovery".into() };
    recovery.names(genesis).into_iter().map(one).collect()
}

/// Whether a batch of a later epoch than the first is its leader's. `applied` are the recoveries so far.
pub(super) fn check_leader(
    batch: &Batch,
    items: &[CheckedItem],
    applied: &[Transaction],
) -> Option<Fault> {
    let epoch = epoch_of(batch.term);
    if epoch == FIRST_EPOCH {
        return None;
    }
    let of =
        |transaction: &Transaction| begins(transaction).filter(|op| op.epoch == epoch).cloned();
    let known = applied.iter().find_map(of);
    // The very entry that begins it says who signs it; execution then says whether it counts.
    let opening = || match items {
        [item] => item.transaction.as_ref().and_then(of),
        _ => None,
    };
    let Some(op) = known.or_else(opening) else { return Some(Fault::NoRecovery(epoch)) };
    let leader = batch.leader;
    let Some(node) = op.validators.iter().find(|node| node.id == leader) else {
        return Some(Fault::UnknownLeader(leader.0));
    };
    batch.check(&batch.chain, (batch.term, batch.index), &node.node).err().map(Fault::Entry)
}

/// The recovery in a transaction.
pub(super) fn begins(transaction: &Transaction) -> Option<&BeginEpoch> {
    match &transaction.body.operation {
        Operation::BeginEpoch(op) => Some(op),
        _ => None,
    }
}
