//! Evidence of members that break the rules: logged, counted, and, where a signature shows it, kept as
//! files that others can check ([`musubi_ledger::evidence`]).
//!
//! [`room`] brings together what this node notices and what others tell; [`files`] keeps it durably; [`talk`]
//! is what nodes tell each other; this file logs, and runs the room's task.

pub mod files;
pub mod room;
pub mod talk;

use std::{sync::Arc, time::Duration};

use std::collections::BTreeSet;

use musubi_consensus::{Accusation, Refusal};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::Block,
};
use tokio::sync::mpsc;

pub use self::{
    files::{Files, Kept},
    room::{Room, Tell, Work},
    talk::Talk,
};
use super::forward::Frame;
use crate::{
    metrics::Metrics,
    network::{Class, Network},
};

/// Between two tellings of what was executed since.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Looks at what comes in and tells others, until the room is closed or the task aborted.
pub async fn run(
    room: Arc<Room>,
    mut work: mpsc::Receiver<Work>,
    network: Arc<Network>,
    others: Vec<u64>,
) {
    let mut every = tokio::time::interval(TELL_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            _ = every.tick() => None,
            work = work.recv() => match work {
                Some(work) => Some(work),
                None => return,
            },
        };
        let at = Arc::clone(&room);
        // Verifying and writing may take their time.
        let looked = tokio::task::spawn_blocking(move || match next {
            Some(work) => at.look(work),
            None => at.due(),
        });
        for tell in looked.await.unwrap_or_default() {
            let (to, talk) = match &tell {
                Tell::All(talk) => (others.as_slice(), talk),
                Tell::One(to, talk) => (std::slice::from_ref(to), talk),
            };
            let frame = Frame::Evidence(talk.encode()).encode();
            for to in to {
                // What is lost is told again with what comes next.
                let _ = network.send(*to, Class::Submission, frame.clone());
            }
        }
    }
}

/// A leader orders only what it has verified, so a bad signature in its batch is its doing. [`Room::executed`]
/// keeps the proof.
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
    // Not the accusation whole: it may hold two entries of half a megabyte.
    tracing::error!(
        evidence = "accusation",
        member = from.0,
        code = accusation.code(),
        %accusation,
        "a member sent what no honest one with an intact disk sends"
    );
}

/// A member's message that no correct member sends was dropped.
pub fn dropped(from: NodeId, why: &Refusal, metrics: &Metrics) {
    metrics.evidence("message_dropped");
    tracing::warn!(member = from.0, ?why, "dropped a message that no correct member sends");
}

/// A member shows less than it has shown before: its disk was wiped, put back or swapped.
pub fn forgotten(before: &BTreeSet<NodeId>, now: &BTreeSet<NodeId>, metrics: &Metrics) {
    for member in now.difference(before) {
        metrics.evidence("amnesia");
        tracing::error!(
            evidence = "amnesia",
            member = member.0,
            "a validator does not know what it has told before: it is refused; tell its operator"
        );
    }
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
#[path = "../../../../ledger/tests/common/mod.rs"]
mod city;

#[cfg(test)]
mod room_tests;

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
