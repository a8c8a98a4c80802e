//! A stage for scenarios that last years: a fresh network of three real validators whose clocks the scenario drives.
//!
//! - [`network`]: [`OnNetwork`], the stage: begins in the past, submits, advances, gives every new block;
//! - `drive`: sets the validators' clocks, the leader's last (docs/adr/0010 says why the order matters);
//! - `hand_in`: a list of transactions in bulk submissions, each followed to its verdict;
//! - [`follower`]: downloads every entry, re-executes it and compares: what a scenario knows of the ledger is what came of
//!   that, never what a node says of itself.

mod drive;
pub mod follower;
mod hand_in;
pub mod network;

pub use follower::{Follower, Seen};
pub use network::{OnNetwork, Verdict};
