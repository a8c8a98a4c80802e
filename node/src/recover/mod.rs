//! `musubi-node recover`: when a quorum of disks is lost, a new epoch begins on the best surviving log (ADR 0018).
//!
//! [`inspect`] says what survives; [`draft`] writes the recovery, a transaction, into a file; organisations [`sign`] it
//! with their governance keys; [`apply`] makes it the next entry of the surviving log. Whoever else takes part in the
//! new epoch needs only the [`file`], named in its configuration. [`replay`] executes what a log holds beyond its state.

pub mod apply;
pub mod draft;
pub mod file;
pub mod inspect;
pub mod replay;
pub mod sign;

pub use file::{Recoveries, RecoveryFile};

use musubi_ledger::policy::PolicyChain;
use musubi_storage::Store;

/// Leaves that the newest final checkpoint of a directory covers, if no recovery has dropped it.
///
/// # Errors
/// If the store cannot be read.
pub fn final_size(store: &Store, recoveries: &Recoveries) -> anyhow::Result<u64> {
    if recoveries.list.is_empty() {
        return Ok(store.final_size()?);
    }
    let Some(note) = store.final_checkpoint()? else { return Ok(0) };
    let found = policies(store, recoveries)?.check_whole(note.as_bytes());
    // What is no more final here was final by policies of which the log does not know, or was dropped.
    Ok(found.map_or(0, |found| found.checkpoint.size()))
}

/// The policies of a directory, and those of recoveries that are not executed in it yet: from the first moment of a new
/// epoch on nothing is signed, or taken, as the old one's.
///
/// # Errors
/// If the store cannot be read.
pub fn policies(store: &Store, recoveries: &Recoveries) -> anyhow::Result<PolicyChain> {
    let mut policies = store.policies()?;
    for recovery in recoveries.list.iter().filter(|r| r.begins.epoch > 1) {
        if recovery.begins.epoch == policies.epoch() + 1 {
            policies.begin(recovery.clone())?;
        }
    }
    Ok(policies)
}
