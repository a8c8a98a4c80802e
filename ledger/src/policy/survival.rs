//! What a recovery left of what was final before it.
//!
//! Final checkpoints of one epoch never contradict each other unless a quorum lied. So what is under a checkpoint no
//! larger than the last one that the recovery names is in the log for good; a leaf at or beyond the size from which the
//! log goes on is not; and of what is between them only a new proof can tell, since the best surviving log may have
//! ended in entries that the lost disks had replaced.

use super::{FinalCheckpoint, PolicyChain, PolicyError, Recovery};

/// What became of a leaf whose proof is of an epoch that a recovery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The leaf.
    pub leaf: u64,
    /// The epoch that the recovery began.
    pub epoch: u32,
    /// The recovery's id.
    pub recovery: crate::id::TxId,
    /// Leaves from which the log went on.
    pub size: u64,
    /// Who signed the recovery.
    pub signed_by: Vec<String>,
}

impl Fate {
    /// Those who signed, in a sentence.
    #[must_use]
    pub fn names(&self) -> String {
        self.signed_by.join(", ")
    }
}

impl PolicyChain {
    /// As [`PolicyChain::check`], and that no recovery has dropped `leaf`, which a proof shows under the checkpoint.
    ///
    /// # Errors
    /// [`PolicyError`]; [`PolicyError::Dropped`] and [`PolicyError::Undecided`] only about what was final.
    pub fn check_surviving(&self, note: &[u8], leaf: u64) -> Result<FinalCheckpoint, PolicyError> {
        let found = self.check(note)?;
        let (size, root) = (found.checkpoint.size(), found.checkpoint.root());
        let epoch = self.genesis().epoch_of_origin(found.checkpoint.origin());
        let ended = self.recoveries().iter().find(|r| Some(r.begins.epoch - 1) == epoch);
        let Some(recovery) = ended else { return Ok(found) };
        let named = recovery.last_final.as_ref().map_or(0, |last| last.size());
        let end = (&recovery.begins.size, &recovery.begins.root);
        if size <= named || end == (&size, root) {
            return Ok(found);
        }
        let fate = Box::new(self.fate(recovery, leaf));
        let dropped = leaf >= recovery.begins.size;
        Err(if dropped { PolicyError::Dropped(fate) } else { PolicyError::Undecided(fate) })
    }

    /// As [`PolicyChain::check_surviving`], of all that the checkpoint covers.
    ///
    /// # Errors
    /// As there.
    pub fn check_whole(&self, note: &[u8]) -> Result<FinalCheckpoint, PolicyError> {
        let size = self.check(note)?.checkpoint.size();
        self.check_surviving(note, size.saturating_sub(1))
    }

    fn fate(&self, recovery: &Recovery, leaf: u64) -> Fate {
        Fate {
            leaf,
            epoch: recovery.begins.epoch,
            recovery: recovery.id,
            size: recovery.begins.size,
            signed_by: recovery.names(self.genesis()),
        }
    }
}
