//! In front of raft-rs's `step`. raft-rs assumes that members only crash; one crafted message makes
//! 0.7.0 panic, adopt a term from which it never recovers, or follow a stranger. So each message is
//! ruled on here first, against what this replica itself knows.
//!
//! Much never gets this far: what [`crate::wire`] cannot say (proposals, reads, transfer,
//! time-outs, snapshots, vote contexts, commit hints on votes, membership changes) needs no rule.
//!
//! # Terms (G3)
//!
//! Adopting a term is always safe; what must not happen is that `u64` runs out. So no message moves
//! our term by more than [`TERM_STEP_MAX`], but none is refused for being further ahead either: a member
//! that moved another one's term twice, or one that was away, would otherwise separate two honest
//! members for ever, restart or not. Of a message from far ahead only its term is heard, one step of
//! it, until repeats have brought us near. Terms of another epoch's range are refused and move nothing: a
//! member that missed a recovery names them, or a lie, since at a step per message, each written to disk
//! first, nobody gets to the end of a range within centuries.
//!
//! # Epochs
//!
//! Behind a recovery new members begin with empty logs. Until the recovery is in a log, its holder neither
//! campaigns nor is voted for: else they would elect each other, and order a log from its beginning.
//!
//! # Trust
//!
//! A leader that wants something false persisted is unheard, heartbeats too, so that its lease runs
//! out and others elect another: for the rest of its term, or, where a wrong clock explains it, for a
//! few election timeouts (ADR 0010). Safety never rests on that: every entry is checked each time it
//! comes.

mod accusation;
mod answers;
mod shape;
mod trust;

use std::collections::BTreeSet;

use musubi_ledger::{
    batch::NodeId,
    epoch::{FIRST_EPOCH, epoch_of, first_term},
};

pub use self::accusation::{Accusation, Refusal};
use self::{
    answers::{check_vote_request, rule_answer, rule_vote_answer},
    shape::{check_previous, check_shape, contradiction},
    trust::Trust,
};
use crate::{Ballot, Body, LogEntry, PeerMessage, Position, Standing};

/// One message raises our term by no more than this.
pub(crate) const TERM_STEP_MAX: u64 = 1_024;
/// No index or hint is anywhere near: keeps sums from overflowing.
const INDEX_MAX: u64 = 1 << 60;

/// A life that nobody reads: behind the guard it has been believed already.
const UNREAD: u64 = 0;

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
    /// The epoch in whose terms they speak.
    epoch: u32,
    /// The leader's log and ours are the same up to this index, in this term.
    agreed: Position,
    trust: Trust,
    /// Messages of which only a step towards their term was heard.
    far_terms: u64,
}

impl Guard {
    pub(crate) fn new(me: NodeId, members: impl IntoIterator<Item = NodeId>) -> Self {
        let members = members.into_iter().collect();
        let (epoch, agreed) = (FIRST_EPOCH, Position::default());
        Self { me, members, epoch, agreed, trust: Trust::default(), far_terms: 0 }
    }

    /// For another epoch than the first.
    pub(crate) fn in_epoch(self, epoch: u32) -> Self {
        Self { epoch, ..self }
    }

    /// One tick passed.
    pub(crate) fn tick(&mut self) {
        self.trust.tick();
    }

    /// Hears nothing that `leader` says as the leader of `term` from now on: for so many ticks, or for
    /// the whole term.
    pub(crate) fn distrust(&mut self, leader: NodeId, term: u64, ticks: Option<usize>) {
        self.trust.lose(leader, term, ticks);
    }

    /// Whether the leader of this term was caught, and is still unheard.
    pub(crate) fn distrusts(&self, leader: NodeId, term: u64) -> bool {
        self.trust.is_lost(leader, term)
    }

    /// Messages of which only a step towards their term was heard.
    pub(crate) fn far_terms(&self) -> u64 {
        self.far_terms
    }

    /// Raft has taken an append of this term's leader: both logs are the same up to here. Not before:
    /// an append that is let pass here may still be dropped, and then a heartbeat must not commit
    /// what it would have replaced.
    pub(crate) fn agreed(&mut self, index: u64, term: u64) {
        let known = if self.agreed.term == term { self.agreed.index } else { 0 };
        self.agreed = Position { index: index.max(known), term };
    }

    /// Rules on `message`, which came from the authenticated member `peer`.
    pub(crate) fn rule(
        &mut self,
        peer: NodeId,
        message: PeerMessage,
        facts: &Facts,
        log: &impl LogFacts,
    ) -> Ruling {
        if let Err(refusal) = self.check_envelope(peer, &message) {
            return Ruling::Drop(refusal);
        }
        let near = facts.standing.term.saturating_add(TERM_STEP_MAX);
        let message = if message.term > near { self.step_towards(near, message) } else { message };
        match &message.body {
            Body::Append { .. } | Body::Heartbeat { .. } => self.rule_leader(message, facts, log),
            Body::AppendAnswer { .. } | Body::HeartbeatAnswer { .. } => {
                rule_answer(message, facts, log)
            }
            Body::VoteRequest { last, .. } => match check_vote_request(&message, *last) {
                Ok(()) => Ruling::Step(message),
                Err(refusal) => Ruling::Drop(refusal),
            },
            Body::VoteAnswer { .. } => rule_vote_answer(message, facts),
            // Heard before, by a replica that has an identity.
            Body::Pledges(_) => Ruling::Ignore,
        }
    }

    /// G1: the sender is who the connection proved, and both ends are members.
    pub(crate) fn check_ends(&self, peer: NodeId, message: &PeerMessage) -> Result<(), Refusal> {
        if message.from != peer {
            return Err(Refusal::Sender);
        }
        if !self.members.contains(&peer) || peer == self.me {
            return Err(Refusal::NotAMember);
        }
        if message.to != self.me {
            return Err(Refusal::Receiver);
        }
        Ok(())
    }

    /// G1, and G3: a term that campaigns can reach.
    fn check_envelope(&self, peer: NodeId, message: &PeerMessage) -> Result<(), Refusal> {
        self.check_ends(peer, message)?;
        if message.term == 0 {
            return Err(Refusal::Term);
        }
        let without_recovery = |last: Position| last.term < first_term(self.epoch);
        match message.body {
            _ if epoch_of(message.term) != self.epoch => Err(Refusal::Epoch),
            Body::VoteRequest { last, .. } if without_recovery(last) => Err(Refusal::Epoch),
            _ => Ok(()),
        }
    }

    /// What is heard of a message from far ahead (G3): its term, as far as one step goes. A vote request
    /// stays one, as if for an empty log, because whoever hears a leader must not hear it.
    fn step_towards(&mut self, near: u64, message: PeerMessage) -> PeerMessage {
        let PeerMessage { from, to, life, .. } = message;
        let body = match message.body {
            // Both speak of a term that nobody is in yet: raft-rs never adopts it.
            Body::VoteRequest { ballot: Ballot::Pre, .. }
            | Body::VoteAnswer { granted: true, .. } => return message,
            Body::VoteRequest { ballot, .. } => {
                Body::VoteRequest { ballot, last: Position::default() }
            }
            _ => Body::HeartbeatAnswer { commit: 0 },
        };
        self.far_terms += 1;
        PeerMessage { from, to, life, term: near, body }
    }

    fn rule_leader(&self, message: PeerMessage, facts: &Facts, log: &impl LogFacts) -> Ruling {
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
        &self,
        (from, to, term): (NodeId, NodeId, u64),
        (previous, commit, entries): (Position, u64, Vec<LogEntry>),
        facts: &Facts,
        log: &impl LogFacts,
    ) -> Ruling {
        let shape = check_shape(term, previous, commit, &entries)
            .and_then(|()| check_previous(previous, facts, log));
        if let Err(refusal) = shape {
            return Ruling::Drop(refusal);
        }
        if let Some(accusation) = contradiction(previous, &entries, facts, log) {
            return Ruling::Accuse(Box::new(accusation));
        }
        // While a follower catches up, the leader's commit honestly exceeds what this message
        // brings.
        let commit = commit.min(previous.index + entries.len() as u64);
        let body = Body::Append { previous, commit, entries };
        Ruling::Step(PeerMessage { from, to, life: UNREAD, term, body })
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
        let agreed = if self.agreed.term == term { self.agreed.index } else { 0 };
        let vouched = commit <= agreed || log.term_at(commit) == Some(term);
        let commit = if vouched { commit } else { agreed };
        Ruling::Step(PeerMessage { from, to, life: UNREAD, term, body: Body::Heartbeat { commit } })
    }
}

#[cfg(test)]
mod tests;
