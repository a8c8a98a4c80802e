//! Taking checked blocks: executing and recording them, and telling whoever reads.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use musubi_ledger::execute::{Block, Head};
use musubi_storage::Store;
use tokio::sync::watch;

use super::{
    check::Checked,
    judge::{Judge, NotTaken},
};
use crate::{
    core::Fault,
    metrics::{Metrics, Stage},
    proposals::OpenProposals,
};

/// Between two syncs of what was recorded: what a power cut loses is pulled again.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Takes blocks and tells of them.
pub struct Recorder {
    /// Executes and records.
    pub judge: Judge,
    /// The store, to be synced.
    pub store: Arc<Store>,
    /// Proposals that are open.
    pub proposals: Arc<OpenProposals>,
    /// Where the chain stands, for readers and feeds.
    pub head: watch::Sender<Head>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// When what was recorded was last synced.
    pub synced: Instant,
}

impl Recorder {
    /// Takes the next block.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing of the block is recorded then, unless a sync behind it failed.
    pub fn take(&mut self, checked: &Checked) -> Result<(), NotTaken> {
        let started = Instant::now();
        let block = self.judge.take(checked)?;
        self.metrics.stage(Stage::Execute, started.elapsed());
        crate::core::evidence::bad_signatures(&checked.batch, &block, &self.metrics);
        self.announce(&block, checked.offered.entry.len());
        if self.synced.elapsed() >= SYNC_EVERY {
            let started = Instant::now();
            self.store.sync().map_err(|error| Fault::Storage(error.to_string()))?;
            self.metrics.fsync(started.elapsed());
            self.synced = Instant::now();
        }
        Ok(())
    }

    /// Tells readers, feeds and metrics; only ever about recorded blocks.
    fn announce(&self, block: &Block, bytes: usize) {
        self.proposals.apply(&block.changes, &**self.store.state());
        self.head.send_replace(block.head);
        self.metrics.block(block, bytes);
    }
}
