//! The disk thread: stages groups of persists and checkpoints, syncs them, reports the last. One step at a time, with
//! time in between, in which the machine may die.

use std::collections::VecDeque;

use musubi_consensus::{Persist, Remember};
use musubi_storage::{Store, StoreError};

/// What is to be written.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Persist(Persist),
    Remember(Remember),
    /// This node's signed checkpoint.
    Checkpoint {
        size: u64,
        note: String,
    },
}

impl Job {
    fn must_sync(&self) -> bool {
        match self {
            Self::Persist(persist) => persist.must_sync,
            Self::Remember(remember) => remember.must_sync,
            Self::Checkpoint { .. } => true,
        }
    }
}

/// The last of a group: numbers of its persists and of its records of pledges, size of its checkpoints.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) persisted: Option<u64>,
    pub(crate) recorded: Option<u64>,
    pub(crate) checkpoint: Option<u64>,
}

/// Its queue, and how far it is.
#[derive(Default)]
pub(crate) struct DiskThread {
    jobs: VecDeque<Job>,
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
    /// Staged up to these numbers; synced next, if any of the group must be.
    Staged { numbers: Numbers, must_sync: bool },
    /// Durable up to these numbers, and nobody knows yet.
    Durable { numbers: Numbers },
}

/// What a step did.
pub(crate) enum DiskStep {
    /// There was nothing to do.
    Nothing,
    /// These were written, not yet durably.
    Staged(Vec<Job>),
    /// All that was written before is durable.
    Synced,
    /// Nothing needed a sync: only a commit index moved.
    Skipped,
    /// To be reported to the replica.
    Done(Numbers),
}

impl DiskThread {
    pub(crate) fn push(&mut self, job: Job) {
        self.jobs.push_back(job);
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
            Phase::Staged { numbers, must_sync } => {
                // A record that was not synced needs no report.
                let recorded = numbers.recorded.filter(|_| must_sync);
                self.phase = Phase::Durable { numbers: Numbers { recorded, ..numbers } };
                if !must_sync || lies {
                    return Ok(DiskStep::Skipped);
                }
                store.sync()?;
                Ok(DiskStep::Synced)
            }
            Phase::Durable { numbers } => {
                self.phase = Phase::Waits;
                Ok(DiskStep::Done(numbers))
            }
        }
    }

    fn stage(&mut self, store: &Store, group: usize) -> Result<DiskStep, StoreError> {
        let group: Vec<Job> = self.jobs.drain(..group.min(self.jobs.len())).collect();
        if group.is_empty() {
            return Ok(DiskStep::Nothing);
        }
        let must_sync = group.iter().any(Job::must_sync);
        let mut numbers = Numbers::default();
        for job in &group {
            match job {
                Job::Persist(persist) => {
                    store.stage(persist)?;
                    numbers.persisted = Some(persist.number);
                }
                Job::Remember(remember) => {
                    store.stage_pledge(&remember.pledge)?;
                    numbers.recorded = Some(remember.number);
                }
                Job::Checkpoint { size, note } => {
                    store.stage_checkpoint(*size, note)?;
                    numbers.checkpoint = Some(*size);
                }
            }
        }
        self.phase = Phase::Staged { numbers, must_sync };
        Ok(DiskStep::Staged(group))
    }
}
