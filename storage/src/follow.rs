//! How a replica keeps the log: one that is no member of Raft, and records blocks that it pulled and
//! executed itself (docs/adr/0014).
//!
//! Entry and block go into one write. Raft positions that carried no block (the empty entries at terms'
//! beginnings) are filled with empty entries, so that everything that reads a log reads this one; what
//! term they had nobody told, and they are given that of the entry behind them.

use musubi_consensus::{HardState, LogEntry, Persist, Position};
use musubi_ledger::execute::{Block, Chain};

use crate::{
    Store,
    backend::{Family, WriteSet},
    block,
    checks::{check_tip, resume},
    error::{OpenError, StoreError},
    layout::{self, Word},
    recover::identity,
    store::lock,
};

/// Positions without a block that may lie between two with one. Every term has one, and a term without
/// any block takes a second: this is a day without a leader.
pub const EMPTY_ENTRIES_MAX: u64 = 65_536;

impl Store {
    /// Whether this directory follows others: it has never voted, and must never be a validator's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_following(&self) -> Result<bool, StoreError> {
        let kept = layout::get(self.backend(), Family::Meta, &Word::Following.key())?;
        Ok(kept.unwrap_or(false))
    }

    /// Makes a fresh directory one that follows, durably. A crash before leaves a fresh one.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if it has a log that is not a follower's.
    pub fn follow(&self) -> Result<(), StoreError> {
        if self.is_following()? {
            return Ok(());
        }
        let mark = lock(&self.log).mark;
        if mark.write > 0 || self.head().0.height > 0 {
            return Err(StoreError::damaged(
                "the role of this directory (a validator kept it: a replica needs one of its own)",
            ));
        }
        let mut set = WriteSet::new();
        layout::put(&mut set, Family::Meta, Word::Following.key(), &true);
        self.write(set)?;
        self.sync()
    }

    /// Records a block and the entry at `position` that it executes, with empty entries for the positions
    /// between, in one atomic write. Needs no sync: what a crash loses is pulled again.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    ///
    /// # Panics
    /// If entry or block does not follow on what is kept, or by more than [`EMPTY_ENTRIES_MAX`].
    pub fn record_followed(
        &self,
        block: &Block,
        position: Position,
        data: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.check_poison()?;
        let _recording = lock(&self.recording);
        let mut log = lock(&self.log);
        let (applied, (head, _)) = (self.applied(), self.head());
        let Position { index, term } = position;
        assert!(index > applied.index && term >= applied.term, "entries are followed in order");
        assert!(index - applied.index <= EMPTY_ENTRIES_MAX, "the gap was checked");
        assert_eq!(block.head.height, head.height + 1, "blocks are recorded in order");
        assert_eq!(block.first_leaf, head.size, "a block's leaves follow on the last block's");
        let empty = |index| LogEntry { index, term, data: Vec::new() };
        let mut entries: Vec<LogEntry> = (applied.index + 1..index).map(empty).collect();
        entries.push(LogEntry { index, term, data });
        let persist = Persist {
            number: 0,
            truncate_from: None,
            entries,
            hard_state: Some(HardState { term, vote: None, commit: index }),
            must_sync: false,
        };
        let (mut set, after) = block::write_set(block, position);
        let log_after = log.stage(self.backend(), &persist, &mut set)?;
        self.write(set)?;
        *log = log_after;
        drop(log);
        self.show(block, after);
        Ok(())
    }

    /// The chain where the last recorded block left it, built anew from what is kept: for who has executed
    /// a block that is not to be recorded.
    ///
    /// # Errors
    /// [`OpenError`] if what is kept does not fit together.
    pub fn chain(&self) -> Result<Chain, OpenError> {
        let _recording = lock(&self.recording);
        let log = *lock(&self.log);
        let tip = lock(&self.tip).clone();
        let identity = identity(self.backend())?.ok_or(OpenError::Empty)?;
        let (block, frontier) = check_tip(self.backend(), &tip, &log)?;
        resume(self.backend(), &identity, &tip, frontier, &block.seal)
    }
}
