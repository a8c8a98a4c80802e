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
pub mod disk;
pub mod evidence;
pub mod executor;
pub mod forward;
pub mod peers;
pub mod pending;
pub mod replica;
pub mod verified;
pub mod watch;

use musubi_consensus::Input;
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
    Replica(#[from] musubi_consensus::HaltReason),
    /// A write or sync failed: what is durable is unknown, so nothing more may be promised.
    #[error("storage: {0}")]
    Storage(String),
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
            Self::Thread(_) => "invariant_broken",
        }
    }
}

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

/// Runs `work` on a named thread; a panic inside becomes a fault of the node.
pub(crate) fn spawn(
    name: &'static str,
    reports: Reports,
    work: impl FnOnce() -> Result<(), Fault> + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(move || {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let fault = match ended {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Thread(name),
        };
        // The replica's thread may be gone already: then the node is stopping anyway.
        let _ = reports.send(Report::Fault(fault));
    })
}
