//! raft-rs's view of the log: a bounded tail in memory, older entries from the backend.
//!
//! The tail holds every entry that is not yet persisted (raft-rs wants them readable before they
//! are durable) and, within a budget, persisted ones for followers that lag a little. A read that
//! fails is remembered in `fault` and answered with something harmless: the caller discards all
//! results of that call and halts.

use std::{cell::RefCell, collections::VecDeque};

use raft::{
    GetEntriesContext, RaftState, Storage, StorageError,
    eraftpb::{ConfState, Entry, Snapshot},
};

use super::convert::{to_entry, to_hard_state};
use crate::{LogEntry, LogFault, LogReader, Position, Recovered, config::ENTRIES_PER_APPEND_MAX};

pub(super) struct LogView {
    initial: RaftState,
    first_index: u64,
    last: Position,
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    reader: Box<dyn LogReader + Send>,
    fault: RefCell<Option<LogFault>>,
    /// Committed entries up to here may go to execution; raft-rs itself has no brake.
    pub(super) feed_until: u64,
}

impl LogView {
    pub(super) fn new(
        voters: Vec<u64>,
        recovered: &Recovered,
        reader: Box<dyn LogReader + Send>,
    ) -> Self {
        let conf_state = ConfState { voters, ..ConfState::default() };
        Self {
            initial: RaftState::new(to_hard_state(&recovered.hard_state), conf_state),
            first_index: recovered.first_index,
            last: recovered.last,
            tail: VecDeque::new(),
            tail_bytes: 0,
            reader,
            fault: RefCell::new(None),
            feed_until: 0,
        }
    }

    pub(super) fn take_fault(&self) -> Option<LogFault> {
        self.fault.borrow_mut().take()
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    pub(super) fn tail_bytes(&self) -> usize {
        self.tail_bytes
    }

    fn tail_start(&self) -> u64 {
        self.last.index + 1 - self.tail.len() as u64
    }

    /// Takes entries that are about to be persisted; a conflicting tail makes room.
    /// Returns the index from which older entries were removed, if any.
    pub(super) fn append(&mut self, entries: &[Entry]) -> Option<u64> {
        let first = entries.first()?.index;
        assert!(
            self.first_index <= first && first <= self.last.index + 1,
            "entries to append begin at {first}, the log ends at {}",
            self.last.index
        );
        let truncated = (first <= self.last.index).then_some(first);
        while self.tail.back().is_some_and(|entry| entry.index >= first) {
            self.tail_bytes -= self.tail.pop_back().map_or(0, |entry| size_of_entry(&entry));
        }
        for entry in entries {
            self.tail_bytes += size_of_entry(entry);
            self.tail.push_back(entry.clone());
        }
        if let Some(entry) = entries.last() {
            self.last = Position { index: entry.index, term: entry.term };
        }
        truncated
    }

    /// Lets go of persisted entries until the tail fits `budget`. Those from `unpersisted_from` on
    /// stay.
    pub(super) fn shrink(&mut self, budget: usize, unpersisted_from: u64) {
        while self.tail_bytes > budget
            && self.tail.front().is_some_and(|entry| entry.index < unpersisted_from)
        {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |entry| size_of_entry(&entry));
        }
    }

    /// Term of the entry at `index`, `None` outside the log or when it cannot be read.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        self.term(index).ok()
    }

    /// The entry at `index`, `None` outside the log or when it cannot be read.
    pub(super) fn entry_at(&self, index: u64) -> Option<Entry> {
        if index < self.first_index || index > self.last.index {
            return None;
        }
        let tail_start = self.tail_start();
        if index >= tail_start {
            return self.tail.get((index - tail_start) as usize).cloned();
        }
        self.read(index, index + 1, 0).pop()
    }

    fn fail(&self, fault: LogFault) {
        self.fault.borrow_mut().get_or_insert(fault);
    }

    /// Older entries from the backend: contiguous from `low`, or nothing and a fault.
    fn read(&self, low: u64, high: u64, max_bytes: u64) -> Vec<Entry> {
        let entries = match self.reader.entries(low, high, max_bytes) {
            Ok(entries) => entries,
            Err(fault) => {
                self.fail(fault);
                return Vec::new();
            }
        };
        let contiguous = |(offset, entry): (usize, &LogEntry)| entry.index == low + offset as u64;
        let sound = !entries.is_empty()
            && entries.len() as u64 <= high - low
            && entries.iter().enumerate().all(contiguous);
        if !sound {
            self.fail(LogFault(format!("asked for entries from {low}, got others or none")));
            return Vec::new();
        }
        entries.into_iter().map(to_entry).collect()
    }

    /// Entries of `[low, high)` within `max_bytes` and `ENTRIES_PER_APPEND_MAX`, at least one.
    fn collect(&self, low: u64, high: u64, max_bytes: u64) -> Vec<Entry> {
        let tail_start = self.tail_start();
        let mut entries = Vec::new();
        if low < tail_start {
            let wanted = (tail_start - low).min(ENTRIES_PER_APPEND_MAX as u64);
            let until = high.min(low + wanted);
            entries = self.read(low, until, max_bytes);
            if entries.len() as u64 != until - low {
                return entries;
            }
        }
        let from = low.max(tail_start);
        let resident = self.tail.iter().skip((from - tail_start) as usize);
        let wanted = (high.saturating_sub(from)) as usize;
        entries.extend(resident.take(wanted.min(ENTRIES_PER_APPEND_MAX)).cloned());
        let mut bytes = 0;
        let mut fits = 0;
        for entry in entries.iter().take(ENTRIES_PER_APPEND_MAX) {
            bytes += size_of_entry(entry) as u64;
            if fits > 0 && bytes > max_bytes {
                break;
            }
            fits += 1;
        }
        entries.truncate(fits);
        entries
    }
}

impl Storage for LogView {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(self.initial.clone())
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        assert!(high <= self.last.index + 1, "raft asks for entries beyond the log");
        if low < self.first_index {
            return Err(StorageError::Compacted.into());
        }
        let max_bytes = max_size.into();
        if context.can_async() {
            // For a follower: raft-rs takes this error as "not now" if the backend failed.
            let entries = self.collect(low, high, max_bytes.unwrap_or(0));
            let failed = entries.is_empty() && low < high;
            return if failed {
                Err(StorageError::LogTemporarilyUnavailable.into())
            } else {
                Ok(entries)
            };
        }
        let Some(max_bytes) = max_bytes else {
            // A scan for membership changes before a campaign (raft-rs #530: unbounded). There are
            // none in any log: entries that carry one cannot be written on the wire. Membership on
            // the ledger will have to answer this.
            return Ok(Vec::new());
        };
        // For execution. raft-rs takes fewer than asked for, even none: that is the brake.
        let high = high.min(self.feed_until + 1);
        Ok(if low < high { self.collect(low, high, max_bytes) } else { Vec::new() })
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == 0 {
            return Ok(0);
        }
        if index == self.last.index {
            return Ok(self.last.term);
        }
        if index + 1 < self.first_index {
            return Err(StorageError::Compacted.into());
        }
        if index > self.last.index {
            return Err(StorageError::Unavailable.into());
        }
        let tail_start = self.tail_start();
        if index >= tail_start {
            let entry = self.tail.get((index - tail_start) as usize);
            return entry.map(|entry| entry.term).ok_or(StorageError::Unavailable.into());
        }
        match self.reader.term(index) {
            Ok(Some(term)) => return Ok(term),
            Ok(None) => self.fail(LogFault(format!("the term of entry {index} is missing"))),
            Err(fault) => self.fail(fault),
        }
        Err(StorageError::Unavailable.into())
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.first_index)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last.index)
    }

    /// Nothing is compacted yet, so no follower needs one.
    fn snapshot(&self, _request_index: u64, _to: u64) -> raft::Result<Snapshot> {
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

fn size_of_entry(entry: &Entry) -> usize {
    entry.data.len() + 32
}

#[cfg(test)]
mod tests;
