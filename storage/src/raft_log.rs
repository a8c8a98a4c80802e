//! The Raft log: staging writes of it, and reading it back.
//!
//! Every entry carries the running hash over all entries up to it, BLAKE3(previous ‖ index ‖ term ‖
//! data), so that the mark in the watermark pins the whole log. Nothing is compacted yet: the log
//! begins at index 1, or with a snapshot's entry ([`layout::Base`]); the hash before the first entry is zero.
//! Compaction would keep that hash in a record beside the mark.

use std::{ops::ControlFlow, sync::Arc};

use musubi_consensus::{HardState, LogEntry, LogFault, LogReader, Persist, Position};
use musubi_ledger::hash::Hash;

use crate::{
    Store,
    backend::{Backend, Family, Scan, WriteSet},
    error::StoreError,
    layout::{self, Base, Word, leading, part},
    watermark::Mark,
};

/// Index of the first entry of a log from genesis.
const FIRST_INDEX: u64 = 1;

/// Index of the first entry kept.
pub(crate) fn first(backend: &dyn Backend) -> Result<u64, StoreError> {
    let base: Option<Base> = layout::get(backend, Family::Meta, &Word::Base.key())?;
    Ok(base.map_or(FIRST_INDEX, |base| base.entry.index))
}

/// The end of the log, and what Raft must remember beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct LogTail {
    pub(crate) mark: Mark,
    pub(crate) hard_state: HardState,
    /// Term of the last entry.
    pub(crate) last_term: u64,
}

/// Term of an entry, and running hash up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EntryHead {
    pub(crate) term: u64,
    pub(crate) hash: Hash,
}

impl EntryHead {
    fn to_bytes(self) -> Vec<u8> {
        [&self.term.to_le_bytes()[..], &self.hash[..]].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (term, hash) = bytes.split_first_chunk::<8>()?;
        Some(Self { term: u64::from_le_bytes(*term), hash: hash.try_into().ok()? })
    }
}

/// The running hash after `entry`.
pub(crate) fn chained(previous: &Hash, entry: &LogEntry) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key("musubi/raft-log/v1");
    hasher.update(previous);
    hasher.update(&entry.index.to_le_bytes());
    hasher.update(&entry.term.to_le_bytes());
    hasher.update(&entry.data);
    hasher.finalize().into()
}

/// Term and running hash of the entry at `index`.
pub(crate) fn head(backend: &dyn Backend, index: u64) -> Result<Option<EntryHead>, StoreError> {
    let Some(bytes) = backend.get(Family::Log, &part(index, 0))? else {
        return Ok(None);
    };
    EntryHead::from_bytes(&bytes).map(Some).ok_or_else(|| damaged(index))
}

/// Index and head of the last entry in the database.
pub(crate) fn last(backend: &dyn Backend) -> Result<Option<(u64, EntryHead)>, StoreError> {
    let mut index = None;
    let scan = Scan { family: Family::Log, from: &[], until: None, reverse: true };
    backend.scan(scan, &mut |key, _| {
        index = Some(leading(key));
        ControlFlow::Break(())
    })?;
    let Some(index) = index else {
        return Ok(None);
    };
    let index = index.ok_or_else(|| StoreError::damaged("a key of the raft log"))?;
    Ok(Some((index, head(backend, index)?.ok_or_else(|| damaged(index))?)))
}

/// Running hash before the entry at `index`.
fn hash_before(backend: &dyn Backend, index: u64) -> Result<Hash, StoreError> {
    if index <= FIRST_INDEX {
        return Ok([0; 32]);
    }
    match head(backend, index - 1)? {
        Some(head) => Ok(head.hash),
        None if index == first(backend)? => Ok([0; 32]),
        None => Err(damaged(index - 1)),
    }
}

/// Entries of `[from, until)`, checked against their running hashes, as many as fit `max_bytes`, but at
/// least one.
pub(crate) fn entries(
    backend: &dyn Backend,
    from: u64,
    until: u64,
    max_bytes: u64,
) -> Result<Vec<LogEntry>, StoreError> {
    let mut found = Vec::new();
    let mut bytes = 0u64;
    let mut hash = hash_before(backend, from)?;
    for index in from..until {
        let head = head(backend, index)?.ok_or_else(|| damaged(index))?;
        let data = backend.get(Family::Log, &part(index, 1))?.ok_or_else(|| damaged(index))?;
        bytes = bytes.saturating_add(data.len() as u64);
        if bytes > max_bytes && !found.is_empty() {
            break;
        }
        let entry = LogEntry { index, term: head.term, data };
        hash = chained(&hash, &entry);
        if hash != head.hash {
            return Err(damaged(index));
        }
        found.push(entry);
    }
    Ok(found)
}

fn damaged(index: u64) -> StoreError {
    StoreError::damaged(format!("Raft entry {index}"))
}

impl LogTail {
    /// A log that begins with `entry`, whatever its index.
    pub(crate) fn beginning(
        entry: &LogEntry,
        hard_state: HardState,
        write: u64,
        set: &mut WriteSet,
    ) -> Self {
        let hash = chained(&[0; 32], entry);
        let head = EntryHead { term: entry.term, hash };
        set.put(Family::Log, part(entry.index, 0), head.to_bytes());
        set.put(Family::Log, part(entry.index, 1), entry.data.clone());
        let mark = Mark { write, index: entry.index, term: hard_state.term, vote: 0, hash };
        Self { mark, hard_state, last_term: entry.term }
    }

    /// Adds a persist to `set` and gives the tail after it.
    ///
    /// # Panics
    /// If the entries do not follow on what is kept: only a bug in consensus asks for that.
    pub(crate) fn stage(
        mut self,
        backend: &dyn Backend,
        persist: &Persist,
        set: &mut WriteSet,
    ) -> Result<Self, StoreError> {
        let before = self;
        if let Some(first) = persist.truncate_from.filter(|&first| first <= self.mark.index) {
            let begin = self::first(backend)?;
            assert!(first >= begin, "the log begins at {begin}");
            for index in first..=self.mark.index {
                set.remove(Family::Log, part(index, 0));
                set.remove(Family::Log, part(index, 1));
            }
            self.mark.index = first - 1;
            self.mark.hash = hash_before(backend, first)?;
            self.last_term = head(backend, first - 1)?.map_or(0, |head| head.term);
        }
        for entry in &persist.entries {
            assert_eq!(entry.index, self.mark.index + 1, "entries follow on what is kept");
            let hash = chained(&self.mark.hash, entry);
            let head = EntryHead { term: entry.term, hash };
            set.put(Family::Log, part(entry.index, 0), head.to_bytes());
            set.put(Family::Log, part(entry.index, 1), entry.data.clone());
            (self.mark.index, self.mark.hash, self.last_term) = (entry.index, hash, entry.term);
        }
        if let Some(state) = persist.hard_state {
            self.hard_state = state;
            (self.mark.term, self.mark.vote) = (state.term, state.vote.map_or(0, |node| node.0));
            let kept = layout::keep_hard_state(&state);
            layout::put(set, Family::Meta, Word::HardState.key(), &kept);
        }
        // A higher commit index alone needs no mark: nobody is told of it, and it can be learnt again.
        if self.mark != before.mark || persist.must_sync {
            self.mark.write += 1;
            layout::put(set, Family::Meta, Word::Mark.key(), &self.mark);
        }
        Ok(self)
    }
}

/// The log as consensus reads it.
#[derive(Clone)]
pub struct LogView(pub Arc<Store>);

impl LogReader for LogView {
    fn entries(&self, from: u64, until: u64, max_bytes: u64) -> Result<Vec<LogEntry>, LogFault> {
        self.0.log_entries(from, until, max_bytes).map_err(fault)
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        self.0.log_position(index).map(|found| found.map(|p| p.term)).map_err(fault)
    }
}

fn fault(error: StoreError) -> LogFault {
    LogFault(error.to_string())
}

impl Store {
    /// Raft entries of `[from, until)`, as many as fit `max_bytes`, but at least one.
    ///
    /// # Errors
    /// [`StoreError`]; an entry that is not there, or not what was written, is damage.
    pub fn log_entries(
        &self,
        from: u64,
        until: u64,
        max_bytes: u64,
    ) -> Result<Vec<LogEntry>, StoreError> {
        entries(self.backend(), from, until, max_bytes)
    }

    /// Index and term of the entry at `index`, if it is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn log_position(&self, index: u64) -> Result<Option<Position>, StoreError> {
        let head = head(self.backend(), index)?;
        Ok(head.map(|head| Position { index, term: head.term }))
    }
}
