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

/// Two validators signed different roots for one size. The whole note is logged: with it the log line proves
/// what was signed, also when this node has been restarted since.
pub fn fork(node: u64, size: u64, note: &str, metrics: &Metrics) {
    metrics.evidence("checkpoint_conflict");
    tracing::error!(
        evidence = "checkpoint_conflict",
        member = node,
        size,
        note,
        "a validator signed another root for a size that this node has executed"
    );
}

#[cfg(test)]
#[path = "../../../ledger/tests/common/mod.rs"]
mod city;

#[cfg(test)]
mod tests {
    use musubi_ledger::{
        execute::{Chain, MemoryState, check_items},
        genesis::RULES_VERSION,
        keys::SecretKey,
        time::Time,
    };

    use super::*;

    /// A payment by a registered person, whole or with a broken signature.
    fn payment(whole: bool) -> Vec<u8> {
        let body = musubi_ledger::transaction::Body {
            chain: city::genesis().chain(),
            rules_version: RULES_VERSION,
            sender: city::id("r1"),
            reference: format!("payment-{whole}").parse().expect("a reference"),
            salt: musubi_ledger::id::Salt([u8::from(whole); 16]),
            expires: city::BEGIN.plus(city::DAY),
            purpose: city::Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation: city::pay("r1", "r2", 5),
        };
        let mut payment = city::sign(body, &[city::debit("r1"), city::credit("r2")]);
        payment.signatures[1].bytes.0[7] ^= u8::from(!whole);
        payment.encode()
    }

    /// Executes a block of these items and looks at it.
    fn seen(items: Vec<Vec<u8>>) -> String {
        let (mut chain, block) = Chain::open(&city::genesis());
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        let leader = SecretKey::from_seed(&[1; 32]);
        let batch = Batch::sign(chain.id(), (1, 1), Time(0), items, (NodeId(1), &leader));
        let checked = check_items(&chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let block = chain.execute(&state, &batch, [0; 32], &checked);
        let metrics = Metrics::new();
        bad_signatures(&batch, &block, &metrics);
        metrics.render()
    }

    #[test]
    fn a_leader_that_orders_what_does_not_verify_is_counted_once_a_batch() {
        let line = "musubi_evidence_total{kind=\"bad_signature_ordered\"} 1";
        let forged = seen(vec![payment(true), payment(false), payment(false)]);
        assert!(forged.lines().any(|found| found == line), "{forged}");
        assert!(!seen(vec![payment(true), b"no transaction".to_vec()]).contains("bad_signature"));
    }
}
