//! Whether others hold the same entries: how followers that a leader told different things find out.
//!
//! Raft compares terms and indices, never bytes. A leader that gives one batch to one follower and another
//! to the next, both signed for the same place, is therefore believed by both, and what they execute parts
//! without a word. So nodes tell each other the hashes of what they have executed. Whoever sees that
//! another has other bytes at a place of the same term hands over what the leader signed there; whoever
//! gets that holds both halves of the evidence ([`musubi_ledger::evidence`]).
//!
//! Sans-IO and bounded. What is told may be lost: each telling repeats the newest entries.

use std::collections::VecDeque;

use musubi_ledger::hash::Hash;
use serde::{Deserialize, Serialize};

use crate::Position;

/// Entries remembered.
const KNOWN_MAX: usize = 4_096;
/// The newest entries, told again each time.
const AGAIN: usize = 128;

/// An entry that the sender has executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Where it stands.
    pub entry: Position,
    /// SHA-256 of its data.
    pub hash: Hash,
}

/// What this node has executed lately, and has told of it.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Ascending by index.
    known: VecDeque<Told>,
    untold: usize,
}

impl Comparison {
    /// An entry was executed.
    pub fn executed(&mut self, entry: Position, hash: Hash) {
        // After a restart the same entries may come again.
        if self.known.back().is_some_and(|last| last.entry.index >= entry.index) {
            return;
        }
        if self.known.len() == KNOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back(Told { entry, hash });
        self.untold = (self.untold + 1).min(KNOWN_MAX);
    }

    /// What to tell all others now; nothing if nothing was executed since.
    pub fn tell(&mut self) -> Option<Vec<Told>> {
        let count = match std::mem::take(&mut self.untold) {
            0 => return None,
            untold => untold.max(AGAIN).min(self.known.len()),
        };
        Some(self.known.range(self.known.len() - count..).copied().collect())
    }

    /// What a peer has told. Gives the first place at which it executed other bytes than this node in the
    /// same term: hand it what was signed here.
    #[must_use]
    pub fn hear(&self, told: &[Told]) -> Option<Position> {
        let differs = |told: &&Told| {
            let at = self.known.binary_search_by_key(&told.entry.index, |own| own.entry.index);
            let own = at.ok().map(|at| self.known[at]);
            own.is_some_and(|own| own.entry.term == told.entry.term && own.hash != told.hash)
        };
        told.iter().filter(differs).map(|told| told.entry).min_by_key(|entry| entry.index)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(index: u64) -> Position {
        Position { index, term: 1 + index / 10 }
    }

    fn node(entries: impl IntoIterator<Item = (u64, u8)>) -> Comparison {
        let mut comparison = Comparison::default();
        for (index, bytes) in entries {
            comparison.executed(at(index), [bytes; 32]);
        }
        comparison
    }

    #[test]
    fn nodes_with_one_history_find_nothing() {
        let (mut ahead, mut behind) =
            (node((1..50).map(|n| (n, 7))), node((20..40).map(|n| (n, 7))));
        assert_eq!(ahead.hear(&behind.tell().unwrap()), None);
        assert_eq!(behind.hear(&ahead.tell().unwrap()), None);
        assert_eq!(ahead.tell(), None, "nothing new to tell");
    }

    #[test]
    fn the_first_place_that_differs_is_found_by_whoever_hears() {
        let (mut one, mut other) =
            (node((1..50).map(|n| (n, 7))), node((1..40).map(|n| (n, 7 + u8::from(n >= 23)))));
        assert_eq!(one.hear(&other.tell().unwrap()), Some(at(23)));
        assert_eq!(other.hear(&one.tell().unwrap()), Some(at(23)));
        // What is new is told with the newest of what was told before: a loss is made good.
        one.executed(at(50), [7; 32]);
        assert_eq!(other.hear(&one.tell().unwrap()), Some(at(23)));
    }

    #[test]
    fn another_term_at_an_index_is_another_leaders_entry() {
        let one = node([(5, 7)]);
        let told = Told { entry: Position { index: 5, term: 9 }, hash: [8; 32] };
        assert_eq!(one.hear(&[told]), None);
    }

    #[test]
    fn memory_is_bounded_and_restarts_repeat_nothing() {
        let mut one = node((1..10_000).map(|n| (n, 7)));
        one.executed(at(9_000), [1; 32]);
        let told = one.tell().unwrap();
        assert_eq!((told.len(), told.last().unwrap().entry), (KNOWN_MAX, at(9_999)));
    }
}
