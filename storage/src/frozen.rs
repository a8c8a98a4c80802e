//! The state as it stands under one seal, held while blocks go on: what a snapshot is served from.

use crate::{
    BlockRecord, Store,
    backend::{Family, Frozen, Pair},
    error::StoreError,
    store::lock,
};

/// All rows of the state under one seal.
pub struct FrozenState {
    block: BlockRecord,
    rows: Box<dyn Frozen>,
}

impl Store {
    /// Holds the state as the newest recorded block left it. Recording waits for it, for microseconds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn freeze(&self) -> Result<FrozenState, StoreError> {
        // No block comes between reading which is the newest and holding its rows.
        let _recording = lock(&self.recording);
        let height = self.head().0.height;
        let missing = || StoreError::damaged(format!("block {height}"));
        let block = self.block(height)?.ok_or_else(missing)?;
        Ok(FrozenState { block, rows: self.backend().freeze(Family::State)? })
    }
}

impl FrozenState {
    /// The block whose seal it is.
    #[must_use]
    pub fn block(&self) -> &BlockRecord {
        &self.block
    }

    /// Rows whose storage keys lie behind `after`, ascending: as many as fit `bytes`, but at least one; none at
    /// the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn page(&self, after: Option<&[u8]>, bytes: usize) -> Result<Vec<Pair>, StoreError> {
        Ok(self.rows.page(after, bytes)?)
    }
}
