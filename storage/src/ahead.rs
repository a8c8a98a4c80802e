//! Rows at hand for one block: judging looks at each row several times, and the state's cache is far
//! larger than what the processor keeps close.

use hashbrown::HashMap;
use musubi_ledger::{
    state::{ReadState, Row, RowKey},
    time::Time,
};

use crate::StateView;

/// The state after the last recorded block, with some of its rows at hand.
pub struct Ahead<'s> {
    state: &'s StateView,
    /// Nothing depends on its order.
    rows: HashMap<RowKey, Option<Row>>,
}

impl<'s> Ahead<'s> {
    pub(crate) fn new(state: &'s StateView, mut keys: Vec<RowKey>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let rows = state.rows(&keys);
        Self { state, rows: keys.into_iter().zip(rows).collect() }
    }
}

impl ReadState for Ahead<'_> {
    fn row(&self, key: &RowKey) -> Option<Row> {
        match self.rows.get(key) {
            Some(row) => row.clone(),
            None => self.state.row(key),
        }
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        self.state.due(until, limit)
    }
}
