//! The disk thread: Raft entries, votes and checkpoints, many under one fsync.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvError},
    },
    time::Instant,
};

use musubi_consensus::{Input, Persist};
use musubi_storage::Store;

use super::{Fault, Report, Reports};
use crate::metrics::Metrics;

/// Work for the disk.
pub enum Job {
    /// The replica's log and vote.
    Persist(Persist),
    /// This node's signed checkpoint, shown to nobody before it is durable.
    Checkpoint {
        /// The log's size.
        size: u64,
        /// The signed note.
        note: String,
    },
}

/// Jobs that one fsync may cover.
const GROUP_MAX: usize = 64;

/// Runs until the queue closes. `publish` is told each checkpoint once it is durable.
///
/// # Errors
/// [`Fault::Storage`] on the first failed write or sync: it is never tried again, since after a failed
/// fsync nobody knows what is on the disk.
pub fn run(
    jobs: &Receiver<Job>,
    store: &Arc<Store>,
    reports: &Reports,
    metrics: &Metrics,
    publish: impl Fn(u64, String),
) -> Result<(), Fault> {
    while let Ok(group) = next_group(jobs) {
        let mut persisted = None;
        let mut checkpoint = None;
        let mut must_sync = false;
        for job in group {
            match job {
                Job::Persist(persist) => {
                    store.stage(&persist).map_err(failed)?;
                    must_sync |= persist.must_sync;
                    persisted = Some(persist.number);
                }
                Job::Checkpoint { size, note } => {
                    store.stage_checkpoint(size, &note).map_err(failed)?;
                    must_sync = true;
                    checkpoint = Some((size, note));
                }
            }
        }
        if must_sync {
            // A crash right here loses the whole group, and nobody was told of any of it.
            let started = Instant::now();
            store.sync().map_err(failed)?;
            metrics.fsync(started.elapsed());
        }
        if let Some(number) = persisted {
            let _ = reports.send(Report::Input(Input::Persisted { number }));
        }
        if let Some((size, note)) = checkpoint {
            publish(size, note);
        }
    }
    Ok(())
}

/// Waits for one job and takes what else is there.
fn next_group(jobs: &Receiver<Job>) -> Result<Vec<Job>, RecvError> {
    let mut group = vec![jobs.recv()?];
    group.extend(jobs.try_iter().take(GROUP_MAX - 1));
    Ok(group)
}

fn failed(error: musubi_storage::StoreError) -> Fault {
    Fault::Storage(error.to_string())
}
