//! States that are in memory alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    state::{Changes, ReadState, Row, RowKey},
    time::Time,
};

/// The state before a chain is opened.
pub(super) struct Nothing;

impl ReadState for Nothing {
    fn row(&self, _key: &RowKey) -> Option<Row> {
        None
    }

    fn due(&self, _until: Time, _limit: usize) -> Vec<RowKey> {
        Vec::new()
    }
}

/// A whole state in memory: for tools, tests and audits. Nodes keep theirs in storage.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    rows: BTreeMap<RowKey, Row>,
    due: BTreeSet<RowKey>,
}

impl MemoryState {
    /// Takes a block's changes.
    pub fn apply(&mut self, changes: &Changes) {
        for (key, row) in changes {
            match row {
                Some(row) => self.rows.insert(key.clone(), row.clone()),
                None => self.rows.remove(key),
            };
            if let RowKey::Due(..) = key {
                match row {
                    Some(_) => self.due.insert(key.clone()),
                    None => self.due.remove(key),
                };
            }
        }
    }

    /// All rows, in key order.
    pub fn rows(&self) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.rows.iter()
    }
}

impl ReadState for MemoryState {
    fn row(&self, key: &RowKey) -> Option<Row> {
        self.rows.get(key).cloned()
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let in_time = |key: &&RowKey| matches!(key, RowKey::Due(time, ..) if *time <= until);
        self.due.iter().take_while(in_time).take(limit).cloned().collect()
    }
}
