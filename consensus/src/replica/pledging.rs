//! Pledges, for a replica that has an identity: whom to believe, and being believed.

use std::collections::BTreeSet;

use musubi_ledger::batch::NodeId;

use super::Replica;
use crate::{
    Answer, Ballot, Body, Effect, HaltReason, Identity, PeerMessage, Refusal,
    amnesia::{Act, Amnesia, Belief},
    pledge::{Durable, Pledges},
};

impl Replica {
    /// Gives it an identity, before its first input: from then on it promises nothing until others vouch for
    /// it, and believes only who has not forgotten. One without believes everybody and tells nobody: for
    /// tests of Raft's rules alone.
    ///
    /// # Panics
    /// If the identity's life is 0.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.amnesia = Some(Amnesia::new(&self.config, identity));
        self
    }

    /// Members that have shown less than before, on a disk that was wiped, put back or swapped: whatever else
    /// they sign must not be relied on either.
    #[must_use]
    pub fn refused(&self) -> BTreeSet<NodeId> {
        self.amnesia.iter().flat_map(Amnesia::refused).collect()
    }

    /// The life that its messages name; 0 without an identity.
    pub(super) fn life(&self) -> u64 {
        self.amnesia.as_ref().map_or(0, Amnesia::life)
    }

    /// Whether it may promise anything.
    pub(super) fn is_awake(&self) -> bool {
        self.amnesia.as_ref().is_none_or(Amnesia::is_awake)
    }

    pub(super) fn tick_pledges(&mut self) {
        let acts = self.amnesia.as_mut().map(Amnesia::tick).unwrap_or_default();
        self.act(acts);
    }

    pub(super) fn peer_connected(&mut self, node: NodeId) {
        let known = self.config.key_of(node).is_some() && node != self.config.me;
        if let Some(amnesia) = self.amnesia.as_mut().filter(|_| known) {
            let act = amnesia.tell(node);
            self.act(vec![act]);
        }
    }

    pub(super) fn durable(&mut self, kept: Durable, cosigned: u64) {
        if let Some(amnesia) = &mut self.amnesia {
            amnesia.durable(kept, cosigned);
        }
    }

    pub(super) fn recorded(&mut self, number: u64) {
        let acts = self.amnesia.as_mut().map(|amnesia| amnesia.recorded(number));
        self.act(acts.unwrap_or_default());
    }

    /// Pledges of a member.
    pub(super) fn hear(&mut self, from: NodeId, message: &PeerMessage, told: &Pledges) {
        if let Err(refusal) = self.guard.check_ends(from, message) {
            return self.drop_message(from, refusal);
        }
        if message.term != 0 || message.life != told.own.pledge.life {
            return self.drop_message(from, Refusal::Pledge);
        }
        if let Some(amnesia) = &mut self.amnesia {
            let acts = amnesia.hear(from, told);
            self.act_for(from, acts);
        }
    }

    /// Whether a message may be ruled on: nothing counts before this replica is awake, and nothing of a life
    /// that is not believed.
    pub(super) fn believes(&mut self, from: NodeId, message: &PeerMessage) -> bool {
        let Some(amnesia) = &self.amnesia else {
            return true;
        };
        match amnesia.belief(from, message.life) {
            Belief::Yes => amnesia.is_awake(),
            // Late, of a life that is over, or early, of one whose pledge is still on its way.
            Belief::NotYet => false,
            Belief::No => {
                self.drop_message(from, Refusal::Amnesia);
                false
            }
        }
    }

    /// Notes what a message that passed the guard promises on its sender's part. Only what its outbox let
    /// go when it was durable counts: a pre-vote speaks of a term that nobody is in.
    pub(super) fn note_promise(&mut self, message: &PeerMessage) {
        let index = match &message.body {
            Body::VoteRequest { ballot: Ballot::Pre, .. }
            | Body::VoteAnswer { ballot: Ballot::Pre, .. } => return,
            Body::AppendAnswer { answer: Answer::Accepted { index }, .. } => *index,
            _ => 0,
        };
        if let Some(amnesia) = &mut self.amnesia {
            amnesia.promised(message.from, message.term, index);
        }
    }

    fn act(&mut self, acts: Vec<Act>) {
        self.act_for(self.config.me, acts);
    }

    /// Carries out what follows from what `heard` said.
    fn act_for(&mut self, heard: NodeId, acts: Vec<Act>) {
        let (from, life) = (self.config.me, self.life());
        for act in acts {
            match act {
                Act::Tell(to, pledges) => {
                    let body = Body::Pledges(pledges);
                    self.send(PeerMessage { from, to, life, term: 0, body });
                }
                Act::Remember(remember) => self.effects.push_back(Effect::Remember(remember)),
                Act::Drop(refusal) => self.drop_message(heard, refusal),
                Act::Stop(forgotten) => self.core.stop(HaltReason::Amnesia(forgotten)),
            }
        }
    }
}
