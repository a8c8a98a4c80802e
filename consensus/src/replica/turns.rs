//! From raft-rs's turns to effects: what may leave at once, what waits, what is written and
//! executed.

use musubi_ledger::batch::Batch;

use super::Replica;
use crate::{Effect, Execute, HaltReason, LogEntry, PeerMessage, Persist, raft_core::Turn};

impl Replica {
    /// Drains raft-rs. Each round may allow the next: a persist that is done lets entries commit,
    /// and what is committed is fed to execution as far as there is room.
    pub(super) fn drain_turns(&mut self) {
        while let Some(turn) = self.core.ready(self.feed_until()) {
            self.outbox.turn(turn.number);
            if turn.is_empty() {
                break;
            }
            self.take_turn(turn);
        }
        self.settle_turns();
    }

    /// Entries may be executed up to here: within the window, and only what is durable on this
    /// disk.
    fn feed_until(&self) -> u64 {
        let window = self.executed + self.config.raft.unexecuted_max;
        #[cfg(feature = "planted-bugs")]
        if self.config.planted == Some(crate::Planted::CommitBeforePersist) {
            return window;
        }
        window.min(self.outbox.unpersisted_from() - 1)
    }

    /// The order here is the order in which effects take hold: a write that carries the commit
    /// index comes before the executions that rest on it.
    fn take_turn(&mut self, turn: Turn) {
        let Turn { number, messages, withheld, committed, .. } = turn;
        if turn.hard_state.is_some() || !turn.entries.is_empty() {
            // A crash from here until it is reported may leave it written or not: nothing that
            // rests on it has left. Atomic, so never half of it.
            let first_index = turn.entries.first().map(|entry| entry.index);
            self.outbox.write(first_index, turn.must_sync);
            let persist = Persist {
                number,
                truncate_from: turn.truncate_from,
                entries: turn.entries,
                hard_state: turn.hard_state,
                must_sync: turn.must_sync,
            };
            #[cfg(feature = "planted-bugs")]
            let persist = self.plant(persist);
            self.effects.push_back(Effect::Persist(persist));
        }
        for message in messages {
            if withheld { self.withhold(message) } else { self.send(message) }
        }
        for entry in committed {
            self.execute(entry);
        }
    }

    fn withhold(&mut self, message: PeerMessage) {
        #[cfg(feature = "planted-bugs")]
        if self.config.planted == Some(crate::Planted::AckBeforePersist) {
            return self.send(message);
        }
        self.outbox.hold(message);
    }

    pub(super) fn send(&mut self, message: PeerMessage) {
        let message = PeerMessage { life: self.life(), ..message };
        let (to, class, bytes) = (message.to, message.class(), message.encode());
        self.effects.push_back(Effect::Send { to, class, bytes });
    }

    fn execute(&mut self, entry: LogEntry) {
        // I10: in order, exactly once, from the first entry after what was recorded.
        #[cfg(not(feature = "planted-bugs"))]
        assert!(entry.index == self.fed + 1, "entry {} is fed after {}", entry.index, self.fed);
        self.fed = entry.index;
        let batch = match entry.data.is_empty() {
            true => None,
            false => match Batch::decode(&entry.data) {
                Ok(batch) => Some(batch),
                // It was checked before it was persisted, so these are not the bytes that were.
                Err(_) => {
                    return self.core.stop(HaltReason::CommittedEntry { index: entry.index });
                }
            },
        };
        self.effects.push_back(Effect::Execute(Execute { entry, batch }));
    }

    /// A persist and all before it are durable.
    pub(super) fn persisted(&mut self, number: u64) {
        self.outbox.persisted(number);
        self.settle_turns();
    }

    /// Tells raft-rs how far turns are durable and lets go what waited for that.
    fn settle_turns(&mut self) {
        let (durable, unpersisted_from) =
            (self.outbox.durable_turn(), self.outbox.unpersisted_from());
        self.core.persisted(durable, unpersisted_from, self.config.raft.tail_bytes);
        while let Some(message) = self.outbox.release() {
            self.send(message);
        }
    }
}

#[cfg(feature = "planted-bugs")]
impl Replica {
    fn plant(&mut self, mut persist: Persist) -> Persist {
        use crate::Planted;
        match self.config.planted {
            Some(Planted::VoteNotPersisted) => {
                if let Some(state) = &mut persist.hard_state {
                    state.vote = None;
                }
            }
            Some(Planted::KeepConflictingTail) => persist.truncate_from = None,
            Some(Planted::CommitBeforePersist) => {
                self.core.persisted(persist.number, u64::MAX, usize::MAX);
            }
            _ => (),
        }
        persist
    }
}
