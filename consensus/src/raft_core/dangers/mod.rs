//! What raft-rs 0.7.0 does with one crafted message, and that ours never gets that far. Each test
//! first shows the danger on raft-rs alone: a test whose danger is gone tells that a rule may go
//! too. Hostile input 18, and a leader's false batch (of hostile input 12).

#![allow(clippy::unwrap_used)]

use musubi_ledger::{
    batch::{Batch, NodeId},
    id::ChainId,
    keys::SecretKey,
    time::Time,
};
use raft::eraftpb::{ConfState, Entry, Message, MessageType, Snapshot, SnapshotMetadata};

mod follower;
mod leader;
mod unspeakable;

use super::*;
use crate::{
    Accusation, Answer, Ballot, Body, Effect, Executed, HardState, Input, LogFault, MemberKey,
    Refusal, Replica,
};

const CHAIN: ChainId = ChainId([3; 32]);
const NOW: Time = Time(1_000_000);
const ME: NodeId = NodeId(1);
const PEER: NodeId = NodeId(2);

struct Kept(Vec<LogEntry>);

impl LogReader for Kept {
    fn entries(&self, from: u64, until: u64, _: u64) -> Result<Vec<LogEntry>, LogFault> {
        Ok(self.0.iter().filter(|e| (from..until).contains(&e.index)).cloned().collect())
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        Ok(self.0.iter().find(|e| e.index == index).map(|e| e.term))
    }
}

fn key(node: u64) -> SecretKey {
    SecretKey::from_seed(&[node as u8; 32])
}

fn config() -> Config {
    let member = |node| MemberKey { node: NodeId(node), batch_key: key(node).public() };
    Config::new(CHAIN, ME, [1, 2, 3].map(member).to_vec(), key(1))
}

fn batch(index: u64, term: u64, leader: u64, item: u8) -> LogEntry {
    let signer = (NodeId(leader), &key(leader));
    let batch = Batch::sign(CHAIN, (term, index), NOW, vec![vec![item]], signer);
    LogEntry { index, term, data: batch.encode() }
}

fn noop(index: u64, term: u64) -> LogEntry {
    LogEntry { index, term, data: vec![] }
}

/// Three entries of term 1, two of them committed and executed.
fn log() -> Vec<LogEntry> {
    vec![noop(1, 1), batch(2, 1, 2, 9), batch(3, 1, 2, 8)]
}

fn recovered() -> Recovered {
    Recovered {
        hard_state: HardState { term: 1, vote: None, commit: 2 },
        last: Position { index: 3, term: 1 },
        applied_index: 2,
        ..Recovered::fresh()
    }
}

/// raft-rs as we run it, but without guard and outbox.
fn alone() -> RaftCore {
    RaftCore::new(&config(), &recovered(), Box::new(Kept(log())), 1).unwrap()
}

fn replica() -> Replica {
    Replica::new(config(), recovered(), Box::new(Kept(log())), 1).unwrap()
}

fn says(from: NodeId, term: u64, body: Body) -> PeerMessage {
    PeerMessage { from, to: ME, life: 0, term, body }
}

fn raw(kind: MessageType, from: u64, term: u64) -> Message {
    let mut message = Message { from, to: 1, term, ..Message::default() };
    message.set_msg_type(kind);
    message
}

fn step_raw(core: &mut RaftCore, message: Message) {
    let _ = core.call(|node| node.step(message));
}

fn panicked(core: &RaftCore) -> String {
    match core.fault() {
        Some(HaltReason::Raft(text)) => text.clone(),
        other => panic!("raft-rs no longer panics here: {other:?}"),
    }
}

fn drain(core: &mut RaftCore) -> Vec<Turn> {
    let mut turns = Vec::new();
    while let Some(turn) = core.ready(u64::MAX - 1) {
        core.persisted(turn.number, u64::MAX, usize::MAX);
        if turn.is_empty() {
            break;
        }
        turns.push(turn);
    }
    turns
}

fn elect(core: &mut RaftCore) {
    while core.standing().role != Role::PreCandidate {
        core.tick();
    }
    drain(core);
    for ballot in [Ballot::Pre, Ballot::Real] {
        core.step(says(PEER, 2, Body::VoteAnswer { ballot, granted: true }));
        drain(core);
    }
    assert_eq!(core.standing().role, Role::Leader);
}

/// Polls a replica, persisting and executing at once; gives the other effects.
fn settle(replica: &mut Replica) -> Vec<Effect> {
    let mut others = Vec::new();
    while let Some(effect) = replica.poll() {
        match effect {
            Effect::Persist(persist) => {
                replica.handle(NOW, Input::Persisted { number: persist.number });
            }
            Effect::Execute(execute) => {
                let index = execute.entry.index;
                let executed = Executed { index, time: NOW, judged: vec![], due: None };
                replica.handle(NOW, Input::Executed(executed));
            }
            other => others.push(other),
        }
    }
    others
}

fn tell(replica: &mut Replica, peer: NodeId, message: PeerMessage) -> Vec<Effect> {
    replica.handle(NOW, Input::Message { from: peer, bytes: message.encode() });
    settle(replica)
}

fn lead() -> Replica {
    let mut replica = replica();
    while replica.status().standing.role != Role::PreCandidate {
        replica.handle(NOW, Input::Tick);
        settle(&mut replica);
    }
    for ballot in [Ballot::Pre, Ballot::Real] {
        tell(&mut replica, PEER, says(PEER, 2, Body::VoteAnswer { ballot, granted: true }));
    }
    assert_eq!(replica.status().standing.role, Role::Leader);
    replica
}

/// The replica drops `message` for `why`, and nothing about it changes.
fn assert_dropped(mut replica: Replica, peer: NodeId, message: PeerMessage, why: Refusal) {
    let before = replica.status();
    assert_eq!(tell(&mut replica, peer, message), [Effect::Dropped { from: peer, why }]);
    assert_eq!(replica.status(), before);
}

fn accused(mut replica: Replica, peer: NodeId, message: PeerMessage) -> Accusation {
    let before = replica.status();
    let effects = tell(&mut replica, peer, message);
    assert_eq!(replica.status(), before);
    match &effects[..] {
        [Effect::Evidence { accusation, .. }] => (**accusation).clone(),
        other => panic!("expected evidence, got {other:?}"),
    }
}
