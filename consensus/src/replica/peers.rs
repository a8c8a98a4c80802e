//! Messages from members: guard, entry check, then raft-rs.

use musubi_ledger::{batch::NodeId, codec::CodecError};

use super::Replica;
use crate::{
    Accusation, Body, EntryFault, LogEntry, PeerMessage, Position, Refusal,
    entry_check::check_entry,
    guard::{Facts, LogFacts, Ruling},
    raft_core::RaftCore,
};

/// Election timeouts for which a leader is unheard that stamped ahead of this clock: two for its lease to
/// run out, if a majority is of this mind, and two to elect another.
const DEAF_TIMEOUTS: usize = 4;

fn is_stamp(accusation: &Accusation) -> bool {
    matches!(accusation, Accusation::Entry { fault: EntryFault::StampAhead { .. }, .. })
}

impl LogFacts for RaftCore {
    fn term_at(&self, index: u64) -> Option<u64> {
        RaftCore::term_at(self, index)
    }

    fn entry_at(&self, index: u64) -> Option<LogEntry> {
        RaftCore::entry_at(self, index)
    }
}

impl Replica {
    pub(super) fn receive(&mut self, from: NodeId, bytes: &[u8]) {
        let message = match PeerMessage::decode(bytes) {
            Ok(message) => message,
            Err(CodecError::TooLong { .. }) => return self.drop_message(from, Refusal::TooLong),
            Err(_) => return self.drop_message(from, Refusal::Malformed),
        };
        if let Body::Pledges(told) = &message.body {
            return self.hear(from, &message, told);
        }
        if !self.believes(from, &message) {
            return;
        }
        let facts = Facts {
            standing: self.core.standing(),
            commit: self.core.commit(),
            last: self.core.last(),
            acknowledged: self.core.acknowledged(from),
            unpersisted: self.outbox.is_writing(),
        };
        let ruling = self.guard.rule(from, message, &facts, &self.core);
        // The guard may have met an unreadable log: then nothing it said counts.
        self.core.check_reads();
        match ruling {
            Ruling::Step(message) => self.step(message),
            Ruling::Ignore => (),
            Ruling::Drop(why) => self.drop_message(from, why),
            Ruling::Accuse(accusation) => self.accuse(from, *accusation),
        }
    }

    fn step(&mut self, message: PeerMessage) {
        self.note_promise(&message);
        let agreed = self.agreement(&message);
        if let Body::Append { previous, entries, .. } = &message.body {
            let (from, term) = (message.from, message.term);
            if !entries.is_empty() && self.core.tail_bytes() >= self.tail_bytes_max() {
                // This disk is stuck, and a correct leader's window is far smaller. Losing it is
                // harmless.
                return;
            }
            if let Err(accusation) = self.check_entries((from, term), *previous, entries) {
                // It is unheard from now on, so its lease runs out and honest members elect
                // another. Two honest clocks explain a stamp, and clocks are set right again.
                let a_while = DEAF_TIMEOUTS * self.config.raft.election_ticks;
                self.guard.distrust(from, term, is_stamp(&accusation).then_some(a_while));
                return self.accuse(from, *accusation);
            }
        }
        let term = message.term;
        self.core.step(message);
        if let Some(index) = agreed {
            self.guard.agreed(index, term);
        }
    }

    /// Up to where this log and the leader's are the same, once this append is taken.
    fn agreement(&self, message: &PeerMessage) -> Option<u64> {
        let Body::Append { previous, entries, .. } = &message.body else {
            return None;
        };
        if message.term < self.core.standing().term {
            return None;
        }
        let commit = self.core.commit();
        if previous.index < commit {
            // raft-rs takes nothing of it and answers with its commit index.
            return Some(commit);
        }
        let matches = self.core.term_at(previous.index) == Some(previous.term);
        matches.then(|| previous.index + entries.len() as u64)
    }

    /// Checks what this append would newly persist: from the first entry that is not here already,
    /// all of them, since the first conflict replaces the rest. If `previous` does not match,
    /// raft-rs takes none.
    fn check_entries(
        &self,
        sender: (NodeId, u64),
        previous: Position,
        entries: &[LogEntry],
    ) -> Result<(), Box<Accusation>> {
        if self.core.term_at(previous.index) != Some(previous.term) {
            return Ok(());
        }
        let mut before = previous;
        let mut new = false;
        for entry in entries {
            new |= self.core.term_at(entry.index) != Some(entry.term);
            if new {
                check_entry(&self.config, self.now, entry, before, sender)
                    .map_err(|fault| Box::new(Accusation::Entry { fault, entry: entry.clone() }))?;
            }
            before = entry.position();
        }
        Ok(())
    }

    fn tail_bytes_max(&self) -> usize {
        self.config.raft.tail_bytes + self.config.raft.unpersisted_bytes
    }
}
