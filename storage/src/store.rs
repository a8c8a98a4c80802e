//! The one writer of a directory.

use std::{
    any::Any,
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
};

use musubi_consensus::{Persist, Position};
use musubi_ledger::{
    execute::{Block, Head},
    hash::Hash,
};

use crate::{
    StateView,
    backend::{Backend, Family, WriteSet},
    block,
    counters::{Counters, Counts, add},
    error::StoreError,
    layout::{self, Base, Tip, Word, number},
    raft_log::LogTail,
    watermark::{Mark, Watermark},
};

/// Size of the largest checkpoint cosigned: as written, and as it survives a power cut.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cosigned {
    pub(crate) staged: u64,
    pub(crate) durable: u64,
}

/// Blocks whose roots are kept in memory.
const RECENT_ROOTS: usize = 512;

/// An open directory.
///
/// Locks, in the order in which they may be taken together: `watermark`, `log`; `recording`, `log`, `tip`.
/// `memos` is taken alone. `tip` is never held over a write, so that readers of the head do not wait for the disk; nothing is locked
/// under `roots`.
pub struct Store {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) state: Arc<StateView>,
    pub(crate) base: Option<Base>,
    pub(crate) tip: Mutex<Tip>,
    /// Sizes and roots of the log of proof at the newest blocks, oldest first.
    pub(crate) roots: Mutex<VecDeque<(u64, Hash)>>,
    /// Held by whoever records.
    pub(crate) recording: Mutex<()>,
    pub(crate) log: Mutex<LogTail>,
    pub(crate) watermark: Mutex<Watermark>,
    /// Held over a change of a memo's standing, from reading it to writing it.
    pub(crate) memos: Mutex<()>,
    pub(crate) poison: OnceLock<StoreError>,
    pub(crate) cosigned: Mutex<Cosigned>,
    pub(crate) counters: Counters,
    /// Released when everything else is closed.
    pub(crate) _lock: Box<dyn Any + Send + Sync>,
    /// Declared last: gone when the lock is released.
    pub(crate) alive: Arc<()>,
}

impl Store {
    /// Writes Raft entries and hard state, atomically, after everything written before. Not yet durable:
    /// nothing that rests on it may be told to anyone until [`Store::sync`] has returned.
    ///
    /// A crash right behind this keeps all of it or nothing, and nothing of what is written later
    /// without it.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    ///
    /// # Panics
    /// If the entries do not follow on what is kept.
    pub fn stage(&self, persist: &Persist) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut log = lock(&self.log);
        let mut set = WriteSet::new();
        let after = log.stage(self.backend(), persist, &mut set)?;
        self.write(set)?;
        *log = after;
        add(&self.counters.entries, persist.entries.len());
        add(&self.counters.entry_bytes, persist.entries.iter().map(|e| e.data.len()).sum());
        Ok(())
    }

    /// Makes durable what was staged and recorded before the call: first the database, then, where the
    /// Raft log changed, the watermark. When it has returned, all of that may be acknowledged.
    ///
    /// A crash between the two leaves the database ahead of the watermark, which is fine: nothing of
    /// the difference was acknowledged.
    ///
    /// # Errors
    /// [`StoreError`]; the store is then poisoned, since what is durable is unknown.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut watermark = lock(&self.watermark);
        let mark = lock(&self.log).mark;
        let cosigned = lock(&self.cosigned).staged;
        self.backend.sync().map_err(|error| self.poisoned(error.into()))?;
        if mark.write > watermark.current().mark.write {
            let raised = watermark.raise(mark);
            raised.map_err(|error| self.poisoned(StoreError::Watermark(error.to_string())))?;
        }
        lock(&self.cosigned).durable = cosigned;
        add(&self.counters.syncs, 1);
        Ok(())
    }

    /// Records an executed block: rows, leaves, outcomes, results, tiles, indexes, and that `entry` is
    /// applied, in one atomic write; then shows the rows to [`Store::state`]. Needs no sync of its own.
    ///
    /// What is applied counts as committed at the next start, so the commit index rises with it.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    ///
    /// # Panics
    /// If `entry` or `block` is not the next one.
    pub fn record(&self, block: &Block, entry: Position) -> Result<(), StoreError> {
        self.check_poison()?;
        let _recording = lock(&self.recording);
        let (applied, (head, _)) = (self.applied(), self.head());
        assert_eq!(entry.index, applied.index + 1, "entries are applied in order");
        assert_eq!(block.head.height, head.height + 1, "blocks are recorded in order");
        assert_eq!(block.first_leaf, head.size, "a block's leaves follow on the last block's");
        let (set, after) = block::write_set(block, entry);
        // A crash before the write is synced executes the entry again, to the same block.
        self.write(set)?;
        self.show(block, after);
        Ok(())
    }

    /// Shows a block that is written to readers.
    pub(crate) fn show(&self, block: &Block, after: Tip) {
        self.state.apply(&block.changes);
        *lock(&self.tip) = after;
        let mut roots = lock(&self.roots);
        if roots.len() == RECENT_ROOTS {
            roots.pop_front();
        }
        roots.push_back((block.head.size, block.root));
        drop(roots);
        add(&self.counters.blocks, 1);
        add(&self.counters.leaves, block.entries.len() + 1);
        add(&self.counters.rows, block.changes.len());
    }

    /// Records that the empty entry with which a leader's term begins is applied: no block.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    ///
    /// # Panics
    /// If `entry` is not the next one.
    pub fn record_empty(&self, entry: Position) -> Result<(), StoreError> {
        self.check_poison()?;
        let _recording = lock(&self.recording);
        let after = Tip { applied: entry, ..lock(&self.tip).clone() };
        assert_eq!(entry.index, self.applied().index + 1, "entries are applied in order");
        let mut set = WriteSet::new();
        layout::put(&mut set, Family::Meta, Word::Tip.key(), &after);
        self.write(set)?;
        *lock(&self.tip) = after;
        Ok(())
    }

    /// Keeps this node's signed checkpoint of a size. To be served, or sent to anyone, only after the next
    /// [`Store::sync`]: a node must not forget what it signed.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn stage_checkpoint(&self, size: u64, note: &str) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut set = WriteSet::new();
        layout::put(&mut set, Family::Checkpoints, number(size), note);
        self.write(set)?;
        let mut cosigned = lock(&self.cosigned);
        cosigned.staged = cosigned.staged.max(size);
        Ok(())
    }

    /// Keeps the newest final checkpoint, and, as the proof that they are, the witness policies that it
    /// confirms. Needs no sync of its own: whoever lost it hears of a newer one.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn stage_final(&self, note: &str, confirms: &[u32]) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut set = WriteSet::new();
        layout::put(&mut set, Family::Meta, Word::Final.key(), note);
        for number in confirms {
            layout::put(&mut set, Family::Meta, Word::Settled(*number).key(), note);
        }
        self.write(set)
    }

    /// The state after the last recorded block.
    #[must_use]
    pub fn state(&self) -> &Arc<StateView> {
        &self.state
    }

    /// The last applied Raft entry.
    #[must_use]
    pub fn applied(&self) -> Position {
        lock(&self.tip).applied
    }

    /// Where the chain stands, and the root of the log of proof there.
    #[must_use]
    pub fn head(&self) -> (Head, Hash) {
        let tip = lock(&self.tip);
        (tip.head, tip.root)
    }

    /// Where this store's knowledge begins, if it began with a snapshot: it has that block's seal and entry, and
    /// of everything before it the leaves alone.
    #[must_use]
    pub fn base(&self) -> Option<Base> {
        self.base
    }

    /// What this directory has acknowledged: survives a power cut. Waits for a sync under way.
    #[must_use]
    pub fn acknowledged(&self) -> Mark {
        lock(&self.watermark).current().mark
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.read(self.state.counts())
    }

    /// Something that lives until this store is closed and its directory unlocked, which may be a while after its last
    /// owner has let go of it: closing a database takes time.
    #[must_use]
    pub fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    /// Bytes on disk, roughly.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.backend.bytes()
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Writes what belongs to no entry or block.
    pub(crate) fn write_checked(&self, set: WriteSet) -> Result<(), StoreError> {
        self.check_poison()?;
        self.write(set)
    }

    pub(crate) fn write(&self, set: WriteSet) -> Result<(), StoreError> {
        self.backend.write(set).map_err(|error| self.poisoned(error.into()))
    }

    pub(crate) fn check_poison(&self) -> Result<(), StoreError> {
        match self.poison.get() {
            Some(first) => Err(StoreError::Poisoned(first.to_string())),
            None => Ok(()),
        }
    }

    /// Takes nothing more from now on (S4).
    fn poisoned(&self, error: StoreError) -> StoreError {
        self.poison.get_or_init(|| error.clone());
        error
    }
}

/// Locks; a panic elsewhere does not make what was written wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
