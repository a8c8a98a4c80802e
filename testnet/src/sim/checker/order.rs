//! The book of order: leaders, votes, the committed log, and that nothing sent rests on what is not
//! durable.

use std::collections::BTreeMap;

use musubi_consensus::{Answer, Ballot, Body, LogEntry, PeerMessage, Position, Role, Standing};
use musubi_storage::{Store, watermark::Mark};

use super::{
    Holds, Violation, broken,
    durable::{DurableLog, fingerprint},
};

/// The book.
pub(crate) struct OrderBook {
    /// Term to its leader.
    leaders: BTreeMap<u64, usize>,
    /// (voter, term) to candidate.
    votes: BTreeMap<(u64, u64), u64>,
    /// (Leader, term, index) to the fingerprint of what it sent for that place.
    sent: BTreeMap<(usize, u64, u64), u64>,
    /// The one history, from index 1.
    committed: Vec<Committed>,
    /// Per node, the last entry handed to execution.
    handed: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Committed {
    term: u64,
    fingerprint: u64,
    /// The entry was committed in this term or an earlier one.
    by_term: u64,
}

impl OrderBook {
    pub(crate) fn new(nodes: usize, entries: &[LogEntry]) -> Self {
        let known = |entry: &LogEntry| Committed {
            term: entry.term,
            fingerprint: fingerprint(entry),
            by_term: entry.term,
        };
        Self {
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            sent: BTreeMap::new(),
            committed: entries.iter().map(known).collect(),
            handed: vec![entries.len() as u64; nodes],
        }
    }

    pub(crate) fn committed(&self) -> u64 {
        self.committed.len() as u64
    }

    pub(crate) fn leaders(&self) -> usize {
        self.leaders.len()
    }

    pub(crate) fn started(&mut self, node: usize, applied: Position) {
        self.handed[node] = applied.index;
    }

    /// I1: one leader per term. I3: it holds everything committed in earlier terms.
    pub(crate) fn standing(&mut self, node: usize, standing: Standing, store: &Store) -> Holds {
        let Standing { term, role: Role::Leader, .. } = standing else {
            return Ok(());
        };
        let leader = *self.leaders.entry(term).or_insert(node);
        if leader != node {
            let seen = format!("nodes {} and {} in term {term}", leader + 1, node + 1);
            return broken("I1 one leader per term", seen);
        }
        let Some(before) = self.committed.iter().rposition(|entry| entry.by_term < term) else {
            return Ok(());
        };
        let index = before as u64 + 1;
        let found = store.log_position(index).ok().flatten().map(|position| position.term);
        if found == Some(self.committed[before].term) {
            return Ok(());
        }
        let seen = format!("the leader of term {term}, node {}, lacks entry {index}", node + 1);
        broken("I3 leaders hold all that is committed", seen)
    }

    /// I2: one committed history. I7: each entry once, in order. I8: on the disks of a majority.
    pub(crate) fn executes(
        &mut self,
        node: usize,
        entry: &LogEntry,
        term: u64,
        durable: &[DurableLog],
    ) -> Holds {
        let next = self.handed[node] + 1;
        if entry.index != next {
            let seen = format!("node {} executes entry {}, {next} is next", node + 1, entry.index);
            return broken("I7 each entry is executed once, in order", seen);
        }
        self.handed[node] = next;
        let fingerprint = fingerprint(entry);
        if let Some(known) = self.committed.get(next as usize - 1) {
            if (known.term, known.fingerprint) == (entry.term, fingerprint) {
                return Ok(());
            }
            let seen = format!("node {} executes another entry at index {next}", node + 1);
            return broken("I2 one committed history", seen);
        }
        let holders = durable.iter().filter(|log| log.holds(next, fingerprint)).count();
        if next != self.committed() + 1 || holders * 2 <= durable.len() {
            let seen = format!(
                "node {} executes entry {next}, which {holders} of {} disks hold",
                node + 1,
                durable.len()
            );
            return broken("I8 what is executed is durable on a majority", seen);
        }
        self.committed.push(Committed { term: entry.term, fingerprint, by_term: term });
        Ok(())
    }

    /// I14: what is sent rests on what is durable at this moment, by the store's own watermark.
    pub(crate) fn message(&mut self, node: usize, bytes: &[u8], store: &Store) -> Holds {
        let message = PeerMessage::decode(bytes).map_err(|error| Violation {
            invariant: "I21 messages decode",
            seen: format!("node {}: {error}", node + 1),
        })?;
        let (mark, term) = (store.acknowledged(), message.term);
        let voted =
            |candidate: u64| mark.term > term || (mark.term == term && mark.vote == candidate);
        let rests_on_disk = match &message.body {
            Body::VoteAnswer { ballot: Ballot::Real, granted: true } => voted(message.to.0),
            Body::VoteRequest { ballot: Ballot::Real, last } => {
                voted(message.from.0) && speaks_of_its_log(term, *last, mark, store)
            }
            // Once a newer term is durable, this acknowledgement speaks of the past, as if late.
            Body::AppendAnswer { answer: Answer::Accepted { index }, .. } => {
                mark.term > term || (mark.term == term && mark.index >= *index)
            }
            Body::VoteRequest { ballot: Ballot::Pre, .. }
            | Body::VoteAnswer { ballot: Ballot::Pre, .. } => true,
            _ => mark.term >= term,
        };
        if !rests_on_disk {
            let seen = format!(
                "node {} sends {:?} of term {term}; durable are term {}, vote {}, index {}",
                node + 1,
                message.body,
                mark.term,
                mark.vote,
                mark.index
            );
            return broken("I14 nothing sent rests on what is not durable", seen);
        }
        match &message.body {
            Body::VoteAnswer { ballot: Ballot::Real, granted: true } => {
                self.vote(message.from.0, term, message.to.0)
            }
            Body::VoteRequest { ballot: Ballot::Real, .. } => {
                self.vote(message.from.0, term, message.from.0)
            }
            Body::Append { entries, .. } => self.leads(node, term, entries),
            _ => Ok(()),
        }
    }

    /// I13: a leader signs one batch for a place, whatever befalls it: two would be evidence against it.
    fn leads(&mut self, node: usize, term: u64, entries: &[LogEntry]) -> Holds {
        for entry in entries.iter().filter(|entry| entry.term == term) {
            let fingerprint = fingerprint(entry);
            let sent = *self.sent.entry((node, term, entry.index)).or_insert(fingerprint);
            if sent != fingerprint {
                let (node, index) = (node + 1, entry.index);
                let seen =
                    format!("node {node} sends two entries for index {index} of term {term}");
                return broken("I13 one batch for a place", seen);
            }
        }
        Ok(())
    }

    fn vote(&mut self, voter: u64, term: u64, candidate: u64) -> Holds {
        let voted = *self.votes.entry((voter, term)).or_insert(candidate);
        if voted == candidate {
            return Ok(());
        }
        let seen = format!("node {voter} votes for {voted} and {candidate} in term {term}");
        broken("I1 one vote per node and term", seen)
    }

    /// I8: at the end a node's log holds everything committed.
    pub(crate) fn survived(&self, node: usize, store: &Store) -> Holds {
        let found = store.log_entries(1, self.committed() + 1, u64::MAX).map_err(|error| {
            Violation { invariant: "I8 no commit is lost", seen: error.to_string() }
        })?;
        let same = |(found, known): (&LogEntry, &Committed)| {
            (found.term, fingerprint(found)) == (known.term, known.fingerprint)
        };
        if found.len() == self.committed.len() && found.iter().zip(&self.committed).all(same) {
            return Ok(());
        }
        broken("I8 no commit is lost", format!("node {} holds another log", node + 1))
    }
}

/// Whether a candidate's log ends on disk where it says. Unless a leader of this very term replaced
/// that log meanwhile: then it speaks of the past.
fn speaks_of_its_log(term: u64, last: Position, mark: Mark, store: &Store) -> bool {
    let end = store.log_position(mark.index).ok().flatten();
    mark.term > term || last.index == mark.index || end.is_some_and(|end| end.term == term)
}
