//! In front of raft-rs's `step`. raft-rs assumes that members only crash; one crafted message makes
//! 0.7.0 panic, adopt a term from which it never recovers, or follow a stranger. So each message is
//! ruled on here first, against what this replica itself knows.
//!
//! Much never gets this far: what [`crate::wire`] cannot say (proposals, reads, transfer,
//! time-outs, snapshots, vote contexts, commit hints on votes, membership changes) needs no rule.

mod accusation;
mod answers;
mod shape;

use std::collections::BTreeSet;

use musubi_ledger::batch::NodeId;

pub use self::accusation::{Accusation, Refusal};
use self::{
    answers::{check_vote_request, rule_answer, rule_vote_answer},
    shape::{check_shape, contradiction},
};
use crate::{Body, LogEntry, PeerMessage, Position, Standing};

/// A term may run ahead of ours by this much: each campaign adds one, so an honest member that was
/// cut off for days stays below it (pre-vote keeps it from campaigning at all), and a hostile one
/// cannot exhaust `u64`.
pub(crate) const TERM_AHEAD_MAX: u64 = 1_024;
/// No index or hint is anywhere near: keeps sums from overflowing.
const INDEX_MAX: u64 = 1 << 60;

/// What this replica knows when a message arrives.
pub(crate) struct Facts {
    pub(crate) standing: Standing,
    pub(crate) commit: u64,
    pub(crate) last: Position,
    /// How far the sender has acknowledged our log in this term.
    pub(crate) acknowledged: u64,
    /// Whether entries or votes are still being written.
    pub(crate) unpersisted: bool,
}

/// This replica's log, as far as it is kept.
pub(crate) trait LogFacts {
    /// Term of the entry at `index`; 0 at index 0.
    fn term_at(&self, index: u64) -> Option<u64>;
    /// The entry at `index`.
    fn entry_at(&self, index: u64) -> Option<LogEntry>;
}

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Step it, perhaps with its commit index lowered.
    Step(PeerMessage),
    /// Stale or untimely, as an honest member's may be.
    Ignore,
    /// No correct member sends it.
    Drop(Refusal),
    /// It shows that the sender, or this disk, is wrong.
    Accuse(Box<Accusation>),
}

pub(crate) struct Guard {
    me: NodeId,
    members: BTreeSet<NodeId>,
    /// The leader's log and ours are the same up to this index, in this term.
    agreed: Position,
    /// A leader that tried to have something false persisted: unheard for that term, heartbeats
    /// too, so that its lease runs out and others elect another.
    distrusted: Option<(NodeId, u64)>,
}

impl Guard {
    pub(crate) fn new(me: NodeId, members: impl IntoIterator<Item = NodeId>) -> Self {
        let members = members.into_iter().collect();
        Self { me, members, agreed: Position::default(), distrusted: None }
    }

    /// Refuses all that `leader` says as the leader of `term` from now on.
    pub(crate) fn distrust(&mut self, leader: NodeId, term: u64) {
        self.distrusted = Some((leader, term));
    }

    /// Whether the leader of this term was caught.
    pub(crate) fn distrusts(&self, leader: NodeId, term: u64) -> bool {
        self.distrusted == Some((leader, term))
    }

    /// Rules on `message`, which came from the authenticated member `peer`.
    pub(crate) fn rule(
        &mut self,
        peer: NodeId,
        message: PeerMessage,
        facts: &Facts,
        log: &impl LogFacts,
    ) -> Ruling {
        if let Err(refusal) = self.check_envelope(peer, &message, facts) {
            return Ruling::Drop(refusal);
        }
        match &message.body {
            Body::Append { .. } | Body::Heartbeat { .. } => self.rule_leader(message, facts, log),
            Body::AppendAnswer { .. } | Body::HeartbeatAnswer { .. } => rule_answer(message, facts),
            Body::VoteRequest { last, .. } => match check_vote_request(&message, *last) {
                Ok(()) => Ruling::Step(message),
                Err(refusal) => Ruling::Drop(refusal),
            },
            Body::VoteAnswer { .. } => rule_vote_answer(message, facts),
        }
    }

    /// G1: the sender is who the connection proved, and both ends are members. G3: the term is near
    /// ours.
    fn check_envelope(
        &self,
        peer: NodeId,
        message: &PeerMessage,
        facts: &Facts,
    ) -> Result<(), Refusal> {
        if message.from != peer {
            return Err(Refusal::Sender);
        }
        if !self.members.contains(&peer) || peer == self.me {
            return Err(Refusal::NotAMember);
        }
        if message.to != self.me {
            return Err(Refusal::Receiver);
        }
        if message.term == 0 || message.term > facts.standing.term.saturating_add(TERM_AHEAD_MAX) {
            return Err(Refusal::Term);
        }
        Ok(())
    }

    fn rule_leader(&mut self, message: PeerMessage, facts: &Facts, log: &impl LogFacts) -> Ruling {
        let (from, term) = (message.from, message.term);
        if term < facts.standing.term {
            // A deposed leader: raft-rs answers with our term, and reads nothing else.
            let body = Body::Heartbeat { commit: 0 };
            return Ruling::Step(PeerMessage { body, ..message });
        }
        if self.distrusts(from, term) {
            return Ruling::Ignore;
        }
        let known = facts.standing.leader.filter(|_| term == facts.standing.term);
        if let Some(known) = known.filter(|&known| known != from) {
            return Ruling::Accuse(Box::new(Accusation::SecondLeader { term, known }));
        }
        if self.agreed.term != term {
            self.agreed = Position { index: 0, term };
        }
        match message.body {
            Body::Append { previous, commit, entries } => {
                let parts = (previous, commit, entries);
                self.rule_append((from, message.to, term), parts, facts, log)
            }
            Body::Heartbeat { commit } => {
                self.rule_heartbeat((from, message.to, term), commit, facts, log)
            }
            _ => unreachable!("only a leader's messages come here"),
        }
    }

    fn rule_append(
        &mut self,
        (from, to, term): (NodeId, NodeId, u64),
        (previous, commit, entries): (Position, u64, Vec<LogEntry>),
        facts: &Facts,
        log: &impl LogFacts,
    ) -> Ruling {
        if let Err(refusal) = check_shape(term, previous, commit, &entries) {
            return Ruling::Drop(refusal);
        }
        if let Some(accusation) = contradiction(previous, &entries, facts, log) {
            return Ruling::Accuse(Box::new(accusation));
        }
        let last_new = previous.index + entries.len() as u64;
        if previous.index < facts.commit {
            // raft-rs takes nothing of it and answers with its commit index.
            self.agreed.index = self.agreed.index.max(facts.commit);
        } else if log.term_at(previous.index) == Some(previous.term) {
            self.agreed.index = self.agreed.index.max(last_new);
        }
        // While a follower catches up, the leader's commit honestly exceeds what this message
        // brings.
        let commit = commit.min(last_new);
        Ruling::Step(PeerMessage {
            from,
            to,
            term,
            body: Body::Append { previous, commit, entries },
        })
    }

    /// G4. An honest leader names at most what we acknowledged to it. raft-rs would panic beyond
    /// our log, and within it commit entries of ours that are not the leader's.
    fn rule_heartbeat(
        &self,
        (from, to, term): (NodeId, NodeId, u64),
        commit: u64,
        facts: &Facts,
        log: &impl LogFacts,
    ) -> Ruling {
        if commit > facts.last.index {
            let last_index = facts.last.index;
            return Ruling::Accuse(Box::new(Accusation::CommitBeyondLog {
                term,
                commit,
                last_index,
            }));
        }
        // An entry of this very term is this leader's, and so is all before it: true after a
        // restart too, when nothing has been agreed yet.
        let vouched = commit <= self.agreed.index || log.term_at(commit) == Some(term);
        let commit = if vouched { commit } else { self.agreed.index.min(commit) };
        Ruling::Step(PeerMessage { from, to, term, body: Body::Heartbeat { commit } })
    }
}

#[cfg(test)]
mod tests;
