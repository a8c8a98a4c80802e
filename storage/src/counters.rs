//! What the store has done, for the node to turn into metrics. Plain counts since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Raft entries staged.
    pub entries: u64,
    /// Bytes of their data.
    pub entry_bytes: u64,
    /// Completed syncs of database and watermark.
    pub syncs: u64,
    /// Blocks recorded.
    pub blocks: u64,
    /// Leaves recorded, seals among them.
    pub leaves: u64,
    /// State rows written or removed.
    pub rows: u64,
    /// Work of the cache of rows.
    pub cache: CacheCounts,
}

/// What the cache of rows has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Reads answered from memory.
    pub hits: u64,
    /// Reads that went to the backend.
    pub misses: u64,
    /// Rows that made room for others.
    pub evictions: u64,
    /// Rows held now.
    pub rows: u64,
}

/// The counters behind [`Counts`].
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) entries: AtomicU64,
    pub(crate) entry_bytes: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) blocks: AtomicU64,
    pub(crate) leaves: AtomicU64,
    pub(crate) rows: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self, cache: CacheCounts) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            entries: read(&self.entries),
            entry_bytes: read(&self.entry_bytes),
            syncs: read(&self.syncs),
            blocks: read(&self.blocks),
            leaves: read(&self.leaves),
            rows: read(&self.rows),
            cache,
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}
