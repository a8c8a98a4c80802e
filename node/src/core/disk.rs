//! The disk thread: Raft entries, votes and checkpoints, many under one fsync.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvError},
    },
    time::Instant,
};

use musubi_consensus::{Input, Persist, Remember};
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
    /// What another validator has shown of itself.
    Remember(Remember),
}

/// Jobs that one fsync may cover.
const GROUP_MAX: usize = 64;

/// Runs until the queue closes. `durable` is told the size of each checkpoint once it is
/// on disk.
///
/// # Errors
/// [`Fault::Storage`] on the first failed write or sync: it is never tried again, since after a failed
/// fsync nobody knows what is on the disk.
pub fn run(
    jobs: &Receiver<Job>,
    store: &Arc<Store>,
    reports: &Reports,
    metrics: &Metrics,
    durable: impl Fn(u64),
) -> Result<(), Fault> {
    while let Ok(group) = next_group(jobs) {
        let mut persisted = None;
        let mut checkpoint = None;
        let mut recorded = None;
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
                    checkpoint = Some(size);
                }
                Job::Remember(remember) => {
                    store.stage_pledge(&remember.pledge).map_err(failed)?;
                    must_sync |= remember.must_sync;
                    recorded = Some(remember.number);
                }
            }
        }
        if must_sync {
            // A crash right here loses the whole group, and nobody was told of any of it.
            let started = Instant::now();
            store.sync().map_err(failed)?;
            metrics.fsync(started.elapsed());
            // Before what rests on it is told: a pledge may be signed as soon as the replica knows.
            let (kept, cosigned) = store.promised();
            let _ = reports.send(Report::Input(Input::Durable { kept, cosigned }));
            if let Some(number) = recorded {
                let _ = reports.send(Report::Input(Input::Recorded { number }));
            }
        }
        if let Some(number) = persisted {
            let _ = reports.send(Report::Input(Input::Persisted { number }));
        }
        if let Some(size) = checkpoint {
            durable(size);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Mutex, mpsc};

    use musubi_consensus::{HardState, LogEntry};
    use musubi_ledger::batch::NodeId;
    use musubi_storage::{
        OpenSettings,
        memory::{Loss, MemoryDisk},
    };
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::core::checkpoints::tests::genesis;

    fn entry(index: u64) -> Job {
        Job::Persist(Persist {
            number: index,
            truncate_from: None,
            entries: vec![LogEntry { index, term: 1, data: vec![] }],
            hard_state: Some(HardState { term: 1, vote: Some(NodeId(1)), commit: 0 }),
            must_sync: true,
        })
    }

    /// The first entry goes well, then the disk fails with a second one and a checkpoint to do.
    fn fails_at_the_second(fail: impl Fn(&MemoryDisk), reason: &str) {
        let disk = MemoryDisk::new(1);
        let settings = OpenSettings::default();
        let opened = Store::create(disk.open().unwrap(), &genesis(), [9; 16], &settings).unwrap();
        let store = Arc::new(opened.store);
        let (jobs, jobs_in) = mpsc::channel();
        let (reports, mut reports_in) = unbounded_channel();
        let published = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&published);
        let thread = std::thread::spawn(move || {
            let durable = |size| shown.lock().unwrap().push(size);
            run(&jobs_in, &store, &reports, &Metrics::new(), durable)
        });

        jobs.send(entry(1)).unwrap();
        let Some(Report::Input(Input::Durable { kept, cosigned: 0 })) = reports_in.blocking_recv()
        else {
            panic!("what is durable is told first");
        };
        assert_eq!((kept.write, kept.index, kept.term, kept.vote), (1, 1, 1, 1));
        let Some(Report::Input(Input::Persisted { number: 1 })) = reports_in.blocking_recv() else {
            panic!("the first entry is durable");
        };
        fail(&disk);
        jobs.send(entry(2)).unwrap();
        // The thread may be gone already.
        let _ = jobs.send(Job::Checkpoint { size: 2, note: "a note".into() });
        let fault = thread.join().unwrap().unwrap_err();
        assert_eq!(fault.code(), "storage_failed");
        assert!(fault.to_string().contains(reason), "{fault}");
        assert!(fault.advice().contains("See to the disk"));
        assert!(reports_in.blocking_recv().is_none(), "nothing else was reported as durable");
        assert!(published.lock().unwrap().is_empty(), "no checkpoint was shown");

        // The disk is mended, and what was acknowledged is there.
        disk.fail_writes(false);
        disk.fail_syncs(false);
        disk.crash(Loss::Everything);
        let again = Store::open(disk.open().unwrap(), &settings).unwrap();
        assert_eq!(again.store.acknowledged().index, 1);
        assert_eq!(again.recovered.hard_state.vote, Some(NodeId(1)));
    }

    #[test]
    fn a_failed_sync_stops_the_thread_with_the_reason_and_nothing_more_is_reported() {
        fails_at_the_second(|disk| disk.fail_syncs(true), "the sync failed");
    }

    #[test]
    fn so_does_a_failed_write() {
        fails_at_the_second(|disk| disk.fail_writes(true), "no space left on the disk");
    }
}
