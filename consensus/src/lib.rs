//! The replica: raft-rs behind a guard, sans-IO. Inputs in, effects out.
//!
//! A run is a pure function of (configuration, recovered state, seed, inputs with their times): no
//! clock, entropy, thread, socket or file is touched here, so production and the simulator run the
//! very same code.
//!
//! # What the caller owes
//!
//! 1. **Poll everything, in order.** After each [`Replica::handle`] drain [`Replica::poll`].
//!    Persists are done in polled order, executions too; sends may overtake anything (loss,
//!    duplication and reordering of messages is always harmless).
//! 2. **Persist atomically.** One [`Persist`] is all or nothing, and `Persisted { number }` means
//!    that *it and every earlier one* are written, and that all of them whose `must_sync` is set
//!    survive a power cut. One without it moves only the commit index: written in order it may be
//!    reported unsynced, since commit is learned again, and recorded with execution (3). Several may
//!    be under way; one fsync may cover many, and only the last number needs to be reported.
//! 3. **Record commit with execution.** Whoever records the execution of entry `i` raises the
//!    persisted commit index to at least `i` in the same atomic write. A [`Persist`] that carries
//!    the commit is always polled before the execution that rests on it, so one ordered writer
//!    gives this for free. [`Replica::new`] refuses a directory where it does not hold.
//! 4. **Execute once, in order**, and answer each `Execute` with one `Executed`.
//! 5. **Authenticate.** `from` of a message is the member that the connection proved to be.
//!    Submissions were verified (id, hash and signatures) before they come in: the pool tells copies of
//!    one id apart by their hash.
//! 6. **Stop on `Halt`.** Nothing follows it. A failed write or fsync is never reported as
//!    persisted: the caller stops instead.
//!
//! # The states of a replica
//!
//! ```text
//!            election timeout            quorum of pre-votes          quorum of votes
//!  follower ──────────────────▶ pre-candidate ────────▶ candidate ────────▶ leader, not yet ready
//!     ▲  ▲                           │                     │                    │ own first entry executed
//!     │  └────────── lost, or a leader of this term ───────┘                    ▼
//!     └───────── a higher term, or no quorum heard for an election timeout ── leader, proposing
//! ```
//!
//! # Rooms
//!
//! `guard` rules on each message before raft-rs sees it (raft-rs trusts peers, we do not);
//! `entry_check` rules on what a leader wants persisted; `outbox` withholds what rests on
//! unpersisted state; `pool` and `cutter` make batches; `raft_core` is the only room that names
//! raft-rs. Beside the replica stand `cosigner`, which makes checkpoints of what was executed final, and
//! `compare`, which finds out whether others executed other bytes.
//!
//! Absent on purpose, with room left: snapshots and compaction (a `Body` variant appended in
//! `wire`, a `Storage::snapshot` that answers), membership changes (the member set in `guard`, the
//! scan that `raft_core::storage` answers with nothing), linearizable reads (a fresh context per
//! attempt, made by the leader: raft-rs's own `ReadIndex` can serve a stale read when a context
//! repeats).

mod amnesia;
mod compare;
mod config;
pub mod cosigner;
mod cutter;
mod effect;
mod entry_check;
mod epoch;
mod guard;
mod input;
mod log;
mod outbox;
pub mod pledge;
mod pool;
mod raft_core;
mod replica;
mod wire;

pub use amnesia::Identity;
pub use compare::{Comparison, Told};
#[cfg(feature = "planted-bugs")]
pub use config::Planted;
pub use config::{Config, ConfigError, CutPolicy, MemberKey, PoolLimits, RaftLimits};
pub use effect::{
    Class, Effect, Execute, Forgotten, HaltReason, Persist, RefuseReason, Remember, Role, Standing,
};
pub use entry_check::EntryFault;
pub use epoch::Ended;
pub use guard::{Accusation, Refusal};
pub use input::{COPIES_MAX, Executed, Input, Submission, Via};
pub use log::{HardState, LogEntry, LogFault, LogReader, Position, RecoverError, Recovered};
pub use replica::{Replica, Status};
pub use wire::{Answer, Ballot, Body, PeerMessage};
