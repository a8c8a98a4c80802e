//! The state that an audit keeps in memory: rows in a hash table, those of the past beside it as bytes, deadlines in order.
//!
//! Nothing that is computed depends on the order of the table: rules ask for single rows, and the two places
//! that walk over all of them (the recount of supply, a resume point) sort or add up.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use musubi_ledger::{
    state::{Changes, ReadState, Row, RowKey},
    time::Time,
};

use super::past::Past;

/// All rows.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    rows: HashMap<RowKey, Row>,
    past: Past,
    due: BTreeSet<RowKey>,
}

impl State {
    /// Takes a block's changes.
    pub(super) fn apply(&mut self, changes: Changes) {
        for (key, row) in changes {
            match row {
                Some(row) => self.insert(key, row),
                None if Past::holds(&key) => self.past.remove(&key),
                None => {
                    if let RowKey::Due(..) = key {
                        self.due.remove(&key);
                    }
                    self.rows.remove(&key);
                }
            }
        }
    }

    /// Sets a row.
    pub(super) fn insert(&mut self, key: RowKey, row: Row) {
        match key {
            _ if Past::holds(&key) => self.past.insert(&key, &row),
            RowKey::Due(..) => {
                self.due.insert(key.clone());
                self.rows.insert(key, row);
            }
            _ => {
                self.rows.insert(key, row);
            }
        }
    }

    /// Verdicts and references, in no order: keys and values as storage keeps them.
    pub(super) fn past(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.past.rows()
    }

    /// All other rows, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.rows.iter()
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.past.len()
    }
}

impl ReadState for State {
    fn row(&self, key: &RowKey) -> Option<Row> {
        if Past::holds(key) { self.past.get(key) } else { self.rows.get(key).cloned() }
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let in_time = |key: &&RowKey| matches!(key, RowKey::Due(time, ..) if *time <= until);
        self.due.iter().take_while(in_time).take(limit).cloned().collect()
    }
}
