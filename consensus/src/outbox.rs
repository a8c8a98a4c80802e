//! What is being written, and the messages that must not leave before it is (I8, I14).
//!
//! A message waits for the number of the turn that made it. It leaves when every persist up to that
//! number is durable, so nothing sent ever rests on a vote, term or entry that a power cut could
//! take back. Messages of a leader do not wait: they rest on its term and vote, which were durable
//! before it asked for votes.

use std::collections::VecDeque;

use crate::PeerMessage;

pub(crate) struct Outbox {
    /// Persists under way.
    writing: VecDeque<Write>,
    held: VecDeque<(u64, PeerMessage)>,
    held_max: usize,
    /// The newest turn seen.
    newest: u64,
    /// Ticks since the start.
    ticks: u64,
}

/// One persist under way.
struct Write {
    number: u64,
    /// The first index that it writes.
    first_index: Option<u64>,
    must_sync: bool,
    /// The tick of its beginning.
    since: u64,
}

impl Outbox {
    pub(crate) fn new(held_max: usize) -> Self {
        Self { writing: VecDeque::new(), held: VecDeque::new(), held_max, newest: 0, ticks: 0 }
    }

    /// A turn was made.
    pub(crate) fn turn(&mut self, number: u64) {
        assert!(number > self.newest, "turns are numbered in order");
        self.newest = number;
    }

    /// The newest turn's persist is under way, writing entries from `first_index` on.
    pub(crate) fn write(&mut self, first_index: Option<u64>, must_sync: bool) {
        let (number, since) = (self.newest, self.ticks);
        self.writing.push_back(Write { number, first_index, must_sync, since });
    }

    /// One tick passed.
    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
    }

    /// Ticks for which the oldest persist that must be synced is under way; 0 without one.
    pub(crate) fn waiting_ticks(&self) -> u64 {
        let oldest = self.writing.iter().find(|write| write.must_sync);
        oldest.map_or(0, |write| self.ticks - write.since)
    }

    /// Withholds a message of the newest turn. Beyond the limit it is dropped, which Raft bears.
    pub(crate) fn hold(&mut self, message: PeerMessage) {
        if self.held.len() < self.held_max {
            self.held.push_back((self.newest, message));
        }
    }

    /// Every persist up to `number` is durable.
    ///
    /// # Panics
    /// If `number` is of no persist under way: the caller reported one twice, or none of ours.
    pub(crate) fn persisted(&mut self, number: u64) {
        assert!(
            self.writing.iter().any(|write| write.number == number),
            "persist {number} was reported but is not under way"
        );
        while self.writing.pop_front_if(|write| write.number <= number).is_some() {}
    }

    /// Turns up to this number rest on nothing unpersisted.
    pub(crate) fn durable_turn(&self) -> u64 {
        self.writing.front().map_or(self.newest, |write| write.number - 1)
    }

    /// The first index that is not durable, `u64::MAX` if nothing is being written.
    pub(crate) fn unpersisted_from(&self) -> u64 {
        self.writing.iter().filter_map(|write| write.first_index).min().unwrap_or(u64::MAX)
    }

    /// Whether anything is being written.
    pub(crate) fn is_writing(&self) -> bool {
        !self.writing.is_empty()
    }

    /// The next message that may leave.
    pub(crate) fn release(&mut self) -> Option<PeerMessage> {
        let durable = self.durable_turn();
        self.held.pop_front_if(|(number, _)| *number <= durable).map(|(_, message)| message)
    }
}

#[cfg(test)]
mod tests {
    use musubi_ledger::batch::NodeId;

    use super::*;
    use crate::Body;

    fn message(term: u64) -> PeerMessage {
        let body = Body::HeartbeatAnswer { commit: 0 };
        PeerMessage { from: NodeId(1), to: NodeId(2), life: 0, term, body }
    }

    fn released(outbox: &mut Outbox) -> Vec<u64> {
        std::iter::from_fn(|| outbox.release()).map(|message| message.term).collect()
    }

    #[test]
    fn a_message_leaves_only_when_all_before_it_is_durable() {
        let mut outbox = Outbox::new(8);
        for (turn, first) in [(1, Some(5)), (2, None), (4, Some(3))] {
            outbox.turn(turn);
            outbox.write(first, true);
            outbox.hold(message(turn));
        }
        outbox.turn(5);
        outbox.hold(message(5));
        assert_eq!(released(&mut outbox), []);
        assert_eq!(outbox.unpersisted_from(), 3);
        outbox.persisted(2);
        assert_eq!(released(&mut outbox), [1, 2]);
        assert_eq!((outbox.durable_turn(), outbox.unpersisted_from()), (3, 3));
        outbox.persisted(4);
        assert_eq!(released(&mut outbox), [4, 5]);
        assert_eq!((outbox.durable_turn(), outbox.unpersisted_from()), (5, u64::MAX));
        assert!(!outbox.is_writing());
    }

    #[test]
    fn the_oldest_write_that_must_be_synced_grows_old() {
        let mut outbox = Outbox::new(8);
        for (turn, must_sync) in [(1, false), (2, true), (3, true)] {
            outbox.turn(turn);
            outbox.write(None, must_sync);
            outbox.tick();
        }
        assert_eq!(outbox.waiting_ticks(), 2);
        outbox.persisted(2);
        assert_eq!(outbox.waiting_ticks(), 1);
        outbox.persisted(3);
        assert_eq!(outbox.waiting_ticks(), 0);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut outbox = Outbox::new(2);
        outbox.turn(1);
        outbox.write(None, true);
        for term in 1..=5 {
            outbox.hold(message(term));
        }
        outbox.persisted(1);
        assert_eq!(released(&mut outbox), [1, 2]);
    }
}
