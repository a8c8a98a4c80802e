//! What the API reads: leaves, what they did, blocks, checkpoints, rows by table.
//!
//! Readers see the newest recorded block, and of several reads each may see a newer one: leaves,
//! entries and blocks never change once written; rows do.

use std::ops::{ControlFlow, Range};

use musubi_consensus::LogEntry;
use musubi_ledger::{
    batch::Batch,
    execute::{Entry, ItemResult},
    genesis::Genesis,
    id::TxId,
    leaf::{LEAF_BYTES, Leaf},
    state::{Judged, Row, RowKey, Shared, Table},
    tlog::{checkpoint::Checkpoint, note::SignedNote},
};

use crate::{
    Store,
    backend::{Backend, Family, Scan, after_prefix, collect},
    error::StoreError,
    layout::{self, BlockRecord, ENTRIES_PER_RUN, Word, leading, number, part},
    runs::RunsOf,
};

/// A page of rows of one table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RowPage {
    /// Storage keys and rows, ascending by key; a key's first byte is its table.
    pub rows: Vec<(Vec<u8>, Row)>,
    /// Whether more follow; the last key is then the next page's cursor.
    pub more: bool,
}

impl Store {
    /// A leaf.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leaf(&self, index: u64) -> Result<Option<Leaf>, StoreError> {
        let bytes = self.leaf_bytes(index..index.saturating_add(1))?;
        if bytes.is_empty() { Ok(None) } else { Ok(Some(Leaf::decode(&bytes)?)) }
    }

    /// The encoded leaves of a range, each [`LEAF_BYTES`], as far as the recorded log goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn leaf_bytes(&self, range: Range<u64>) -> Result<Vec<u8>, StoreError> {
        RunsOf { family: Family::Leaves, prefix: &[], item: LEAF_BYTES }.read(self.backend(), range)
    }

    /// What a leaf did; none for seals.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entry(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries(index..index.saturating_add(1))?.pop())
    }

    /// What the leaves of a range did, ascending; seals have no entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<Entry>, StoreError> {
        // A run begins nowhere before its section.
        let from = number(range.start - range.start % ENTRIES_PER_RUN);
        let until = number(range.end);
        let scan =
            Scan { family: Family::Entries, from: &from, until: Some(&until), reverse: false };
        let (mut entries, mut fault) = (Vec::new(), None);
        self.backend().scan(scan, &mut |key, value| {
            match layout::parse::<Vec<Entry>>(Family::Entries, key, value) {
                Ok(run) => entries.extend(run.into_iter().filter(|e| range.contains(&e.index))),
                Err(error) => fault = Some(error),
            }
            if fault.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        fault.map_or(Ok(entries), Err)
    }

    /// A block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn block(&self, height: u64) -> Result<Option<BlockRecord>, StoreError> {
        layout::get(self.backend(), Family::Blocks, &part(height, 0))
    }

    /// What the items of a block's batch came to, in its order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn items(&self, height: u64) -> Result<Option<Vec<ItemResult>>, StoreError> {
        layout::get(self.backend(), Family::Blocks, &part(height, 1))
    }

    /// The Raft entry that a block executed; none for block 0.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn raft_entry(&self, height: u64) -> Result<Option<LogEntry>, StoreError> {
        let Some(block) = self.block(height)?.filter(|block| block.entry.index > 0) else {
            return Ok(None);
        };
        let index = block.entry.index;
        Ok(self.log_entries(index, index + 1, u64::MAX)?.pop())
    }

    /// The signed bytes of the transaction that a leaf is about; none for other leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn transaction(&self, leaf: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((entry, item)) = self.entry(leaf)?.and_then(|e| e.item.map(|item| (e, item)))
        else {
            return Ok(None);
        };
        let damaged = || StoreError::damaged(format!("the Raft entry of leaf {leaf}"));
        let raft = self.raft_entry(entry.leaf.height)?.ok_or_else(damaged)?;
        let mut batch = Batch::decode(&raft.data).map_err(|_| damaged())?;
        let item = usize::try_from(item).ok().filter(|&item| item < batch.items.len());
        Ok(Some(batch.items.swap_remove(item.ok_or_else(damaged)?)))
    }

    /// The verdict on an id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn judged(&self, id: TxId) -> Result<Option<Shared<Judged>>, StoreError> {
        match self.row(&RowKey::Judged(id))? {
            None => Ok(None),
            Some(Row::Judged(judged)) => Ok(Some(judged)),
            Some(_) => Err(StoreError::damaged(format!("the verdict on {id}"))),
        }
    }

    /// A row of the state. Unlike [`Store::state`], it can fail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn row(&self, key: &RowKey) -> Result<Option<Row>, StoreError> {
        self.state().peek(key)
    }

    /// Rows of a table whose key goes on with `prefix`, behind the storage key `after`, at most `limit`.
    /// Supply of an instrument: its padded code as prefix.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rows(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<RowPage, StoreError> {
        let prefix = [&[table as u8], prefix].concat();
        let until = after_prefix(&prefix);
        // The smallest key behind `after`, but not before the prefix.
        let from = after.map_or(prefix.clone(), |after| [after, &[0]].concat().max(prefix));
        let scan =
            Scan { family: Family::State, from: &from, until: until.as_deref(), reverse: false };
        let mut found = collect(self.backend(), scan, limit.saturating_add(1))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let decode = |(key, value): (Vec<u8>, Vec<u8>)| Ok((key, Row::decode(&value)?));
        Ok(RowPage {
            rows: found.into_iter().map(decode).collect::<Result<_, StoreError>>()?,
            more,
        })
    }

    /// This node's signed checkpoint of a size.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn checkpoint(&self, size: u64) -> Result<Option<String>, StoreError> {
        layout::get(self.backend(), Family::Checkpoints, &number(size))
    }

    /// This node's newest signed checkpoint, and its size.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn latest_checkpoint(&self) -> Result<Option<(u64, String)>, StoreError> {
        latest_checkpoint(self.backend())
    }

    /// The newest final checkpoint that this node has heard of, as the note it came in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn final_checkpoint(&self) -> Result<Option<String>, StoreError> {
        layout::get(self.backend(), Family::Meta, &Word::Final.key())
    }

    /// How many leaves that checkpoint covers; 0 if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn final_size(&self) -> Result<u64, StoreError> {
        let Some(note) = self.final_checkpoint()? else { return Ok(0) };
        let damaged = || StoreError::damaged("the final checkpoint");
        let note = SignedNote::parse(note.as_bytes()).map_err(|_| damaged())?;
        Ok(note.text().parse::<Checkpoint>().map_err(|_| damaged())?.size())
    }

    /// The genesis document.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn genesis(&self) -> Result<Genesis, StoreError> {
        let bytes: Vec<u8> = layout::meta(self.backend(), Word::Genesis)?;
        Genesis::decode(&bytes).map_err(|_| StoreError::damaged("the genesis document"))
    }
}

/// The newest signed checkpoint, and its size.
pub(crate) fn latest_checkpoint(
    backend: &dyn Backend,
) -> Result<Option<(u64, String)>, StoreError> {
    let scan = Scan { family: Family::Checkpoints, from: &[], until: None, reverse: true };
    let Some((key, value)) = collect(backend, scan, 1)?.pop() else {
        return Ok(None);
    };
    let size = leading(&key).ok_or_else(|| StoreError::damaged("a checkpoint's key"))?;
    Ok(Some((size, layout::parse(Family::Checkpoints, &key, &value)?)))
}
