//! Evidence of members that break the rules: logged and counted. Evidence files are for later.

use musubi_consensus::{Accusation, Refusal};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::Block,
};

use crate::metrics::Metrics;

/// A leader orders only what it has verified, so a bad signature in its batch is its doing. Its own
/// signature on the batch proves which batch it was.
pub fn bad_signatures(batch: &Batch, block: &Block, metrics: &Metrics) {
    let bad = block.items.iter().filter(|item| item.code == Code::BadSignature).count();
    if bad > 0 {
        metrics.evidence("bad_signature_ordered");
        tracing::error!(
            evidence = "bad_signature_ordered",
            leader = batch.leader.0,
            term = batch.term,
            index = batch.index,
            items = bad,
            "the leader ordered items whose signatures do not verify"
        );
    }
}

/// What a member sent contradicts what an honest one could.
pub fn accusation(from: NodeId, accusation: &Accusation, metrics: &Metrics) {
    metrics.evidence("accusation");
    tracing::error!(
        evidence = "accusation",
        member = from.0,
        ?accusation,
        "a member broke the rules"
    );
}

/// A member's message that no correct member sends was dropped.
pub fn dropped(from: NodeId, why: &Refusal, metrics: &Metrics) {
    metrics.evidence("message_dropped");
    tracing::warn!(member = from.0, ?why, "dropped a message that no correct member sends");
}

/// Two validators signed different roots for one size.
pub fn fork(node: u64, size: u64, metrics: &Metrics) {
    metrics.evidence("checkpoint_conflict");
    tracing::error!(
        evidence = "checkpoint_conflict",
        member = node,
        size,
        "a validator signed another root for a size that this node has executed"
    );
}
