//! The node's inside: one thread each for replica, disk, verification and execution, and the queues
//! between them, all bounded.
//!
//! ```text
//!  door ─┐                     ┌─ persist ─▶ disk ──────── persisted ─┐
//!        ├─ inputs ─▶ replica ─┤                                      ├─▶ reports ─▶ replica
//!  peers ┘                     └─ execute ─▶ verify ─▶ execute ─ executed ┘
//! ```
//!
//! The replica never waits for disk or execution: it hands work over and goes on. What it has handed
//! over and not got back is limited by its own configuration, so the inner queues cannot fill up; the
//! outer one (`inputs`) refuses at the door and slows peers down.

pub mod checkpoints;
pub mod cosigning;
pub mod disk;
pub mod evidence;
pub mod executor;
pub mod forward;
pub mod keeper;
pub mod peers;
pub mod pending;
pub mod replica;
pub mod verified;
pub mod watch;
pub mod witnesses;

use std::sync::{Arc, OnceLock};

use musubi_consensus::{HaltReason, Input};
use thiserror::Error;

/// Inputs that may wait for the replica.
pub const INPUTS_MAX: usize = 4_096;
/// Work that the replica may have handed over; far above what its limits allow.
pub const WORK_MAX: usize = 65_536;

/// Why a node stops.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The replica stopped.
    #[error("{0}")]
    Replica(#[from] HaltReason),
    /// A write or sync failed: what is durable is unknown, so nothing more may be promised.
    #[error("storage: {0}")]
    Storage(String),
    /// What every upstream of this replica serves does not add up.
    #[error("nobody serves a block that adds up: {0}")]
    Contradicted(String),
    /// A thread ended in a panic: an invariant was broken.
    #[error("the {0} thread ended: an invariant was broken, see the log above")]
    Thread(&'static str),
}

impl Fault {
    /// Stable code for logs and the process's exit message.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Replica(reason) => reason.code(),
            Self::Storage(_) => "storage_failed",
            Self::Contradicted(_) => "contradicted",
            Self::Thread(_) => "invariant_broken",
        }
    }

    /// What an operator does about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Storage(_) => {
                "See to the disk (is it full, does the system log report errors of it?), then start this \
                 node again: what it acknowledged was durable before, and the start checks that it still is"
            }
            Self::Contradicted(_) => {
                "Nothing of it was recorded: what this replica has still adds up. The refused bytes lie beside its \
                 data directory. Find out, with other operators, who served another history and why; then start it \
                 again with upstreams that you trust to serve the right one"
            }
            Self::Replica(HaltReason::Amnesia(_)) => AMNESIA_ADVICE,
            Self::Replica(_) | Self::Thread(_) => {
                "Keep its log, check its directory with `musubi-node verify`, and start it again only if \
                 that finds it whole"
            }
        }
    }
}

/// What to do about a directory that has forgotten.
const AMNESIA_ADVICE: &str = "This directory was wiped, put back from a backup, copied or swapped, and does not \
     know what this validator has promised: it must not vote, acknowledge or cosign in its name, and starting it \
     again does not change that. If the directory that ran last still exists, put that one back. If it is gone, \
     leave this validator out: the others go on without it. Do not format it, and do not copy another node's \
     directory (docs/OPERATING.md, \"A validator that has forgotten\")";

/// What inner threads tell the replica's thread.
#[derive(Debug)]
pub enum Report {
    /// An input about finished work.
    Input(Input),
    /// The node must stop.
    Fault(Fault),
}

/// Where inner threads report. Unbounded in type, bounded by what the replica hands out.
pub type Reports = tokio::sync::mpsc::UnboundedSender<Report>;

/// The fault that came first. A thread that ends closes its queue, and whoever sends into that sees a
/// closed queue at once, but the report only in its turn: this is why the queue closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct FirstFault(Arc<OnceLock<Fault>>);

impl FirstFault {
    /// What is behind a fault that the replica's thread noticed.
    pub(crate) fn behind(&self, noticed: Fault) -> Fault {
        match (&noticed, self.0.get()) {
            (Fault::Thread(_), Some(first)) => first.clone(),
            _ => noticed,
        }
    }
}

/// Runs `work` on a named thread; a panic inside becomes a fault of the node. `queue`, from which it takes
/// its work, closes only when the fault is known to `first`.
pub(crate) fn spawn<Q: Send + 'static>(
    name: &'static str,
    reports: Reports,
    first: &FirstFault,
    queue: Q,
    work: impl FnOnce(&Q) -> Result<(), Fault> + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let first = first.clone();
    std::thread::Builder::new().name(name.into()).spawn(move || {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&queue)));
        let fault = match ended {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Thread(name),
        };
        let _ = first.0.set(fault.clone());
        // The replica's thread may be gone already: then the node is stopping anyway.
        let _ = reports.send(Report::Fault(fault));
        drop(queue);
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whoever_finds_a_queue_closed_finds_the_reason() {
        let fault = Fault::Storage("no space left on the disk".into());
        for _ in 0..200 {
            let (reports, _reports_in) = tokio::sync::mpsc::unbounded_channel();
            let (jobs, jobs_in) = std::sync::mpsc::sync_channel::<()>(1);
            let first = FirstFault::default();
            let failing = fault.clone();
            let thread = spawn("disk", reports, &first, jobs_in, |_| Err(failing)).unwrap();
            while !matches!(jobs.try_send(()), Err(std::sync::mpsc::TrySendError::Disconnected(())))
            {
            }
            assert_eq!(first.behind(Fault::Thread("disk")), fault);
            thread.join().unwrap();
        }
    }

    #[test]
    fn a_panic_is_a_fault_of_its_thread() {
        let (reports, mut reports_in) = tokio::sync::mpsc::unbounded_channel();
        let first = FirstFault::default();
        let work = |(): &()| panic!("an invariant is broken, on purpose");
        spawn("execute", reports, &first, (), work).unwrap().join().unwrap();
        let Report::Fault(fault) = reports_in.blocking_recv().unwrap() else { panic!("no fault") };
        assert_eq!((&fault, fault.code()), (&Fault::Thread("execute"), "invariant_broken"));
    }
}
