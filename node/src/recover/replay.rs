//! Executes, in memory, what a directory's log holds beyond its recorded state: entries that were durable here and not
//! known to be committed when the node stopped. A recovery keeps them, since the lost disks may have committed them.

use anyhow::{Context, ensure};
use musubi_ledger::{
    batch::Batch,
    execute::{Block, Chain, check_items},
    genesis::RULES_VERSION,
    state::{Changes, ReadState, Row, RowKey},
    time::Time,
};
use musubi_storage::{Opened, Store};

/// Where a log ends when all of it is executed.
pub struct Replayed<'s> {
    /// The chain there.
    pub chain: Chain,
    /// Entries that were executed for it.
    pub entries: u64,
    state: Ahead<'s>,
}

/// A recorded state, with changes that are not.
struct Ahead<'s> {
    base: &'s dyn ReadState,
    changes: Changes,
}

impl ReadState for Ahead<'_> {
    fn row(&self, key: &RowKey) -> Option<Row> {
        self.changes.get(key).cloned().unwrap_or_else(|| self.base.row(key))
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let in_time = |key: &RowKey| matches!(key, RowKey::Due(time, ..) if *time <= until);
        let of_base = self.base.due(until, limit.saturating_add(self.changes.len()));
        let unchanged = of_base.into_iter().filter(|key| !self.changes.contains_key(key));
        let set = self.changes.iter().filter(|(key, row)| in_time(key) && row.is_some());
        let mut due: Vec<RowKey> = unchanged.chain(set.map(|(key, _)| key.clone())).collect();
        due.sort_unstable();
        due.truncate(limit);
        due
    }
}

impl<'s> Replayed<'s> {
    /// Executes the rest of an opened directory's log.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn new(opened: &'s Opened) -> anyhow::Result<Self> {
        let store: &Store = &opened.store;
        let state = Ahead { base: &**store.state(), changes: Changes::new() };
        let mut replayed = Self { chain: opened.chain.clone(), entries: 0, state };
        let (from, until) = (store.applied().index + 1, opened.recovered.last.index + 1);
        for index in from..until {
            let entry = store.log_entries(index, index + 1, u64::MAX)?;
            let data = &entry.first().context("the log has a gap")?.data;
            if !data.is_empty() {
                let batch = Batch::decode(data).with_context(|| format!("entry {index}"))?;
                ensure!(batch.chain == replayed.chain.id(), "entry {index} is another chain's");
                replayed.execute(&batch, data);
            }
            replayed.entries += 1;
        }
        Ok(replayed)
    }

    /// Executes one more batch.
    pub fn execute(&mut self, batch: &Batch, data: &[u8]) -> Block {
        let chain = self.chain.id();
        let checked = check_items(&chain, RULES_VERSION, &batch.items, &|_| false);
        let hash = Batch::entry_hash(data);
        let block = self.chain.execute(&self.state, batch, hash, &checked);
        self.state.changes.extend(block.changes.clone());
        block
    }
}
