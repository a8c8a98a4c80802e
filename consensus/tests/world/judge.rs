//! Looks at every effect of every replica, and knows every disk.

use std::collections::BTreeMap;

use musubi_consensus::{
    Answer, Ballot, Body, Effect, Execute, LogEntry, PeerMessage, Role, Standing,
};
use musubi_ledger::batch::NodeId;

use super::{Node, Outcome};

pub(crate) struct Judge {
    count: usize,
    /// Term to its leader.
    leaders: BTreeMap<u64, usize>,
    /// (voter, term) to candidate.
    votes: BTreeMap<(u64, u64), u64>,
    /// The one history: entry i + 1 at i.
    committed: Vec<LogEntry>,
    digest: u64,
}

impl Judge {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            count,
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            committed: Vec::new(),
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }

    pub(crate) fn committed(&self) -> usize {
        self.committed.len()
    }

    pub(crate) fn leaders(&self) -> usize {
        self.leaders.len()
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    fn note(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
            self.digest = (self.digest ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29);
        }
    }

    pub(crate) fn look(&mut self, at: usize, effect: &Effect, nodes: &[Node]) -> Outcome<()> {
        self.note(&[at as u8]);
        match effect {
            Effect::Send { to, bytes, .. } => {
                self.note(&to.0.to_le_bytes());
                self.note(bytes);
            }
            Effect::Execute(execute) => self.note(&execute.entry.data),
            Effect::Persist(persist) => {
                let head = (persist.number, persist.truncate_from, persist.hard_state);
                self.note(format!("{head:?} {}", persist.entries.len()).as_bytes());
            }
            other => self.note(format!("{other:?}").as_bytes()),
        }
        match effect {
            Effect::Send { bytes, .. } => {
                let message = PeerMessage::decode(bytes).map_err(|e| e.to_string())?;
                self.look_at_message(&message, &nodes[at])
            }
            Effect::Execute(execute) => self.look_at_execution(at, execute, nodes),
            Effect::Standing(Standing { term, role: Role::Leader, .. }) => {
                let leader = *self.leaders.entry(*term).or_insert(at);
                if leader == at { Ok(()) } else { Err(format!("I9: two leaders in term {term}")) }
            }
            _ => Ok(()),
        }
    }

    /// I8, I14: what is sent rests on what is durable at this moment.
    fn look_at_message(&mut self, message: &PeerMessage, node: &Node) -> Outcome<()> {
        let image = node.disk.image.lock().unwrap();
        let (state, term) = (image.hard_state, message.term);
        let last = image.entries.last_key_value().map_or(0, |(index, _)| *index);
        let unsafe_to_send = |what: &str| {
            Err(format!("I14: {what} sent, durable is {state:?}, last {last}: {message:?}"))
        };
        match &message.body {
            Body::VoteAnswer { ballot: Ballot::Real, granted: true } => {
                if state.term < term || (state.term == term && state.vote != Some(message.to)) {
                    return unsafe_to_send("a vote");
                }
                self.vote(message.from, term, message.to)
            }
            Body::VoteRequest { ballot: Ballot::Real, last: claimed } => {
                if state.term < term || (state.term == term && state.vote != Some(message.from)) {
                    return unsafe_to_send("a candidacy");
                }
                // Unless a leader of this very term replaced that log meanwhile: then it speaks of
                // the past.
                let replaced = image.entries.values().any(|entry| entry.term == term);
                if state.term == term && claimed.index != last && !replaced {
                    return unsafe_to_send("a candidacy for another log");
                }
                self.vote(message.from, term, message.from)
            }
            Body::AppendAnswer { answer: Answer::Accepted { index }, .. } => {
                // Once a newer term is durable, this acknowledgement speaks of the past, as if
                // late.
                if state.term < term || (state.term == term && last < *index) {
                    return unsafe_to_send("an acknowledgement");
                }
                Ok(())
            }
            Body::VoteRequest { ballot: Ballot::Pre, .. }
            | Body::VoteAnswer { ballot: Ballot::Pre, .. } => Ok(()),
            _ if state.term < term => unsafe_to_send("a term"),
            _ => Ok(()),
        }
    }

    fn vote(&mut self, voter: NodeId, term: u64, candidate: NodeId) -> Outcome<()> {
        let voted = *self.votes.entry((voter.0, term)).or_insert(candidate.0);
        if voted == candidate.0 {
            Ok(())
        } else {
            Err(format!("I1: {voter:?} votes twice in term {term}"))
        }
    }

    fn look_at_execution(&mut self, at: usize, execute: &Execute, nodes: &[Node]) -> Outcome<()> {
        let entry = &execute.entry;
        let node = &nodes[at];
        let expected = node.to_execute.back().map_or(node.executed, |e| e.entry.index) + 1;
        if entry.index != expected {
            return Err(format!(
                "I10: node {} executes {}, {expected} is next",
                at + 1,
                entry.index
            ));
        }
        match self.committed.get(entry.index as usize - 1) {
            Some(known) if known == entry => return Ok(()),
            Some(known) => return Err(format!("I9: committed {known:?} becomes {entry:?}")),
            None => {}
        }
        if entry.index as usize != self.committed.len() + 1 {
            return Err(format!("entry {} commits before the one before it", entry.index));
        }
        let durable =
            |node: &&Node| node.disk.image.lock().unwrap().entries.get(&entry.index) == Some(entry);
        let holders = nodes.iter().filter(durable).count();
        if holders * 2 <= self.count {
            return Err(format!("entry {} executes with {holders} durable copies", entry.index));
        }
        self.committed.push(entry.clone());
        Ok(())
    }

    /// At the end, every disk holds the one history, and every state is its execution.
    pub(crate) fn everything_survived(&self, nodes: &[Node]) -> Outcome<()> {
        for (at, node) in nodes.iter().enumerate() {
            let image = node.disk.image.lock().unwrap();
            for entry in &self.committed {
                if image.entries.get(&entry.index) != Some(entry) {
                    return Err(format!(
                        "I8: node {} lost committed entry {}",
                        at + 1,
                        entry.index
                    ));
                }
            }
            let executed = image.executed.iter().map(|(index, data)| (*index, data));
            let wrong = executed
                .zip(&self.committed)
                .any(|(executed, entry)| executed != (entry.index, &entry.data));
            if wrong {
                return Err(format!("I10: node {} executed another history", at + 1));
            }
        }
        Ok(())
    }
}
