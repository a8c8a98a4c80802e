//! Musubi's durable store. Keeps exactly what it was asked to keep, and notices when it did not.
//!
//! # Rooms
//!
//! - [`backend`]: the contract of a key-value store; [`rocks`] and [`memory`] keep it;
//! - [`watermark`]: what was acknowledged, beside the database; [`lock`]: the directory on a real disk;
//! - [`Store`]: the one writer. [`Store::stage`] and [`Store::sync`] for the Raft log, [`Store::record`] for
//!   executed blocks; its readers are in `read`, `tiles` and `party`;
//! - [`StateView`]: the state as execution reads it, with the rows in use in memory; [`Ahead`]: those that one
//!   block asks for, fetched together;
//! - `follow`: how a replica that is no member of Raft keeps the log that it pulls;
//! - `frozen`: the state as it was, for whoever takes a snapshot of it; `incoming`: a directory made from one;
//! - `memos`: encrypted texts beside the log, which may be erased;
//! - `pledges`: what other members have shown of themselves, and whose directory this is;
//! - `recover` opens a directory and refuses one that fails `checks`; `verify` re-checks all of it.
//!
//! # What is durable when
//!
//! [`Store::stage`] and [`Store::record`] write into one write-ahead log, in the order of the calls, and
//! return before it is synced; [`Store::sync`] makes all of it durable. A crash leaves a prefix: never a
//! block without the Raft entry that it executes, never half of either. Blocks need no sync of their
//! own: a lost one is executed again from the log.
//!
//! # Clocks and threads
//!
//! No clock is read here; whoever wants to know how long a sync took measures around the call. One
//! thread stages and syncs, one records, any number read.

mod ahead;
mod archive;
pub mod backend;
mod block;
mod cache;
mod checks;
mod counters;
mod directory;
mod error;
mod follow;
mod frozen;
mod incoming;
mod layout;
pub mod lock;
pub mod memory;
mod memos;
mod party;
mod pledges;
mod policies;
mod raft_log;
mod read;
mod recover;
pub mod rocks;
mod runs;
mod state_view;
mod store;
mod tiles;
mod verify;
pub mod watermark;

pub use ahead::Ahead;
pub use archive::KeptWallet;
pub use counters::{CacheCounts, Counts};
pub use directory::Directory;
pub use error::{OpenError, StoreError};
pub use follow::EMPTY_ENTRIES_MAX;
pub use frozen::FrozenState;
pub use incoming::{Incoming, Taken};
pub use layout::{Base, BlockRecord, STORAGE_FORMAT};
pub use memos::{MemoStanding, OpenMemos, SettledMemo};
pub use party::{Direction, LeafPage};
pub use raft_log::LogView;
pub use read::RowPage;
pub use recover::{OpenSettings, Opened};
pub use state_view::StateView;
pub use store::Store;
pub use tiles::TileHashes;
pub use verify::Verified;
