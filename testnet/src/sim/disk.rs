//! The disk thread: stages groups of persists, syncs them, reports the last. One step at a time, with
//! time in between, in which the machine may die.

use std::collections::VecDeque;

use musubi_consensus::Persist;
use musubi_storage::{Store, StoreError};

/// Its queue, and how far it is.
#[derive(Default)]
pub(crate) struct DiskThread {
    jobs: VecDeque<Persist>,
    phase: Phase,
    /// A step is under way.
    pub(crate) busy: bool,
    /// That step is a sync which does not end.
    pub(crate) hung: bool,
}

#[derive(Clone, Copy, Default)]
enum Phase {
    /// Takes the next group.
    #[default]
    Waits,
    /// Staged up to this number; synced next, if any of the group must be.
    Staged { number: u64, must_sync: bool },
    /// Durable up to this number, and nobody knows yet.
    Durable { number: u64 },
}

/// What a step did.
pub(crate) enum DiskStep {
    /// There was nothing to do.
    Nothing,
    /// These were written, not yet durably.
    Staged(Vec<Persist>),
    /// All that was written before is durable.
    Synced,
    /// Nothing needed a sync: only a commit index moved.
    Skipped,
    /// To be reported to the replica.
    Persisted(u64),
}

impl DiskThread {
    pub(crate) fn push(&mut self, persist: Persist) {
        self.jobs.push_back(persist);
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.busy && self.jobs.is_empty()
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.jobs.is_empty() || !matches!(self.phase, Phase::Waits)
    }

    /// Whether the next step is a sync.
    pub(crate) fn syncs_next(&self) -> bool {
        matches!(self.phase, Phase::Staged { must_sync: true, .. })
    }

    /// Does the next step; a group holds at most `group` persists. `lies` reports without a sync.
    ///
    /// # Errors
    /// [`StoreError`]: the process must stop.
    pub(crate) fn step(
        &mut self,
        store: &Store,
        group: usize,
        lies: bool,
    ) -> Result<DiskStep, StoreError> {
        match self.phase {
            Phase::Waits => self.stage(store, group),
            Phase::Staged { number, must_sync } => {
                self.phase = Phase::Durable { number };
                if !must_sync || lies {
                    return Ok(DiskStep::Skipped);
                }
                store.sync()?;
                Ok(DiskStep::Synced)
            }
            Phase::Durable { number } => {
                self.phase = Phase::Waits;
                Ok(DiskStep::Persisted(number))
            }
        }
    }

    fn stage(&mut self, store: &Store, group: usize) -> Result<DiskStep, StoreError> {
        let group: Vec<Persist> = self.jobs.drain(..group.min(self.jobs.len())).collect();
        let Some(last) = group.last() else {
            return Ok(DiskStep::Nothing);
        };
        let must_sync = group.iter().any(|persist| persist.must_sync);
        self.phase = Phase::Staged { number: last.number, must_sync };
        for persist in &group {
            store.stage(persist)?;
        }
        Ok(DiskStep::Staged(group))
    }
}
